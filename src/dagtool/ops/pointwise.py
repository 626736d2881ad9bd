"""Operators that keep the shape: norm, activation, residual add, copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import pi, sqrt
from typing import Any

from dagtool.model.tensor import TensorType
from dagtool.ops.attributes import Attribute, choice
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

__all__ = ["EPSILON", "Activation", "Add", "Copy", "GatedActivation", "Norm"]

EPSILON = 1e-5
"""Added to the variance in a norm."""


NORM = Attribute("function", choice("layer", "rms"), "layer", "layer norm or RMS norm")
NORM_WEIGHT = replace(PARAM, doc="the dimension that the norm scales: `[H]`")
ACTIVATION = Attribute("function", choice("gelu", "relu", "silu"), "gelu", "the function of each element")


def activate(function: str, x: Any) -> Any:
    """gelu (tanh form), relu or silu of each element. Raises LayoutError for another function."""
    import numpy as np

    if function == "relu":
        return np.maximum(x, 0.0)
    if function == "silu":
        return x / (1.0 + np.exp(-x))
    if function == "gelu":
        return 0.5 * x * (1.0 + np.tanh(sqrt(2.0 / pi) * (x + 0.044715 * x**3)))
    raise LayoutError(f"knows no activation {function!r}: gelu, relu, silu")


def over_rows(function: Callable[[Any], Any], x: Any) -> Any:
    """A function of the elements of an array, or of routed tokens' rows."""
    return replace(x, rows=function(x.rows)) if isinstance(x, Tokens) else function(x)


class Norm(Operator):
    """Layer norm or RMS norm over the last dimension, which each GPU must hold whole."""

    name = "norm"
    family = "norm"
    attributes = (NORM_WEIGHT, NORM)

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
        return (x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON) * here.weight(),)


class Activation(Operator):
    """A function of each element (``function``: gelu, relu, silu)."""

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
    """``function(gate) * up``, both cut alike; ``up`` may be a partial sum, ``gate`` may not."""

    name = "gated_activation"
    attributes = (ACTIVATION,)
    slots = ("gate", "up")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of ``up``."""
        gate, up = inputs["gate"], inputs["up"]
        require_no_partial(gate, self.read(params, ACTIVATION))
        if (gate.dims, gate.mesh, gate.varying) != (up.dims, up.mesh, up.varying):
            raise LayoutError(f"gate {gate} and up {up} do not lie alike")
        return (up,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """function(gate) * up."""
        gate, up = only(values, "gate"), only(values, "up")
        act = partial(activate, self.read(here.params, ACTIVATION))
        if isinstance(up, Tokens):
            return (replace(up, rows=act(gate.rows) * up.rows),)
        return (act(gate) * up,)


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
        if (x.dims, x.mesh, set(x.partial), x.varying) != (y.dims, y.mesh, set(y.partial), y.varying):
            raise LayoutError(f"adds {x} and {y}, which do not lie alike")
        return (x,)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The sum of what arrived, which must be as many terms as declared."""
        held = [one for slot in values.values() for one in slot]
        if len(held) != len(here.types):
            raise LayoutError(f"{len(held)} of its {len(here.types)} terms arrived on this GPU")
        return (sum(held[1:], start=held[0]),)


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
