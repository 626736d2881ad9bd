"""Rotary positions: each pair of elements of a head is rotated by an angle proportional to the token's position.

Sources: arXiv:2104.09864; the scalings of frequencies as Hugging Face transformers defines them
(``modeling_rope_utils.py``): llama3 (Llama 3.1), linear, yarn (arXiv:2309.00071).
"""

from __future__ import annotations

from math import isfinite, log, pi
from typing import Any

from dagtool.model.amount import Amount, parse_amount
from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.ops.attributes import AMOUNT, AXES, NUMBER, TEXT, Attribute, choice
from dagtool.ops.base import (
    LayoutError,
    Local,
    Operator,
    Params,
    Types,
    Values,
    only,
    require_whole,
)

__all__ = ["OFFSET", "PAST", "Rotary", "check_offset", "past", "token_positions"]

PAST = Attribute("past", AMOUNT, parse_amount("0"), "the number of earlier tokens, before the new ones: `T-S`")
OFFSET = Attribute(
    "offset", AXES, (), "the axes that cut the new tokens; a rank's first token is then not the first of the sequence"
)
PAIRS = Attribute(
    "pairs", choice("half", "interleaved"), doc="which elements form a pair: i and i + D/2, or 2i and 2i + 1"
)
THETA = Attribute("theta", NUMBER, 10000.0, "the base of the frequencies, greater than 1")
_SCALINGS = {
    "linear": ("FACTOR",),
    "llama3": ("FACTOR", "LOW", "HIGH", "ORIGINAL"),
    "yarn": ("FACTOR", "ORIGINAL", "FAST", "SLOW", "MAGNITUDE", "TRUNCATE"),
}
"""The numbers that each scaling of frequencies has."""
_FORMS = [f"{name}:{','.join(numbers)}" for name, numbers in _SCALINGS.items()]
SCALING = Attribute("scaling", TEXT, doc=f"how frequencies are scaled: `{'`, `'.join(_FORMS)}`; absent: unscaled")
TOKENS = 1
"""The dimension of [B, S, .., D] that counts tokens."""


class Rotary(Operator):
    """Rotates each pair of elements of the last dimension by the token's position times the frequency of the pair.

    ``offset`` must name the axes that cut the tokens, so that every rank counts positions in the whole sequence.
    """

    name = "rotary"
    attributes = (PAIRS, THETA, SCALING, PAST, OFFSET)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input, whose last dimension must be whole; a partial sum stays one."""
        x = inputs["x"]
        require_whole(x, -1, "a rotation of pairs")
        if len(x.dims) < 3:
            raise LayoutError(f"expects [B, S, .., D] but gets {x}")
        self.read(params, PAIRS)
        if self.read(params, THETA) <= 1:
            raise LayoutError(f"its theta is {params['theta']}: expected a number greater than 1")
        check_offset(x.dims[TOKENS].axes, self.read(params, OFFSET), "offset", "tokens")
        parse_scaling(self._scaling(params))
        return (x,)

    def _scaling(self, params: Params) -> str:
        return self.read(params, SCALING) if self.stated(params, SCALING) else ""

    def even_sizes(self, inputs: Types, params: Params) -> tuple[Size, ...]:
        """The last dimension is made of pairs."""
        x = inputs.get("x") or next(iter(inputs.values()))
        return (x.dims[-1].size,) if x.dims else ()

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Each pair (a, b) becomes (a cos - b sin, b cos + a sin)."""
        import numpy as np

        x = only(values, "x")
        params = here.params
        positions = token_positions(here, here.types["x"], TOKENS, self.read(params, OFFSET))
        positions = positions + past(here, self.read(params, PAST))
        inverse, factor = frequencies(x.shape[-1], self.read(params, THETA), self._scaling(params))
        angles = positions[:, None] * inverse
        shape = (1, len(positions), *(1,) * (x.ndim - 3), len(inverse))
        turn, lift = (factor * f(angles).reshape(shape) for f in (np.cos, np.sin))
        if self.read(params, PAIRS) == "half":
            a, b = np.split(x, 2, axis=-1)
            return (np.concatenate([a * turn - b * lift, b * turn + a * lift], axis=-1),)
        a, b = x[..., 0::2], x[..., 1::2]
        return (np.stack([a * turn - b * lift, b * turn + a * lift], axis=-1).reshape(x.shape),)


def check_offset(axes: tuple[str, ...], stated: tuple[str, ...], name: str, what: str) -> None:
    """Raise LayoutError where the attribute ``name`` does not state exactly the axes that cut the tokens."""
    if stated == axes:
        return
    if not axes:
        raise LayoutError(f"its {what} are not cut but {name} is {','.join(stated)}: remove the attribute")
    held, said = ",".join(axes), ",".join(stated)
    why = f"{name} is {said}" if said else f"{name} is not stated"
    raise LayoutError(f"its {what} are cut along {held} but {why}, so positions would be wrong: set {name}={held}")


def token_positions(here: Local, tensor: TensorType, index: int, offset: tuple[str, ...]) -> Any:
    """Return the positions of a rank's tokens in dimension ``index`` of the whole; without ``offset`` from 0 on."""
    import numpy as np

    part = here.part(tensor)[index]
    first = part.start if offset else 0
    return np.arange(first, first + part.stop - part.start)


def past(here: Local, amount: Amount) -> int:
    """Return the number of earlier tokens."""
    return here.amount(amount)


def parse_scaling(text: str) -> tuple[str, tuple[float, ...]]:
    """Read ``llama3:8,1,4,8192`` as a name and its numbers; true and false are 1 and 0. Raises LayoutError."""
    name, _, rest = text.partition(":")
    if not text:
        return "", ()
    words = {"true": 1.0, "false": 0.0}
    try:
        numbers = [words[part] if part in words else float(part) for part in rest.split(",")]
    except ValueError:
        numbers = []
    held = dict(zip(_SCALINGS.get(name, ()), numbers, strict=False))
    positive = all(isfinite(number) and number > 0 for key, number in held.items() if key != "TRUNCATE")
    if len(held) != len(numbers) or tuple(held) != _SCALINGS.get(name) or not positive:
        forms = ", ".join(_FORMS)
        raise LayoutError(f"cannot read the scaling of frequencies {text!r}: expected {forms}, with positive numbers")
    if name == "llama3" and not held["LOW"] < held["HIGH"]:
        raise LayoutError(f"cannot scale frequencies by {text!r}: LOW must be less than HIGH")
    return name, tuple(numbers)


def frequencies(width: int, theta: float, scaling: str) -> tuple[Any, float]:
    """Return the angle by which each pair turns per token [width/2], and the factor of cosine and sine."""
    import numpy as np

    inverse = 1.0 / theta ** (np.arange(0, width, 2) / width)
    name, numbers = parse_scaling(scaling)
    if name == "linear":
        return inverse / numbers[0], 1.0
    if name == "llama3":
        factor, low, high, original = numbers
        turns = original * inverse / (2 * pi)
        smooth = (turns - low) / (high - low)
        mixed = (1 - smooth) * inverse / factor + smooth * inverse
        return np.where(turns < low, inverse / factor, np.where(turns > high, inverse, mixed)), 1.0
    if name == "yarn":
        factor, original, fast, slow, attention, truncate = numbers
        first, last = (width * log(original / (turns * 2 * pi)) / (2 * log(theta)) for turns in (fast, slow))
        if truncate:
            first, last = float(np.floor(first)), float(np.ceil(last))
        first, last = max(first, 0.0), min(last, width - 1.0)
        ramp = np.clip((np.arange(width // 2) - first) / (last - first or 0.001), 0, 1)
        return inverse / factor * ramp + inverse * (1 - ramp), attention
    return inverse, 1.0
