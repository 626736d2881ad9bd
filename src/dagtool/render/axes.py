"""What each axis of a mesh does, in words: which dimensions are cut along it, and what is exchanged."""

from __future__ import annotations

from dagtool.dag.graph import Dag, Kind
from dagtool.model.labels import dim_name
from dagtool.model.mesh import Mesh
from dagtool.ops import OPERATORS

__all__ = ["axis_lines"]

_EXCHANGES = ("communication", "routing")


def axis_lines(dag: Dag, mesh: Mesh) -> list[str]:
    """For each axis what is cut, then what runs over it; for a mesh without axes what runs on it."""
    kinds = [kind for kind in dag.kinds if mesh.name in kind.meshes]
    lines = []
    for axis, size in mesh.axes:
        cut = _cut(kinds, mesh.name, axis)
        lines.append(f"{axis} ×{size} cuts {', '.join(cut)}" if cut else f"{axis} ×{size} cuts nothing")
        lines += [f"– {op.replace('_', ' ')}: {', '.join(roles)}" for op, roles in _exchanged(kinds, axis).items()]
    return lines


def _cut(kinds: list[Kind], mesh: str, axis: str) -> list[str]:
    """Names of the dimensions sharded along the axis, in order of first appearance; routed tokens and experts too."""
    found: dict[str, None] = {}
    for kind in kinds:
        for port in (*kind.inputs, *kind.outputs):
            if port.type.mesh != mesh:
                continue
            for dim in port.type.dims:
                if axis in dim.axes:
                    found[dim_name(dim.size)] = None
            if axis in port.type.varying:
                found["experts"] = None
    return list(found)


def _exchanged(kinds: list[Kind], axis: str) -> dict[str, list[str]]:
    """Each exchange over the axis with the modules it belongs to."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        over = (kind.parameters.get("over") or kind.parameters.get("owner", "")).replace(",", " ").split()
        if axis in over and kind.op in OPERATORS and OPERATORS[kind.op].family in _EXCHANGES:
            role = kind.role.removesuffix(f".{kind.op}").replace(".", " ").replace("_", " ")
            roles = found.setdefault(kind.op, [])
            if role not in roles:
                roles.append(role)
    return found
