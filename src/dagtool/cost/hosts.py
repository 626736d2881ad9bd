"""Which groups of a deployment lie on one host of a cluster, and whether the wrong ones leave it.

A *host* is what the cluster calls a node: GPUs joined by the fast link.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagtool.dag.graph import Dag
from dagtool.model.cluster import Cluster
from dagtool.model.mesh import Mesh
from dagtool.ops.base import axes_param

__all__ = ["find_crossing"]

_SUMS = frozenset({"all_reduce", "reduce_scatter", "all_gather"})


def find_crossing(dag: Dag, cluster: Cluster) -> str:
    """Return one line about axes with collectives in every layer that cross hosts, while data parallel ones do not.

    Empty where there are none.
    """
    tensor, batch = _tensor_axes(dag), _batch_axes(dag)
    for mesh in dag.meshes.values():
        crossing = [axis for axis in _crossing(mesh, cluster) if axis in tensor]
        inside = [axis for axis, size in mesh.axes if size > 1 and axis in batch - tensor]
        inside = [axis for axis in inside if axis not in _crossing(mesh, cluster)]
        if crossing and inside:
            order = " ".join(f"{axis}={size}" for axis, size in mesh.axes)
            last = ", ".join(crossing)
            return (
                f"groups along {last}, with collectives in every layer, lie on several hosts of {cluster},"
                f" those along {', '.join(inside)} on one (mesh {mesh.name}: {order}): put {last} last in [mesh]"
            )
    return ""


def _crossing(mesh: Mesh, cluster: Cluster) -> Iterator[str]:
    """The axes of a mesh of which some group lies on several hosts."""
    hosts = list(map(cluster.node_of, mesh.gpus))
    stride = 1
    for axis, size in reversed(mesh.axes):
        block = stride * size
        if any(hosts[rank] != hosts[rank - rank % block + rank % stride] for rank in range(len(hosts))):
            yield axis
        stride = block


def _tensor_axes(dag: Dag) -> set[str]:
    """The axes over which a layer adds up or gathers."""
    in_layers = {kind for kind, layer in zip(dag.kind_of, dag.layer_of, strict=True) if layer >= 0}
    kinds = [dag.kinds[kind] for kind in in_layers]
    return {axis for kind in kinds if kind.op in _SUMS for axis in axes_param(kind.parameters, "over")}


def _batch_axes(dag: Dag) -> set[str]:
    """The axes that cut the batch."""
    return {
        axis
        for kind in dag.kinds
        for port in (*kind.inputs, *kind.outputs)
        for dim in port.type.dims
        if dim.size.symbols == ("B",)
        for axis in dim.axes
    }
