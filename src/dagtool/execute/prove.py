"""The proof: a graph run on simulated GPUs equals the unsharded model, node by node and at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.execute.machine import FailureError, Machine
from dagtool.execute.promise import Promises
from dagtool.execute.reference import Reference, run_reference
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import RandomWeights, Weights
from dagtool.generators.blocks.architecture import resolve
from dagtool.generators.phase import FORWARD, PHASES, Phase
from dagtool.model.tree import Model, ModelError, parse_model

__all__ = ["Proof", "Run", "compare", "prove", "reference_run"]


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
    model, phase = _declared(dag)
    sizes = small_sizes(dag)
    nodes_run, worst = 0, 0.0
    for seed in seeds:
        try:
            run = reference_run(model, phase, sizes, RandomWeights(seed))
        except ModelError as error:
            raise DagtoolError(str(error)) from None
        proof = compare(dag, run, seeds)
        nodes_run, worst = nodes_run + proof.nodes_run, max(worst, proof.worst_error)
        if proof.failure:
            return Proof(sizes, seeds, nodes_run, worst, proof.failure, seed)
    return Proof(sizes, seeds, nodes_run, worst)


def _declared(dag: Dag) -> tuple[Model, Phase]:
    """The model and phase of a graph. Raises DagtoolError where it does not say what is needed to run it."""
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
    phase = PHASES.get(dag.facts.get("phase", FORWARD.name))
    if phase is None:
        raise DagtoolError(f"the graph runs an unknown phase {dag.facts['phase']!r}", f"known: {', '.join(PHASES)}")
    return model, phase


@dataclass(frozen=True, slots=True)
class Run:
    """The unsharded model after a run: what the graph is fed, and what each of its nodes must hold a part of."""

    sizes: dict[str, int]
    weights: Weights
    fed: Mapping[tuple[str, int], Any]
    reference: Reference


def reference_run(model: Model, phase: Phase, sizes: dict[str, int], weights: Weights, tokens: Any = None) -> Run:
    """Run the unsharded model as a phase does: all tokens at once, or the new ones on the caches of those before.

    ``tokens``: [B, S], or in a phase that reads a cache all [B, T] of them; random where they are not given.
    """
    if not phase.reads_cache:
        reference = run_reference(model, sizes, weights, tokens=tokens)
        return Run(sizes, weights, {("input", -1): reference.values["input", -1][0]}, reference)
    context, new = sizes[phase.keys], sizes[phase.tokens]
    if context <= new:
        raise DagtoolError(f"the context {phase.keys}={context} has no token before the new {phase.tokens}={new}")
    whole = {**sizes, phase.tokens: context}
    everything = run_reference(model, whole, weights, tokens=tokens).values["input", -1][0]
    before = run_reference(model, {**sizes, phase.tokens: context - new}, weights, tokens=everything[:, :-new])
    reference = run_reference(model, sizes, weights, tokens=everything[:, -new:], past=before.caches)
    fed = {("input", -1): everything[:, -new:]}
    for (role, layer), past in before.caches.items():
        fed[role, layer] = _with_room(past, context)
        reference.values[f"{role}_append", layer] = reference.values[role, layer]
        reference.values[role, layer] = (fed[role, layer],)
    return Run(sizes, weights, fed, reference)


def _with_room(past: Any, length: int) -> Any:
    """A cache of ``length`` tokens of which the first are filled."""
    import numpy as np

    return np.concatenate([past, np.zeros((past.shape[0], length - past.shape[1], *past.shape[2:]))], axis=1)


def compare(dag: Dag, run: Run, seeds: tuple[int, ...] = ()) -> Proof:
    """Run a graph on what the unsharded model was run on, and hold every node against it."""
    import numpy as np

    machine = Machine(dag, run.sizes, run.weights, run.fed)
    promises = Promises(machine, run.reference)
    nodes_run, ended = 0, False
    try:
        with np.errstate(invalid="ignore"):  # masked scores are -inf; a wrong graph may make no number of them
            for node in machine.run():
                promises.check(node)
                nodes_run += 1
                ended = ended or dag.kind(node).op == "output"
        if not ended:
            raise FailureError(len(dag.ids) - 1, "the graph has no output to compare")
    except FailureError as failure:
        return Proof(run.sizes, seeds, nodes_run, promises.worst, failure)
    return Proof(run.sizes, seeds, nodes_run, promises.worst)
