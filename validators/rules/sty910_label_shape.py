"""A node has not the shape of what its title says.

What: communication that is no ellipse, a gate, routing, splitting or aggregation that is no parallelogram, computation that is no rectangle. Dispatch and combine
may be either of the first two; inputs, outputs, norms, residual additions and what no title explains may have any shape, and what one line of a label says of another operator excuses
the shape of that.

Why: the shape is what a reader of the picture sees first. Most files keep some other convention, so only the profile `strict` asks this, as a hint.

Fix: set `shape`. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked. Where operators are declared STY901 asks the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.foreign.operators import operation_of
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY910",
    "label-shape",
    Severity.INFO,
    "a node has not the shape of what its title says",
    requires=("source",),
    tier="strict",
    guesses=True,
)

BAD = r"""digraph {
    ar [label="TP All-Reduce" shape=box]
    input -> ar -> output
}
"""
GOOD = r"""digraph {
    ar [label="TP All-Reduce" shape=ellipse]
    q [label="Q Projection" shape=box]
    g [label="Gate" shape=parallelogram]
    input -> q -> ar -> g -> output
}
"""

_SHAPES = {
    "communication": ("ellipse", "oval"),
    "gate": ("parallelogram",),
    "routing": ("parallelogram",),
    "compute": ("rectangle", "rect", "box", "square", "record", "Mrecord"),
}

_SURE = 0.8
_ANY = re.compile(r"residual|\badd\b|output\W*\Z|\bheads?\b", re.IGNORECASE)
"""Titles of what may have any shape: ``Add+Norm``, ``Attention Output``, ``Concat Heads``, which routes nothing."""
_BOTH = ("dispatch", "combine", "gather", "route_back")
"""Routing that moves tokens between GPUs too, as does all of it that names several GPUs or says so."""
_ACROSS = re.compile(r"(?:cross|inter)[- _](?:gpu|node|device)", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind of operator."""
    assert ctx.graph is not None
    wrong: dict[str, list[int]] = {}
    for node, (facts, attributes) in enumerate(zip(ctx.reading.nodes, ctx.graph.node_attributes, strict=False)):
        family, shape = facts.operation.family, attributes.get("shape", "ellipse")
        if shape in _SHAPES.get(family, (shape,)) or facts.operation.confidence < _SURE:
            continue
        moves = facts.op in _BOTH or _on_several(ctx, node)
        if family == "routing" and moves and shape in _SHAPES["communication"]:
            continue
        excused = _ANY.search(facts.title) or any(shape in _shapes_of(line) for line in facts.rest)
        if not (excused or ctx.roles.is_input(node) or ctx.roles.is_output(node)):
            wrong.setdefault(family, []).append(node)
    for family, nodes in wrong.items():
        shapes = Counter(ctx.graph.node_attributes[node].get("shape", "ellipse") for node in nodes)
        drawn = ", ".join(f"{count:,} {printable(shape)}" for shape, count in shapes.most_common(3))
        wanted = _SHAPES[family]
        one = f"is {family} and is not drawn as {wanted[0]}"
        yield from ctx.about_nodes(
            RULE, nodes, one, f"are {family} and not drawn as {wanted[0]} ({drawn})",
            help=f"set shape={wanted[0]}", attribute="shape", limit=4,
        )  # fmt: skip


def _on_several(ctx: Context, node: int) -> bool:
    """Whether its label names more than one GPU, by numbers or otherwise."""
    facts = ctx.reading.nodes[node]
    vague = facts.placement is not None and (facts.placement.every or "-" in "".join(facts.placement.names))
    return vague or len(ctx.reading.gpus(node)) > 1 or any(map(_ACROSS.search, (facts.title, *facts.rest)))


def _shapes_of(line: str) -> tuple[str, ...]:
    return _SHAPES.get(operation_of(line.strip("() "), "").family, ())
