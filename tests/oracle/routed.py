"""The oracle for routing: experts on ranks, tokens chosen by a random top-k, every placement judged.

A layout of routed tokens gives each mesh axis one state: R (every rank the same), B (the tokens of the rank's part of
the batch), W (cut across the width), P (terms of a sum), V (only the ranks that own the expert hold its tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from oracle.judge import Case, Verdict
from oracle.ranks import ROLE, SIZES, Node, Rank, fault, place, placements, terms_of

from dagtool.model.mesh import Mesh
from dagtool.model.size import parse_size
from dagtool.model.tensor import Dim, TensorType, parse_type
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.collective import Collective
from dagtool.ops.tokens import Routing, Tokens

X, ROUTE = parse_type("[B, S, H] @m"), parse_type("[B, S, K] @m")
PER_EXPERT = parse_size("B*S*K/E")
EXPERTS = range(SIZES["E"])
Infer = Callable[[Mapping[str, TensorType], Mapping[str, str]], tuple[TensorType, ...]]


@dataclass(frozen=True)
class Layout:
    """A state per axis, and the batch [B, S] whose cuts the axes in state B kept."""

    states: Mapping[str, str]
    batch: TensorType
    order: tuple[str, ...] = ()
    """The axes that own experts, major first, where their order is not that of the mesh."""

    def axes(self, state: str) -> tuple[str, ...]:
        """The axes in a state."""
        found = tuple(axis for axis, held in self.states.items() if held == state)
        return self.order if state == "V" and set(found) == set(self.order) else found

    @property
    def type(self) -> TensorType:
        """As a type of the dialect."""
        cuts = tuple(axis for dim in self.batch.dims for axis in dim.axes if self.states[axis] == "B")
        dims = (Dim(PER_EXPERT, cuts), Dim(X.dims[-1].size, self.axes("W")))
        return TensorType(dims, "m", self.axes("P"), (*cuts, *self.axes("V")))


@dataclass(frozen=True)
class World:
    """Whole values: an activation, its routing, and a result for each expert and token."""

    x: Any
    route: Routing
    results: Any
    """[E, B*S, H]"""
    up: Any
    """[E, H, F]"""

    @staticmethod
    def random(seed: int) -> World:
        """Every token goes to K different experts; experts get different numbers of tokens."""
        rng = np.random.default_rng(seed)
        b, s, h, k, e = (SIZES[name] for name in "BSHKE")
        chosen = np.argsort(rng.standard_normal((b, s, e)), axis=-1)[..., :k]
        weights = rng.random((b, s, k))
        route = Routing(chosen, weights / weights.sum(axis=-1, keepdims=True))
        return World(
            rng.standard_normal((b, s, h)), route,
            rng.standard_normal((e, b * s, h)), rng.standard_normal((e, h, SIZES["F"])),
        )  # fmt: skip

    def ids(self, expert: int) -> Any:
        """The tokens that chose an expert."""
        return np.flatnonzero((self.route.experts == expert).any(axis=-1).reshape(-1))

    def sent(self, expert: int) -> Tokens:
        """An expert's tokens before it works on them."""
        ids = self.ids(expert)
        return Tokens(expert, ids, self.x.reshape(-1, SIZES["H"])[ids])

    def made(self, expert: int) -> Tokens:
        """An expert's results."""
        ids = self.ids(expert)
        return Tokens(expert, ids, self.results[expert, ids])

    def term(self, expert: int) -> Any:
        """What an expert adds to the output [B, S, H]."""
        share = (self.route.weights * (self.route.experts == expert)).sum(axis=-1)
        return share[..., None] * self.results[expert].reshape(*share.shape, -1)

    def sum(self) -> Any:
        """The output of the block [B, S, H]."""
        return sum(self.term(expert) for expert in EXPERTS)


def owners(mesh: Mesh, axes: tuple[str, ...], expert: int) -> tuple[int, ...]:
    """The ranks of an expert: experts lie in order along the axes, major first, on every rank of the others."""
    sizes = [mesh.sizes[axis] for axis in axes]
    places = list(product(*map(range, sizes)))
    return mesh.members(dict(zip(axes, places[expert // (len(EXPERTS) // len(places))], strict=True)))


def local_ids(mesh: Mesh, gpu: int, layout: Layout) -> Any:
    """The numbers of the tokens a rank may hold: its part of the batch, and those of ranks it exchanged them with."""
    numbers = np.arange(SIZES["B"] * SIZES["S"]).reshape(SIZES["B"], SIZES["S"])
    kept = layout.axes("B")
    group = mesh.members({axis: at for axis, at in mesh.position(gpu).items() if axis in kept})
    batch = TensorType(layout.batch.dims[:2], "m")
    return np.concatenate([numbers[Rank(mesh, one, {}, {}).part(batch)].reshape(-1) for one in group])


def local_tokens(whole: Tokens, layout: Layout, mesh: Mesh, gpu: int) -> Tokens:
    """One rank's tokens, partial sums aside."""
    mine = np.isin(whole.ids, local_ids(mesh, gpu, layout))
    width = TensorType((Dim(parse_size(str(whole.rows.shape[1])), layout.axes("W")),), "m")
    return Tokens(whole.expert, whole.ids[mine], whole.rows[mine][:, Rank(mesh, gpu, {}, {}).part(width)[0]])


def place_tokens(whole: Tokens, layout: Layout, mesh: Mesh, rng: np.random.Generator) -> dict[int, Tokens]:
    """What the ranks that have an expert's tokens hold of them."""
    spread = list(mesh.coordinates(layout.axes("P")))
    terms = dict(zip(map(str, spread), terms_of(whole.rows, len(spread), rng), strict=True))
    found = {}
    for gpu in owners(mesh, layout.axes("V"), whole.expert):
        at = {axis: index for axis, index in mesh.position(gpu).items() if axis in layout.axes("P")}
        at = next(one for one in spread if one == at)
        found[gpu] = local_tokens(replace(whole, rows=terms[str(at)]), layout, mesh, gpu)
    return found


def tokens_fault(layout: Layout, mesh: Mesh, held: Mapping[int, Tokens], whole: Tokens) -> str:
    """Why an expert's tokens on the ranks are not what their layout promises."""
    wanted = owners(mesh, layout.axes("V"), whole.expert)
    if missing := set(wanted) - set(held):
        return f"expert {whole.expert} has no tokens on rank {min(missing)}"
    for gpu in wanted:
        here = mesh.position(gpu)
        group = mesh.members({axis: at for axis, at in here.items() if axis not in layout.axes("P")})
        expected = local_tokens(whole, layout, mesh, gpu)
        if any(not np.array_equal(held[member].ids, expected.ids) for member in group):
            return f"rank {gpu} holds other tokens of expert {whole.expert} than promised"
        rows = sum(held[member].rows for member in group)
        if rows.shape != expected.rows.shape or not np.allclose(rows, expected.rows, rtol=1e-9, atol=1e-9):
            return f"rank {gpu} holds other rows of expert {whole.expert} than promised"
    return ""


def layouts(mesh: Mesh, route: TensorType) -> Iterator[Layout]:
    """Every layout of tokens; axes in state B cut the batch as the routing does, else along its first dimension."""
    for chosen in product("RBWPV", repeat=len(mesh.axes)):
        states = dict(zip(mesh.sizes, chosen, strict=True))
        placed = {axis for dim in route.dims[:2] for axis in dim.axes}
        more = tuple(axis for axis in states if states[axis] == "B" and axis not in placed)
        first = Dim(route.dims[0].size, (*route.dims[0].axes, *more))
        yield Layout(states, TensorType((first, route.dims[1]), "m"))


def promised(tensor: TensorType, batch: TensorType) -> Layout:
    """The layout that a type of tokens means, given the batch that its tokens were taken from."""
    cuts, width = tensor.dims[0].axes, tensor.dims[1].axes
    states = dict.fromkeys(batch.sharded_axes, "R") | {axis: "V" for axis in tensor.varying if axis not in cuts}
    states |= dict.fromkeys(cuts, "B") | dict.fromkeys(width, "W") | dict.fromkeys(tensor.partial, "P")
    return Layout(states, TensorType(batch.dims[:2], "m"))


# -- one judge per shape of operator --------------------------------------------------------


Held = Mapping[int, Mapping[str, list[Any]]]
"""Values by rank and slot."""


@dataclass(frozen=True)
class Try:
    """One combination: its types and the batch its tokens are taken from, all cuts included."""

    placed: str
    types: Mapping[str, TensorType]
    batch: TensorType
    layout: Layout | None = None
    """Of the tokens it takes, if it takes tokens."""

    def values(self, world: World, mesh: Mesh, rng: np.random.Generator) -> tuple[Held, Mapping[int, Any]]:
        """What every rank holds in each slot, and each expert's tokens by rank."""
        whole = {"x": world.x, "route": world.route}
        dense = {name: held for name, held in self.types.items() if name in whole and (name != "x" or not self.layout)}
        placed = {name: place(whole[name], held, mesh, rng) for name, held in dense.items()}
        held = {gpu: {name: [ranks[gpu]] for name, ranks in placed.items()} for gpu in mesh.gpus}
        if self.layout is None:
            return held, {}
        make = world.sent if "x" in self.types else world.made
        experts = {e: place_tokens(make(e), self.layout, mesh, rng) for e in EXPERTS}
        for gpu in mesh.gpus:
            held[gpu]["tokens"] = [experts[e][gpu] for e in EXPERTS if gpu in experts[e]]
        return held, experts


def activations(mesh: Mesh) -> Iterator[Try]:
    """x and its routing in every pair of placements."""
    axes = tuple(mesh.sizes)
    for (one, x), (other, route) in product(placements(X, axes), placements(ROUTE, axes, "")):
        yield Try(f"x={one} route={other}", {"x": x, "route": route}, x)


def results(mesh: Mesh) -> Iterator[Try]:
    """The experts' results and the routing in every pair of placements."""
    for name, route in placements(ROUTE, tuple(mesh.sizes), ""):
        for layout in layouts(mesh, route):
            placed = f"tokens={''.join(layout.states.values())} route={name}"
            yield Try(placed, {"tokens": layout.type, "route": route}, route, layout)


def crossed(mesh: Mesh) -> Iterator[Try]:
    """Results of tokens taken from a batch cut along one dimension, to be put back into one cut along the other."""
    for axis, here, there in product(mesh.sizes, (0, 1), (0, 1)):
        if here != there:
            first, other = (_cut_batch(dim, axis) for dim in (here, there))
            layout = Layout({**dict.fromkeys(mesh.sizes, "R"), axis: "B"}, first)
            yield Try(f"tokens=S({here}) route=S({there})", {"tokens": layout.type, "route": other}, other, layout)


def _cut_batch(dim: int, axis: str) -> TensorType:
    return ROUTE.with_dim(dim, Dim(ROUTE.dims[dim].size, (axis,)))


def tokens_alone(mesh: Mesh) -> Iterator[Try]:
    """Routed tokens in every layout."""
    for layout in layouts(mesh, ROUTE):
        yield Try(f"x={''.join(layout.states.values())}", {"x": layout.type}, layout.batch, layout)


def judge_routing(
    case: Case,
    mesh: Mesh,
    seed: int = 0,
    *,
    tries: Callable[[Mesh], Iterator[Try]] | None = None,
    infer: Infer | None = None,
    search: bool = True,
) -> Iterator[Verdict]:
    """Verdicts for an operator on an activation or on routed tokens; by default all that its slots take."""
    world, rng = World.random(seed), np.random.default_rng(seed)
    judging = Judging(world, mesh, rng, infer or OPERATORS[case.op].infer, search)
    for one in (tries or (activations if "x" in OPERATORS[case.op].slots else results))(mesh):
        for params in _weights(case, mesh):
            placed = one.placed + (f" param={params['param']}" if "param" in params else "")
            yield judging.verdict(replace(case, params=params), one, placed)


def _owner(case: Case) -> tuple[str, ...]:
    return tuple(filter(None, case.params.get("owner", "").split(",")))


def _weights(case: Case, mesh: Mesh) -> Iterator[dict[str, str]]:
    if not case.param:
        yield dict(case.params)
        return
    for _, weight in placements(parse_type(f"{case.param} @m"), tuple(mesh.sizes), ""):
        yield {**case.params, "param": str(weight).removesuffix(" @m")}


Found = list[tuple[dict[int, Any], Any]]
"""Results by rank, each with the whole value they should be of."""


@dataclass(frozen=True)
class Judging:
    """What all verdicts of one run share."""

    world: World
    mesh: Mesh
    rng: np.random.Generator
    infer: Infer
    search: bool

    def verdict(self, case: Case, one: Try, placed: str) -> Verdict:
        """Ask the rule, run, compare."""
        if one.layout is not None:
            one = replace(one, layout=replace(one.layout, order=_owner(case)))
        try:
            outputs = self.infer(one.types, case.params)
        except LayoutError as error:
            right = self._alternatives(case, one) if self.search else ""
            return Verdict(case, placed, False, str(error), although_right=right)
        said = "; ".join(map(str, outputs))
        try:
            found = self._run(case, one)
        except Exception as error:
            return Verdict(case, placed, True, said, wrong=f"accepted, but cannot run: {type(error).__name__}: {error}")
        return Verdict(case, placed, True, said, wrong=self._fault(case, outputs[0], one.batch, found))

    def _run(self, case: Case, one: Try) -> Found:
        """Run the operator: once for every expert where there is a node for each."""
        world, mesh = self.world, self.mesh
        held, experts = one.values(world, mesh, self.rng)
        if case.op == "dispatch":
            ran = Node(OPERATORS[case.op], mesh, one.types, case.params).run(held)
            return [({g: made[0][e] for g, made in ran.items() if e in made[0]}, world.sent(e)) for e in EXPERTS]
        if case.op in {"combine", "combine_reduce", "aggregate"}:
            ran = Node(OPERATORS[case.op], mesh, one.types, case.params).run(held)
            return [({gpu: made[0] for gpu, made in ran.items()}, world.sum())]
        return self._run_experts(case, one, held, experts)

    def _run_experts(self, case: Case, one: Try, held: Held, experts: Mapping[int, Any]) -> Found:
        owner = _owner(case)
        each: Found = []
        for e in EXPERTS:
            here = held
            where = owners(self.mesh, owner, e)
            if one.layout is not None:
                where = where if case.op == "route_back" else tuple(experts[e])
                slot = "x" if "x" in one.types else "tokens"
                here = {g: {**held[g], slot: [experts[e][g]] if g in experts[e] else []} for g in where}
            have = {g: here[g] for g in where}
            if isinstance(OPERATORS[case.op], Collective) and set(where) != set(self.mesh.gpus):
                raise LayoutError("a rank of the group has no such tokens")
            weight = {ROLE: self.world.up[e] if case.op == "expert_linear" else self.world.up[e, :, 0]}
            ran = Node(OPERATORS[case.op], self.mesh, one.types, case.params, weight, e).run(have)
            each.append(({gpu: made[0] for gpu, made in ran.items()}, self._expected(case, e)))
        if case.op == "route_back" and owner:
            # The experts of one rank are terms of the same sum.
            sums = {g: sum((made[g] for made, _ in each if g in made), np.zeros(1)) for g in self.mesh.gpus}
            return [(sums, self.world.sum())]
        return each

    def _expected(self, case: Case, expert: int) -> Any:
        """What an operator makes of all tokens of an expert."""
        tokens = self.world.sent(expert)
        rows = tokens.rows
        if case.op == "route_back":
            return self.world.term(expert)
        if case.op == "expert_linear":
            rows = rows @ self.world.up[expert]
        if case.op == "bias":
            rows = rows + self.world.up[expert, :, 0]
        if case.op == "scale":
            rows = rows * float(case.params["factor"])
        if case.op == "softcap":
            rows = float(case.params["cap"]) * np.tanh(rows / float(case.params["cap"]))
        if case.op == "activation":
            rows = rows / (1 + np.exp(-rows))
        return replace(tokens, rows=rows)

    def _fault(self, case: Case, output: TensorType, batch: TensorType, found: Found) -> str:
        for held, whole in found:
            if isinstance(whole, Tokens):
                layout = replace(promised(output, batch), order=_owner(case))
                wrong = tokens_fault(layout, self.mesh, held, whole)
            else:
                wrong = fault(output, self.mesh, held, whole)
            if wrong:
                return wrong
        return ""

    def _alternatives(self, case: Case, one: Try) -> str:
        """The placements a refused combination's result would have had."""
        try:
            found = self._run(case, one)
        except Exception:
            return ""
        fits = []
        if isinstance(found[0][1], Tokens):
            for layout in layouts(self.mesh, one.batch):
                if not any(tokens_fault(layout, self.mesh, held, whole) for held, whole in found):
                    fits.append("".join(layout.states.values()))
        else:
            for name, tensor in placements(X, tuple(self.mesh.sizes)):
                if not any(fault(tensor, self.mesh, held, whole) for held, whole in found):
                    fits.append(name)
        return "|".join(fits)
