"""What is known of one node of a foreign graph, and from which text."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.foreign.dims import Shape
from dagtool.foreign.gpus import Placement
from dagtool.foreign.operators import Operation
from dagtool.foreign.place import Place

__all__ = ["NodeFacts", "Sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where each fact of a node was read: ``label``, ``id``, ``attribute NAME``, ``cluster NAME``; empty where unknown.

    The source of the GPUs stands in their ``Placement``.
    """

    operator: str = ""
    input: str = ""
    output: str = ""
    dimensions: str = ""
    layer: str = ""
    stage: str = ""
    expert: str = ""
    rank: str = ""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of one node. Shapes under no key stand in ``bare``; ``rest`` is text that was not understood."""

    title: str
    operation: Operation
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    bare: tuple[Shape, ...]
    has_input: bool
    """Whether an input is stated at all, be it in prose; so with ``has_output``."""
    has_output: bool
    unknown: bool
    """Whether a ``?`` stands for a size."""
    placement: Placement | None
    id_placement: Placement | None
    loose_placement: Placement | None
    """GPUs by another name (``rank 3``): they count where the graph speaks of a model and names no GPU plainly."""
    place: Place
    rest: tuple[str, ...]
    length: int
    """Letters of the label, blanks left out."""
    sources: Sources = Sources()
    unread: tuple[tuple[str, str], ...] = ()
    """Attributes whose names promise a fact and whose values are not understood."""

    @property
    def op(self) -> str:
        """The operator; empty where it is unknown."""
        return self.operation.op

    @property
    def states_dimensions(self) -> bool:
        """Whether it says anything of its dimensions."""
        return self.has_input or self.has_output or bool(self.bare)

    @property
    def described(self) -> bool:
        """Whether it has more than an id: a label of its own, or attributes that state a fact."""
        return bool(self.length or self.unread or "attribute" in self.sources.operator + self.sources.input) or (
            self.placement is not None and self.placement.source.startswith("attribute")
        )

    @property
    def gives(self) -> tuple[Shape, ...]:
        """Its outputs; a shape under no key counts for an output."""
        return self.outputs or self.bare[-1:]

    @property
    def gpus(self) -> tuple[int, ...]:
        """The GPUs that it names by number, on both sides of an arrow; none where it says "all" or nothing."""
        placement = self.placement
        return tuple(sorted({*placement.gpus, *placement.to})) if placement and not placement.every else ()
