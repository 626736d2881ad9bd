"""What the seconds of a node depend on besides its kind: how its GPUs lie in the nodes of a cluster.

Nodes of one kind and one span take equally long, so ranks whose nodes all have equal spans are interchangeable.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from dagtool.cost.collectives import group_of
from dagtool.dag.graph import Kind
from dagtool.model.cluster import Cluster
from dagtool.model.mesh import Mesh
from dagtool.ops import OPERATORS

__all__ = ["spans"]


def spans(cluster: Cluster, meshes: Mapping[str, Mesh]) -> Callable[[Kind, tuple[int, ...]], Hashable]:
    """The span of a node by its kind and GPUs; raises DagtoolError where the cluster has too few GPUs."""
    cluster.require(max((gpu for mesh in meshes.values() for gpu in mesh.gpus), default=0))

    def span(kind: Kind, gpus: tuple[int, ...]) -> Hashable:
        algorithm = OPERATORS[kind.op].algorithm if kind.op in OPERATORS else ""
        if algorithm != "send":
            return group_of(gpus, cluster) if algorithm else None
        # From rank to rank: what counts is whether the farthest pair is in one node.
        held = set(gpus)
        source, target = meshes[kind.meshes[0]], meshes[kind.parameters["to"]]
        pairs = [pair for pair in zip(source.gpus, target.gpus, strict=False) if held & set(pair)]
        return any(cluster.node_of(here) != cluster.node_of(there) for here, there in pairs)

    return span
