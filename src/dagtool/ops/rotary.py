"""Rotary positions: pairs of elements of each head are rotated by an angle that grows with the token's position.

Sources: arXiv:2104.09864; the scalings of frequencies as Hugging Face transformers defines them
(``modeling_rope_utils.py``): llama3 (Llama 3.1), linear, yarn (arXiv:2309.00071).
"""

from __future__ import annotations

from math import log, pi
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
    require_no_partial,
    require_whole,
)

__all__ = ["OFFSET", "PAST", "Rotary", "check_offset", "past", "token_positions"]

PAST = Attribute("past", AMOUNT, parse_amount("0"), "how many tokens come before the new ones: `T-S`")
OFFSET = Attribute(
    "offset", AXES, (), "the axes that cut the new tokens: a rank's first token is not the sequence's first"
)
PAIRS = Attribute(
    "pairs", choice("half", "interleaved"), doc="which elements are a pair: i and i + D/2, or 2i and 2i + 1"
)
THETA = Attribute("theta", NUMBER, 10000.0, "the base of the frequencies")
SCALING = Attribute(
    "scaling",
    TEXT,
    doc="how frequencies are scaled: `linear:F`, `llama3:F,LOW,HIGH,ORIGINAL`, `yarn:F,ORIGINAL,FAST,SLOW,A,T`",
)
TOKENS = 1
"""The dimension of [B, S, .., D] that counts tokens."""


class Rotary(Operator):
    """Rotates pairs of elements of the last dimension by the token's position times a frequency.

    ``offset`` names the axes that cut the tokens: a rank's first token is not the sequence's first.
    """

    name = "rotary"
    attributes = (PAIRS, THETA, SCALING, PAST, OFFSET)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input; ``offset`` must name the axes that cut its tokens."""
        x = inputs["x"]
        require_no_partial(x, "a rotation")
        require_whole(x, -1, "a rotation of pairs")
        if len(x.dims) < 3:
            raise LayoutError(f"expects [B, S, .., D] but gets {x}")
        self.read(params, PAIRS)
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
    """Raises LayoutError where the axes that cut the tokens are not those whose offset is counted."""
    if stated != axes:
        held, said = ",".join(axes) or "nothing", ",".join(stated) or "none"
        raise LayoutError(f"its {what} are cut along {held} but {name} is {said}: positions would be counted wrongly")


def token_positions(here: Local, tensor: TensorType, index: int, offset: tuple[str, ...]) -> Any:
    """The positions of a rank's tokens among those that ``tensor`` has; without ``offset`` they begin with 0."""
    import numpy as np

    part = here.part(tensor)[index]
    first = part.start if offset else 0
    return np.arange(first, first + part.stop - part.start)


def past(here: Local, amount: Amount) -> int:
    """How many tokens come before the new ones."""
    return here.amount(amount)


_FLAGS = {"true": 1.0, "false": 0.0}


def parse_scaling(text: str) -> tuple[str, tuple[float, ...]]:
    """``llama3:8,1,4,8192`` as its name and numbers. Raises LayoutError."""
    name, _, rest = text.partition(":")
    try:
        numbers = tuple(_FLAGS[part] if part in _FLAGS else float(part) for part in rest.split(",") if part)
    except ValueError:
        raise LayoutError(f"cannot read the scaling of frequencies {text!r}") from None
    wanted = {"": 0, "linear": 1, "llama3": 4, "yarn": 6}
    if wanted.get(name) != len(numbers):
        raise LayoutError(
            f"cannot read the scaling of frequencies {text!r}: linear:F, llama3:F,LOW,HIGH,ORIGINAL, yarn:…"
        )
    return name, numbers


def frequencies(width: int, theta: float, scaling: str) -> tuple[Any, float]:
    """The angle by which each pair turns from token to token [width/2], and what cosine and sine are scaled by."""
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
        ramp = np.clip((np.arange(width // 2) - first) / max(last - first, 0.001), 0, 1)
        return inverse / factor * ramp + inverse * (1 - ramp), attention
    return inverse, 1.0
