"""Run a DAG on simulated GPUs and compare it with the unsharded model.

dagtool prove ep16_tp4
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.execute.prove import Proof
    from dagtool.generators.request import Request

from dagtool.cli._strategy import strategy_options

__all__ = ["command"]


@click.command(
    "prove",
    epilog="Examples: dagtool prove ep16_tp4, dagtool prove outputs/ep16_tp4.dot --seeds 5\n\n"
    "Exit status: 0 equal, 1 not equal, 2 the file cannot be read or does not say enough to be run.",
)
@click.argument("name", metavar="NAME|FILE|-")
@strategy_options
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many random runs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The first seed.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str, request: Request, seeds: int, seed: int, output_format: str) -> int:
    """Run a DAG in numpy, every GPU with its own memory, against the unsharded model."""
    from dagtool.cli._subject import load_subject
    from dagtool.errors import DagtoolError
    from dagtool.execute.prove import prove

    dag = load_subject(name, request)
    try:
        proof = prove(dag, tuple(range(seed, seed + seeds)))
    except DagtoolError as error:
        raise DagtoolError(f"{name}: cannot be proved: {error.message}", error.hint) from None
    click.echo(_json(dag, proof) if output_format == "json" else _text(name, dag, proof))
    return 0 if proof.failure is None else 1


def _json(dag: Dag, proof: Proof) -> str:
    import json

    failure = proof.failure
    found = {
        "schema": "dagtool/prove/1",
        "equal": failure is None,
        "seeds": list(proof.seeds),
        "sizes": proof.sizes,
        "nodes_run": proof.nodes_run,
        "worst_relative_error": proof.worst_error,
        "failure": None
        if failure is None
        else {"node": dag.ids[failure.node], "message": failure.message, "seed": proof.seed},
    }
    return json.dumps(found, indent=2)


def _text(name: str, dag: Dag, proof: Proof) -> str:
    sizes = " ".join(f"{symbol}={value}" for symbol, value in proof.sizes.items())
    failure = proof.failure
    if failure is None:
        runs = f"{len(proof.seeds)} run{'s' if len(proof.seeds) > 1 else ''}"
        lines = [
            f"{name}: equal to the unsharded model in {runs} of {len(dag.ids):,} nodes",
            f"  largest relative error {proof.worst_error:.1e}, every node against what its type promises",
        ]
    else:
        line = f":{dag.source.node_position(failure.node).line}" if dag.source else ""
        lines = [
            f"{name}{line}: not equal to the unsharded model",
            f"  first fault at {dag.ids[failure.node]} ({dag.kind(failure.node).op}): {failure.message}",
            f"  after {proof.nodes_run:,} nodes, seed {proof.seed}",
        ]
    return "\n".join([*lines, f"  with {sizes}"])
