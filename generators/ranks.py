"""Which ranks of a program become nodes: all of them, or only those that stand for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from dagtool.model.mesh import Mesh

__all__ = ["EVERY_RANK", "Ranks", "first_ranks"]


@dataclass(frozen=True, slots=True)
class Ranks:
    """The coordinates kept along an axis (all of an axis not named), and how many experts of each rank."""

    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    one_expert: bool = False
    """Whether the first expert of a rank stands for all of that rank."""

    def positions(self, mesh: Mesh, axes: Iterable[str]) -> Iterator[dict[str, int]]:
        """The kept positions along the axes, in mesh order, last axis fastest."""
        wanted = set(axes)
        chosen = [(name, self.along(name, size)) for name, size in mesh.axes if name in wanted]
        names = [name for name, _ in chosen]
        for position in product(*(coordinates for _, coordinates in chosen)):
            yield dict(zip(names, position, strict=True))

    def along(self, axis: str, size: int) -> Iterable[int]:
        """The kept coordinates of an axis of ``size`` ranks."""
        return self.kept.get(axis, range(size))


EVERY_RANK = Ranks()


def first_ranks(axes: Iterable[str]) -> Ranks:
    """The first rank along each of ``axes``, with its first expert, standing for all others along it."""
    return Ranks(dict.fromkeys(axes, (0,)), one_expert=True)
