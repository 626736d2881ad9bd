"""Run a DAG on simulated GPUs and compare it with the unsharded model.

dagtool prove ep16_tp4
"""

from __future__ import annotations

import itertools
import json
import math
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dagtool.dag.graph import Dag
    from dagtool.execute.prove import Proof
    from dagtool.execute.recorded import Comparison, RecordedProof, Step
    from dagtool.generators.plans.document import Run as Asked
    from dagtool.generators.request import Request
    from dagtool.model.families.state import ModelFolder

from dagtool.cli._given import refuse_given
from dagtool.cli._strategy import strategy_options
from dagtool.escape import as_lines

__all__ = ["command"]


@click.command(
    "prove",
    epilog="Examples: dagtool prove ep16_tp4, dagtool prove outputs/ep16_tp4.dot --seeds 5,"
    " dagtool prove tp2_pp2 --model my_tiny_model\n\n"
    "With --model FOLDER the weights are those of weights.npz, model.safetensors or model.safetensors.index.json in"
    " the folder, and random without them. Its run.npz, if there is one, has tokens [B, S] and what your software"
    " computes of them: logits [B, S, V] of a forward pass, decode_logits [B, n, V] of the last token of a prompt and"
    " of the n-1 decode steps after it. The plan's logits must be those, to 1e-5 of the largest.\n\n"
    "Exit status: 0 equal, 1 not equal, 2 the file cannot be read or does not say enough to be run.",
)
@click.argument("name", metavar="NAME|FILE|-")
@strategy_options
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many random runs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The first seed.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str, request: Request, seeds: int, seed: int, output_format: str) -> int:
    """Run a DAG in numpy, every GPU with its own memory, against the unsharded model."""
    from dagtool.cli._subject import is_strategy

    folder = _folder(request.model) if is_strategy(name) else None
    runs = tuple(range(seed, seed + seeds))
    if folder and folder.weights and folder.record:
        found = _against_record(name, request, folder)
    else:
        found = _against_model(name, request, folder, runs)
    click.echo(json.dumps(found.report, indent=2) if output_format == "json" else as_lines(found.lines))
    return 0 if found.equal else 1


class _Found(NamedTuple):
    """What was found, as JSON and as text."""

    equal: bool
    report: dict[str, Any]
    lines: list[str]


def _folder(model: str) -> ModelFolder | None:
    """Return what lies in the folder of ``--model``; a ``config.json`` by itself and a name have no weights."""
    from dagtool.model.families.state import open_folder

    return open_folder(model) if os.path.isdir(model) else None


def _sizes(sizes: Mapping[str, int | None]) -> str:
    return " ".join(f"{symbol}={value:,}" for symbol, value in sizes.items() if value is not None)


def _sizes_lines(dag: Dag, proof: Proof) -> list[str]:
    """The sizes of the runs; where they are small ones, what is known of the graph's own."""
    if not proof.sizes:
        return []
    own = {symbol: value for symbol, value in dag.sizes.items() if value != proof.sizes.get(symbol)}
    lines = [f"  with {_sizes(proof.sizes)}"]
    if any(own.values()) and proof.failure is None:
        lines.append(f"  its own sizes {_sizes(own)} are cut into whole parts everywhere")
    if left := [symbol for symbol, value in own.items() if value is None]:
        lines.append(f"  left open: {', '.join(left)}")
    return lines


# -- against the unsharded model --------------------------------------------------------------


def _against_model(name: str, request: Request, folder: ModelFolder | None, runs: tuple[int, ...]) -> _Found:
    """Random tokens; the weights of the folder, or random ones."""
    from dagtool.errors import DagtoolError
    from dagtool.execute.prove import prove
    from dagtool.execute.recorded import prove_weights
    from dagtool.model.families import read_config
    from dagtool.model.families.state import read_weights

    dag = _load(name, request)
    weights = folder.weights if folder else ""
    if folder and weights:
        published = read_config(folder.path)
        arrays = read_weights(published, weights)
    try:
        proof = prove_weights(dag, published, arrays, runs, _given(request)) if weights else prove(dag, runs)
    except DagtoolError as error:
        raise DagtoolError(f"{name}: cannot be proved: {error.message}", error.hint) from None
    lines = [*_proof_lines(name, dag, proof), *_weights_lines(folder), *_sizes_lines(dag, proof)]
    return _Found(
        proof.failure is None, _proof_report(dag, proof) | {"weights": weights or None, "record": None}, lines
    )


def _load(name: str, request: Request) -> Dag:
    """Generate a strategy that is small enough to be run, or read a DOT file. Raises DagtoolError."""
    from dagtool.cli._subject import is_strategy, load_file
    from dagtool.execute.room import check_strategy
    from dagtool.generators.partition import partition
    from dagtool.generators.request import read_strategy

    if not is_strategy(name):
        return load_file(name, request)
    strategy = read_strategy(name, request)
    check_strategy(strategy)
    return partition(strategy)


def _given(request: Request) -> frozenset[str]:
    """The sizes of a run that the call gives."""
    run = {"B": request.run.batch, "S": request.run.seq, "T": request.run.context}
    return frozenset({*request.settings, *(symbol for symbol, value in run.items() if value is not None)})


def _weights_lines(folder: ModelFolder | None) -> list[str]:
    """Whose weights they are; and what is not compared without any."""
    if folder is None:
        return []
    if folder.weights:
        return [f"  with the weights of {folder.weights}, on random tokens"]
    unused = f", so {folder.record} is not compared" if folder.record else ""
    return [f"  with random weights: {folder.path} has no weights.npz and no model.safetensors{unused}"]


def _proof_report(dag: Dag, proof: Proof) -> dict[str, Any]:
    failure = proof.failure
    return {
        "schema": "dagtool/prove/1",
        "equal": failure is None,
        "seeds": list(proof.seeds),
        "sizes": proof.sizes,
        "own_sizes": dag.sizes,
        "nodes_run": proof.nodes_run,
        "nodes_not_compared": proof.unheld,
        "worst_relative_error": proof.worst_error,
        "failure": None
        if failure is None
        else {"node": dag.ids[failure.node], "message": failure.message, "seed": proof.seed},
    }


def _proof_lines(name: str, dag: Dag, proof: Proof) -> list[str]:
    failure = proof.failure
    if failure is None:
        runs = f"{len(proof.seeds)} run{'s' if len(proof.seeds) > 1 else ''}"
        compared = "every node"
        if proof.unheld:
            compared = f"{len(dag.ids) - proof.unheld:,} nodes (of {proof.unheld:,} the model has no such role)"
        return [
            f"{name}: equal to the unsharded model in {runs} of {len(dag.ids):,} nodes",
            f"  largest relative error {proof.worst_error:.1e}, {compared} against what its type promises",
        ]
    line = f":{dag.source.node_position(failure.node).line}" if dag.source else ""
    when = f"after {proof.nodes_run:,} nodes, seed {proof.seed}" if proof.sizes else "found before anything is run"
    return [
        f"{name}{line}: not equal to the unsharded model",
        f"  first fault at {dag.ids[failure.node]} ({dag.kind(failure.node).op}): {failure.message}",
        f"  {when}",
    ]


# -- against a record -------------------------------------------------------------------------


def _against_record(name: str, request: Request, folder: ModelFolder) -> _Found:
    """The tokens of the record, the weights of the folder."""
    from dagtool.execute.recorded import prove_recorded, read_record
    from dagtool.model.families import read_config
    from dagtool.model.families.state import read_npz, read_weights

    why = f"has no effect: {folder.record} has the tokens"
    refuse_given(("seed", "seeds", "batch", "seq", "context"), why, "leave it out")
    published = read_config(folder.path)
    arrays = read_weights(published, folder.weights)
    record = read_record(read_npz(folder.record), published.sizes["V"], folder.record)

    def build(run: Asked) -> Dag:
        return _load(name, request._replace(run=run))

    proof = prove_recorded(build, published, arrays, record, request.run.phase)
    return _Found(proof.failed is None, _record_report(proof, folder), _record_lines(name, proof, folder))


def _record_report(proof: RecordedProof, folder: ModelFolder) -> dict[str, Any]:
    from dagtool.execute.recorded import TOLERANCE

    failed = proof.failed
    fault = failed.fault if failed else None
    return {
        "schema": "dagtool/prove/1",
        "equal": failed is None,
        "seeds": [],
        "sizes": proof.sizes,
        "nodes_run": proof.nodes_run,
        "worst_relative_error": _finite(proof.worst_error),
        "failure": None
        if failed is None or fault is None
        else {"node": fault.node, "message": fault.message, "seed": None, "step": failed.step.name},
        "weights": folder.weights,
        "record": {
            "file": folder.record,
            "tolerance": TOLERANCE,
            "compared": [_step_report(one.step) | _comparison_report(one) for one in proof.compared],
            "not_run": [_step_report(step) | {"message": why.message, "hint": why.hint} for step, why in proof.refused],
        },
    }


def _step_report(step: Step) -> dict[str, Any]:
    return {"phase": step.phase, "sequences": len(step.expected), "new_tokens": step.new, "tokens": step.seen}


def _comparison_report(one: Comparison) -> dict[str, Any]:
    return {"equal": one.fault is None, "nodes_run": one.nodes_run, "relative_error": _finite(one.error)}


def _finite(error: float) -> float | None:
    """JSON has no infinity."""
    return error if math.isfinite(error) else None


def _record_lines(name: str, proof: RecordedProof, folder: ModelFolder) -> list[str]:
    from dagtool.execute.recorded import TOLERANCE

    failed = proof.failed
    allowed = f"at most {TOLERANCE:.0e} of the largest logit is allowed"
    lines = [f"{name}: {'not equal' if failed else 'equal'} to the logits of {folder.record}"]
    if failed and failed.fault:
        fault = failed.fault
        first = "first fault" if fault.of_graph else "no fault of the plan"
        where = f"  {first} in {_what_ran([failed.step])}, at {fault.node} ({fault.op}): {fault.message}"
        lines += [where, f"  after {proof.nodes_run:,} nodes"]
    lines += [
        f"  compared: {_what_ran([one.step for one in proof.compared])}",
        f"  largest relative error {proof.worst_error:.1e}; {allowed}",
        *_refused_lines(proof),
        f"  with the weights of {folder.weights}",
        f"  with {_sizes(proof.sizes)}",
    ]
    return lines


def _what_ran(steps: Iterable[Step]) -> str:
    """Return ``forward: 10 tokens of 2 sequences; decode: 5 steps of T=6 to 10``."""
    found = []
    for phase, group in itertools.groupby(steps, lambda step: step.phase):
        these = list(group)
        if phase == "decode":
            found.append(f"decode: {_count(len(these), 'step')} of T={_numbers([step.seen for step in these])}")
        else:
            last = "the last of " if phase == "prefill" else ""
            sequences = _count(len(these[0].expected), "sequence")
            found.append(f"{phase}: {last}{_count(these[0].new, 'token')} of {sequences}")
    return "; ".join(found)


def _refused_lines(proof: RecordedProof) -> list[str]:
    """What has no plan, phase by phase, and why the first of it has none."""
    found = []
    for _, group in itertools.groupby(proof.refused, lambda one: one[0].phase):
        these = list(group)
        found.append(f"  not run: {_what_ran(step for step, _ in these)}: {these[0][1].message}")
    return found


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _numbers(numbers: list[int]) -> str:
    """Return ``6``, ``6 to 10`` of numbers without a gap, or ``6 8 10``."""
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return " ".join(map(str, numbers))
