"""Decide whether a graph that declares no operators is a deployment of a model at all, from what its nodes say.

A call graph, a workflow or a state machine is as good a DOT file as any; what only a deployment must have (a GPU for
each node, dimensions, one input and one output) is not asked of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.foreign.facts import NodeFacts
    from dagtool.foreign.guess import Guess

__all__ = ["Nature", "is_plain", "judge_nature"]

_SHARE = 0.25
"""The share of the nodes that must say something before it counts as what the graph is about."""
_LABELLED = 0.1
_SAMPLE = 1024
"""Nodes that are read of a larger graph: what it is about shows in a part of it."""
_SURE = 0.8
_DIMENSIONS = frozenset({"batch_size", "seq_len", "hidden", "heads", "d_k", "ffn", "vocab_size", "tokens", "experts"})
"""Dimensions of language models, by the names that synonyms are folded to."""
_ANYWHERE = frozenset(
    {"input", "output", "gather", "split", "concat", "send", "recv", "transfer", "add", "placeholder"}
)
"""Operators whose names mean something in any kind of graph."""
_COLLECTIVES = frozenset({"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv"})
_PARALLEL = re.compile(r"(?<![a-z])(?:tensor|pipeline|expert|data|sequence|context)[\s_-]?parallel|"
                       r"(?<![a-z])[tpedsc]p[\s_:=-]{0,2}\d", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nature:
    """Whether a graph is a deployment, and the evidence in words."""

    deployment: bool
    evidence: str


def judge_nature(graph: Guess) -> Nature:
    """Weigh what the nodes state: GPUs, operators of a model, dimensions by name, kinds of parallelism.

    Of a large graph some nodes are read, drawn at random. Nodes without a label of their own say little; they do not
    count where a tenth of the nodes or more has one.
    GPUs count where another kind of evidence stands beside them: a drawing of a cluster's network names GPUs too.
    Without GPUs, operators and dimensions must both be stated, and some communication or parallelism.
    """
    read = graph.sample(_SAMPLE)
    labelled = [facts for facts in read if facts.described]
    nodes = labelled if len(labelled) >= _LABELLED * len(read) else read
    count = len(nodes)
    if not count:
        return Nature(False, "it has no nodes")
    gpus = sum(one.placement is not None for one in nodes)
    operators = sum(one.operation.confidence >= _SURE and one.op not in _ANYWHERE for one in nodes)
    dimensions = sum(_names_dimensions(one) for one in nodes)
    parallel = sum(_names_parallelism(one) for one in nodes)
    collectives = sum(one.op in _COLLECTIVES for one in nodes)
    wanted = _SHARE * count
    placed = gpus >= wanted and max(operators, dimensions, parallel) >= wanted / 2
    described = operators >= wanted and dimensions >= wanted and bool(parallel or collectives or gpus)
    stated = {"a GPU": gpus, "an operator of a model": operators, "a dimension": dimensions, "a rank": parallel}
    return Nature(placed or described, _describe_evidence(stated, count))


def is_plain(graph: Guess) -> bool:
    """Whether operators and layers that names resemble are none: it is no deployment, and its ids do not tell of one.

    Ids tell where most nodes have no labels and a quarter of the ids name an operator of a model or a layer.
    """
    nodes = graph.nodes
    if judge_nature(graph).deployment:
        return False
    told = sum(one.place.layer is not None or bool(one.op and one.op not in _ANYWHERE) for one in nodes)
    return 2 * sum(one.described for one in nodes) > len(nodes) or told < _SHARE * len(nodes)


def _describe_evidence(stated: Mapping[str, int], count: int) -> str:
    """Say how many nodes name each thing, and what none names."""
    found = [f"{what} in {number:,}" for what, number in stated.items() if number]
    lacking = [what for what, number in stated.items() if not number]
    none = f"no node names {' or '.join(filter(None, (', '.join(lacking[:-1]), lacking[-1])))}" if lacking else ""
    some = f"of {count:,} nodes, the labels name {', '.join(found)}" if found else ""
    return "; ".join(filter(None, (some, none)))


def _names_dimensions(facts: NodeFacts) -> bool:
    shapes = (*facts.inputs, *facts.outputs, *facts.bare)
    return any(dim.name in _DIMENSIONS or dim.text in _DIMENSIONS for shape in shapes for dim in shape.dims)


def _names_parallelism(facts: NodeFacts) -> bool:
    place = facts.place
    if place.expert is not None or place.rank is not None or place.stage is not None:
        return True
    return any(_PARALLEL.search(text) for text in (facts.title, *facts.rest))
