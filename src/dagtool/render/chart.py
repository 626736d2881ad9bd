"""What a chart of GPUs over time consists of: texts and places, in pixels. ``render/timeline.j2`` makes SVG of it."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.render.axis import Tick

__all__ = ["Bar", "Chart", "Key", "LaneBox", "Stretch", "Tag"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time on a stream. ``op`` and ``family`` say its colour, of several nodes those of the longest."""

    x: float
    y: float
    width: float
    height: float
    op: str
    family: str
    label: str
    about: str
    """What is said when the mouse is over it."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A micro-batch on its way through a GPU; with ``kind`` stream, the name of a row."""

    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str
    """forward, backward, or stream."""


@dataclass(frozen=True, slots=True)
class LaneBox:
    """One lane: GPUs that do the same at the same times."""

    y: float
    height: float
    label: str
    font: float
    bars: tuple[Bar, ...]
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where the critical path is, from when to when."""

    begin: float
    end: float
    y: float


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend; its swatch begins at x, y."""

    kind: str
    """bar, forward, backward, or path."""
    words: str
    op: str = ""
    family: str = ""
    x: float = 0
    y: float = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template needs."""

    title: str
    facts: tuple[str, ...]
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: float
    ticks: tuple[Tick, ...]
    lanes: tuple[LaneBox, ...]
    path: tuple[Stretch, ...]
    legend: tuple[Key, ...]
    note: str
