"""What the work and the seconds of a node depend on besides its kind: how its GPUs lie, and its part of the pairs.

Nodes of one kind and one span take equally long, so ranks whose nodes all have equal spans are interchangeable. Ranks
differ where their GPUs stand in other nodes of the cluster, and where a mask leaves them other shares of the pairs of
query and key: a causal mask hides more of the first queries' pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction

from dagtool.cost.collectives import group_of
from dagtool.cost.masks import rank_share
from dagtool.cost.seconds import is_far
from dagtool.dag.graph import Kind
from dagtool.dag.semantics import kind_work
from dagtool.model.cluster import Cluster
from dagtool.model.mesh import Mesh
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["pair_shares", "spans"]

Sizes = Mapping[str, int | None]
Span = Callable[[Kind, tuple[int, ...]], Hashable]


def spans(cluster: Cluster, meshes: Mapping[str, Mesh], sizes: Sizes) -> Span:
    """The span of a node by its kind and GPUs; raises DagtoolError where the cluster has too few GPUs."""
    cluster.require(max((gpu for mesh in meshes.values() for gpu in mesh.gpus), default=0))
    shares = pair_shares(meshes, sizes)

    def span(kind: Kind, gpus: tuple[int, ...]) -> Hashable:
        algorithm = OPERATORS[kind.op].algorithm if kind.op in OPERATORS else ""
        if algorithm != "send":
            return (group_of(gpus, cluster) if algorithm else None, shares(kind, gpus))
        return is_far(kind, gpus, meshes[kind.meshes[0]], meshes[kind.parameters["to"]], cluster)

    return span


def pair_shares(meshes: Mapping[str, Mesh], sizes: Sizes) -> Span:
    """What masks leave of the pairs of a node of scores, by its kind and GPUs; None for nodes without a mask."""
    known: dict[Kind, bool] = {}

    def share(kind: Kind, gpus: tuple[int, ...]) -> Hashable:
        if kind.op not in OPERATORS or not OPERATORS[kind.op].attribute("mask") or known.get(kind) is False:
            return None
        try:
            mask = kind_work(kind, meshes).kept
        except LayoutError:
            mask = None
        known[kind] = mask is not None and bool(mask.query_axes or mask.key_axes)
        if mask is None or not known[kind]:
            return None
        mesh = meshes[kind.meshes[0]]
        return max((rank_share(mask, mesh, gpu, sizes).most for gpu in gpus if gpu in mesh), default=Fraction(1))

    return share
