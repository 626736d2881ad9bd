"""Attention with N heads of queries over G heads of keys and values (multi-head where the model has no G)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
from dagtool.generators.program import Builder, Ref, Weight
from dagtool.model.tree import ModelError

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
    lora: str = option("", "which projections have a low-rank update of rank Rl (LoRA): letters of q, k, v, like qv")
    lora_scale: float = option(1.0, "what the low-rank updates are multiplied with: alpha over rank")
    attention_softcap: float = option(0.0, "scores become cap * tanh(scores / cap); 0: they stay")


class Form(NamedTuple):
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
    ring = b.ring
    # A ring takes heads as they stand.
    form = FORMS[grouped, b.strategy.operators["heads"] == "outer" and not ring]
    h = enter(b, "attention.copy_in", h, "attention")
    values = dict(zip("qkv", _projections(b, h, form, grouped=grouped), strict=True))
    for name in dict.fromkeys(options.lora):
        sizes = form.heads if name == "q" else _key_heads(form, grouped=grouped)
        values[name] = _adapt(b, name, (h, values), sizes, options)
    for name in options.attention_bias[:3]:
        sizes = form.heads if name == "q" else _key_heads(form, grouped=grouped)
        values[name] = add_bias(b, f"attention.{name}_bias", values[name], "attention", *sizes)
    for name in "qk" if options.qk_norm else "":
        values[name] = rms_norm(b, f"attention.{name}_norm", values[name], "D", layer.epsilon)
    for name in "qk" if options.rope else "":
        values[name] = rotate(b, f"attention.{name}_rotary", values[name], options)
    q = b.place(values["q"], "attention.core")
    k, v = (append_cache(b, f"{name}_cache", values[name], b.cached_keys(options.window)) for name in "kv")
    k, v = (b.place(x, "attention.core" if ring else "attention.keys") for x in (k, v))
    if form.query_heads:
        q, k, v = (
            b.add(f"attention.{name}_heads", "head_split", {"x": x}, params={"einsum": einsum})
            for name, x, einsum in (("q", q, form.query_heads), ("k", k, form.key_heads), ("v", v, form.key_heads))
        )
    y = (_mix_in_ring if ring else _mix)(b, (q, k, v), form, options)
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


def _adapt(b: Builder, name: str, made: tuple[Ref, dict[str, Ref]], sizes: tuple[str, ...], options: Options) -> Ref:
    """A projection with its low-rank update: x + scale * (h A) B (LoRA, arXiv:2106.09685)."""
    h, values = made
    if name not in values:
        raise ModelError(f"model lora is {options.lora!r}", "letters of q, k and v, like qv", option="lora")
    low = linear(b, f"attention.{name}_lora_down", h, "attention.lora", "H", "Rl")
    update = linear(b, f"attention.{name}_lora_up", low, "attention", "Rl", *sizes)
    if options.lora_scale != 1:
        factor = {"factor": repr(options.lora_scale)}
        update = b.add(f"attention.{name}_lora_scale", "scale", {"x": update}, params=factor)
    return b.add(f"attention.{name}_adapted", "add", {"x": values[name], "y": update})


def _score_params(b: Builder, q: Ref, k: Ref, form: Form, options: Options) -> dict[str, str]:
    return {
        "einsum": form.scores,
        **b.mask(q, k, options.mask, options.window),
        "scale": options.query_scale,
        "softcap": repr(options.attention_softcap) if options.attention_softcap else "",
    }


def _sinks(b: Builder, form: Form, options: Options) -> Weight | None:
    sizes = ("G", "N/G") if len(form.heads) == 3 else ("N",)
    return b.vector("attention.core", *sizes) if options.sinks else None


def _mix_in_ring(b: Builder, heads: tuple[Ref, Ref, Ref], form: Form, options: Options) -> Ref:
    """Attention in one node: keys and values go round the ranks that hold parts of the tokens."""
    q, k, v = heads
    params = _score_params(b, q, k, form, options)
    axes = ",".join(b.cuts(q, b.phase.tokens))
    params |= {"over": axes, "offset": axes, "key_offset": "", "past": ""}
    params |= {"parameter": "attention.sinks"} if options.sinks else {}
    sinks = _sinks(b, form, options)
    return b.add("attention.weighted", "ring_attention", {"q": q, "k": k, "v": v}, weight=sinks, params=params)


def _mix(b: Builder, heads: tuple[Ref, Ref, Ref], form: Form, options: Options) -> Ref:
    """Scores of queries and keys, softmax, the weighted sum of values."""
    q, k, v = heads
    params = _score_params(b, q, k, form, options)
    scores = b.add("attention.scores", "scores", {"q": q, "k": k}, params=params)
    weights = b.softmax("attention.softmax", scores, _sinks(b, form, options))
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
