"""The unsharded model in numpy, written from its definition: what every node's value must be a part of.

``values[role, layer]`` is the whole tensor that the nodes of a role hold together; for experts
``values[role, layer, expert]`` has a row for every token of the batch, routed there or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagtool.execute.weights import Weights
from dagtool.model.transformer import Model

if TYPE_CHECKING:
    from dagtool.ops.tokens import Array

__all__ = ["Reference", "run_reference"]

Reference = dict[tuple[Any, ...], tuple[Any, ...]]
"""Results of each part, one per output."""


@dataclass(frozen=True, slots=True)
class _Run:
    model: Model
    sizes: dict[str, int]
    weights: Weights
    values: Reference


def run_reference(model: Model, sizes: dict[str, int], weights: Weights) -> Reference:
    """Run the whole model on one processor."""
    values: Reference = {}
    run = _Run(model, sizes, weights, values)
    x = _embed(run)
    for layer in range(sizes["L"]):
        values["entry", layer] = (x,)
        x = _attention(run, layer, x)
        x = _experts(run, layer, x) if model.ffn == "moe" else _mlp(run, layer, x)
        values["pipeline", layer] = (x,)
    values["entry", -1] = (x,)
    h = _norm(model, x, weights.whole("head.norm", -1, -1, (sizes["H"],)))
    logits = h @ weights.whole("head.projection", -1, -1, (sizes["H"], sizes["V"]))
    values["head.norm", -1] = (h,)
    values["head.projection", -1] = values["output", -1] = (logits,)
    return values


def _embed(run: _Run) -> Array:
    model, sizes, weights, values = run.model, run.sizes, run.weights, run.values
    b, s, h = sizes["B"], sizes["S"], sizes["H"]
    if model.embedding == "none":
        x = weights.hidden((b, s, h))
        values["input", -1] = (x,)
        return x
    ids = weights.ids((b, s), sizes["V"])
    values["input", -1] = (ids,)
    tokens = weights.whole("embedding.tokens", -1, -1, (sizes["V"], h))[ids]
    positions = weights.whole("embedding.positions", -1, -1, (s, h))[None].repeat(b, axis=0)
    if model.embedding == "token+position":
        values["embedding.tokens", -1] = (tokens + positions,)
        return tokens + positions
    values["embedding.tokens", -1] = (tokens,)
    if model.embedding == "token":
        return tokens
    values["embedding.positions", -1] = (positions,)
    values["embedding.add", -1] = (tokens + positions,)
    return tokens + positions


def _norm(model: Model, x: Array, weight: Array) -> Array:
    import numpy as np

    centred = x - x.mean(axis=-1, keepdims=True) if model.norm == "layer" else x
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * weight


def _attention(run: _Run, layer: int, x: Array) -> Array:
    import numpy as np

    model, sizes, weights, values = run.model, run.sizes, run.weights, run.values
    h, n, d = sizes["H"], sizes["N"], sizes["D"]
    g = sizes.get("G", n)
    normed = _norm(model, x, weights.whole("attention.norm", layer, -1, (h,)))
    values["attention.norm", layer] = values["attention.copy_in", layer] = (normed,)
    q, k, v = (
        np.tensordot(normed, weights.whole(f"attention.{name}", layer, -1, (h, heads, d)), axes=1)
        for name, heads in (("q", n), ("k", g), ("v", g))
    )
    # Each head of keys and values serves n/g heads of queries.
    wide_k, wide_v = k.repeat(n // g, axis=2), v.repeat(n // g, axis=2)
    scores = np.einsum("bsnd,btnd->bnst", q, wide_k) / np.sqrt(d)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = np.einsum("bnst,btnd->bsnd", shares, wide_v)

    def grouped(part: Array, axis: int) -> Array:
        """Heads of queries as the nodes hold them: [G, N/G] where there are groups."""
        return part if "G" not in sizes else part.reshape(*part.shape[:axis], g, n // g, *part.shape[axis + 1 :])

    values["attention.qkv", layer] = (q, k, v)
    values["attention.kv", layer] = (k, v)
    values["attention.q", layer] = (grouped(q, 2),)
    values["attention.q_heads", layer] = (grouped(q.transpose(0, 2, 1, 3), 1),)
    for name, part in (("k", k), ("v", v)):
        values[f"attention.{name}", layer] = (part,)
        values[f"attention.{name}_heads", layer] = (part.transpose(0, 2, 1, 3),)
    values["attention.scores", layer] = (grouped(scores, 1),)
    values["attention.softmax", layer] = (grouped(shares, 1),)
    values["attention.weighted", layer] = (grouped(mixed, 2),)
    flat = mixed.reshape(*mixed.shape[:2], n * d)
    values["attention.merge", layer] = values["attention.copy_out", layer] = (flat,)
    out = flat @ weights.whole("attention.out", layer, -1, (n * d, h))
    values["attention.out", layer] = (out,)
    values["attention.residual", layer] = (x + out,)
    return x + out


def _act(name: str, x: Array) -> Array:
    import numpy as np

    if name == "relu":
        return np.where(x > 0, x, 0.0)
    if name == "silu":
        return x / (1 + np.exp(-x))
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _ffn(run: _Run, where: tuple[Any, ...], x: Array) -> Array:
    """up, activation, down of the MLP or of one expert. ``where`` is (part, layer) or (part, layer, expert)."""
    model, sizes, weights, values = run.model, run.sizes, run.weights, run.values
    part, layer, *rest = where
    expert = rest[0] if rest else -1
    h, f = sizes["H"], sizes["F"]
    if model.gated:
        weight = weights.whole(f"{part}.up", layer, expert, (h, 2, f))
        gate, up = x @ weight[:, 0], x @ weight[:, 1]
        values[(f"{part}.up", layer, *rest)] = (gate, up)
        hidden = _act(model.activation, gate) * up
    else:
        up = x @ weights.whole(f"{part}.up", layer, expert, (h, f))
        values[(f"{part}.up", layer, *rest)] = (up,)
        hidden = _act(model.activation, up)
    values[(f"{part}.activation", layer, *rest)] = (hidden,)
    down = hidden @ weights.whole(f"{part}.down", layer, expert, (f, h))
    values[(f"{part}.down", layer, *rest)] = (down,)
    return down


def _mlp(run: _Run, layer: int, x: Array) -> Array:
    model, sizes, weights, values = run.model, run.sizes, run.weights, run.values
    normed = _norm(model, x, weights.whole("mlp.norm", layer, -1, (sizes["H"],)))
    values["mlp.norm", layer] = values["mlp.copy_in", layer] = (normed,)
    y = x + _ffn(run, ("mlp", layer), normed)
    values["mlp.residual", layer] = (y,)
    return y


def _experts(run: _Run, layer: int, x: Array) -> Array:
    import numpy as np

    from dagtool.ops.tokens import Routing

    model, sizes, weights, values = run.model, run.sizes, run.weights, run.values
    h, experts, top = sizes["H"], sizes["E"], sizes["K"]
    normed = _norm(model, x, weights.whole("moe.norm", layer, -1, (h,)))
    values["moe.norm", layer] = (normed,)
    scores = normed @ weights.whole("moe.gate", layer, -1, (h, experts))
    chosen = np.argsort(-scores, axis=-1, kind="stable")[..., :top]
    shares = np.exp(np.take_along_axis(scores, chosen, axis=-1))
    shares /= shares.sum(axis=-1, keepdims=True)
    values["moe.gate", layer] = (Routing(chosen, shares),)
    tokens = normed.reshape(-1, h)
    mixed = np.zeros_like(tokens)
    for expert in range(experts):
        values["moe.route", layer, expert] = values["moe.dispatch", layer, expert] = (tokens,)
        down = _ffn(run, ("moe", layer, expert), tokens)
        share = (shares * (chosen == expert)).sum(axis=-1).reshape(-1, 1)
        values["moe.route_back", layer, expert] = (share * down,)
        mixed += share * down
    y = mixed.reshape(x.shape)
    values["moe.combine", layer] = values["moe.route_back", layer] = (y,)
    values["moe.residual", layer] = (x + y,)
    return x + y
