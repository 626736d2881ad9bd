"""Rotary positions of a configuration: ``rope_parameters``, or ``rope_theta`` and ``rope_scaling`` before them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dagtool.model.families.reader import Reader
from dagtool.model.tree import Value

__all__ = ["Rope", "read_rope", "scaling_of"]


@dataclass(frozen=True, slots=True)
class Rope:
    """Base and scaling of the rotary frequencies."""

    theta: float
    scaling: str = ""
    """The option ``rope_scaling`` of the blocks."""
    score_factor: float = 1.0
    """What DeepSeek multiplies scores with besides, for a context longer than that of the training."""

    @property
    def options(self) -> dict[str, Value]:
        """The options of a block; the way elements are paired stands apart."""
        return {"rope_theta": self.theta, **({"rope_scaling": self.scaling} if self.scaling else {})}


def read_rope(config: Reader, *, theta: float = 10000.0) -> Rope:
    """Read the one rotary setting of all layers. ``theta`` is the family's default. Raises DagtoolError."""
    outer = config.number("rope_theta", default=None)
    config.only("partial_rotary_factor", 1.0)
    table, older = config.table("rope_parameters"), config.table("rope_scaling")
    if table is not None and older is not None:
        raise config.error("rope_scaling", "is given beside rope_parameters", "they name the same thing: keep one")
    table = table or older
    if table is None:
        return Rope(outer or theta)
    return scaling_of(config, table, table.number("rope_theta", default=outer or theta))


def scaling_of(config: Reader, table: Reader, theta: float) -> Rope:
    """Read the scaling that a table describes. Raises DagtoolError for a kind that is not supported."""
    table.only("partial_rotary_factor", 1.0)
    kind = table.word("rope_type", "type", default="default")
    if kind == "default":
        return Rope(theta)
    if kind == "linear":
        return Rope(theta, _text("linear", table.number("factor")))
    if kind not in {"llama3", "yarn"}:
        raise table.error("rope_type" if table.has("rope_type") else "type",
                          f"is {kind!r}", "supported: default, linear, llama3, yarn")  # fmt: skip
    trained = config.value("max_position_embeddings", default=None)
    original = table.number("original_max_position_embeddings", default=trained)
    if original is None:
        raise table.error("original_max_position_embeddings", "is missing")
    if kind == "yarn":
        return _yarn(config, table, theta, original)
    numbers = (table.number(name) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    return Rope(theta, _text("llama3", *numbers, original))


def _yarn(config: Reader, table: Reader, theta: float, original: float) -> Rope:
    longest = config.value("max_position_embeddings", default=None)
    by = table.number("factor", default=longest / original if longest else None)
    if by is None:
        raise table.error("factor", "is missing")
    fast, slow = table.number("beta_fast", default=32.0), table.number("beta_slow", default=1.0)
    own, every = (table.value(name, default=0) for name in ("mscale", "mscale_all_dim"))
    magnitude = _magnitude(by, own) / _magnitude(by, every) if own and every else _magnitude(by, 1.0)
    magnitude = table.number("attention_factor", default=magnitude)
    truncate = table.flag("truncate", default=True)
    table.value("finetuned", default=None)  # who made the model longer, not how
    scaling = _text("yarn", by, original, fast, slow, magnitude, truncate)
    return Rope(theta, scaling, _magnitude(by, every) ** 2 if every else 1.0)


def _magnitude(by: float, times: float) -> float:
    return 0.1 * times * math.log(by) + 1 if by > 1 else 1.0


def _text(kind: str, *numbers: float | bool) -> str:
    words = [str(one).lower() if isinstance(one, bool) else f"{one:.17g}" for one in numbers]
    return f"{kind}:{','.join(words)}"
