"""A dense feed-forward network: up, activation, down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dagtool.generators.blocks.common import ACTIVATIONS, LayerOptions, add_bias, enter
from dagtool.generators.blocks.options import option
from dagtool.generators.program import Builder, Ref

__all__ = ["PREFIX", "SLOT", "FeedForwardOptions", "Options", "Where", "build", "feed_forward"]

SLOT = "ffn"
PREFIX = "mlp"


@dataclass(frozen=True, slots=True)
class FeedForwardOptions:
    """Options of the model that any feed-forward network reads."""

    width: str = option("F", "the size of the hidden dimension")
    activation: str = option("gelu", "gelu is the tanh form, gelu_erf the exact one", ACTIVATIONS)
    gated: bool = option(False, "whether the activated gate is multiplied with a second projection (SwiGLU, GeGLU)")
    ffn_bias: bool = option(False, "whether its projections add a bias")
    activation_limit: float = option(7.0, "swiglu_clamped: gate and up are clamped to it")


@dataclass(frozen=True, slots=True)
class Options(FeedForwardOptions):
    """Options of the model that the dense feed-forward network reads."""


def build(b: Builder, h: Ref, options: Options, layer: LayerOptions) -> Ref:
    """Normalised stream [B, S, H] -> [B, S, H], in general a partial sum."""
    h = enter(b, "mlp.copy_in", h, "mlp")
    return feed_forward(b, {"x": h}, options, Where("mlp", "mlp"))


class Where(NamedTuple):
    """A feed-forward network's prefix of roles, its place in the layout, and whether experts run it."""

    prefix: str
    place: str
    per_expert: bool = False

    @property
    def op(self) -> str:
        """The operator of its products."""
        return "expert_linear" if self.per_expert else "linear"


def feed_forward(
    b: Builder, inputs: dict[str, Ref], options: FeedForwardOptions, where: Where, params: dict[str, str] | None = None
) -> Ref:
    """up, activation, down; a gated model has both of its up-projections in one weight [H, 2, F]."""
    width, gated = options.width, options.gated
    outputs = ("gate", "up") if gated else ("",)
    weight = b.weight(where.place, "H", 2, width) if gated else b.weight(where.place, "H", width)
    up = b.add(
        f"{where.prefix}.up", where.op, inputs, outputs=outputs, weight=weight, per_expert=where.per_expert,
        params={**(params or {}), "fused": "2" if gated else ""},
    )  # fmt: skip
    hidden = [Ref(up.step, index) for index in range(len(outputs))]
    if options.ffn_bias:
        hidden = _up_bias(b, hidden, where, width)
    clamped = options.activation == "swiglu_clamped"
    function = {"function": options.activation, "limit": repr(options.activation_limit) if clamped else ""}
    op, slots = ("gated_activation", ("gate", "up")) if gated else ("activation", ("x",))
    fed = dict(zip(slots, hidden, strict=True))
    y = b.add(f"{where.prefix}.activation", op, fed, per_expert=where.per_expert, params=function)
    # The second product takes tokens as they are: only the first may pick them out itself.
    y = b.add(
        f"{where.prefix}.down", where.op, {"x": y}, weight=b.weight(where.place, width, "H"),
        per_expert=where.per_expert,
    )  # fmt: skip
    if not options.ffn_bias:
        return y
    y = b.convert(y, b.summed(y)) if where.per_expert else b.place(y, "stream")
    return _bias(b, f"{where.prefix}.down_bias", y, where, "H")


def _up_bias(b: Builder, hidden: list[Ref], where: Where, width: str) -> list[Ref]:
    """The up-projections with their biases, those of gate and up in one parameter [2, F]."""
    role = f"{where.prefix}.up_bias"
    if len(hidden) == 1:
        return [_bias(b, role, hidden[0], where, width)]
    both = dict(zip(("gate", "up"), hidden, strict=True))
    weight = b.vector(where.place, 2, width)
    gate = b.add(role, "pair_bias", both, outputs=("gate", "up"), weight=weight, per_expert=where.per_expert)
    return [gate, Ref(gate.step, 1)]


def _bias(b: Builder, role: str, x: Ref, where: Where, size: str) -> Ref:
    place = "" if size == "H" else where.place
    return add_bias(b, role, x, place, size, per_expert=where.per_expert)
