"""The proof: a graph run on simulated GPUs equals the unsharded model, node by node and at the end."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.execute.machine import FailureError, Machine
from dagtool.execute.promise import Promises
from dagtool.execute.reference import run_reference
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import RandomWeights
from dagtool.generators.blocks.architecture import resolve
from dagtool.model.tree import ModelError, parse_model

__all__ = ["Proof", "prove"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. ``failure`` is None where everything is equal."""

    sizes: dict[str, int]
    seeds: tuple[int, ...]
    nodes_run: int
    worst_error: float
    failure: FailureError | None = None
    seed: int = 0
    """The seed of the failure."""


def prove(dag: Dag, seeds: tuple[int, ...] = (0, 1, 2)) -> Proof:
    """Run the graph for each seed. Raises DagtoolError where the file does not say enough to run it."""
    if not dag.declared:
        raise DagtoolError("its nodes declare no operators and types", "only files in dagtool's dialect can be run")
    for attribute, held in (("model", dag.facts.get("model")), ("sizes", dag.sizes), ("meshes", dag.meshes)):
        if not held:
            raise DagtoolError(f"the graph declares no {attribute!r}", "see docs/dialect.md for the graph's attributes")
    try:
        model = parse_model(dag.facts["model"])
        resolve(model)
    except ModelError as error:
        raise DagtoolError(str(error)) from None
    sizes = small_sizes(dag)
    nodes_run, worst = 0, 0.0
    for seed in seeds:
        weights = RandomWeights(seed)
        try:
            reference = run_reference(model, sizes, weights)
        except ModelError as error:
            raise DagtoolError(str(error)) from None
        machine = Machine(dag, sizes, weights, reference.values["input", -1][0])
        promises = Promises(machine, reference)
        ended = False
        try:
            for node in machine.run():
                promises.check(node)
                nodes_run += 1
                ended = ended or dag.kind(node).op == "output"
            if not ended:
                raise FailureError(len(dag.ids) - 1, "the graph has no output to compare")
        except FailureError as failure:
            return Proof(sizes, seeds, nodes_run, max(worst, promises.worst), failure, seed)
        worst = max(worst, promises.worst)
    return Proof(sizes, seeds, nodes_run, worst)
