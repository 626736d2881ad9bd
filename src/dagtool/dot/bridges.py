"""A parsed graph for networkx, and to and from pydot; either library is imported only when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagtool.dot.graph import DotGraph
from dagtool.dot.reader import parse
from dagtool.dot.values import Html
from dagtool.templates import in_lines

if TYPE_CHECKING:
    import networkx as nx
    import pydot


def to_networkx(graph: DotGraph) -> nx.Graph[Any]:
    """The graph as networkx reads it from Graphviz: a multigraph unless strict, directed as the file says.

    Nodes are named by their ids; attributes are copied to nodes, edges and ``.graph``.
    """
    import networkx as nx

    kinds = {
        (True, False): nx.MultiDiGraph,
        (False, False): nx.MultiGraph,
        (True, True): nx.DiGraph,
        (False, True): nx.Graph,
    }
    ids = graph.node_ids
    result: nx.Graph[Any] = kinds[graph.directed, graph.strict]()
    result.graph.update(graph.attributes)
    if graph.name is not None:
        result.graph["name"] = graph.name
    result.add_nodes_from(zip(ids, graph.node_attributes, strict=True))
    ends = zip(graph.tails, graph.heads, graph.edge_attributes, strict=True)
    result.add_edges_from((ids[tail], ids[head], attributes) for tail, head, attributes in ends)
    return result


def to_pydot(graph: DotGraph) -> pydot.Dot:
    """The graph for pydot, every attribute written out on the node, edge or subgraph it belongs to."""
    import pydot

    result = pydot.Dot(
        _quoted(graph.name or ""),
        graph_type="digraph" if graph.directed else "graph",
        strict=graph.strict,
        **_quoted_values(graph.attributes),
    )
    ids = [_quoted(name) for name in graph.node_ids]
    parts: list[Any] = []
    for subgraph in graph.subgraphs:
        name = "" if subgraph.name is None else _quoted(subgraph.name)
        parts.append(pydot.Subgraph(name, **_quoted_values(subgraph.attributes)))
    for name, attributes in zip(ids, graph.node_attributes, strict=True):
        result.add_node(pydot.Node(name, **_quoted_values(attributes)))
    for subgraph, part in zip(graph.subgraphs, parts, strict=True):
        (result if subgraph.parent < 0 else parts[subgraph.parent]).add_subgraph(part)
        for node in subgraph.own_nodes:
            part.add_node(pydot.Node(ids[node]))
    for tail, head, attributes in zip(graph.tails, graph.heads, graph.edge_attributes, strict=True):
        result.add_edge(pydot.Edge(ids[tail], ids[head], **_quoted_values(attributes)))
    return result


def from_pydot(dot: pydot.Dot) -> DotGraph:
    """What Graphviz would read from the text that pydot writes."""
    return parse(dot.to_string())[0]


def _quoted_values(attributes: dict[str, str]) -> dict[str, Any]:
    return {_quoted(key): _quoted(value) for key, value in attributes.items()}


def _quoted(value: str) -> str:
    """A value as DOT text. Backslashes stay: reading has left all but those before a quote in place."""
    if isinstance(value, Html):
        return f"<{str.__str__(value)}>"
    return '"' + in_lines(value.replace('"', '\\"')) + '"'
