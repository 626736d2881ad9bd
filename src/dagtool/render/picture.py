"""What a picture shows: texts first, then places. Templates turn it into DOT or SVG."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Frame", "Picture", "PictureEdge", "PictureNode", "Point", "Spot", "Stroke", "Swatch", "Text", "Way"]

Point = tuple[float, float]
"""x and y in points, y downwards."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a thing lies, in points: its middle and its size; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The left edge."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """The upper edge."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Way:
    """Where an edge runs: a cubic spline, three points for each piece after the first one."""

    points: tuple[Point, ...]
    tip: Point
    """Where the arrow ends; the spline ends where the arrow begins."""
    label: Point
    """Where a text beside it begins."""


@dataclass(frozen=True, slots=True)
class PictureNode:
    """One node as drawn."""

    id: str
    members: str
    """Which nodes of the file it stands for."""
    op: str
    family: str
    """The operator's family; ``layers`` for whole layers, empty for a node of a foreign file."""
    title: str
    """Its role in words, without the part that the frame around it says already."""
    doing: str
    """The operator in words, where the title does not say it, and how it is sharded."""
    output: str
    """The local shape of what it gives, where it is not that of its input."""
    where: str
    times: str
    shape: str = ""
    """Its shape: at first the one that a foreign file gives it, then that of its look."""
    fill: str = ""
    """The colour of its look, for light paper."""
    label: str = ""
    """What people read on it, as the template ``label.j2`` says it."""
    badge: str = ""
    """A text at its corner: its place on a path, what is wrong with it."""
    small: bool = False
    """Whether it is one of very many: its text is small, and said only when asked for."""
    mark: str = ""
    """``path`` for what is highlighted, ``off`` for what is not where something is."""
    spot: Spot | None = None


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """One edge as drawn; ``way`` is None until it is laid out."""

    tail: str
    head: str
    slots: tuple[str, ...] = ()
    label: str = ""
    dashed: bool = False
    mark: str = ""
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame with a label around nodes and, by ``parent``, in another frame; kind: stage, layer or block."""

    id: str
    kind: str
    label: str
    nodes: tuple[str, ...]
    parent: str = ""
    spot: Spot | None = None
    label_at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Swatch:
    """One entry of the legend: a small node of a family or an operator, a small edge into a slot, or text alone."""

    kind: str
    """``node``, ``edge`` or ``text``."""
    family: str
    op: str
    """The operator; for an edge the slot."""
    label: str
    shape: str = ""
    fill: str = ""
    dashed: bool = False
    spot: Spot | None = None
    label_spot: Spot | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text that belongs to no node; ``x`` is where it begins, ends or has its middle, as ``anchor`` says."""

    text: str
    x: float
    y: float
    """Of its middle."""
    anchor: str = "start"
    """``start``, ``middle`` or ``end``."""
    style: str = ""
    """``b`` for bold, ``faint``, or nothing."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Many straight lines of one kind: what runs along the lanes of GPUs, or joins the members of a group."""

    kind: str
    """``data``, ``route`` or ``group``."""
    lines: tuple[tuple[Point, Point], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything a template needs."""

    title: str
    facts: tuple[str, ...]
    """Lines under the title: counts, meshes, sizes."""
    caption: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    frames: tuple[Frame, ...]
    legend: tuple[Swatch, ...]
    texts: tuple[Text, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    placed: bool = False
    """Whether every spot and spline is known, so that no program needs to lay it out."""
    title_spot: Spot | None = None
    facts_spot: Spot | None = None
    caption_spot: Spot | None = None
