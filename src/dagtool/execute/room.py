"""What a run would take, counted from the graph's types and the model's program before anything is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil, prod

from dagtool.dag import algorithms
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import held_weights
from dagtool.errors import DagtoolError
from dagtool.generators.partition import assemble
from dagtool.generators.phase import Phase
from dagtool.generators.program import Step
from dagtool.generators.ranks import first_ranks
from dagtool.generators.strategy import Strategy
from dagtool.generators.unsharded import Program, layers_of_kinds, open_program
from dagtool.model.limits import MOST_LAYERS, MOST_RUN_BYTES, MOST_RUN_GPUS, MOST_RUNS
from dagtool.model.mesh import Mesh
from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.model.tree import Model
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["FEWER", "bytes_held", "check_counts", "check_room", "check_strategy"]

_BYTES = 8
"""Of a number in double precision."""
FEWER = "prove a smaller plan of the same kind: layers, experts and ranks repeat themselves (--set L=2)"
"""What to do where a graph is too large to be run."""


def check_strategy(strategy: Strategy) -> None:
    """Refuse a plan whose graph is too large to be run, before the graph is made. Raises DagtoolError.

    The nodes are counted on the first rank, which stands for all.
    """
    why = _too_many_gpus(strategy.meshes().values())
    nodes = 0 if why else assemble(strategy, first_ranks(strategy.degrees)).nodes
    if nodes > MOST_RUNS:
        why = f"its graph has {nodes:,} nodes, and at most {MOST_RUNS:,} are run"
    if why:
        raise DagtoolError(f"{strategy.name}: cannot be proved: {why}", FEWER)


def check_counts(dag: Dag) -> None:
    """Refuse more layers, GPUs or nodes than are run. Raises DagtoolError."""
    layers = dag.sizes.get("L") or 0
    if layers > MOST_LAYERS:
        raise DagtoolError(f"it has L={layers:,} layers, and at most {MOST_LAYERS:,} are run", FEWER)
    if why := _too_many_gpus(dag.meshes.values()):
        raise DagtoolError(why, FEWER)
    runs = sum(len(dag.gpus(node)) for node in range(len(dag.ids)))
    if runs > MOST_RUNS:
        why = f"its nodes on all their GPUs are {runs:,} runs, and at most {MOST_RUNS:,} are made"
        raise DagtoolError(why, FEWER)


def _too_many_gpus(meshes: Iterable[Mesh]) -> str:
    """Return why GPUs are not simulated; empty where they are."""
    gpus = sum(len(mesh.gpus) for mesh in meshes)
    return f"its meshes have {gpus:,} GPUs, and at most {MOST_RUN_GPUS:,} are simulated" if gpus > MOST_RUN_GPUS else ""


def check_room(dag: Dag, model: Model, phases: tuple[Phase, ...], sizes: Mapping[str, int]) -> None:
    """Refuse a run that would hold more than a limit of bytes at one time. Raises DagtoolError."""
    held = bytes_held(dag, model, phases, sizes)
    if held > MOST_RUN_BYTES:
        told = " ".join(f"{symbol}={value:,}" for symbol, value in sizes.items())
        gib = f"about {ceil(held / (1 << 30)):,} GiB"
        why = f"a run with {told} would hold {gib} of arrays, and at most {MOST_RUN_BYTES >> 30} GiB are held"
        raise DagtoolError(why, FEWER)


def bytes_held(dag: Dag, model: Model, phases: tuple[Phase, ...], sizes: Mapping[str, int]) -> int:
    """The most bytes of arrays that a run holds at one time: the unsharded model's, and those of the GPUs."""
    return _BYTES * (_unsharded_elements(model, phases, sizes) + _live_elements(dag, sizes))


# -- the unsharded model ----------------------------------------------------------------------


def _unsharded_elements(model: Model, phases: tuple[Phase, ...], sizes: Mapping[str, int]) -> int:
    """Elements that the unsharded model leaves: of all values and weights, every expert on every token."""
    alike = [replace(phase, past="", tag="") for phase in phases]
    total = Fraction(0)
    for phase in dict.fromkeys(alike):
        program = open_program(model, frozenset(sizes), phase)
        for count, step in _steps(program, model, sizes):
            total += count * (alike.count(phase) * _values(step, sizes) + _weights(step, sizes))
    return ceil(total)


def _steps(program: Program, model: Model, sizes: Mapping[str, int]) -> Iterator[tuple[int, Step]]:
    """Every step of the program, and how often it is made: in each layer of a kind, for each expert."""
    layers = layers_of_kinds(model, dict(sizes))
    for kind, section in program.sections():
        for step in section.steps:
            yield (layers.get(kind, 1) or 1) * (sizes.get("E", 1) if step.per_expert else 1), step


def _values(step: Step, sizes: Mapping[str, int]) -> Fraction:
    """Elements of a step's results. An expert's are of all tokens, routed there or not."""
    shares = Fraction(sizes.get("E", 1), sizes.get("K", 1)) if step.per_expert else Fraction(1)
    return shares * sum(_elements(port.type, {}, sizes) for port in step.kind.outputs)


def _weights(step: Step, sizes: Mapping[str, int]) -> Fraction:
    return sum((_elements(held, {}, sizes) for _, held in held_weights(step.kind)), Fraction(0))


# -- the graph --------------------------------------------------------------------------------


def _live_elements(dag: Dag, sizes: Mapping[str, int]) -> int:
    """The most elements that the GPUs together hold at one time: results until their last use."""
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    before = algorithms.successors(count, dag.heads, dag.tails)
    incoming, _ = algorithms.degrees(count, dag.tails, dag.heads)
    each = [_held(kind, dag, sizes) for kind in dag.kinds]
    held = [each[kind] * len(dag.gpus(node)) for node, kind in enumerate(dag.kind_of)]
    waiting = [len(after.of(node)) for node in range(count)]
    live = most = 0.0
    for node in algorithms.topological_order(after, incoming):
        live += held[node]
        most = max(most, live)
        for maker in before.of(node):
            waiting[maker] -= 1
            live -= 0 if waiting[maker] else held[maker]
    return ceil(most)


def _held(kind: Kind, dag: Dag, sizes: Mapping[str, int]) -> float:
    """Elements that one GPU holds of a node's results."""
    mesh = dag.meshes.get(kind.meshes[-1]) if kind.meshes else None
    if mesh is None or kind.op not in OPERATORS:
        return 0.0
    try:
        copies = OPERATORS[kind.op].held_values(kind.parameters, mesh.sizes)
        return float(_number(copies, sizes) * sum(_elements(port.type, mesh.sizes, sizes) for port in kind.outputs))
    except (LayoutError, LookupError):  # the run says what is wrong with it
        return 0.0


def _elements(tensor: TensorType, axis_sizes: Mapping[str, int], sizes: Mapping[str, int]) -> Fraction:
    """Elements of a value: on one GPU, or of the whole where no axes are given."""
    return prod(
        (_number(dim.local(axis_sizes) if axis_sizes else dim.size, sizes) for dim in tensor.dims), start=Fraction(1)
    )


def _number(size: Size, sizes: Mapping[str, int]) -> Fraction:
    """The number a size is; what is left of a symbol that nobody gives counts as one."""
    bound = size.bind(sizes)
    return Fraction(bound.numerator, bound.denominator)
