"""Bytes: of a GPU, of an expert."""

from __future__ import annotations

from math import prod

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Subject
from dagtool.cost.memory import GpuMemory
from dagtool.model.byte_count import format_bytes, parse_bytes
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["expert_bytes", "memory_per_gpu", "memory_share"]


def memory_per_gpu(subject: Subject) -> str:
    """What the fullest GPU holds, in GB and GiB."""
    total = _fullest(subject).total_bytes
    return f"{total / 1e9:.2f} GB ({format_bytes(total)})"


def memory_share(subject: Subject, capacity: str) -> str:
    """The fullest GPU in percent of a capacity like ``64GB``."""
    return f"{100 * _fullest(subject).total_bytes / parse_bytes(capacity):.1f} % of {capacity}"


def expert_bytes(subject: Subject) -> str:
    """The weights of one expert of one layer on a GPU."""
    dag, width = subject.dag, subject.assumptions.weight_width_bytes
    total = 0.0
    for index in {kinds[0] for role, kinds in subject.kinds_of_role.items() if role.startswith("moe.")}:
        kind = dag.kinds[index]
        if kind.op != "expert_linear":
            continue
        try:
            held = OPERATORS[kind.op].weights(kind.parameters, kind.meshes[0])
        except LayoutError as error:
            raise NotDerivableError(str(error)) from None
        for tensor in held:
            values = [one.bind(dag.sizes).value for one in tensor.local_shape(dag.meshes[tensor.mesh].sizes)]
            if None in values:
                raise NotDerivableError("a size is a symbol")
            total += width * prod(one for one in values if one)
    return format_bytes(total)


def _fullest(subject: Subject) -> GpuMemory:
    if symbols := [symbol for symbol, value in subject.dag.sizes.items() if value is None]:
        raise NotDerivableError(f"{', '.join(symbols)} is a symbol")
    found = subject.memory.fullest
    if found is None:
        raise NotDerivableError("no node names a GPU")
    return found
