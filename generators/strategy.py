"""A deployment as declared: sizes, degrees, meshes, how each place's dimensions are cut, node names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from dagtool.errors import DagtoolError
from dagtool.generators.dtypes import DataTypes
from dagtool.generators.faults import MisplacedError, Source
from dagtool.generators.layout import Layout, Region
from dagtool.generators.meshes import Meshes, lay_out
from dagtool.generators.phase import FORWARD, Phase
from dagtool.generators.stages import Chunk
from dagtool.generators.store import Store
from dagtool.generators.toml_positions import Path
from dagtool.model.mesh import Mesh
from dagtool.model.tree import Model

__all__ = ["OPERATOR_CHOICES", "Difference", "Region", "Statement", "Strategy", "Uneven"]

OPERATOR_CHOICES: dict[str, tuple[str, ...]] = {
    "qkv": ("fused", "separate"),
    "heads": ("inner", "outer"),
    "merge_heads": ("no", "yes"),
    "copies": ("no", "yes"),
    "routing": ("fused", "nodes"),
    "context": ("gather", "ring"),
    "expert_sums": ("combined", "each"),
    "transfer": ("one_node", "send_and_recv"),
}
"""How parts may be drawn, by key of ``[operators]``; the first of each is the default."""


class Difference(NamedTuple):
    """One line of the table of differences between a document and what follows from its configuration."""

    document: str
    says: str
    in_fact: str
    reason: str


class Statement(NamedTuple):
    """Something a document states in numbers, and which quantity of the DAG it is held against."""

    document: str
    what: str
    says: str
    derived: str
    """Names of quantities with their arguments, separated by ``;`` (``dagtool.analysis.quantities``)."""
    reason: str = ""
    """Why the two differ; empty where they agree."""


class Uneven(NamedTuple):
    """How a size is dealt out to ranks that compute with equal, padded shares."""

    size: int
    """Without padding."""
    way: str
    """``unstored``: every rank has a full share until nothing is left. ``spread``: shares differ by one at most."""

    def share(self, index: int, count: int, padded: int) -> int:
        """Return what the rank ``index`` of ``count`` stores of a size that is padded to ``padded``."""
        if self.way == "spread":
            return self.size // count + (index < self.size % count)
        full = padded // count
        return max(min(self.size - index * full, full), 0)


@dataclass(slots=True)
class Strategy:
    """Everything a strategy file says, defaults filled in and checked."""

    name: str
    layout: Layout
    """Where every place of the model lies, by layer."""
    chunks: tuple[Chunk, ...]
    """Runs of layers with their meshes, in the order of the layers."""
    phase_layouts: dict[str, Layout] = field(default_factory=dict)
    """Layouts of phases that have one of their own."""
    summary: str = ""
    document: str = ""
    gpu_memory: str = ""
    """What each GPU has, like 80GiB; empty where it is not said."""
    model: Model = field(default_factory=Model)
    phases: tuple[Phase, ...] = (FORWARD,)
    sizes: dict[str, int | None] = field(default_factory=dict)
    padded: dict[str, int] = field(default_factory=dict)
    """Sizes that were rounded up, before that."""
    uneven: dict[str, Uneven] = field(default_factory=dict)
    """Padded sizes of which ranks keep unequal shares, because the padding is not stored."""
    places: frozenset[str] = frozenset()
    """The places of the layout in which the model has something."""
    declared: Meshes = field(default_factory=Meshes)
    operators: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    """Sizes the document does not state: defaults of the preset."""
    differences: tuple[Difference, ...] = ()
    stated: tuple[Statement, ...] = ()
    store: Store = field(default_factory=Store)
    """Along which axes parameters are stored in parts, besides those that cut them where they are used."""
    dtypes: DataTypes = field(default_factory=DataTypes)
    notes: tuple[str, ...] = ()
    """What was assumed to make it of words or a launch line."""
    source: Source = field(default_factory=Source, compare=False, repr=False)

    @property
    def degrees(self) -> dict[str, int]:
        """The size of each axis, and of the pipeline under ``pp``."""
        return self.declared.degrees

    @property
    def experts(self) -> str:
        """The size that counts the experts there are nodes for: R where some are there more than once, else E."""
        return "R" if "R" in self.sizes else "E"

    @property
    def stages(self) -> int:
        """Number of pipeline stages."""
        return self.declared.stages

    @property
    def stage_of(self) -> tuple[int, ...]:
        """The number of the chunk that each layer is in."""
        return tuple(number for number, chunk in enumerate(self.chunks) for _ in range(chunk.layers))

    @property
    def layouts(self) -> dict[str, Layout]:
        """Every layout of the file: under an empty name that of all phases that have none of their own."""
        return {"": self.layout, **self.phase_layouts}

    def layout_of(self, phase: str) -> Layout:
        """Return where every place lies in a phase: as ``[PHASE.layout]`` says, or as everywhere."""
        return self.phase_layouts.get(phase, self.layout)

    def meshes(self) -> dict[str, Mesh]:
        """Return the meshes laid on GPUs one after the other; ``stage`` once for each pipeline stage."""
        return lay_out(self.declared)

    def error(self, keys: Path, message: str, hint: str = "") -> DagtoolError:
        """Return an error about a key of the file, with its place."""
        return self.source.error(keys, message, hint)

    def error_in(self, role: str, layer: int, message: str, hint: str = "", *, phase: str = "") -> MisplacedError:
        """Return an error about a part of the model, with the place of the layout that it has in a phase."""
        part = role.partition(".")[0]
        place = {"moe": "experts", "pipeline": "stream", "entry": "stream"}.get(part, part)
        return self.error_at(place, layer, f"{role}: {message}", hint, phase=phase)

    def error_at(self, place: str, layer: int, message: str, hint: str = "", *, phase: str = "") -> MisplacedError:
        """Return an error about what lies at a place of the layout of a phase."""
        line = self.layout_of(phase).origin(place, layer) or self.layout.origin(place, layer) or ("layout",)
        error = self.source.error(line, message, hint)
        return MisplacedError(error.message, error.hint, place=place)
