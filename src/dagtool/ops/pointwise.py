"""Operators that keep the shape: norm, activation, residual add, copy."""

from __future__ import annotations

from dagtool.model.tensor import TensorType
from dagtool.ops.base import LayoutError, Operator, Params, Types, require_no_partial, require_whole

__all__ = ["Activation", "Add", "Copy", "GatedActivation", "Norm"]


class Norm(Operator):
    """Layer norm or RMS norm over the last dimension, which each GPU must hold whole."""

    name = "norm"
    family = "norm"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        x = inputs["x"]
        require_no_partial(x, "norm")
        require_whole(x, -1, "norm")
        return (x,)


class Activation(Operator):
    """A function of each element (``function``: gelu, relu, silu)."""

    name = "activation"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        require_no_partial(inputs["x"], params.get("function", "activation"))
        return (inputs["x"],)


class GatedActivation(Operator):
    """``function(gate) * up``, both cut alike; ``up`` may be a partial sum, ``gate`` may not."""

    name = "gated_activation"
    slots = ("gate", "up")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of ``up``."""
        gate, up = inputs["gate"], inputs["up"]
        require_no_partial(gate, params.get("function", "gated activation"))
        if (gate.dims, gate.mesh, gate.varying) != (up.dims, up.mesh, up.varying):
            raise LayoutError(f"gate {gate} and up {up} do not lie alike")
        return (up,)


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


class Copy(Operator):
    """Hands a value to the parallel branches as it is (Megatron-LM's ``f``: identity forward)."""

    name = "copy"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        return (inputs["x"],)
