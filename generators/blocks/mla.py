"""Multi-head latent attention (DeepSeek-V2): keys and values are made of a latent of Rkv elements a token.

Sizes: N heads, each with D elements without and Dr with rotary position for queries and keys, and Dv for values;
Rq and Rkv the ranks of the latents of queries and of keys and values. Where a cache is read, the up-projections
of keys and values are absorbed into queries and result: scores are taken with the latents as they are cached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dagtool.generators.blocks.common import LayerOptions, RotaryOptions, append_cache, enter, linear, rms_norm, rotate
from dagtool.generators.blocks.options import option
from dagtool.generators.program import Builder, Ref

__all__ = ["PREFIX", "SLOT", "Options", "build"]

SLOT = "attention"
PREFIX = "attention"


@dataclass(frozen=True, slots=True)
class Options(RotaryOptions):
    """Options of the model that latent attention reads."""

    mask: str = option("none", "which keys a query sees: causal, or none: all", ("none", "causal"))
    query_latent: bool = option(True, "whether queries are made of a latent of Rq elements, normalised")
    latent_epsilon: float = option(1e-6, "added to the variance in the norms of the latents, which have their own")
    query_scale: str = option("", "what scores are multiplied with; empty: rsqrt(D+Dr)")


def build(b: Builder, h: Ref, options: Options, layer: LayerOptions) -> Ref:
    """Normalised stream [B, S, H] -> [B, S, H], in general a partial sum."""
    if b.ring:
        raise b.refusal("latent attention has no ring", "[operators] context = 'gather'")
    h = enter(b, "attention.copy_in", h, "attention")
    q, rows = h, "H"
    if options.query_latent:
        q, rows = linear(b, "attention.q_down", h, "attention", "H", "Rq"), "Rq"
        q = rms_norm(b, "attention.q_norm", q, "Rq", options.latent_epsilon)
    nope = linear(b, "attention.q", q, "attention", rows, "N", "D")
    pe = linear(b, "attention.q_pe", q, "attention", rows, "N", "Dr")
    latent = linear(b, "attention.kv_down", h, "attention", "H", "Rkv")
    latent = rms_norm(b, "attention.kv_norm", latent, "Rkv", options.latent_epsilon)
    k_pe = linear(b, "attention.k_pe", h, "attention", "H", "Dr")
    if options.rope:
        pe = rotate(b, "attention.q_rotary", pe, options)
        k_pe = rotate(b, "attention.k_rotary", k_pe, options)
    mix = _absorbed if b.phase.reads_cache else _expanded
    y = mix(b, _Heads(nope, pe, latent, k_pe), options)
    y = b.place(y, "attention.out")
    if b.strategy.operators["merge_heads"] == "yes":
        y = b.add("attention.merge", "head_merge", {"x": y}, params={"einsum": "bsnd->bs(nd)"})
        return linear(b, "attention.out", y, "attention.out", "N*Dv", "H")
    return linear(b, "attention.out", y, "attention.out", "N", "Dv", "H", contract=2)


class _Heads(NamedTuple):
    """Queries without and with position; the latents of keys and values; the keys with position, one for all heads."""

    q: Ref
    q_pe: Ref
    latent: Ref
    k_pe: Ref


def _expanded(b: Builder, made: _Heads, options: Options) -> Ref:
    """Keys and values of every head are made of the latents: fewer FLOPs where all tokens are new."""
    nope, pe, latent, k_pe = made
    k = linear(b, "attention.k", latent, "attention", "Rkv", "N", "D")
    v = linear(b, "attention.v", latent, "attention", "Rkv", "N", "Dv")
    k, v = b.place(k, "attention.keys"), b.place(v, "attention.keys")
    if b.phase.writes_cache:
        append_cache(b, "latent_cache", latent, b.phase.keys)
    k_pe = b.place(k_pe, "attention.keys")
    if b.phase.writes_cache:
        append_cache(b, "rope_cache", k_pe, b.phase.keys)
    queries = (b.place(nope, "attention.core"), b.place(pe, "attention.core"))
    weights = _weights(b, queries, (k, k_pe), options)
    return b.add("attention.weighted", "weighted_sum", {"p": weights, "v": v}, params={"einsum": "bnst,btnd->bsnd"})


def _absorbed(b: Builder, made: _Heads, options: Options) -> Ref:
    """Queries meet the latents themselves: nothing is made of what the cache holds."""
    nope, pe, latent, k_pe = made
    into = {"parameter": "attention.k"}
    absorbed = b.add(
        "attention.q_absorbed",
        "head_linear",
        {"x": nope},
        weight=b.weight("attention", "Rkv", "N", "D"),
        params={**into, "einsum": "bsnd,rnd->bsnr"},
    )
    latent = append_cache(b, "latent_cache", latent, b.phase.keys)
    k_pe = append_cache(b, "rope_cache", k_pe, b.phase.keys)
    q, pe = b.place(absorbed, "attention.core"), b.place(pe, "attention.core")
    weights = _weights(b, (q, pe), (latent, k_pe), options)
    y = b.add(
        "attention.weighted_latent",
        "weighted_sum",
        {"p": weights, "v": latent},
        params={"einsum": "bnst,btr->bsnr"},
    )
    y = b.place(y, "attention.out")
    return b.add(
        "attention.weighted",
        "head_linear",
        {"x": y},
        weight=b.weight("attention.out", "Rkv", "N", "Dv"),
        params={"parameter": "attention.v", "einsum": "bsnr,rnd->bsnd"},
    )


def _weights(b: Builder, queries: tuple[Ref, Ref], keys: tuple[Ref, Ref], options: Options) -> Ref:
    """The softmax of the scores: those without and those with position, added up."""
    (q, pe), (k, k_pe) = queries, keys
    mask = {**b.mask(q, k, options.mask), "scale": options.query_scale or "rsqrt(D+Dr)"}
    shared = len(b.type_of(k).dims) == 3
    plain = "bsnr,btr->bnst" if shared else "bsnd,btnd->bnst"
    one = b.add("attention.scores_nope", "scores", {"q": q, "k": k}, params={"einsum": plain, **mask})
    other = b.add("attention.scores_pe", "scores", {"q": pe, "k": k_pe}, params={"einsum": "bsnd,btd->bnst", **mask})
    scores = b.add("attention.scores", "add", {"x": one, "y": other})
    return b.softmax("attention.softmax", scores)
