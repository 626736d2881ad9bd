"""Whether what should run the same program does, whatever the model is.

All ranks of a mesh run one program on their own shards, all experts of a layer run one program on their own weights,
and layers made of the same parts run one program each. So the nodes of one role must agree, and where most agree, the
others are at fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.model.roles import ENTRY
from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from dagtool.dag.graph import Kind
    from dagtool.validators.context import Context

__all__ = ["ProgramFault", "crossings", "layer_fault", "program_faults"]

RANK, EXPERT, LAYER = "on another rank", "of another expert", "in another layer"


@dataclass(frozen=True, slots=True)
class ProgramFault:
    """Nodes that differ from the others of their group, in what, and one node of those others (-1: there is none)."""

    what: str
    nodes: tuple[int, ...]
    other: int = -1
    attribute: str = ""


_Place = tuple[str, str, tuple[str, ...], int, int]
"""(phase, role, meshes, layer, expert)."""
_Group = list[int]
_SAME_IN_LAYERS = ("function", "mask", "scale")


def program_faults(ctx: Context) -> Iterator[ProgramFault]:
    """Compare the nodes of each role on all ranks, then its experts, then its layers; in the order of the file."""
    sources = _Sources(ctx)
    places = _places(ctx)
    own = {kind.role for kind, base in zip(ctx.dag.kinds, ctx.bases, strict=True) if kind.role == base}
    for place, nodes in places.items():
        if place[1] in own:  # how a value is converted is free: the rules on types hold it against its user
            yield from _unlike_kinds(ctx, nodes, RANK)
            yield from _unlike_sources(nodes, sources.exact, RANK)
            yield from _uncovered(ctx, place, nodes)
    for nodes in _experts(places):
        yield from _unlike_kinds(ctx, nodes, EXPERT)
        yield from _unlike_sources(nodes, sources.exact, EXPERT)
    yield from _unlike_layers(ctx, places, sources)
    yield from _unnumbered(ctx, places)
    yield from _lone_experts(ctx, places)
    yield from _head_without_norm(ctx)


def _places(ctx: Context) -> dict[_Place, _Group]:
    dag = ctx.dag
    heads = [(kind.phase, kind.role, kind.meshes) for kind in dag.kinds]
    found: dict[_Place, _Group] = {}
    for node, (kind, layer, expert) in enumerate(zip(dag.kind_of, dag.layer_of, dag.expert_of, strict=True)):
        phase, role, meshes = heads[kind]
        if role:
            found.setdefault((phase, role, meshes, layer, expert), []).append(node)
    return found


def _experts(places: dict[_Place, _Group]) -> Iterable[_Group]:
    """Bring together the first node of each expert, for each part of each layer."""
    found: dict[Hashable, _Group] = {}
    for (phase, role, meshes, layer, expert), nodes in places.items():
        if expert >= 0:
            found.setdefault((phase, role, meshes, layer), []).append(nodes[0])
    return found.values()


def _parted(nodes: _Group, said: list[Hashable]) -> tuple[int, _Group]:
    """One node of the majority and those that say otherwise; of two equal halves the later is told."""
    usual = Counter(said).most_common(1)[0][0]
    return nodes[said.index(usual)], [node for node, one in zip(nodes, said, strict=True) if one != usual]


def _unlike_kinds(ctx: Context, nodes: _Group, where: str) -> Iterator[ProgramFault]:
    kind_of = ctx.dag.kind_of
    if len({kind_of[node] for node in nodes}) < 2:
        return
    other, odd = _parted(nodes, [kind_of[node] for node in nodes])
    by_what: dict[tuple[str, str], _Group] = {}
    for node in odd:
        by_what.setdefault(_difference(ctx.dag.kind(node), ctx.dag.kind(other), where), []).append(node)
    for (what, attribute), held in by_what.items():
        if what:
            yield ProgramFault(what, tuple(held), other, attribute)


def _difference(one: Kind, other: Kind, where: str) -> tuple[str, str]:
    """What the one says otherwise than the other, and in which attribute; empty where that is the same written anew."""
    if one.op != other.op:
        return f"is {one.op or 'no operator'}, but its like {where} is {other.op or 'none'}", "op"
    for attribute, same in (("input", one.inputs == other.inputs), ("output", one.outputs == other.outputs)):
        if not same:
            return f"states another {attribute} than its like {where}", attribute
    mine, theirs = _parameters(one), _parameters(other)
    unlike = next((name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)), "")
    if not unlike:
        return "", ""
    said = f"has {unlike}={mine.get(unlike, 'none')}, but its like {where} has {theirs.get(unlike, 'none')}"
    return said, unlike if unlike in one.parameters else ""


def _parameters(kind: Kind) -> dict[str, str]:
    """What a kind states, and the defaults of its operator for what it leaves out."""
    declared = OPERATORS[kind.op].attributes if kind.op in OPERATORS else ()
    defaults = {one.name: one.default_text for one in declared if one.default_text}
    return {**defaults, **{name: text for name, text in kind.params if text}}


class _Sources:
    """From which parts each node takes its inputs."""

    def __init__(self, ctx: Context) -> None:
        self._dag, self._before = ctx.dag, ctx.before
        self._bases = ctx.bases
        self._symmetric = [kind.op in OPERATORS and OPERATORS[kind.op].symmetric for kind in ctx.dag.kinds]
        self._first = [
            (OPERATORS[kind.op].slots[:1] if kind.op in OPERATORS else ()) or ("",) for kind in ctx.dag.kinds
        ]

    def _into(self, node: int) -> Iterator[tuple[int, int]]:
        here = slice(self._before.offsets[node], self._before.offsets[node + 1])
        return zip(self._before.targets[here], self._before.edges[here], strict=True)

    def exact(self, node: int) -> Hashable:
        """Part and layer of each value, seen from the node, and the input that it fills where that matters."""
        dag, kind = self._dag, self._dag.kind_of[node]
        return frozenset(
            (self._bases[dag.kind_of[maker]], dag.layer_of[node] - dag.layer_of[maker], slot)
            for maker, edge in self._into(node)
            for slot in (
                ("",) if self._symmetric[kind] else dag.edge_kinds[dag.edge_kind_of[edge]].slots or self._first[kind]
            )
        )

    def of_layer(self, node: int) -> Hashable:
        """The parts of its layer that it takes; what comes from before the layer is one, whatever it is."""
        dag = self._dag
        return frozenset(
            ENTRY if dag.layer_of[maker] != dag.layer_of[node] else self._bases[dag.kind_of[maker]]
            for maker, _ in self._into(node)
        )


def _unlike_sources(nodes: _Group, said_of: Callable[[int], Hashable], where: str) -> Iterator[ProgramFault]:
    if len(nodes) > 1:
        said = [said_of(node) for node in nodes]
        if len(set(said)) > 1:
            other, odd = _parted(nodes, said)
            yield ProgramFault(f"takes its inputs from other parts than its like {where}", tuple(odd), other)


def _unlike_layers(ctx: Context, places: dict[_Place, _Group], sources: _Sources) -> Iterator[ProgramFault]:
    """Compare function and sources of each part between the layers made of the same parts."""
    own = {kind.role for kind, base in zip(ctx.dag.kinds, ctx.bases, strict=True) if kind.role == base}
    made_of: dict[tuple[str, int], set[str]] = {}
    for phase, role, _, layer, _ in places:
        if layer >= 0 and role in own:
            made_of.setdefault((phase, layer), set()).add(role)
    alike: dict[Hashable, _Group] = {}
    for (phase, role, _, layer, expert), nodes in places.items():
        if role in made_of.get((phase, layer), ()):
            alike.setdefault((phase, role, frozenset(made_of[phase, layer]), expert), []).append(nodes[0])
    for nodes in alike.values():
        yield from _unlike_functions(ctx, nodes)
        yield from _unlike_sources(nodes, sources.of_layer, LAYER)
    yield from _lacking(places, made_of)


def _unlike_functions(ctx: Context, nodes: _Group) -> Iterator[ProgramFault]:
    """Compare what layers of one model have in common, other than windows and rotations, which may alternate."""
    for name in _SAME_IN_LAYERS:
        said: list[Hashable] = [ctx.dag.kind(node).parameters.get(name, "") for node in nodes]
        if len(set(said)) > 1:
            other, odd = _parted(nodes, said)
            mine, theirs = (ctx.dag.kind(node).parameters.get(name, "none") for node in (odd[0], other))
            what = f"has {name}={mine}, but its like {LAYER} has {theirs}"
            yield ProgramFault(what, tuple(odd), other, name)


def _lacking(places: dict[_Place, _Group], made_of: dict[tuple[str, int], set[str]]) -> Iterator[ProgramFault]:
    """Find a layer that lacks some parts of another layer and has no part that that one lacks."""
    kinds = {(phase, frozenset(parts)) for (phase, _), parts in made_of.items()}
    whole = {
        (phase, parts): max((one for where, one in kinds if where == phase and one > parts), key=len, default=parts)
        for phase, parts in kinds
    }
    first = {(phase, layer): nodes[0] for (phase, _, _, layer, _), nodes in reversed(places.items())}
    for place, parts in made_of.items():
        if lacks := sorted(whole[place[0], frozenset(parts)] - parts):
            what = f"stands in layer {place[1]}, which has no {', '.join(lacks[:4])}; other layers of the same parts do"
            yield ProgramFault(what, (first[place],))


def _unnumbered(ctx: Context, places: dict[_Place, _Group]) -> Iterator[ProgramFault]:
    """Find nodes without a layer whose part belongs to layers."""
    in_layers = {(phase, role) for phase, role, _, layer, _ in places if layer >= 0}
    for (phase, role, _, layer, _), nodes in places.items():
        if layer < 0 and (phase, role) in in_layers and not role.startswith(("pipeline.", f"{ENTRY}.")):
            yield ProgramFault("states no layer_index, but its like has one", tuple(nodes))


def _lone_experts(ctx: Context, places: dict[_Place, _Group]) -> Iterator[ProgramFault]:
    """Find parts that are stated for some experts of their layer only, or for experts and without one."""
    held: dict[tuple[str, int], dict[str, set[int]]] = {}
    for phase, role, _, layer, expert in places:
        held.setdefault((phase, layer), {}).setdefault(role, set()).add(expert)
    for (phase, role, _, layer, expert), nodes in places.items():
        roles = held[phase, layer]
        every = set().union(*roles.values()) - {-1}
        if expert < 0:
            continue
        if not ctx.dag.sizes.get("E", 1):  # a symbol is any number
            continue
        if "E" not in ctx.dag.sizes:
            yield ProgramFault("states an expert, but the sizes give no E", tuple(nodes), attribute="expert")
        if roles[role] == every:
            continue
        if -1 in roles[role]:
            yield ProgramFault(f"states expert={expert}, but its like states none", tuple(nodes), attribute="expert")
        elif len(roles[role]) == 1:
            yield ProgramFault("is stated for one expert alone", tuple(nodes), attribute="expert")


def _head_without_norm(ctx: Context) -> Iterator[ProgramFault]:
    """Find a projection of the head that takes a residual straight, where the layers have norms."""
    kinds, bases = ctx.dag.kinds, ctx.bases
    if not any(base.endswith(".norm") for base in bases):
        return
    found = [
        head
        for tail, head in zip(ctx.dag.tails, ctx.dag.heads, strict=True)
        if kinds[ctx.dag.kind_of[head]].role == "head.projection"
        and bases[ctx.dag.kind_of[tail]].endswith((".residual", ENTRY))
    ]
    if found:
        what = "takes a residual without a norm between, but the layers have norms"
        yield ProgramFault(what, tuple(dict.fromkeys(found)))


def _uncovered(ctx: Context, place: _Place, nodes: _Group) -> Iterator[ProgramFault]:
    """Find a part that some GPUs of its mesh lack, or have twice."""
    _, _, meshes, _, expert = place
    mesh = ctx.dag.meshes.get(meshes[0]) if len(meshes) == 1 else None
    if mesh is None or expert >= 0 or ctx.dag.kind(nodes[0]).op == "output":
        return
    held = Counter(gpu for node in nodes for gpu in ctx.dag.gpus(node))
    if lacking := sorted(set(mesh.gpus) - held.keys()):
        yield ProgramFault(f"is missing on GPU {format_gpus(lacking)} of its mesh", (nodes[0],))
    if twice := sorted(gpu for gpu, count in held.items() if count > 1):
        yield ProgramFault(f"is there more than once on GPU {format_gpus(twice)}", tuple(nodes))


def crossings(ctx: Context) -> dict[str, list[int]]:
    """Find edges between layers that do not follow one another, or between two experts, by what is wrong."""
    dag = ctx.dag
    last = max(dag.layer_of, default=-1)
    found: dict[str, list[int]] = {}
    for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True)):
        one, other = dag.layer_of[tail], dag.layer_of[head]
        if one != other and other != one + 1 and not (one == last and other < 0):
            found.setdefault("between layers that do not follow one another", []).append(edge)
        elif dag.expert_of[tail] != dag.expert_of[head] and min(dag.expert_of[tail], dag.expert_of[head]) >= 0:
            found.setdefault("from one expert to another", []).append(edge)
    return found


def layer_fault(ctx: Context) -> str:
    """Say which layers are drawn where the sizes give others; empty where they agree or the number is a symbol."""
    wanted, drawn = ctx.dag.sizes.get("L"), {layer for layer in ctx.dag.layer_of if layer >= 0}
    if not wanted or not drawn or (len(drawn) == wanted and max(drawn) == wanted - 1):
        return ""
    return f"the sizes say L={wanted}, but the layers drawn are {format_gpus(sorted(drawn))}"
