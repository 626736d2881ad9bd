"""The oracle for tokens that travel to the meshes of their experts and back, every placement on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from oracle.judge import Case, Verdict
from oracle.ranks import Rank, fault, place, placements
from oracle.routed import EXPERTS, PER_EXPERT, ROUTE, Layout, World, X, layouts, owners, place_tokens, tokens_fault

from dagtool.model.mesh import Mesh
from dagtool.model.tensor import Dim, TensorType, parse_type
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.transfer import RemoteDispatch

ROUTE_THERE = parse_type(str(ROUTE).replace("@m", "@n"))


def judge_remote(op: str, owner: tuple[str, ...], source: Mesh, target: Mesh, seed: int = 0) -> Iterator[Verdict]:
    """A verdict for each placement of the inputs; experts lie along the axes ``owner`` of their mesh."""
    world, rng = World.random(seed), np.random.default_rng(seed)
    judge = _dispatched if op == "remote_dispatch" else _combined
    yield from judge(world, rng, owner, source, target)


def _params(owner: tuple[str, ...]) -> dict[str, str]:
    return {"to": "n", "experts": "E", "owner": ",".join(owner)}


def _operator(op: str) -> RemoteDispatch:
    operator = OPERATORS[op]
    assert isinstance(operator, RemoteDispatch)
    return operator


def _local(types: Mapping[str, TensorType], params: Mapping[str, str], source: Mesh, target: Mesh) -> Any:
    return lambda gpu: Rank(source if gpu in source.gpus else target, gpu, types, params)


def _dispatched(
    world: World, rng: np.random.Generator, owner: tuple[str, ...], source: Mesh, target: Mesh
) -> Iterator[Verdict]:
    operator, params, axes = _operator("remote_dispatch"), _params(owner), tuple(source.sizes)
    layout = Layout({axis: "V" if axis in owner else "R" for axis in target.sizes}, ROUTE_THERE, owner)
    promise = TensorType((Dim(PER_EXPERT), X.dims[-1]), "n", (), owner)
    for (one, x), (other, route) in product(placements(X, axes), placements(ROUTE, axes, "")):
        case, placed = Case(operator.name, params=params), f"x={one} route={other}"
        types = {"x": x, "route": route}
        try:
            (output,) = operator.infer(types, params)
            xs, routes = place(world.x, x, source, rng), place(world.route, route, source, rng)
            held = {gpu: {"x": [xs[gpu]], "route": [routes[gpu]]} for gpu in source.gpus}
            found = operator.route(_local(types, params, source, target), held, source, target)
        except LayoutError as error:
            yield Verdict(case, placed, False, str(error))
            continue
        wrong = "" if output == promise else f"{output} is not {promise}"
        for expert in EXPERTS:
            there = {gpu: tokens[expert] for gpu, tokens in found.items() if expert in tokens}
            if set(there) != set(owners(target, owner, expert)):
                wrong = wrong or f"expert {expert} has tokens on ranks {sorted(there)}"
            wrong = wrong or tokens_fault(layout, target, there, world.sent(expert))
        yield Verdict(case, placed, True, str(output), wrong=wrong)


def _combined(
    world: World, rng: np.random.Generator, owner: tuple[str, ...], source: Mesh, target: Mesh
) -> Iterator[Verdict]:
    operator, params = _operator("remote_combine"), _params(owner)
    for tokens, (name, route) in product(layouts(source, ROUTE), placements(ROUTE_THERE, tuple(target.sizes), "")):
        layout = Layout(tokens.states, tokens.batch, owner)
        case, placed = Case(operator.name, params=params), f"tokens={''.join(layout.states.values())} route={name}"
        types = {"tokens": layout.type, "route": route}
        try:
            (output,) = operator.infer(types, params)
            experts = [place_tokens(world.made(expert), layout, source, rng) for expert in EXPERTS]
            held: dict[int, dict[str, list[Any]]] = {
                gpu: {"tokens": [ranks[gpu] for ranks in experts if gpu in ranks]} for gpu in source.gpus
            }
            held |= {gpu: {"route": [value]} for gpu, value in place(world.route, route, target, rng).items()}
            found = operator.route(_local(types, params, source, target), held, source, target)
        except LayoutError as error:
            yield Verdict(case, placed, False, str(error))
            continue
        yield Verdict(case, placed, True, str(output), wrong=fault(output, target, found, world.sum()))
