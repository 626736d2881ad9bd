"""Grouped-query attention (Ainslie et al. 2023): N heads of queries over G heads of keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.execute.definitions.common import factor, mask, normalise, rotate, softcap, softmax

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.gqa import Options
    from dagtool.ops.tokens import Array

__all__ = ["define"]


def define(m: Module, x: Array, options: Options) -> Array:
    """Return attention of x [B, S, H] over itself and the cache."""
    raw = {name: _project(m, name, x) for name in "qkv"}
    m.keep("attention.qkv", *raw.values())
    m.keep("attention.kv", raw["k"], raw["v"])
    q, k, v = (_prepare(m, name, x, part, options) for name, part in raw.items())
    k, v = m.append("attention.k_cache", k), m.append("attention.v_cache", v)
    for name, part in (("q", q), ("k", k), ("v", v)):
        m.keep(f"attention.{name}_heads", _held(m, name, part.swapaxes(1, 2), axis=1))
    mixed = _attend(m, q, k, v, options)
    merged = mixed.reshape(*mixed.shape[:2], -1)
    m.keep("attention.merge", merged)
    m.keep("attention.copy_out", merged)
    out = m.keep("attention.out", merged @ m.weight("attention.out", "N*D", "H"))
    if options.attention_bias == "qkvo":
        out = m.keep("attention.out_bias", out + m.weight("attention.out_bias", "H"))
    return out


def _heads(m: Module, name: str) -> str:
    return "N" if name == "q" or not m.has("G") else "G"


def _held(m: Module, name: str, part: Array, axis: int = 2) -> Array:
    """A value as nodes hold it: heads of queries as [G, N/G] where there are groups."""
    if name != "q" or not m.has("G"):
        return part
    return part.reshape(*part.shape[:axis], m.size("G"), m.size("N/G"), *part.shape[axis + 1 :])


def _project(m: Module, name: str, x: Array) -> Array:
    """Queries, keys or values [B, S, heads, D] without anything added."""
    import numpy as np

    part = np.tensordot(x, m.weight(f"attention.{name}", "H", _heads(m, name), "D"), axes=1)
    m.keep(f"attention.{name}", _held(m, name, part))
    return part


def _adapt(m: Module, name: str, x: Array, part: Array, options: Options) -> Array:
    """A projection plus its low-rank update, scaled (LoRA, Hu et al. 2021)."""
    import numpy as np

    low = m.keep(f"attention.{name}_lora_down", x @ m.weight(f"attention.{name}_lora_down", "H", "Rl"))
    update = np.tensordot(low, m.weight(f"attention.{name}_lora_up", "Rl", _heads(m, name), "D"), axes=1)
    m.keep(f"attention.{name}_lora_up", _held(m, name, update))
    update = options.lora_scale * update
    m.keep(f"attention.{name}_lora_scale", _held(m, name, update))
    m.keep(f"attention.{name}_adapted", _held(m, name, part + update))
    return part + update


def _prepare(m: Module, name: str, x: Array, part: Array, options: Options) -> Array:
    """A low-rank update, bias, then for queries and keys the norm of each head, then rotary position."""
    if name in options.lora:
        part = _adapt(m, name, x, part, options)
    if options.attention_bias:
        part = part + m.weight(f"attention.{name}_bias", _heads(m, name), "D")
        m.keep(f"attention.{name}_bias", _held(m, name, part))
    if options.qk_norm and name != "v":
        part = normalise(part, m.weight(f"attention.{name}_norm", "D"), m.epsilon)
        m.keep(f"attention.{name}_norm", _held(m, name, part))
    if options.rope and name != "v":
        part = rotate(part, options, m.first_position)
        m.keep(f"attention.{name}_rotary", _held(m, name, part))
    return part


def _attend(m: Module, q: Array, k: Array, v: Array, options: Options) -> Array:
    """Each query's weighted sum of values: [B, S, N, D]. A head of keys serves N/G consecutive heads of queries."""
    import numpy as np

    served = q.shape[2] // k.shape[2]
    k, v = k.repeat(served, axis=2), v.repeat(served, axis=2)
    scores = np.einsum("bsnd,btnd->bnst", q, k) * factor(m, options.query_scale or "rsqrt(D)")
    scores = mask(m, softcap(scores, options.attention_softcap), causal=options.mask == "causal", window=options.window)
    m.keep("attention.scores", _held(m, "q", scores, axis=1))
    sink = m.weight("attention.sinks", "N").reshape(-1, 1, 1) if options.sinks else None
    shares = softmax(scores, sink=sink)
    m.keep("attention.softmax", _held(m, "q", shares, axis=1))
    mixed = np.einsum("bnst,btnd->bsnd", shares, v)
    m.keep("attention.weighted", _held(m, "q", mixed))
    return mixed
