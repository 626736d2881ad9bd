"""A mesh: named axes laid over GPUs, the last axis fastest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

__all__ = ["Mesh", "MeshError", "format_gpus", "parse_gpus", "parse_meshes"]


class MeshError(ValueError):
    """The text is no mesh, or the mesh does not fit its GPUs."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """``axes`` are (name, size), major first; ``gpus`` lists the GPUs in row-major order."""

    name: str
    axes: tuple[tuple[str, int], ...]
    gpus: tuple[int, ...]

    def __post_init__(self) -> None:
        if prod(size for _, size in self.axes) != len(self.gpus):
            shape = " x ".join(f"{name}={size}" for name, size in self.axes) or "one GPU"
            raise MeshError(f"mesh {self.name!r} is {shape} but lists {len(self.gpus)} GPUs")
        if len(self.sizes) != len(self.axes):
            raise MeshError(f"mesh {self.name!r} has an axis twice")
        if 0 in self.sizes.values():
            raise MeshError(f"mesh {self.name!r} has an axis of no ranks")
        if len(set(self.gpus)) != len(self.gpus):
            raise MeshError(f"mesh {self.name!r} lists a GPU twice")

    @property
    def sizes(self) -> dict[str, int]:
        """Axis name to its number of ranks."""
        return dict(self.axes)

    def degrees_text(self, axes: Iterable[str]) -> str:
        """Return ``dp=2 x tp=4`` of some axes."""
        return " x ".join(f"{axis}={self.sizes[axis]}" for axis in axes)

    def coordinates(self, names: Iterable[str]) -> Iterator[dict[str, int]]:
        """Every position along the named axes, in mesh order, last axis fastest."""
        wanted = set(names)
        chosen = [(name, size) for name, size in self.axes if name in wanted]
        for position in product(*(range(size) for _, size in chosen)):
            yield dict(zip((name for name, _ in chosen), position, strict=True))

    def members(self, fixed: Mapping[str, int]) -> tuple[int, ...]:
        """The GPUs whose position agrees with ``fixed`` (axes not named there run freely)."""
        ranges = [(fixed[name],) if name in fixed else range(size) for name, size in self.axes]
        found = []
        for position in product(*ranges):
            rank = 0
            for (_, size), index in zip(self.axes, position, strict=True):
                rank = rank * size + index
            found.append(self.gpus[rank])
        return tuple(found)

    def group(self, over: Iterable[str], fixed: Mapping[str, int]) -> tuple[int, ...]:
        """The GPUs that differ only along ``over``, the first axis named being the slowest."""
        axes = list(over)
        sizes = self.sizes
        return tuple(
            gpu
            for index in product(*(range(sizes[axis]) for axis in axes))
            for gpu in self.members({**fixed, **dict(zip(axes, index, strict=True))})
        )

    def position(self, gpu: int) -> dict[str, int]:
        """Where a GPU lies: axis name to index. Raises ValueError for a GPU of another mesh."""
        rank = _rank_table(self).get(gpu)
        if rank is None:
            raise ValueError(f"GPU {gpu} is not on mesh {self.name}")
        found: dict[str, int] = {}
        for name, size in reversed(self.axes):
            rank, found[name] = divmod(rank, size)
        return found

    def __contains__(self, gpu: int) -> bool:
        return gpu in _rank_table(self)

    def __str__(self) -> str:
        axes = " ".join(f"{name}={size}" for name, size in self.axes)
        return f"{self.name}: {axes + ' ' if axes else ''}gpus={format_gpus(self.gpus)}"


@lru_cache(maxsize=64)
def _rank_table(mesh: Mesh) -> dict[int, int]:
    return {gpu: rank for rank, gpu in enumerate(mesh.gpus)}


def format_gpus(gpus: Iterable[int]) -> str:
    """``0-3,8`` for (0, 1, 2, 3, 8): ascending runs, in the order given."""
    runs: list[list[int]] = []
    for gpu in gpus:
        if runs and gpu == runs[-1][1] + 1:
            runs[-1][1] = gpu
        else:
            runs.append([gpu, gpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


_RUN = re.compile(r"\s*([0-9]+)(?:-([0-9]+))?\s*\Z")


def parse_gpus(text: str) -> tuple[int, ...]:
    """Read ``0-3,8``. Raises MeshError, quoting what it could not read."""
    gpus: list[int] = []
    for part in text.split(","):
        match = _RUN.match(part)
        if match is None:
            raise MeshError(f"cannot read {part.strip()!r} as a GPU or a range of GPUs")
        if len(part) > 40:
            raise MeshError(f"cannot read {part.strip()[:20]!r}… as a GPU")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise MeshError(f"the range {part.strip()!r} runs backwards")
        if last - first >= 1 << 20:
            raise MeshError(f"the range {part.strip()!r} names more than a million GPUs")
        gpus.extend(range(first, last + 1))
    if len(set(gpus)) < len(gpus):
        raise MeshError(f"{text.strip()!r} names a GPU twice")
    return tuple(gpus)


_MESH = re.compile(r"\s*([a-z]\w*)\s*:((?:\s*[a-z]\w*=[0-9]{1,9}(?=\s))*)\s*gpus=([0-9,\-\s]++)\Z")


def parse_meshes(text: str) -> dict[str, Mesh]:
    """Read ``attn: tp=8 gpus=0-7; moe: ep=8 gpus=8-15``."""
    meshes: dict[str, Mesh] = {}
    for part in filter(str.strip, text.split(";")):
        match = _MESH.match(part)
        if match is None:
            raise MeshError(f"cannot read {part.strip()!r} as a mesh; expected 'name: axis=size … gpus=0-7'")
        axes = tuple((name, int(size)) for name, size in (axis.split("=") for axis in match[2].split()))
        if match[1] in meshes:
            raise MeshError(f"mesh {match[1]!r} is declared twice")
        meshes[match[1]] = Mesh(match[1], axes, parse_gpus(match[3]))
    return meshes
