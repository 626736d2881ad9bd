"""What several definitions share: norms, rotary positions, masks, softmax, activations, factors in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dagtool.model.tree import ModelError

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.common import RotaryOptions
    from dagtool.ops.tokens import Array

__all__ = ["activate", "factor", "mask", "normalise", "rotate", "softcap", "softmax"]


def normalise(x: Array, gain: Array, epsilon: float, *, bias: Array | None = None, centred: bool = False) -> Array:
    """Return the RMSNorm of x over its last axis, or its LayerNorm (``centred``)."""
    import numpy as np

    moved = x - x.mean(axis=-1, keepdims=True) if centred else x
    scaled = moved / np.sqrt((moved**2).mean(axis=-1, keepdims=True) + epsilon) * gain
    return scaled if bias is None else scaled + bias


# -- rotary positions -------------------------------------------------------------------------


def rotate(x: Array, options: RotaryOptions, first_position: int) -> Array:
    """Return x [B, S, .., D] with each pair of its last axis turned by position times frequency (RoFormer)."""
    import numpy as np

    width = x.shape[-1]
    frequencies, magnitude = _frequencies(options, width)
    positions = first_position + np.arange(x.shape[1])
    turn = magnitude * np.exp(1j * positions[:, None] * frequencies)
    turn = turn.reshape(x.shape[1], *(1,) * (x.ndim - 3), width // 2)
    if options.rope == "interleaved":
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)
    turned = (x[..., : width // 2] + 1j * x[..., width // 2 :]) * turn
    return np.concatenate([turned.real, turned.imag], axis=-1)


def _frequencies(options: RotaryOptions, width: int) -> tuple[Array, float]:
    """The angle per position of each pair, and what the turned pair is multiplied with."""
    import numpy as np

    frequencies = options.rope_theta ** (-np.arange(0, width, 2) / width)
    name, _, text = options.rope_scaling.partition(":")
    if not name:
        return frequencies, 1.0
    if name not in _SCALINGS:
        raise ModelError(f"model rope_scaling is {options.rope_scaling!r}", f"known: {', '.join(_SCALINGS)}")
    try:
        numbers = [_number(part) for part in text.split(",")]
        return _SCALINGS[name](frequencies, options.rope_theta, numbers)
    except ValueError:
        message = f"model rope_scaling is {options.rope_scaling!r}: its numbers are not those of {name}"
        raise ModelError(message) from None


def _number(text: str) -> float:
    return float(text == "true") if text in {"true", "false"} else float(text)


def _linear(frequencies: Array, theta: float, numbers: list[float]) -> tuple[Array, float]:
    """Positions divided by a factor (position interpolation, Chen et al. 2023)."""
    (by,) = numbers
    return frequencies / by, 1.0


def _llama3(frequencies: Array, theta: float, numbers: list[float]) -> tuple[Array, float]:
    """Divide waves longer than original/low, keep those shorter than original/high, blend between (Llama 3.1)."""
    import numpy as np

    by, low, high, original = numbers
    turns = original * frequencies / (2 * math.pi)  # how often a pair turns within the original context
    kept = np.clip((turns - low) / (high - low), 0.0, 1.0)
    return frequencies * (kept + (1 - kept) / by), 1.0


def _yarn(frequencies: Array, theta: float, numbers: list[float]) -> tuple[Array, float]:
    """Keep pairs that turn often within the original context, divide those that turn rarely (YaRN, Peng et al. 2023).

    The ramp runs over the numbers of the pairs, between those that turn ``fast`` and ``slow`` times.
    """
    import numpy as np

    by, original, fast, slow, magnitude, truncate = numbers
    pairs = len(frequencies)

    def pair_that_turns(times: float) -> float:
        return pairs * math.log(original / (times * 2 * math.pi)) / math.log(theta)

    start, end = pair_that_turns(fast), pair_that_turns(slow)
    if truncate:
        start, end = math.floor(start), math.ceil(end)
    start, end = max(start, 0), min(end, 2 * pairs - 1)
    divided = np.clip((np.arange(pairs) - start) / (end - start or 0.001), 0.0, 1.0)
    return frequencies * (1 - divided + divided / by), magnitude


_SCALINGS: dict[str, Callable[..., tuple[Any, float]]] = {"linear": _linear, "llama3": _llama3, "yarn": _yarn}


# -- attention --------------------------------------------------------------------------------


def mask(m: Module, scores: Array, *, causal: bool, window: str = "") -> Array:
    """Return scores [.., S, T], minus infinity where the query does not see the key.

    A query at position p sees itself and the keys before it, of these with a window W only the last W.
    """
    import numpy as np

    queries, keys = scores.shape[-2:]
    ahead = np.arange(keys) - (m.first_position + np.arange(queries))[:, None]
    seen = ahead <= 0 if causal else np.ones_like(ahead, bool)
    if window:
        seen = seen & (ahead > -m.size(window))
    return np.where(seen, scores, -np.inf)


def softmax(x: Array, *, sink: Array | None = None) -> Array:
    """Return the softmax over the last axis; a sink is one more logit whose share is left out."""
    import numpy as np

    highest = x.max(axis=-1, keepdims=True)
    highest = highest if sink is None else np.maximum(highest, sink)
    powers = np.exp(x - highest)
    total = powers.sum(axis=-1, keepdims=True)
    return powers / (total if sink is None else total + np.exp(sink - highest))


def softcap(x: Array, cap: float) -> Array:
    """Return cap * tanh(x / cap), or x where cap is 0 (Gemma 2)."""
    import numpy as np

    return cap * np.tanh(x / cap) if cap else x


def factor(m: Module, text: str) -> float:
    """Return the number that ``0.125``, ``sqrt(H)`` or ``rsqrt(D+Dr)`` is."""
    name, opened, inside = text.partition("(")
    try:
        if not opened:
            return float(text)
        power = {"sqrt": 0.5, "rsqrt": -0.5}[name]
        if not inside.endswith(")"):
            raise ValueError
    except (KeyError, ValueError):
        raise ModelError(f"cannot read the factor {text!r}; expected like 0.125, sqrt(H) or rsqrt(D+Dr)") from None
    return float(sum(m.size(part) for part in inside[:-1].split("+"))) ** power


# -- feed-forward -----------------------------------------------------------------------------


def activate(name: str, x: Array) -> Array:
    """Return an activation by its name in the model's options."""
    import numpy as np

    if name == "relu":
        return np.maximum(x, 0.0)
    if name == "silu":
        return x / (1 + np.exp(-x))
    if name == "gelu_erf":
        return x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) / 2
    if name == "gelu":
        return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    raise ModelError(f"the activation {name!r} has no definition without a gate")
