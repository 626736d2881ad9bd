"""Routing of tokens to experts and back, on one GPU: gate, route, route back, aggregate.

Routed tokens have the type [B*S*K/E, H]: what one expert gets when routing is balanced. They ``vary`` along
the axes over which the experts lie (the operator's ``owner``), because each expert gets other tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dagtool.model.size import parse_size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import AXES, COUNT, FLAG, NUMBER, SIZE, Attribute, choice
from dagtool.ops.base import (
    PARAM,
    LayoutError,
    Local,
    Matmul,
    Operator,
    Params,
    Types,
    Values,
    Work,
    only,
    require_no_partial,
    require_whole,
    weight_type,
)
from dagtool.ops.tokens import Routing, Tokens

__all__ = ["EXPERTS", "OWNER", "Aggregate", "Gate", "Route", "RouteBack", "returned_tokens", "routed_tokens"]

EXPERTS = Attribute("experts", SIZE, doc="the number of experts: `E`")
OWNER = Attribute("owner", AXES, (), "the axes over which the experts are spread; none where one GPU has them all")
GATE_SCORES = Attribute(
    "scores", choice("softmax", "sigmoid"), "softmax", "how logits become scores: softmax over all, or sigmoid of each"
)
NORMALISE = Attribute("normalise", FLAG, default=True, doc="whether a token's K weights are scaled to sum to 1")
WEIGHT_FACTOR = Attribute("factor", NUMBER, 1.0, "the factor that multiplies the weights, after they are normalised")
GATE_BIAS = Attribute("bias", FLAG, default=False, doc="whether a bias [E] is added to the logits")
CORRECTION = Attribute(
    "correction",
    FLAG,
    default=False,
    doc="whether a bias [E] is added to the scores for the choice, not for the weights",
)
GROUPS = Attribute("groups", COUNT, 1, "the number of equal groups of consecutive experts; 1: no groups")
TOP_GROUPS = Attribute("top_groups", COUNT, 1, "the number of groups whose experts a token may choose")
GROUP_SCORE = Attribute(
    "group_score",
    choice("max", "top2"),
    "max",
    "the score of a group: that of its best expert, or the sum of its best two",
)
TOP_K = Attribute("top_k", SIZE, parse_size("K"), "experts per token")


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
    require_whole(route, -1, "routing a token")
    owner, experts = OWNER.read(params), EXPERTS.read(params)
    cuts = tuple(axis for dim in x.dims[:-1] for axis in dim.axes)
    if clash := [axis for axis in owner if axis in cuts and axis not in over]:
        raise LayoutError(f"tokens are cut along {clash[0]}, along which the experts lie: dispatch over {clash[0]}")
    left = tuple(axis for axis in cuts if axis not in over)
    size = product(dim.size for dim in x.dims[:-1]) * route.dims[-1].size / experts
    return TensorType((Dim(size, left), x.dims[-1]), x.mesh, (), tuple(dict.fromkeys((*left, *owner))), x.dtype)


def returned_tokens(tokens: TensorType, route: TensorType, params: Params, over: Sequence[str] = ()) -> TensorType:
    """The type [B, S, H] of the experts' tokens put back where ``route`` took them from.

    Weights are the same on every rank, so terms of the experts' results become terms of the weighted sum.
    """
    if len(tokens.dims) != 2:
        raise LayoutError(f"expects tokens [C, H] but gets {tokens}")
    back = TensorType((*route.dims[:-1], tokens.dims[-1]), route.mesh, dtype=tokens.dtype)
    expected = routed_tokens(back, route, params, over)
    if expected != replace(tokens, partial=()):
        raise LayoutError(f"gets tokens {tokens} but this routing hands out {expected}")
    return replace(back, partial=tokens.partial)


def token_ids(here: Local, tensor: TensorType) -> Any:
    """The numbers, in the whole batch, of the tokens this GPU holds of [B, S, ..], in its order."""
    import numpy as np

    shape = [here.count(str(dim.size)) for dim in tensor.dims[:-1]]
    return np.arange(int(np.prod(shape))).reshape(shape)[here.part(tensor)[:-1]].reshape(-1)


def select(here: Local, x: Any, route: Routing, expert: int) -> Tokens:
    """One expert's tokens among those this GPU holds; replicas of an expert share its tokens by their numbers."""
    held = x.reshape(-1, x.shape[-1])
    ids = token_ids(here, here.types["x"])
    logical, number, count = here.replica(expert)
    chosen = (route.experts.reshape(len(held), -1) == logical).any(axis=1) & (ids % count == number)
    return Tokens(expert, ids[chosen], held[chosen])


def pick(here: Local, x: Any, route: Routing) -> Tokens:
    """The tokens of the node's own expert."""
    if here.expert < 0:
        raise LayoutError("does not say which expert it is")
    return select(here, x, route, here.expert)


def own_tokens(held: Any, expert: int) -> Tokens:
    """The tokens of an expert out of what a GPU received. Raises LayoutError where it has not got them."""
    if isinstance(held, dict):
        if expert not in held:
            raise LayoutError(f"the tokens of expert {expert} did not come to this GPU, only those of {sorted(held)}")
        return held[expert]  # type: ignore[no-any-return]
    if not isinstance(held, Tokens) or held.expert != expert:
        other = f"those of expert {held.expert}" if isinstance(held, Tokens) else "no routed tokens"
        raise LayoutError(f"needs the tokens of expert {expert} but gets {other}")
    return held


def put_back(here: Local, route: Routing, tokens: Sequence[Tokens], *, complete: bool = True) -> Any:
    """Each of this GPU's tokens as the weighted sum of its experts' rows.

    ``complete``: raises LayoutError where a token's expert has sent nothing, or the same twice.
    """
    import numpy as np

    ids = token_ids(here, here.types["route"])
    experts, weights = route.experts.reshape(len(ids), -1), route.weights.reshape(len(ids), -1)
    order = np.argsort(ids)
    result = np.zeros((len(ids), tokens[0].rows.shape[1] if tokens else 0))
    served = np.zeros_like(experts)
    for one in tokens:
        at = np.searchsorted(ids, one.ids, sorter=order)
        mine = (at < len(ids)) & (ids[order[np.minimum(at, len(ids) - 1)]] == one.ids)
        rows = order[at[mine]]
        chosen = experts[rows] == here.replica(one.expert)[0]
        served[rows] += chosen
        result[rows] += (weights[rows] * chosen).sum(axis=1)[:, None] * one.rows[mine]
    if complete and (served != 1).any():
        raise LayoutError("an expert's result of some token is missing or came twice")
    return result.reshape(*route.experts.shape[:-1], -1)


class Gate(Operator):
    """Router: chooses the K experts with the highest scores for each token, and gives each of them a weight.

    Logits (plus ``bias``) become ``scores``. The choice is made by score plus ``correction``, among the experts of the
    ``top_groups`` best of ``groups``; the weights are the scores without correction, normalised and multiplied by
    ``factor``.
    """

    name = "gate"
    family = "routing"
    attributes = (
        PARAM, TOP_K, GATE_SCORES, NORMALISE, WEIGHT_FACTOR, GATE_BIAS, CORRECTION, GROUPS, TOP_GROUPS, GROUP_SCORE,
    )  # fmt: skip
    source = "Hugging Face transformers: Mixtral, Qwen3, DeepSeek-V2 and -V3, gpt-oss; top-k needs all scores"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B, S, H], weight [H, E] -> route [B, S, K]: expert ids with their weights."""
        x = inputs["x"]
        require_no_partial(x, "gate")
        weight = weight_type(params, x.mesh)
        if len(weight.dims) != 2 or weight.used_axes:
            raise LayoutError(f"the gate needs its whole weight [H, E] but has {weight}")
        if x.dims[-1] != weight.dims[0]:
            raise LayoutError(f"its input ends in {x.dims[-1]} but its weight begins with {weight.dims[0]}")
        groups, top = self.read(params, GROUPS), self.read(params, TOP_GROUPS)
        if top > groups:
            raise LayoutError(f"chooses from {top} groups of experts but has only {groups}: lower top_groups")
        return (TensorType((*x.dims[:-1], Dim(self.read(params, TOP_K))), x.mesh, (), x.varying),)

    def weights(self, params: Params, mesh: str) -> tuple[TensorType, ...]:
        """The matrix [H, E], then bias and correction [E] if it has them."""
        held = super().weights(params, mesh)
        vectors = sum(self.read(params, one) for one in (GATE_BIAS, CORRECTION))
        return (*held, *(replace(held[0], dims=held[0].dims[1:]),) * vectors) if held else ()

    def named_weights(self, role: str, params: Params, mesh: str) -> tuple[tuple[str, TensorType], ...]:
        """The matrix under the role, the vectors as ``gate_bias`` and ``correction`` of the same module."""
        module = role.partition(".")[0]
        names = [role]
        names += [f"{module}.gate_bias"] if self.read(params, GATE_BIAS) else []
        names += [f"{module}.correction"] if self.read(params, CORRECTION) else []
        return tuple(zip(names, self.weights(params, mesh), strict=False))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The K best experts of each token, and their weights."""
        import numpy as np

        params, mesh = here.params, here.types["x"].mesh
        vectors = {name.rpartition(".")[2]: (name, held) for name, held in self.named_weights(here.role, params, mesh)}
        logits = only(values, "x") @ here.weight()
        if "gate_bias" in vectors:
            logits = logits + here.parameter(*vectors["gate_bias"])
        if self.read(params, GATE_SCORES) == "sigmoid":
            scores = 1.0 / (1.0 + np.exp(-logits))
        else:
            scores = np.exp(logits - logits.max(axis=-1, keepdims=True))
            scores = scores / scores.sum(axis=-1, keepdims=True)
        ranked = scores + here.parameter(*vectors["correction"]) if "correction" in vectors else scores
        if (groups := self.read(params, GROUPS)) > 1:
            ranked = _within_best_groups(ranked, groups, self.read(params, TOP_GROUPS), self.read(params, GROUP_SCORE))
        best = np.argsort(-ranked, axis=-1, kind="stable")[..., : here.count(str(self.read(params, TOP_K)))]
        chosen = np.take_along_axis(scores, best, axis=-1)
        if self.read(params, NORMALISE):
            chosen = chosen / chosen.sum(axis=-1, keepdims=True)
        return (Routing(best, chosen * self.read(params, WEIGHT_FACTOR)),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One matmul [tokens, H] x [H, E]."""
        x = inputs["x"]
        shape, weight = x.local_shape(axis_sizes), weight_type(params, x.mesh).local_shape(axis_sizes)
        moved = (product(shape), product(weight), *(product(t.local_shape(axis_sizes)) for t in outputs))
        return Work((Matmul(product(shape[:-1]), weight[0], weight[1]),), moved)


def _within_best_groups(ranked: Any, groups: int, top: int, group_score: str) -> Any:
    """Return the scores, with -inf for the experts of all but the best groups."""
    import numpy as np

    parts = ranked.reshape(*ranked.shape[:-1], groups, -1)
    highest = np.sort(parts, axis=-1)[..., ::-1]
    score = highest[..., :2].sum(axis=-1) if group_score == "top2" else highest[..., 0]
    used = np.argsort(-score, axis=-1, kind="stable")[..., :top]
    allowed = np.zeros(score.shape, dtype=bool)
    np.put_along_axis(allowed, used, values=True, axis=-1)
    return np.where(allowed[..., None], parts, -np.inf).reshape(ranked.shape)


class Route(Operator):
    """Picks one expert's tokens out of an activation its GPU holds whole."""

    name = "route"
    family = "routing"
    slots = ("x", "route")
    attributes = (EXPERTS, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B, S, H], route [B, S, K] -> [B*S*K/E, H]."""
        return (routed_tokens(inputs["x"], inputs["route"], params),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the choices and the tokens that chose the expert, and writes these."""
        chosen = product(inputs["route"].local_shape(axis_sizes))
        picked = product(outputs[0].local_shape(axis_sizes))
        return Work(elements_moved=(chosen, picked, picked))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The rows of the node's expert."""
        return (pick(here, only(values, "x"), only(values, "route")),)


class RouteBack(Operator):
    """Puts one expert's weighted results back at their tokens, zeros elsewhere: a term of the sum."""

    name = "route_back"
    family = "routing"
    slots = ("tokens", "route")
    attributes = (EXPERTS, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H], route [B, S, K] -> [B, S, H], a partial sum over the experts' axes."""
        back = returned_tokens(inputs["tokens"], inputs["route"], params)
        require_no_partial(inputs["tokens"], "putting back one expert's results")
        return (replace(back, partial=self.read(params, OWNER)),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The expert's weighted rows at their tokens."""
        tokens = own_tokens(only(values, "tokens"), here.expert)
        return (put_back(here, only(values, "route"), [tokens], complete=False),)


class Aggregate(Operator):
    """Weighted sum of all experts' results where one GPU holds every expert."""

    name = "aggregate"
    family = "routing"
    slots = ("tokens", "route")
    many = ("tokens",)
    attributes = (EXPERTS, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] of each expert, route [B, S, K] -> [B, S, H]."""
        if owner := self.read(params, OWNER):
            raise LayoutError(f"experts lie along {','.join(owner)}: their results must be combined across GPUs")
        return (returned_tokens(inputs["tokens"], inputs["route"], params),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The weighted sum over all experts."""
        return (put_back(here, only(values, "route"), values.get("tokens", [])),)
