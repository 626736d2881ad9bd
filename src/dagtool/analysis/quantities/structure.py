"""Nodes, edges, cycles, and whether a documented path can be walked."""

from __future__ import annotations

from itertools import pairwise

from dagtool.analysis.subject import Subject
from dagtool.dag import algorithms
from dagtool.model.mesh import format_gpus
from dagtool.report.verdict import plural

__all__ = [
    "connected",
    "cycles",
    "edges",
    "ends",
    "further_layers",
    "isolated",
    "layers",
    "nodes",
    "nodes_per_layer",
    "roles_in_layer",
    "stage_pairs",
    "typed",
    "walk",
]


def nodes(subject: Subject, *ops: str) -> str:
    """How many nodes there are, in all or of these operators or roles."""
    counts = subject.node_counts
    kinds = enumerate(subject.dag.kinds)
    return f"{sum(counts[index] for index, kind in kinds if not ops or {kind.op, kind.role} & {*ops}):,}"


def nodes_per_layer(subject: Subject, role: str) -> str:
    """Nodes of a role in the first layer that has some."""
    kinds = set(subject.kinds_of_role.get(role, ()))
    found = [layer for layer, kind in zip(subject.dag.layer_of, subject.dag.kind_of, strict=True) if kind in kinds]
    return f"{found.count(min(found, default=0)):,}"


def roles_in_layer(subject: Subject, op: str) -> str:
    """How many nodes of an operator a layer has, those of all ranks and experts counted once."""
    roles = {kind.role for kind in subject.dag.kinds if kind.op == op}
    layers_of = zip(subject.dag.layer_of, subject.dag.kind_of, strict=True)
    return str(len(roles & {subject.dag.kinds[kind].role for layer, kind in layers_of if layer >= 0}))


def further_layers(subject: Subject) -> str:
    """The layers after the first one, ``1-3``."""
    return format_gpus(sorted(set(subject.dag.layer_of) - {-1})[1:])


def stage_pairs(subject: Subject) -> str:
    """Between which pipeline stages something is sent."""
    kinds = (kind for kind in subject.dag.kinds if kind.op in ("send", "send_recv"))
    pairs = sorted((kind.meshes[0], kind.parameters.get("to", kind.meshes[-1])) for kind in kinds)
    return ", ".join(f"{one.removeprefix('s')} and {other.removeprefix('s')}" for one, other in pairs) or "none"


def layers(subject: Subject) -> str:
    """How many layers the graph has."""
    return str(len(set(subject.dag.layer_of) - {-1}))


def edges(subject: Subject) -> str:
    """How many edges there are."""
    return f"{len(subject.dag.tails):,}"


def isolated(subject: Subject) -> str:
    """Nodes without any edge."""
    return f"{len(algorithms.isolated_nodes(*_degrees(subject))):,}"


def ends(subject: Subject) -> str:
    """``single source to single sink``, or how many of each there are."""
    incoming, outgoing = _degrees(subject)
    sources, sinks = incoming.count(0), outgoing.count(0)
    if (sources, sinks) == (1, 1):
        return "single source to single sink"
    return f"{plural(sources, 'source')}, {plural(sinks, 'sink')}"


def connected(subject: Subject) -> str:
    """``connected DAG``, or into how many parts it falls."""
    dag = subject.dag
    parts = len(algorithms.weak_components(len(dag.ids), dag.tails, dag.heads).sizes)
    return "connected DAG" if parts == 1 else plural(parts, "unconnected part")


def typed(subject: Subject) -> str:
    """Which nodes declare dimensions: ``all nodes``, or how many."""
    found = sum(count for kind, count in subject.node_counts.items() if subject.dag.kinds[kind].outputs)
    if found == len(subject.dag.ids):
        return "all nodes"
    return f"{found:,} of {len(subject.dag.ids):,} nodes"


def cycles(subject: Subject) -> str:
    """``no cycles``, or that there are some."""
    dag = subject.dag
    after = algorithms.successors(len(dag.ids), dag.tails, dag.heads)
    order = algorithms.topological_order(after, _degrees(subject)[0])
    return "no cycles" if len(order) == len(dag.ids) else "cycles"


def walk(subject: Subject, *path: str) -> str:
    """The path where every step of it is an edge, else which are not.

    A node that the document draws once for several GPUs may be any of them. ``…`` stands for nodes left out.
    """
    dag = subject.dag
    index: dict[str, set[int]] = {}
    for node, name in enumerate(dag.ids):
        index.setdefault(name, set()).add(node)
        index.setdefault(name.rpartition("_gpu")[0], set()).add(node)
    joined = set(zip(dag.tails, dag.heads, strict=True))
    steps = [(one, other) for one, other in pairwise(path) if "…" not in (one, other)]
    missing = [
        f"{one} → {other}"
        for one, other in steps
        if not any((tail, head) in joined for tail in index.get(one, ()) for head in index.get(other, ()))
    ]
    if not missing:
        return " → ".join(path)
    return f"{len(steps) - len(missing)} of {len(steps)} steps are edges; not {', '.join(missing)}"


def _degrees(subject: Subject) -> tuple[list[int], list[int]]:
    return algorithms.degrees(len(subject.dag.ids), subject.dag.tails, subject.dag.heads)
