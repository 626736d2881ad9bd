"""Attention with N heads of queries over G heads of keys and values (multi-head where the model has no G)."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.common import (
    LayerOptions,
    RotaryOptions,
    add_bias,
    append_cache,
    enter,
    linear,
    rms_norm,
    rotate,
)
from dagtool.generators.blocks.options import option
from dagtool.generators.program import Builder, Ref

__all__ = ["PREFIX", "SLOT", "Options", "build"]

SLOT = "attention"
PREFIX = "attention"


@dataclass(frozen=True, slots=True)
class Options(RotaryOptions):
    """Options of the model that grouped-query attention reads."""

    mask: str = option("none", "which keys a query sees: causal, or none: all", ("none", "causal"))
    window: str = option("", "a query sees only that many keys, itself the last: a size like W; empty: no window")
    sinks: bool = option(False, "whether each head has a logit that takes part in the softmax and no value")
    qk_norm: bool = option(False, "whether each head of queries and keys is normalised (RMSNorm over D)")
    attention_bias: str = option("", "which projections add a bias", ("", "qkv", "qkvo"))
    query_scale: str = option(
        "", "what scores are multiplied with; empty: rsqrt(D). A number, or rsqrt of a sum of sizes"
    )
    attention_softcap: float = option(0.0, "scores become cap * tanh(scores / cap); 0: they stay")


@dataclass(frozen=True, slots=True)
class Form:
    """How heads stand in the tensors of attention: in one dimension, or grouped by their key and value head."""

    heads: tuple[str, ...]
    scores: str
    weighted: str
    merge: str
    query_heads: str = ""
    key_heads: str = ""


FORMS = {
    # (grouped, heads brought to the front first)
    (False, False): Form(("N", "D"), "bsnd,btnd->bnst", "bnst,btnd->bsnd", "bsnd->bs(nd)"),
    (False, True): Form(("N", "D"), "bnsd,bntd->bnst", "bnst,bntd->bsnd", "bsnd->bs(nd)", "bsnd->bnsd", "bsnd->bnsd"),
    (True, False): Form(("G", "N/G", "D"), "bsgrd,btgd->bgrst", "bgrst,btgd->bsgrd", "bsgrd->bs(grd)"),
    (True, True): Form(
        ("G", "N/G", "D"), "bgrsd,bgtd->bgrst", "bgrst,bgtd->bsgrd", "bsgrd->bs(grd)", "bsgrd->bgrsd", "bsgd->bgsd"
    ),
}


def build(b: Builder, h: Ref, options: Options, layer: LayerOptions) -> Ref:
    """Normalised stream [B, S, H] -> [B, S, H], in general a partial sum."""
    grouped = "G" in b.strategy.sizes
    form = FORMS[grouped, b.strategy.operators["heads"] == "outer"]
    h = enter(b, "attention.copy_in", h, "attention")
    values = dict(zip("qkv", _projections(b, h, form, grouped=grouped), strict=True))
    for name in options.attention_bias[:3]:
        sizes = form.heads if name == "q" else _key_heads(form, grouped=grouped)
        values[name] = add_bias(b, f"attention.{name}_bias", values[name], "attention", *sizes)
    for name in "qk" if options.qk_norm else "":
        values[name] = rms_norm(b, f"attention.{name}_norm", values[name], "D", layer.epsilon)
    for name in "qk" if options.rope else "":
        values[name] = rotate(b, f"attention.{name}_rotary", values[name], options)
    q = b.place(values["q"], "attention.core")
    k, v = b.place(values["k"], "attention.keys"), b.place(values["v"], "attention.keys")
    keys = b.cached_keys(options.window)
    k, v = append_cache(b, "k_cache", k, keys), append_cache(b, "v_cache", v, keys)
    if form.query_heads:
        q, k, v = (
            b.add(f"attention.{name}_heads", "head_split", {"x": x}, params={"einsum": einsum})
            for name, x, einsum in (("q", q, form.query_heads), ("k", k, form.key_heads), ("v", v, form.key_heads))
        )
    y = _mix(b, (q, k, v), form, options)
    return _output(b, y, form, options)


def _key_heads(form: Form, *, grouped: bool) -> tuple[str, ...]:
    return ("G", "D") if grouped else form.heads


def _projections(b: Builder, h: Ref, form: Form, *, grouped: bool) -> tuple[Ref, Ref, Ref]:
    held = _key_heads(form, grouped=grouped)
    if b.strategy.operators["qkv"] != "fused":
        q = linear(b, "attention.q", h, "attention", "H", *form.heads)
        k = linear(b, "attention.k", h, "attention", "H", *held)
        return q, k, linear(b, "attention.v", h, "attention", "H", *held)
    if not grouped:
        q = linear(b, "attention.qkv", h, "attention", "H", "N", "D", outputs=("q", "k", "v"))
        return q, Ref(q.step, 1), Ref(q.step, 2)
    # Queries are wider than keys and values: those two are one product.
    q = linear(b, "attention.q", h, "attention", "H", *form.heads)
    k = linear(b, "attention.kv", h, "attention", "H", "G", "D", outputs=("k", "v"))
    return q, k, Ref(k.step, 1)


def _mix(b: Builder, heads: tuple[Ref, Ref, Ref], form: Form, options: Options) -> Ref:
    """Scores of queries and keys, softmax, the weighted sum of values."""
    q, k, v = heads
    scores = b.add(
        "attention.scores",
        "scores",
        {"q": q, "k": k},
        params={
            "einsum": form.scores,
            **b.mask(q, k, options.mask, options.window),
            "scale": options.query_scale,
            "softcap": repr(options.attention_softcap) if options.attention_softcap else "",
        },
    )
    sinks = ("G", "N/G") if len(form.heads) == 3 else ("N",)
    weights = b.softmax("attention.softmax", scores, b.weight("attention.core", *sinks) if options.sinks else None)
    return b.add("attention.weighted", "weighted_sum", {"p": weights, "v": v}, params={"einsum": form.weighted})


def _output(b: Builder, y: Ref, form: Form, options: Options) -> Ref:
    y = b.place(y, "attention.out")
    if b.strategy.operators["merge_heads"] == "yes":
        y = b.add("attention.merge", "head_merge", {"x": y}, params={"einsum": form.merge})
        y = b.add("attention.copy_out", "copy", {"x": y}) if b.strategy.operators["copies"] == "yes" else y
        y = linear(b, "attention.out", y, "attention.out", "N*D", "H")
    else:
        y = linear(b, "attention.out", y, "attention.out", *form.heads, "H", contract=len(form.heads))
    if options.attention_bias == "qkvo":
        y = add_bias(b, "attention.out_bias", b.place(y, "stream"), "", "H")
    return y
