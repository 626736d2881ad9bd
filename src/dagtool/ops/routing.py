"""Routing of tokens to experts and back, on one GPU: gate, route, route back, aggregate.

Routed tokens have the type [B*S*K/E, H]: what one expert gets when routing is balanced. They ``vary`` along
the axes over which the experts lie (the operator's ``owner``), because each expert gets other tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagtool.model.size import parse_size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.base import (
    LayoutError,
    Matmul,
    Operator,
    Params,
    Types,
    Work,
    axes_param,
    require_no_partial,
    require_whole,
    weight_type,
)

__all__ = ["Aggregate", "Gate", "Route", "RouteBack", "returned_tokens", "routed_tokens"]


def routed_tokens(x: TensorType, route: TensorType, params: Params, over: Sequence[str] = ()) -> TensorType:
    """The tokens one expert gets out of x [B, S, H] under route [B, S, K].

    Axes in ``over`` are exchanged (all-to-all), so they no longer cut the tokens; the others still do.
    """
    if len(x.dims) < 2 or len(route.dims) != len(x.dims):
        raise LayoutError(f"expects x [B, S, H] and route [B, S, K] but gets {x} and {route}")
    if x.dims[:-1] != route.dims[:-1] or x.mesh != route.mesh:
        raise LayoutError(f"its tokens {x} and its routing {route} do not lie alike")
    require_no_partial(x, "routing")
    require_no_partial(route, "routing")
    require_whole(x, -1, "routing a token")
    owner = axes_param(params, "owner")
    experts = params.get("experts")
    if not experts:
        raise LayoutError("does not say how many experts there are (attribute 'experts')")
    cuts = tuple(axis for dim in x.dims[:-1] for axis in dim.axes)
    if clash := [axis for axis in owner if axis in cuts and axis not in over]:
        raise LayoutError(f"tokens are cut along {clash[0]}, along which the experts lie: dispatch over {clash[0]}")
    left = tuple(axis for axis in cuts if axis not in over)
    size = product(dim.size for dim in x.dims[:-1]) * route.dims[-1].size / parse_size(experts)
    return TensorType((Dim(size, left), x.dims[-1]), x.mesh, (), tuple(dict.fromkeys((*left, *owner))))


def returned_tokens(tokens: TensorType, route: TensorType, params: Params, over: Sequence[str] = ()) -> TensorType:
    """The type [B, S, H] of the experts' tokens put back where ``route`` took them from."""
    if len(tokens.dims) != 2:
        raise LayoutError(f"expects tokens [C, H] but gets {tokens}")
    require_no_partial(tokens, "weighting the experts' results")
    back = TensorType((*route.dims[:-1], tokens.dims[-1]), route.mesh)
    expected = routed_tokens(back, route, params, over)
    if expected != tokens:
        raise LayoutError(f"gets tokens {tokens} but this routing hands out {expected}")
    return back


class Gate(Operator):
    """Router: scores [.., E] = x W, softmax, the K best experts of each token with their weights."""

    name = "gate"
    family = "routing"
    source = "Switch/Mixtral routers; sharding: top-k needs every expert's score"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B, S, H], weight [H, E] -> route [B, S, K]: expert ids with their weights."""
        x = inputs["x"]
        require_no_partial(x, "gate")
        weight = weight_type(params, x.mesh)
        if len(weight.dims) != 2 or weight.used_axes:
            raise LayoutError(f"the gate needs its whole weight [H, E] but has {weight}")
        if x.dims[-1] != weight.dims[0]:
            raise LayoutError(f"its input ends in {x.dims[-1]} but its weight begins with {weight.dims[0]}")
        return (TensorType((*x.dims[:-1], Dim(parse_size(params.get("top_k", "K")))), x.mesh, (), x.varying),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One matmul [tokens, H] x [H, E]."""
        x = inputs["x"]
        shape, weight = x.local_shape(axis_sizes), weight_type(params, x.mesh).local_shape(axis_sizes)
        moved = (product(shape), product(weight), *(product(t.local_shape(axis_sizes)) for t in outputs))
        return Work((Matmul(product(shape[:-1]), weight[0], weight[1]),), moved)


class Route(Operator):
    """Picks one expert's tokens out of an activation its GPU holds whole."""

    name = "route"
    family = "routing"
    slots = ("x", "route")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B, S, H], route [B, S, K] -> [B*S*K/E, H]."""
        return (routed_tokens(inputs["x"], inputs["route"], params),)


class RouteBack(Operator):
    """Puts one expert's weighted results back at their tokens, zeros elsewhere: a term of the sum."""

    name = "route_back"
    family = "routing"
    slots = ("tokens", "route")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H], route [B, S, K] -> [B, S, H], a partial sum over the experts' axes."""
        back = returned_tokens(inputs["tokens"], inputs["route"], params)
        return (TensorType(back.dims, back.mesh, axes_param(params, "owner")),)


class Aggregate(Operator):
    """Weighted sum of all experts' results where one GPU holds every expert."""

    name = "aggregate"
    family = "routing"
    slots = ("tokens", "route")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] of each expert, route [B, S, K] -> [B, S, H]."""
        if owner := axes_param(params, "owner"):
            raise LayoutError(f"experts lie along {','.join(owner)}: their results must be combined across GPUs")
        return (returned_tokens(inputs["tokens"], inputs["route"], params),)
