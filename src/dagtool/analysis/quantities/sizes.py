"""Sizes, degrees, and what they come to on one GPU."""

from __future__ import annotations

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Subject
from dagtool.model.size import Size, parse_size

__all__ = ["degree", "degrees", "percent", "ranks", "size"]


def size(subject: Subject, text: str) -> str:
    """``S``, ``B*S``, cut along axes as in ``N/tp``: a number, or a product with the symbols that are left."""
    return str(_bound(subject, text))


def percent(subject: Subject, text: str) -> str:
    """A ratio like ``K/E`` in percent."""
    found = _bound(subject, text)
    if found.symbols:
        raise NotDerivableError(f"{', '.join(found.symbols)} is a symbol")
    return f"{100 * found.numerator / found.denominator:g} %"


def degree(subject: Subject, axis: str) -> str:
    """Into how many parts an axis cuts; 1 where there is none. ``pp`` counts the stages."""
    return str(_degrees(subject).get(axis, 1))


def degrees(subject: Subject, *axes: str) -> str:
    """Several degrees as a product, ``16 × 4 × 1``."""
    return " × ".join(degree(subject, axis) for axis in axes)


def ranks(subject: Subject, axis: str) -> str:
    """The first and the last rank along an axis, ``EP0-EP15``."""
    return f"{axis.upper()}0-{axis.upper()}{_degrees(subject).get(axis, 1) - 1}"


def _degrees(subject: Subject) -> dict[str, int]:
    found = {axis: count for mesh in subject.dag.meshes.values() for axis, count in mesh.sizes.items()}
    stages = [name for name in subject.dag.meshes if name[0] == "s" and name[1:].isdigit()]
    return {"pp": max(1, len(stages)), **found}


def _bound(subject: Subject, text: str) -> Size:
    degrees = _degrees(subject)
    symbols, *cuts = text.split("/")
    found = parse_size(symbols)
    for cut in cuts:
        found = found / (degrees.get(cut, 1) if cut.islower() else parse_size(cut))
    return found.bind(subject.dag.sizes)
