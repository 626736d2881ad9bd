"""Multi-head latent attention (DeepSeek-V2, 2024, section 2.1), in its plain and its absorbed form.

The cache holds the normed latent and the rotated part of the keys that all heads share; keys and values are made of
the latent. In the absorbed form a query meets the latent itself: the two forms give the same scores and result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.execute.definitions.common import factor, mask, normalise, rotate, softmax

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.mla import Options
    from dagtool.ops.tokens import Array

__all__ = ["define"]


def define(m: Module, x: Array, options: Options) -> Array:
    """Return latent attention of x [B, S, H] over itself and the cache."""
    mixed = _attend(m, _queries(m, x, options), _latents(m, x, options), options)
    return m.keep("attention.out", mixed.reshape(*mixed.shape[:2], -1) @ m.weight("attention.out", "N*Dv", "H"))


def _queries(m: Module, x: Array, options: Options) -> tuple[Array, Array]:
    """Queries [B, S, N, D] without position and [B, S, N, Dr] with it."""
    import numpy as np

    rank = "H"
    if options.query_latent:
        x = m.keep("attention.q_down", x @ m.weight("attention.q_down", "H", "Rq"))
        x = m.keep("attention.q_norm", normalise(x, m.weight("attention.q_norm", "Rq"), options.latent_epsilon))
        rank = "Rq"
    q = m.keep("attention.q", np.tensordot(x, m.weight("attention.q", rank, "N", "D"), axes=1))
    q_pe = m.keep("attention.q_pe", np.tensordot(x, m.weight("attention.q_pe", rank, "N", "Dr"), axes=1))
    return q, _turned(m, "attention.q_rotary", q_pe, options)


def _latents(m: Module, x: Array, options: Options) -> tuple[Array, Array]:
    """The latent [B, T, Rkv] and the shared keys with position [B, T, Dr], those of the cache before."""
    latent = m.keep("attention.kv_down", x @ m.weight("attention.kv_down", "H", "Rkv"))
    gain = m.weight("attention.kv_norm", "Rkv")
    latent = m.keep("attention.kv_norm", normalise(latent, gain, options.latent_epsilon))
    k_pe = m.keep("attention.k_pe", x @ m.weight("attention.k_pe", "H", "Dr"))
    k_pe = _turned(m, "attention.k_rotary", k_pe, options)
    return m.append("attention.latent_cache", latent), m.append("attention.rope_cache", k_pe)


def _turned(m: Module, role: str, part: Array, options: Options) -> Array:
    return m.keep(role, rotate(part, options, m.first_position)) if options.rope else part


def _attend(m: Module, queries: tuple[Array, Array], cached: tuple[Array, Array], options: Options) -> Array:
    """Each query's weighted sum of values: [B, S, N, Dv]."""
    import numpy as np

    (q, q_pe), (latent, k_pe) = queries, cached
    keys, values = m.weight("attention.k", "Rkv", "N", "D"), m.weight("attention.v", "Rkv", "N", "Dv")
    k = m.keep("attention.k", np.tensordot(latent, keys, axes=1))
    v = m.keep("attention.v", np.tensordot(latent, values, axes=1))
    m.keep("attention.q_absorbed", np.einsum("bsnd,rnd->bsnr", q, keys))
    scale, causal = factor(m, options.query_scale or "rsqrt(D+Dr)"), options.mask == "causal"
    nope = mask(m, np.einsum("bsnd,btnd->bnst", q, k) * scale, causal=causal)
    pe = mask(m, np.einsum("bsnd,btd->bnst", q_pe, k_pe) * scale, causal=causal)
    m.keep("attention.scores_nope", nope)
    m.keep("attention.scores_pe", pe)
    shares = m.keep("attention.softmax", softmax(m.keep("attention.scores", nope + pe)))
    m.keep("attention.weighted_latent", np.einsum("bnst,btr->bsnr", shares, latent))
    return m.keep("attention.weighted", np.einsum("bnst,btnd->bsnd", shares, v))
