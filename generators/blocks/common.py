"""Parts that several blocks share: norms, biases, rotary positions, caches, and their options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dagtool.generators.blocks.options import option
from dagtool.model.size import Size

if TYPE_CHECKING:
    from dagtool.generators.program import Builder, Ref
    from dagtool.model.tensor import TensorType

__all__ = ["LayerOptions", "RotaryOptions", "add_bias", "append_cache", "enter", "linear", "norm", "rms_norm", "rotate"]

NORMS = ("layer", "rms")
ACTIVATIONS = ("gelu", "relu", "silu", "gelu_erf", "swiglu_clamped")


@dataclass(frozen=True, slots=True)
class LayerOptions:
    """The options of a layer that belong to neither its attention nor its feed-forward network: norms and residuals."""

    attention: str = option("gqa", "the mixer: a module of generators/blocks with SLOT 'attention'")
    ffn: str = option("dense", "the feed-forward: a module of generators/blocks with SLOT 'ffn'")
    norm: str = option("layer", "layer: LayerNorm; rms: RMSNorm", NORMS)
    epsilon: float = option(1e-5, "added to the variance in a norm")
    norm_bias: bool = option(False, "whether a norm adds a bias [H]")
    post_norm: bool = option(
        False, "whether the result of mixer and feed-forward is normalised before the residual add"
    )


@dataclass(frozen=True, slots=True)
class RotaryOptions:
    """Rotary positions of queries and keys."""

    rope: str = option(
        "",
        "rotary positions: half pairs element i with i + D/2, interleaved 2i with 2i + 1",
        ("", "half", "interleaved"),
    )
    rope_theta: float = option(10000.0, "the base of the rotary frequencies")
    rope_scaling: str = option(
        "",
        "how frequencies are scaled: llama3:FACTOR,LOW,HIGH,ORIGINAL, linear:FACTOR or "
        "yarn:FACTOR,ORIGINAL,BETA_FAST,BETA_SLOW,ATTENTION_FACTOR,TRUNCATE",
    )


def norm(b: Builder, role: str, x: Ref, options: LayerOptions) -> Ref:
    """Normalise the stream over its last dimension."""
    params = {
        "function": options.norm,
        "epsilon": _unless(options.epsilon, 1e-5),
        "bias": "yes" if options.norm_bias else "",
    }
    return b.add(role, "norm", {"x": x}, weight=b.vector("", "H", like=x), params=params)


def rms_norm(b: Builder, role: str, x: Ref, size: str, epsilon: float) -> Ref:
    """Normalise over the last dimension of ``size`` elements, by its root mean square."""
    params = {"function": "rms", "epsilon": _unless(epsilon, 1e-5)}
    return b.add(role, "norm", {"x": x}, weight=b.vector("", size, like=x), params=params)


def _unless(value: float, default: float) -> str:
    return "" if value == default else repr(value)


def enter(b: Builder, role: str, x: Ref, place: str) -> Ref:
    """A value entering parallel branches, through a copy node where the strategy draws one."""
    x = b.place(x, place)
    return b.add(role, "copy", {"x": x}) if b.strategy.operators["copies"] == "yes" else x


def linear(
    b: Builder, role: str, x: Ref, place: str, *sizes: str | int, contract: int = 1, outputs: tuple[str, ...] = ("",)
) -> Ref:
    """A product with a weight that is cut as ``place`` says; several outputs lie side by side in it."""
    fused = len(outputs)
    dims = sizes if fused == 1 else (*sizes[:contract], fused, *sizes[contract:])
    params = {"contract": str(contract) if contract > 1 else "", "fused": str(fused) if fused > 1 else ""}
    return b.add(role, "linear", {"x": x}, outputs=outputs, weight=b.weight(place, *dims), params=params)


def add_bias(b: Builder, role: str, x: Ref, place: str, *sizes: str, per_expert: bool = False) -> Ref:
    """Add a bias of ``sizes``, the last dimensions of x."""
    weight = b.vector(place, *sizes) if place else b.vector("", *sizes, like=x)
    return b.add(role, "bias", {"x": x}, weight=weight, per_expert=per_expert)


def rotate(b: Builder, role: str, x: Ref, options: RotaryOptions) -> Ref:
    """Rotate pairs of elements of each head by the position of its token."""
    params = {
        "pairs": options.rope,
        "theta": repr(options.rope_theta),
        "scaling": options.rope_scaling,
        "past": b.phase.past,
        "offset": ",".join(b.cuts(x, b.phase.tokens)),
    }
    return b.add(role, "rotary", {"x": x}, params=params)


def append_cache(b: Builder, name: str, new: Ref, keys: str) -> Ref:
    """Append keys or values of the new tokens to those of earlier ones: [B, S, ..] -> [B, ``keys``, ..]."""
    phase = b.phase
    if not (phase.reads_cache or phase.writes_cache):
        return new
    if not phase.reads_cache:
        keys = phase.tokens if b.sends_cache else phase.keys
    role = f"attention.{name}"
    held = replace(b.replaced(new, phase.tokens, keys, "attention.cache"), dtype=b.strategy.dtypes.cache)
    cache = _earlier(b, role, held, keys)
    past = phase.past if keys in (phase.keys, phase.tokens) else f"{keys}-{phase.tokens}"
    # Every rank that holds a part of the cache needs the new tokens whole.
    whole = b.convert(new, replace(b.retold(held, keys, phase.tokens), dtype=b.type_of(new).dtype))
    result = b.add(f"{role}_append", "append", {"cache": cache, "new": whole}, params={"past": past})
    if phase.writes_cache:
        b.results[role] = result
    return b.place(result, "attention.keys") if phase.reads_cache else new


def _earlier(b: Builder, role: str, held: TensorType, keys: str) -> Ref:
    """The cache before the new tokens: given, or as the phase before leaves it, where it is needed."""
    handed = b.entry(role)
    if handed is None:
        return b.source(role, "cache", held)
    filled = b.type_of(handed).dims[1].size
    if filled == Size.of(keys):
        return b.convert(handed, held)
    # It comes from other GPUs without room for more tokens: they are written into a cache that has it.
    tokens = b.convert(handed, b.retold(held, keys, str(filled)))
    return b.add(role, "append", {"cache": b.source(f"{role}_room", "cache", held), "new": tokens})
