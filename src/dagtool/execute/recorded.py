"""A graph run with a model's own weights: its logits held against those that published software recorded.

A record has tokens [B, S], the logits [B, S, V] of one forward pass over them, and decode_logits [B, n, V]: of the last
token of a prompt and of n - 1 decode steps after it, which take the tokens that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.execute.machine import FailureError, Machine
from dagtool.execute.prove import Proof, Run, compare, compare_each, reference_run
from dagtool.execute.room import check_counts, check_room
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import CheckpointWeights
from dagtool.generators.phase import FORWARD, parse_phases
from dagtool.generators.plans.document import Run as Asked
from dagtool.model.tree import ModelError

if TYPE_CHECKING:
    from dagtool.model.families import PublishedModel
    from dagtool.model.families.checkpoint import Arrays
    from dagtool.ops.tokens import Array, Ids

__all__ = [
    "TOLERANCE",
    "Comparison",
    "Fault",
    "Record",
    "RecordedProof",
    "Step",
    "logits_of",
    "prove_recorded",
    "prove_weights",
    "read_record",
    "relative_error",
    "steps_of",
]

TOLERANCE = 1e-5
"""Of the largest logit: published software computes norms and angles in single precision."""

_ALIKE = 1e-10
"""Of their largest element: how far two GPUs may differ that hold the same logits."""

_PADDED = frozenset({"V", "F", "Fe", "Fs"})
"""Sizes that a plan may round up: zeros at the end of the vocabulary or of a network's width change no logit."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What published software was given and what it computed; one of the two kinds of logits may be missing."""

    tokens: Ids
    """[B, S]"""
    logits: Array | None
    """[B, S, V]"""
    decode_logits: Array | None
    """[B, n, V]: of the last n tokens, one run each but for the first, which ends the prompt."""


class Step(NamedTuple):
    """One run that is compared: a forward pass, a prefill, or one step of decoding."""

    phase: str
    new: int
    """New tokens of each sequence."""
    seen: int
    """Tokens of each sequence, those before included."""
    expected: Array
    """The logits recorded, [B, new, V]; after a prefill those of the last token, [B, 1, V]."""

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.phase} T={self.seen}" if self.phase == "decode" else self.phase

    def asked(self) -> Asked:
        """Return the run that a plan for this step is asked for."""
        context = self.seen if self.phase == "decode" else None
        return Asked(self.phase, len(self.expected), self.new, context)


class Fault(NamedTuple):
    """Where a graph goes wrong: a node, its operator, what is wrong with it."""

    node: str
    op: str
    message: str
    of_graph: bool
    """Whether the graph parts from the unsharded model, which else is itself not what was recorded."""


class Comparison(NamedTuple):
    """What a step came to. ``fault`` is None where the logits are those recorded."""

    step: Step
    nodes_run: int
    error: float
    """The largest difference to a recorded logit, of the largest of them; infinite where there are no logits."""
    fault: Fault | None


class RecordedProof(NamedTuple):
    """The steps that were compared, up to the first that is not equal, and those for which there is no plan."""

    sizes: dict[str, int]
    compared: tuple[Comparison, ...]
    refused: tuple[tuple[Step, DagtoolError], ...]

    @property
    def failed(self) -> Comparison | None:
        """The comparison that failed, if one did."""
        return next((one for one in self.compared if one.fault), None)

    @property
    def nodes_run(self) -> int:
        """How many nodes were run."""
        return sum(one.nodes_run for one in self.compared)

    @property
    def worst_error(self) -> float:
        """The largest relative error."""
        return max(one.error for one in self.compared)


# -- the record -------------------------------------------------------------------------------


def read_record(arrays: Mapping[str, Any], vocabulary: int, place: str) -> Record:
    """Return the record that arrays are. ``place`` is what errors call it.

    Raises DagtoolError where tokens or logits are missing, or have shapes that do not fit each other or the model.
    """
    tokens = arrays.get("tokens")
    if tokens is None:
        has = f"it has {', '.join(sorted(arrays))}" if arrays else "it is empty"
        raise DagtoolError(f"{place}: has no array 'tokens'; {has}", _RECORD)
    if tokens.ndim != 2 or not tokens.size or tokens.dtype.kind not in "iu":
        raise DagtoolError(f"{place}: tokens are {tokens.dtype} of shape {tokens.shape}, not ids [B, S]", _RECORD)
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        worst = tokens.min() if tokens.min() < 0 else tokens.max()
        raise DagtoolError(f"{place}: token {worst} is not one of the {vocabulary} of config.json", _RECORD)
    batch, count = tokens.shape
    logits = _logits(arrays, "logits", (batch, count, vocabulary), place)
    decoded = arrays.get("decode_logits")
    steps = decoded.shape[1] if decoded is not None and decoded.ndim == 3 and 0 < decoded.shape[1] <= count else count
    decoded = _logits(arrays, "decode_logits", (batch, steps, vocabulary), place)
    if logits is None and decoded is None:
        raise DagtoolError(f"{place}: has neither 'logits' nor 'decode_logits' to compare with", _RECORD)
    return Record(tokens.astype("int64"), logits, decoded)


_RECORD = "tokens [B, S] with logits [B, S, V] of a forward pass, decode_logits [B, n, V] of its last n tokens, or both"


def _logits(arrays: Mapping[str, Any], name: str, shape: tuple[int, ...], place: str) -> Array | None:
    """Return logits in double precision, or None where there are none. Raises DagtoolError where they do not fit."""
    import numpy as np

    found = arrays.get(name)
    if found is None:
        return None
    if found.shape != shape or found.dtype.kind != "f":
        what = f"{found.dtype} of shape {found.shape}"
        raise DagtoolError(f"{place}: {name} are {what}, not numbers of shape {shape}", _RECORD)
    if not np.isfinite(found).all():
        raise DagtoolError(f"{place}: {name} are not all finite", "nothing can be compared with them")
    return found.astype(np.float64)


def steps_of(record: Record, phase: str = "") -> tuple[Step, ...]:
    """Return what can be compared, of one phase or of all: the forward pass, a prefill, every decode step.

    The last token of the prompt is recorded by a prefill; it is also the first decode step, on the tokens before it.
    Raises DagtoolError for a phase that no record has.
    """
    if phase and phase not in _STEPS:
        raise DagtoolError(f"phase {phase!r} is not in a record of logits", f"recorded are {', '.join(_STEPS)}")
    found = tuple(step for name, make in _STEPS.items() if phase in ("", name) for step in make(record))
    if not found:
        raise DagtoolError(f"the record has no logits of the phase {phase!r}", _RECORD)
    return found


def _forward(record: Record) -> Iterator[Step]:
    if record.logits is not None:
        count = record.tokens.shape[1]
        yield Step("forward", count, count, record.logits)


def _prefill(record: Record) -> Iterator[Step]:
    """The prompt; without decode steps after it all tokens are one."""
    count = record.tokens.shape[1]
    if record.decode_logits is not None:
        prompt = count - record.decode_logits.shape[1] + 1
        yield Step("prefill", prompt, prompt, record.decode_logits[:, :1])
    elif record.logits is not None:
        yield Step("prefill", count, count, record.logits[:, -1:])


def _decode(record: Record) -> Iterator[Step]:
    """Each token whose logits are recorded, on a cache of those before it."""
    if record.decode_logits is not None:
        prompt = record.tokens.shape[1] - record.decode_logits.shape[1] + 1
        for number in range(record.decode_logits.shape[1]):
            if prompt + number > 1:
                yield Step("decode", 1, prompt + number, record.decode_logits[:, [number]])


_STEPS: dict[str, Callable[[Record], Iterator[Step]]] = {"forward": _forward, "prefill": _prefill, "decode": _decode}


# -- the proof --------------------------------------------------------------------------------


def prove_recorded(
    build: Callable[[Asked], Dag], published: PublishedModel, arrays: Arrays, record: Record, phase: str = ""
) -> RecordedProof:
    """Run the graph of every step on the model's own weights, and hold its logits against those recorded.

    ``build`` gives the graph of a run, or raises DagtoolError where the plan cannot cut it; the caches of a decode step
    are those of the unsharded model. Raises DagtoolError where there is a plan for no step.
    """
    compared: list[Comparison] = []
    refused: list[tuple[Step, DagtoolError]] = []
    sizes: dict[str, int] = {}
    for step in steps_of(record, phase):
        try:
            dag = build(step.asked())
        except DagtoolError as error:
            refused.append((step, error))
            continue
        own = _own_sizes(dag, published)
        sizes = sizes or {symbol: value for symbol, value in own.items() if symbol not in ("S", "T")}
        compared.append(_compare(dag, _reference(dag, step, published, arrays, record), step))
        if compared[-1].fault:
            break
    if not compared:
        raise refused[0][1]
    return RecordedProof(sizes, tuple(compared), tuple(refused))


def _reference(dag: Dag, step: Step, published: PublishedModel, arrays: Arrays, record: Record) -> Run:
    """Run the unsharded model on the tokens of a step."""
    sizes = _own_sizes(dag, published)
    weights = _weights(arrays, sizes, published)
    return _run(published, step.phase, sizes, weights, record.tokens[:, : step.seen])


def _run(
    published: PublishedModel, phases: str, sizes: dict[str, int], weights: CheckpointWeights, tokens: Any = None
) -> Run:
    import numpy as np

    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return reference_run(published.model, parse_phases(phases), sizes, weights, tokens=tokens)
    except (ModelError, DagtoolError) as error:
        raise DagtoolError(f"the unsharded model cannot be run: {error.message}", error.hint) from None


def _compare(dag: Dag, run: Run, step: Step) -> Comparison:
    """Run a graph; where its logits are not those recorded, find the node at which it parts from the model."""
    broken: FailureError | None = None
    error = float("inf")
    try:
        error = relative_error(logits_of(dag, run)[..., : step.expected.shape[-1]], step.expected)
    except FailureError as failure:
        broken = failure
    if error < TOLERANCE:
        return Comparison(step, len(dag.ids), error, None)
    proof = compare(dag, run)
    found = proof.failure or broken
    if found is not None:
        return Comparison(step, proof.nodes_run, error, _fault(dag, found.node, found.message, of_graph=True))
    message = "the graph is equal to the unsharded model, which is itself not what was recorded"
    last = next(node for node in range(len(dag.ids)) if dag.kind(node).role == "output")
    return Comparison(step, proof.nodes_run, error, _fault(dag, last, message, of_graph=False))


def _fault(dag: Dag, node: int, message: str, *, of_graph: bool) -> Fault:
    return Fault(dag.ids[node], dag.kind(node).op, message, of_graph)


def logits_of(dag: Dag, run: Run) -> Array:
    """Run a graph; return what its output nodes hold, put together: [B, S, V], or [B, 1, V] of the last tokens.

    Raises FailureError where a node cannot run, where two GPUs differ, and where a part is nowhere.
    """
    import numpy as np

    machine = Machine(dag, run.sizes, run.weights, run.fed)
    whole = np.full(0, np.nan)
    node = -1
    with np.errstate(over="ignore", invalid="ignore"):  # as in ``compare``
        for node in machine.run():
            if dag.kind(node).role == "output":
                whole = _put_together(machine, node, whole)
    if not whole.size or np.isnan(whole).any():
        raise FailureError(node, "no GPU has a part of the logits" if whole.size else "the graph has no logits")
    return whole


def _put_together(machine: Machine, node: int, whole: Array) -> Array:
    """Return the logits with the parts that an output node holds on its GPUs put in."""
    import numpy as np

    tensor = machine.dag.kind(node).outputs[0].type
    if not whole.size:
        whole = np.full([dim.size.bind(machine.sizes).value or 0 for dim in tensor.dims], np.nan)
    for gpu, (value,) in (machine.results[node] or {}).items():
        part = whole[machine.part(tensor, gpu)]
        if value.shape != part.shape:
            raise FailureError(node, f"holds shape {value.shape} on GPU {gpu}, its type promises {part.shape}")
        if not np.isnan(part).all() and not np.abs(part - value).max() <= _ALIKE * np.abs(value).max():
            raise FailureError(node, f"holds other logits on GPU {gpu} than on one before it")
        part[...] = value
    return whole


def relative_error(found: Array, expected: Array) -> float:
    """Return the largest difference, of the largest number expected; infinite where shapes or numbers do not fit."""
    import numpy as np

    if found.shape != expected.shape:
        return float("inf")
    error = float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1e-30)
    return error if isfinite(error) else float("inf")


# -- without a record -------------------------------------------------------------------------


def prove_weights(
    dag: Dag, published: PublishedModel, arrays: Arrays, seeds: tuple[int, ...], given: frozenset[str] = frozenset()
) -> Proof:
    """Run the graph on the model's own weights and on random tokens, and hold every node against the unsharded model.

    The sizes of the run are small, but for those that are ``given``.
    """
    import numpy as np

    own, small = _own_sizes(dag, published), small_sizes(dag)
    run_sizes = {symbol: value for symbol, value in small.items() if symbol not in (*published.sizes, *given)}
    sizes = {**own, **run_sizes}
    phases = dag.facts.get("phase", FORWARD.name)
    check_counts(dag)
    check_room(dag, published.model, parse_phases(phases), sizes)

    def run_of(seed: int) -> Run:
        weights = _weights(arrays, sizes, published)
        weights.seed = seed
        return _run(published, phases, sizes, weights)

    with np.errstate(over="ignore"):
        return compare_each(dag, sizes, seeds, run_of)


# -- the model's own sizes --------------------------------------------------------------------


def _own_sizes(dag: Dag, published: PublishedModel) -> dict[str, int]:
    """Return the sizes of a graph. Raises DagtoolError where they are not those that the weights have."""
    found: dict[str, int] = {}
    for symbol, value in dag.sizes.items():
        had = published.sizes.get(symbol)
        if value is None:
            why = f"{symbol} is a symbol: with weights a graph is run for a number of it"
            raise DagtoolError(why, f"leave --set {symbol}={symbol} out")
        if had is not None and value != had and not (symbol in _PADDED and value > had):
            hint = f"leave --set {symbol}={value} out, or take config.json alone as --model: its weights are random"
            raise DagtoolError(f"the plan has {symbol}={value}, and the weights are for {symbol}={had}", hint)
        found[symbol] = value
    return found


def _weights(arrays: Arrays, sizes: Mapping[str, int], published: PublishedModel) -> CheckpointWeights:
    rounded_up = any(sizes[symbol] != value for symbol, value in published.sizes.items() if symbol in sizes)
    return _PaddedWeights(arrays) if rounded_up else CheckpointWeights(arrays)


class _PaddedWeights(CheckpointWeights):
    """Weights with zeros at the end of each dimension that a plan has rounded up."""

    def _held(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        import numpy as np

        found = self._arrays.get((role, layer, expert))
        if found is None or found.ndim != len(shape) or any(h > w for h, w in zip(found.shape, shape, strict=True)):
            return super()._held(role, layer, expert, shape)
        return np.pad(found, [(0, want - have) for have, want in zip(found.shape, shape, strict=True)])
