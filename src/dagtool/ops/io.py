"""Where a graph begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.ops.base import LayoutError, Local, Operator, Params, Types, Values, only

__all__ = ["Input", "Output"]


class Input(Operator):
    """What comes from outside: it states its type, nothing is inferred."""

    name = "input"
    spans_mesh = True
    family = "io"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as declared."""
        return (inputs["x"],)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """What was fed from outside."""
        return (only(values, "x"),)


class Output(Operator):
    """What leaves: on every GPU it names its part of the value, whole or cut."""

    name = "output"
    spans_mesh = True
    family = "io"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input, which may be cut but is no partial sum and does not vary."""
        x = inputs["x"]
        if axes := sorted({*x.partial, *x.varying}):
            raise LayoutError(f"the result {x} is no part of the value: partial or varying along {','.join(axes)}")
        return (x,)

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """Nothing of its own: what arrived leaves."""
        return Size(0)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """What arrived."""
        return (only(values, "x"),)
