"""What the clusters of a foreign graph say of the nodes inside: GPUs, layer, stage and rank."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dagtool.dot.graph import DotGraph
from dagtool.foreign.gpus import Placement, cluster_gpus
from dagtool.foreign.place import place_of_text
from dagtool.foreign.text import label_lines

__all__ = ["OUTSIDE", "Surroundings", "read_clusters"]

_RANK_OF_A_GROUP = re.compile(r"(?<![a-z])[tedpsc]p[\s_-]?rank", re.IGNORECASE)
_FIRST_LINE = re.compile(r"\\[nlr]|\n")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the clusters around a node say; a number stands with the name of the cluster that states it."""

    placement: Placement | None = None
    layer: tuple[int, str] | None = None
    stage: tuple[int, str] | None = None
    rank: tuple[int, str] | None = None


OUTSIDE = Surroundings()


def read_clusters(graph: DotGraph) -> dict[int, Surroundings]:
    """Read names and labels of the subgraphs, for each node in one. The later of two around a node is the inner one."""
    found: dict[int, Surroundings] = {}
    for subgraph in graph.subgraphs:
        name, label = subgraph.name or "", subgraph.attributes.get("label", "")
        lines = label_lines(label)
        source = f"cluster {name}" + (f" ({lines[0]})" if lines else "")
        placement = cluster_gpus(name, lines)
        inside = Surroundings(
            replace(placement, source=source) if placement else None,
            *(_number(what, name, label, source) for what in ("layer", "stage", "rank")),
        )
        if inside == OUTSIDE:
            continue
        joined: dict[int, tuple[Surroundings, Surroundings]] = {}  # by identity: a hash takes longer
        for node in subgraph.nodes:
            around = found.get(node, OUTSIDE)
            if id(around) not in joined:
                joined[id(around)] = around, _join(around, inside)
            found[node] = joined[id(around)][1]
    return found


def _number(what: str, name: str, label: str, source: str) -> tuple[int, str] | None:
    """The layer, stage or rank that the name of a cluster states, else the first line of its label.

    A rank must be called so, with its group: ``TP4`` around many nodes is a degree, and other programs have ranks too.
    """
    for text in (name.removeprefix("cluster_"), _FIRST_LINE.split(label, maxsplit=1)[0]):
        number = getattr(place_of_text(text), what)
        if number is not None and (what != "rank" or _RANK_OF_A_GROUP.search(text)):
            return number, source
    return None


def _join(around: Surroundings, inside: Surroundings) -> Surroundings:
    return Surroundings(
        inside.placement or around.placement,
        inside.layer or around.layer,
        inside.stage or around.stage,
        inside.rank or around.rank,
    )
