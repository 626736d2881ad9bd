"""Operators that keep the shape: norm, activation, residual add, bias, scale, soft cap, copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import erf, pi, sqrt
from typing import Any

from dagtool.model.size import Size
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import FACTOR, FLAG, NUMBER, Attribute, choice
from dagtool.ops.base import (
    PARAM,
    LayoutError,
    Local,
    Operator,
    Params,
    Types,
    Values,
    Work,
    only,
    require_no_partial,
    require_whole,
)
from dagtool.ops.tokens import Tokens

__all__ = [
    "EPSILON",
    "Activation",
    "Add",
    "Bias",
    "Copy",
    "GatedActivation",
    "Norm",
    "PairBias",
    "Scale",
    "Softcap",
    "soften",
]


NORM = Attribute("function", choice("layer", "rms"), "layer", "layer norm or RMS norm")
NORM_WEIGHT = replace(PARAM, doc="the dimension that the norm scales: `[H]`")
EPSILON = Attribute("epsilon", NUMBER, 1e-5, "the number added to the variance before its square root is taken")
NORM_BIAS = Attribute("bias", FLAG, default=False, doc="whether a bias of the size of the weight is added")
ACTIVATION = Attribute(
    "function",
    choice("gelu", "relu", "silu", "gelu_erf"),
    "gelu",
    "the function applied to each element; gelu is the tanh approximation, gelu_erf the exact form",
)
GATED = Attribute(
    "function",
    choice("gelu", "relu", "silu", "gelu_erf", "swiglu_clamped"),
    "gelu",
    "the function applied to the gate; swiglu_clamped clamps both inputs and adds 1 to `up`",
)
LIMIT = Attribute("limit", NUMBER, 7.0, "the bound of swiglu_clamped: gate at most limit, `up` from -limit to limit")
FACTOR_OF = Attribute("factor", FACTOR, doc="the factor: `0.5`, `sqrt(H)`")
BIAS = replace(PARAM, doc="the bias: the last dimensions of x, cut as they are: `[N/tp, D]`")
PAIR = replace(PARAM, doc="the biases of gate and up side by side, cut as their last dimensions: `[2, F/tp]`")
CAP = Attribute("cap", NUMBER, doc="the bound, greater than 0")


def activate(function: str, x: Any) -> Any:
    """Return gelu (tanh form), gelu_erf, relu or silu of each element. Raises LayoutError for another function."""
    import numpy as np

    if function == "relu":
        return np.maximum(x, 0.0)
    if function == "silu":
        return x / (1.0 + np.exp(-x))
    if function == "gelu":
        return 0.5 * x * (1.0 + np.tanh(sqrt(2.0 / pi) * (x + 0.044715 * x**3)))
    if function == "gelu_erf":
        return 0.5 * x * (1.0 + _erf(x / sqrt(2.0)))
    raise LayoutError(f"knows no activation {function!r} of one input: gelu, gelu_erf, relu, silu")


def _erf(x: Any) -> Any:
    import numpy as np

    return np.vectorize(erf, otypes=[float])(x)


def gated(function: str, gate: Any, up: Any, limit: float) -> Any:
    """Return ``function(gate) * up``; swiglu_clamped: gate * sigmoid(1.702 gate) * (up + 1), both clamped (gpt-oss)."""
    import numpy as np

    if function != "swiglu_clamped":
        return activate(function, gate) * up
    gate, up = np.minimum(gate, limit), np.clip(up, -limit, limit)
    return gate / (1.0 + np.exp(-1.702 * gate)) * (up + 1.0)


def over_rows(function: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to an array, or to the rows of routed tokens."""
    return replace(x, rows=function(x.rows)) if isinstance(x, Tokens) else function(x)


class Norm(Operator):
    """Layer norm or RMS norm over the last dimension, which each GPU must hold whole."""

    name = "norm"
    family = "norm"
    attributes = (NORM, NORM_WEIGHT, EPSILON, NORM_BIAS)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        x = inputs["x"]
        require_no_partial(x, "norm")
        require_whole(x, -1, "norm")
        self.read(params, NORM)
        if NORM_WEIGHT.stated(params) and self.read(params, NORM_WEIGHT) != x.dims[-1:]:
            raise LayoutError(f"its weight {params['param']} is not the last dimension of {x}")
        return (x,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Centred (layer norm) or not (RMS norm), scaled to unit variance, times the weight [H]."""
        import numpy as np

        x = only(values, "x")
        if self.read(here.params, NORM) == "layer":
            x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.read(here.params, EPSILON)) * here.weight()
        if not self.read(here.params, NORM_BIAS):
            return (x,)
        held = self.weights(here.params, here.types["x"].mesh)[1]
        return (x + here.parameter(f"{here.role}_bias", held),)

    def weights(self, params: Params, mesh: str) -> tuple[TensorType, ...]:
        """The gain, then the bias if there is one."""
        held = super().weights(params, mesh)
        return held * 2 if self.read(params, NORM_BIAS) else held

    def named_weights(self, role: str, params: Params, mesh: str) -> tuple[tuple[str, TensorType], ...]:
        """The gain under the role, the bias under ``ROLE_bias``."""
        return tuple(zip((role, f"{role}_bias"), self.weights(params, mesh), strict=False))


class Activation(Operator):
    """A function of each element (``function``: gelu, relu, silu, gelu_erf)."""

    name = "activation"
    attributes = (ACTIVATION,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        require_no_partial(inputs["x"], self.read(params, ACTIVATION))
        return (inputs["x"],)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The function of each element."""
        return (over_rows(partial(activate, self.read(here.params, ACTIVATION)), only(values, "x")),)


class GatedActivation(Operator):
    """``function(gate) * up``, both cut alike; ``up`` may be a partial sum, ``gate`` may not.

    With ``swiglu_clamped``, gate * sigmoid(1.702 gate) * (up + 1) of clamped inputs (gpt-oss), neither may.
    """

    name = "gated_activation"
    attributes = (GATED, LIMIT)
    slots = ("gate", "up")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of ``up``."""
        gate, up = inputs["gate"], inputs["up"]
        function = self.read(params, GATED)
        require_no_partial(gate, function)
        if function == "swiglu_clamped":
            require_no_partial(up, function)
        if (gate.dims, gate.mesh, gate.varying, gate.dtype) != (up.dims, up.mesh, up.varying, up.dtype):
            raise LayoutError(f"gate {gate} and up {up} do not lie alike")
        return (up,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """function(gate) * up."""
        gate, up = only(values, "gate"), only(values, "up")
        function, limit = self.read(here.params, GATED), self.read(here.params, LIMIT)
        if isinstance(up, Tokens):
            return (replace(up, rows=gated(function, gate.rows, up.rows, limit)),)
        return (gated(function, gate, up, limit),)


class Add(Operator):
    """Residual add: terms of equal type; two partial sums over the same axes add up, a full value and one do not."""

    name = "add"
    slots = ("x", "y")
    symmetric = True

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of either term."""
        x, y = inputs["x"], inputs["y"]
        if x.dims == y.dims and set(x.partial) != set(y.partial):
            axes = ",".join(sorted(set(x.partial) ^ set(y.partial)))
            raise LayoutError(f"adds a partial sum over {axes} to a full value: all_reduce over {axes} first")
        if x != y:
            raise LayoutError(f"adds {x} and {y}, which do not lie alike")
        return (x,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The sum of what arrived, which must be as many terms as declared."""
        held = [one for slot in values.values() for one in slot]
        if len(held) != len(here.types):
            raise LayoutError(f"{len(held)} of its {len(here.types)} terms arrived on this GPU")
        return (sum(held[1:], start=held[0]),)


def require_no_bias_on_partial(x: TensorType) -> None:
    """Raise LayoutError for a partial sum: every rank would add the bias."""
    if x.partial:
        axes = ",".join(x.partial)
        raise LayoutError(f"every rank along {axes} would add its bias to a partial sum: all_reduce over {axes} first")


def last_dims(x: TensorType, count: int) -> tuple[Dim, ...]:
    """Return the last ``count`` dimensions, all where there are not so many."""
    return x.dims[max(len(x.dims) - count, 0) :]


class Bias(Operator):
    """Adds a parameter to the last dimensions of x; both must be cut alike."""

    name = "bias"
    attributes = (BIAS,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input, which must not be a partial sum: every rank would add the bias."""
        x = inputs["x"]
        require_no_bias_on_partial(x)
        bias = self.read(params, BIAS)
        if bias != last_dims(x, len(bias)):
            raise LayoutError(f"its bias {params['param']} differs from the last dimensions of {x} in size or cut")
        return (x,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """x + bias."""
        bias = here.weight()
        return (over_rows(lambda x: x + bias, only(values, "x")),)


class PairBias(Operator):
    """Adds the first row of a parameter [2, d] to the gate and the second to the up-projection, all cut alike."""

    name = "pair_bias"
    slots = ("gate", "up")
    attributes = (PAIR,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Types of the inputs, which must not be partial sums: every rank would add the bias."""
        gate, up = inputs["gate"], inputs["up"]
        for one in (gate, up):
            require_no_bias_on_partial(one)
        bias = self.read(params, PAIR)
        if not bias or bias[0] != Dim(Size(2)) or gate != up or bias[1:] != last_dims(gate, len(bias) - 1):
            raise LayoutError(f"its bias {params['param']} is not [2, ..] of the last dimensions of {gate} and {up}")
        return gate, up

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """gate + bias[0], up + bias[1]."""
        bias = here.weight()
        gate, up = only(values, "gate"), only(values, "up")
        return over_rows(lambda x: x + bias[0], gate), over_rows(lambda x: x + bias[1], up)


class Scale(Operator):
    """Multiplies each element by ``factor``: a number, or the square root of a size."""

    name = "scale"
    attributes = (FACTOR_OF,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input; a partial sum stays one."""
        self.read(params, FACTOR_OF)
        return (inputs["x"],)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """factor * x."""
        factor = here.factor(self.read(here.params, FACTOR_OF))
        return (over_rows(lambda x: x * factor, only(values, "x")),)


def soften(x: Any, cap: float) -> Any:
    """Return cap * tanh(x / cap)."""
    import numpy as np

    return cap * np.tanh(x / cap)


class Softcap(Operator):
    """Bounds each element smoothly: cap * tanh(x / cap) (Gemma 2, arXiv:2408.00118)."""

    name = "softcap"
    attributes = (CAP,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        require_no_partial(inputs["x"], "a soft cap")
        if self.read(params, CAP) <= 0:
            raise LayoutError(f"its cap is {params['cap']}: expected a number greater than 0")
        return (inputs["x"],)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """cap * tanh(x / cap) of each element."""
        cap = self.read(here.params, CAP)
        return (over_rows(lambda x: soften(x, cap), only(values, "x")),)


class Copy(Operator):
    """Hands a value to the parallel branches as it is (Megatron-LM's ``f``: identity forward)."""

    name = "copy"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        return (inputs["x"],)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Nothing: no byte moves."""
        return Work()

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The value itself."""
        return (only(values, "x"),)
