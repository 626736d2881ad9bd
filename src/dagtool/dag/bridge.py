"""A Dag as a networkx graph: the form people get and give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.dag.graph import Dag

if TYPE_CHECKING:
    import networkx

__all__ = ["to_networkx"]


def to_networkx(dag: Dag) -> networkx.MultiDiGraph[str]:
    """Nodes by id with ``op``, ``role``, ``gpus``, ``layer`` and ``expert`` (None where there is none)."""
    import networkx

    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(name=dag.name)
    graph.graph.update(dag.facts)
    for node, name in enumerate(dag.ids):
        kind = dag.kind(node)
        layer, expert = dag.layer_of[node], dag.expert_of[node]
        graph.add_node(
            name,
            op=kind.op or None,
            role=kind.role or None,
            gpus=dag.gpus(node),
            layer=layer if layer >= 0 else None,
            expert=expert if expert >= 0 else None,
        )
    for tail, head, kind_index in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        graph.add_edge(dag.ids[tail], dag.ids[head], slots=dag.edge_kinds[kind_index].slots)
    return graph
