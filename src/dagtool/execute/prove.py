"""The proof: a graph run on simulated GPUs equals the unsharded model, node by node and at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.execute.machine import FailureError, Machine, with_room
from dagtool.execute.promise import Promises
from dagtool.execute.reference import Reference, run_reference
from dagtool.execute.room import FEWER, check_counts, check_room
from dagtool.execute.sizes import small_sizes
from dagtool.execute.statements import false_statement
from dagtool.execute.weights import RandomWeights, Weights
from dagtool.generators.blocks.architecture import resolve
from dagtool.generators.phase import FORWARD, Phase, cache_fault, chooses_token, parse_phases
from dagtool.generators.sizes import misfits
from dagtool.generators.unsharded import needed_sizes
from dagtool.model.roles import INPUT, NEXT_TOKEN
from dagtool.model.tree import Model, ModelError, parse_model
from dagtool.model.vocabulary import name_size

__all__ = ["Proof", "Run", "compare", "compare_each", "prove", "reference_run"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. ``failure`` is None where everything is equal."""

    sizes: dict[str, int]
    """Those of the runs; empty where the graph's statements are at fault and nothing was run."""
    seeds: tuple[int, ...]
    nodes_run: int = 0
    worst_error: float = 0.0
    failure: FailureError | None = None
    seed: int = 0
    """The seed of the failure."""
    unheld: int = 0
    """How many nodes were not compared, because the model has no part of their role."""


def prove(dag: Dag, seeds: tuple[int, ...] = (0, 1, 2)) -> Proof:
    """Run the graph for each seed. Raises DagtoolError where the file does not say enough to run it, or too much."""
    model, phases = _declared(dag)
    if fault := false_statement(dag):
        return Proof({}, seeds, failure=fault, seed=seeds[0])
    sizes = small_sizes(dag)
    check_room(dag, model, phases, sizes)

    def run_of(seed: int) -> Run:
        try:
            return reference_run(model, phases, sizes, RandomWeights(seed))
        except ModelError as error:
            raise DagtoolError(error.message, error.hint) from None

    return compare_each(dag, sizes, seeds, run_of)


def compare_each(dag: Dag, sizes: dict[str, int], seeds: tuple[int, ...], run_of: Callable[[int], Run]) -> Proof:
    """Compare the graph with the unsharded model's run of every seed, up to the first that differs.

    Raises DagtoolError where memory runs out.
    """
    nodes_run, worst, unheld = 0, 0.0, 0
    for seed in seeds:
        try:
            proof = compare(dag, run_of(seed), seeds)
        except MemoryError:
            raise DagtoolError(f"memory ran out after {nodes_run:,} nodes", FEWER) from None
        nodes_run, worst, unheld = nodes_run + proof.nodes_run, max(worst, proof.worst_error), proof.unheld
        if proof.failure:
            return replace(proof, nodes_run=nodes_run, worst_error=worst, seed=seed)
    return Proof(sizes, seeds, nodes_run, worst, unheld=unheld)


def _declared(dag: Dag) -> tuple[Model, tuple[Phase, ...]]:
    """The model and phases of a graph. Raises DagtoolError where it does not say what is needed to run it."""
    if not dag.declared:
        raise DagtoolError("its nodes declare no operators and types", "only files in dagtool's dialect can be run")
    check_counts(dag)
    for attribute, held in (("model", dag.facts.get("model")), ("sizes", dag.sizes), ("meshes", dag.meshes)):
        if not held:
            raise DagtoolError(f"the graph declares no {attribute!r}", "see docs/dialect.md for the graph's attributes")
    try:
        model = parse_model(dag.facts["model"])
        resolve(model)
        model.order(dag.sizes.get("L") or 1) if model.pattern else None
    except ModelError as error:
        raise DagtoolError(error.message, error.hint) from None
    if unread := next((problem for problem in dag.problems if problem.node < 0), None):
        raise DagtoolError(f"the graph's attribute {unread.attribute!r} {unread.message}", "correct it")
    phases = parse_phases(dag.facts.get("phase", FORWARD.name))
    _check_sizes(model, phases, dag.sizes)
    return model, phases


def _check_sizes(model: Model, phases: tuple[Phase, ...], sizes: Mapping[str, int | None]) -> None:
    """All sizes of the model are given, and fit each other. Raises DagtoolError."""
    alike = dict.fromkeys(replace(phase, past="", tag="") for phase in phases)
    needed = [symbol for phase in alike for symbol in needed_sizes(model, frozenset(sizes), phase)]
    if missing := [symbol for symbol in dict.fromkeys(needed) if symbol not in sizes]:
        names = ", ".join(map(name_size, missing))
        raise DagtoolError(f"the graph's sizes do not give {names}, which the model has", "add them to the sizes")
    for _, why, hint in misfits(sizes):
        raise DagtoolError(why, hint)
    if fault := cache_fault(phases, sizes):
        raise DagtoolError(*fault)


@dataclass(frozen=True, slots=True)
class Run:
    """The unsharded model after a run: what the graph is fed, and what each of its nodes must hold a part of."""

    sizes: dict[str, int]
    weights: Weights
    fed: Mapping[tuple[str, str, int], Any]
    references: Mapping[str, Reference]
    """By phase, in order."""

    @property
    def reference(self) -> Reference:
        """What the last phase leaves."""
        return list(self.references.values())[-1]


def reference_run(
    model: Model, phases: tuple[Phase, ...], sizes: dict[str, int], weights: Weights, tokens: Any = None
) -> Run:
    """Run the unsharded model as the phases do: all tokens at once, or new ones on the caches of those before.

    ``tokens``: [B, S]; where a cache is read all tokens that are ever met, [B, T]. Random where they are not given.
    """
    needed = (symbol for phase in phases for symbol in (phase.tokens, phase.keys))
    if missing := [symbol for symbol in needed if symbol not in sizes]:
        raise DagtoolError(f"the graph's sizes do not give {missing[0]}, which phase {phases[-1].name!r} needs")
    if len(phases) > 1:
        return _run_phases(model, phases, sizes, weights, tokens)
    (phase,) = phases
    if phase.loss:
        targets = weights.targets((sizes["B"], sizes["S"]), sizes["V"])
        reference = run_reference(model, sizes, weights, tokens=tokens, targets=targets)
        fed = {("", "input", -1): reference.values["input", -1][0], ("", "head.targets", -1): targets}
        return Run(sizes, weights, fed, {"": reference})
    if not phase.reads_cache:
        reference = run_reference(model, sizes, weights, tokens=tokens)
        return Run(sizes, weights, {("", "input", -1): reference.values["input", -1][0]}, {"": reference})
    context, new = sizes[phase.keys], sizes[phase.tokens]
    if context <= new:
        raise DagtoolError(f"the context {phase.keys}={context} has no token before the new {phase.tokens}={new}")
    everything = _tokens(model, sizes, weights, tokens, context)
    before = run_reference(model, {**sizes, "S": context - new}, weights, tokens=everything[:, :-new])
    reference = run_reference(model, sizes, weights, tokens=everything[:, -new:], past=before.caches)
    fed = {("", "input", -1): everything[:, -new:]}
    for (role, layer), past in before.caches.items():
        fed["", role, layer] = with_room(past, [past.shape[0], context, *past.shape[2:]], 0.0)
        _keep_cache(reference, role, layer, fed["", role, layer])
    return Run(sizes, weights, fed, {"": reference})


def _tokens(model: Model, sizes: dict[str, int], weights: Weights, tokens: Any, count: int) -> Any:
    """The tokens given, or random ones, ``count`` of each sequence."""
    if tokens is not None:
        return tokens
    return run_reference(model, {**sizes, "S": count}, weights).values["input", -1][0]


def _keep_cache(reference: Reference, role: str, layer: int, before: Any) -> None:
    """A cache before the new tokens stands under its role, the one with them under ``ROLE_append``."""
    reference.values[f"{role}_append", layer] = reference.values[role, layer]
    reference.values[role, layer] = (before,)


def _run_phases(model: Model, phases: tuple[Phase, ...], sizes: dict[str, int], weights: Weights, tokens: Any) -> Run:
    """A prefill and decode steps, each on the caches that the one before leaves, and on the token that it chooses."""
    import numpy as np

    from_vocabulary = resolve(model).embedding.embedding != "none"
    counts = [sizes[phase.tokens] for phase in phases]
    everything = _tokens(model, sizes, weights, tokens, sum(counts)).copy()
    fed: dict[tuple[str, str, int], Any] = {}
    references: dict[str, Reference] = {}
    past, first, chosen = None, 0, False
    for phase, count in zip(phases, counts, strict=True):
        new = everything[:, first : first + count]
        reference = run_reference(model, {**sizes, "S": count}, weights, tokens=new, past=past)
        if not chosen:
            fed[phase.tag, INPUT, -1] = new
        for (role, layer), cache in reference.caches.items():
            empty = np.zeros((cache.shape[0], sizes[phase.keys], *cache.shape[2:]))
            if past is None:
                fed[phase.tag, role, layer] = empty
            else:
                fed[phase.tag, f"{role}_room", layer] = empty
            _keep_cache(reference, role, layer, empty if past is None else past[role, layer])
        references[phase.tag], past, first = reference, reference.caches, first + count
        if chosen := chooses_token(phase, sizes, from_vocabulary=from_vocabulary):
            everything[:, first : first + 1] = reference.values[NEXT_TOKEN, -1][0][:, -1:]
    return Run(sizes, weights, fed, references)


def compare(dag: Dag, run: Run, seeds: tuple[int, ...] = ()) -> Proof:
    """Run a graph on what the unsharded model was run on, and hold every node against it."""
    import numpy as np

    machine = Machine(dag, run.sizes, run.weights, run.fed)
    promises = Promises(machine, run.references)
    nodes_run, ended = 0, False
    try:
        with np.errstate(invalid="ignore"):  # masked scores are -inf; a wrong graph may make no number of them
            for node in machine.run():
                promises.check(node)
                nodes_run += 1
                ended = ended or (dag.kind(node).op == "output" and node not in promises.unheld)
        if not ended:
            raise FailureError(len(dag.ids) - 1, "the graph has no output that the model has too: nothing to compare")
    except FailureError as failure:
        return Proof(run.sizes, seeds, nodes_run, promises.worst, failure)
    return Proof(run.sizes, seeds, nodes_run, promises.worst, unheld=len(promises.unheld))
