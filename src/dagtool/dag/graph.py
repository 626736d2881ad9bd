"""The one typed graph between everything that makes a DAG and everything that uses one.

Nodes are indices. What is the same for all ranks and layers (operator, types, parameters) is a Kind, held
once; a node has its id, its kind, its GPUs, its layer and its expert. A million nodes are a few flat lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.model.mesh import Mesh
from dagtool.model.tensor import TensorType

if TYPE_CHECKING:
    import networkx

    from dagtool.cost.critical import CriticalPath
    from dagtool.dot import DotGraph
    from dagtool.report.finding import Finding

__all__ = ["Dag", "EdgeKind", "Kind", "Port", "Problem"]


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output and its type."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True)
class Kind:
    """What all nodes of one role share. ``op`` is empty where a foreign file declares none."""

    op: str
    role: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    phase: str = ""
    """Which phase it belongs to, where the graph has several: prefill, decode0, decode1."""

    @property
    def input_types(self) -> dict[str, TensorType]:
        """Slot name to type."""
        return {port.name: port.type for port in self.inputs}

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters by name."""
        return dict(self.params)

    @property
    def meshes(self) -> tuple[str, ...]:
        """The meshes its types name, inputs first."""
        return tuple(dict.fromkeys(port.type.mesh for port in (*self.inputs, *self.outputs)))


@dataclass(frozen=True, slots=True)
class EdgeKind:
    """Which input slots of its head an edge fills (empty: the first one).

    ``outputs`` says from which outputs of its tail, one for each slot; empty where the tail has a single
    output or its outputs bear the slots' names.
    """

    slots: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something declared in the file that could not be read: ``node`` is -1 for the graph itself."""

    node: int
    attribute: str
    message: str


@dataclass(slots=True)
class Dag:
    """Nodes, edges and what they are. See the module's docstring."""

    name: str = ""
    sizes: dict[str, int | None] = field(default_factory=dict)
    meshes: dict[str, Mesh] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    """What else the graph says of itself: preset, model options."""
    declared: bool = False
    """Whether this is our dialect: operators and types are declared, so they can be checked."""

    kinds: list[Kind] = field(default_factory=list)
    edge_kinds: list[EdgeKind] = field(default_factory=lambda: [EdgeKind()])
    device_sets: list[tuple[int, ...]] = field(default_factory=list)

    ids: list[str] = field(default_factory=list)
    kind_of: list[int] = field(default_factory=list)
    devices_of: list[int] = field(default_factory=list)
    """Index into ``device_sets``; -1 where a node names no GPU."""
    layer_of: list[int] = field(default_factory=list)
    """-1 outside layers."""
    expert_of: list[int] = field(default_factory=list)
    """-1 for nodes that belong to no expert."""

    tails: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    edge_kind_of: list[int] = field(default_factory=list)

    problems: list[Problem] = field(default_factory=list)
    unread: dict[str, list[int]] = field(default_factory=dict)
    """Attributes that neither our dialect nor Graphviz has, and the nodes of the file that have them."""
    source: DotGraph | None = None
    """The file it was read from, for positions."""

    def kind(self, node: int) -> Kind:
        """The kind of a node."""
        return self.kinds[self.kind_of[node]]

    def gpus(self, node: int) -> tuple[int, ...]:
        """The GPUs of a node; empty where it names none."""
        index = self.devices_of[node]
        return self.device_sets[index] if index >= 0 else ()

    def axis_sizes(self, kind: Kind) -> Mapping[str, int]:
        """Axis sizes of the mesh its inputs lie on."""
        mesh = self.meshes.get(kind.meshes[0]) if kind.meshes else None
        return mesh.sizes if mesh else {}

    @property
    def graph(self) -> networkx.MultiDiGraph[str]:
        """The DAG as people get and give it: a networkx graph with ``op``, ``gpu``, ``layer`` on its nodes."""
        from dagtool.dag.bridge import to_networkx

        return to_networkx(self)

    def validate(self) -> list[Finding]:
        """Every rule's findings."""
        from dagtool.validators import validate

        return validate(self)

    def critical_path(self) -> CriticalPath:
        """The longest path by matmul work. Raises ValueError where there is a cycle."""
        from dagtool.cost.critical import critical_path

        return critical_path(self)

    def to_dot(self, templates: str | None = None) -> str:
        """Write the DAG as DOT text in the dialect of this tool.

        A graph from a file whose nodes do not all state an operator and GPUs is given back as its file has it.
        Raises DagtoolError where there is no such file, and for a template that does not render.
        """
        from dagtool.dot.writer import is_complete, write_dot

        if self.source is not None and not is_complete(self):
            return self.source.text
        return "".join(write_dot(self, templates))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: the folded picture, and a line of text."""
        from dagtool.render.notebook import mimebundle

        return mimebundle(self, include, exclude)
