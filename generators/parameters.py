"""The parameters of a model, read off its unsharded program."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.dag.semantics import held_weights
from dagtool.errors import DagtoolError
from dagtool.generators.phase import FORWARD, Phase
from dagtool.generators.unsharded import Sizes, layers_of_kinds, run_variants, size_key
from dagtool.model.size import Size, parse_size, product
from dagtool.model.tensor import TensorType
from dagtool.model.tree import Model

__all__ = ["Parameter", "parameter_count", "parameters"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the model: its role, its whole type, and the layers that have one."""

    role: str
    type: TensorType
    layers: int | None
    """The number of layers that have one; 1 for a parameter outside the layers."""
    in_layers: bool
    per_expert: bool = False

    @property
    def count(self) -> Size:
        """The number of elements in one layer, all experts together."""
        each = product(dim.size for dim in self.type.dims)
        return each * parse_size("E") if self.per_expert else each


def parameters(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> tuple[Parameter, ...]:
    """Every parameter of the unsharded model, once: a tied table is one parameter."""
    program = run_variants(model, size_key(sizes), phase)[0]
    counts = layers_of_kinds(model, sizes)
    found: dict[tuple[str, TensorType], Parameter] = {}
    met: set[str] = set()
    for kind, section in program.sections():
        for step in section.steps:
            for role, held in held_weights(step.kind):
                if role in met and not kind:
                    continue  # the same parameter used a second time
                if not kind:
                    met.add(role)
                key = (role, held)
                layers = counts.get(kind, 1)
                if key in found and layers is not None:
                    layers += found[key].layers or 0
                found[key] = Parameter(role, held, layers, bool(kind), step.per_expert)
    return tuple(found.values())


def parameter_count(model: Model, sizes: Sizes, *, active: bool = False) -> int:
    """Count the elements of all parameters, or of the active ones, which take part in computing one token.

    Raises DagtoolError where a size is a symbol.
    """
    total = 0
    for one in parameters(model, sizes):
        count = one.count * parse_size("K/E") if active and one.per_expert else one.count
        value = count.bind(sizes).value
        if value is None or one.layers is None:
            raise DagtoolError(f"{one.role} has {count} elements: a size is a symbol")
        total += value * one.layers
    return total
