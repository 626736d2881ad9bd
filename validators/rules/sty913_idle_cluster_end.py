"""An edge is to end at the border of a cluster, and does not.

What: `lhead` or `ltail` names no cluster, or one that does not hold this end of the edge or holds the other one too; or `compound=true` is not set,
without which Graphviz looks at neither.

Why: Graphviz draws the edge to the node, at best with a warning.

Fix: name the cluster as its subgraph is called (`lhead=cluster_x`), let the edge end at a node in it, and write `compound=true` in the graph.

Exceptions: only `dot` clips edges at clusters; a graph with another `layout` is let be.

References: lhead, https://graphviz.org/docs/attrs/lhead/; compound, https://graphviz.org/docs/attrs/compound/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph
    from dagtool.validators.context import Context

RULE = Rule(
    "STY913",
    "idle-cluster-end",
    Severity.WARNING,
    "an edge is to end at the border of a cluster, and does not",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    compound=true
    subgraph cluster_experts { expert_0; expert_1 }
    gate -> expert_0 [lhead=cluster_expert]
}
"""
GOOD = """digraph {
    compound=true
    subgraph cluster_experts { expert_0; expert_1 }
    gate -> expert_0 [lhead=cluster_experts]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each fault and name of a cluster."""
    graph = ctx.graph
    assert graph is not None
    if graph.attributes.get("layout", "dot") != "dot":
        return
    named = [
        (edge, key, value)
        for edge, attributes in enumerate(graph.edge_attributes)
        for key in ("lhead", "ltail")
        if attributes and (value := attributes.get(key))
    ]
    if not named:
        return
    if not _is_true(graph.attributes.get("compound", "")):
        edges = list(dict.fromkeys(edge for edge, _, _ in named))
        text = "lhead or ltail, which Graphviz looks at only with compound=true"
        yield from ctx.about_edges(RULE, edges, f"has {text}", f"have {text}", help="write compound=true in the graph")
        return
    clusters = _clusters(graph)
    found: dict[tuple[str, str], list[int]] = {}
    for edge, key, value in named:
        if fault := _fault(graph, clusters, edge, key, value):
            found.setdefault((f"{key} {printable(value)!r}, {fault}", value), []).append(edge)
    for (text, value), edges in found.items():
        help = "" if value in clusters else did_you_mean(value, sorted(clusters))
        yield from ctx.about_edges(RULE, edges, f"has {text}", f"have {text}", help=help)


def _is_true(value: str) -> bool:
    digits = value[: len(value) - len(value.lstrip("0123456789"))]
    return value.lower() in ("true", "yes") or bool(digits.strip("0"))


def _clusters(graph: DotGraph) -> dict[str, set[int]]:
    """The nodes of each cluster by its name."""
    found: dict[str, set[int]] = {}
    for part in graph.subgraphs:
        if part.name and (part.name.lower().startswith("cluster") or _is_true(part.attributes.get("cluster", ""))):
            found.setdefault(part.name, set()).update(part.nodes)
    return found


def _fault(graph: DotGraph, clusters: dict[str, set[int]], edge: int, key: str, name: str) -> str:
    """Why Graphviz does not clip an end of an edge; empty where it does."""
    if name not in clusters:
        return "which is no cluster"
    ends = ("head", "tail") if key == "lhead" else ("tail", "head")
    own, other = (graph.heads[edge] if end == "head" else graph.tails[edge] for end in ends)
    if own not in clusters[name]:
        return f"a cluster that does not hold its {ends[0]}"
    return f"a cluster that holds its {ends[1]} too" if other in clusters[name] else ""
