"""A node has an attribute that its operator does not read, or the graph one that is misspelt.

What: a parameter of other operators, such as `along` on an all-reduce, or a name that neither an operator nor the
dialect nor Graphviz has. Such a name is only a note where it is unlike any that the node could have. Of the
graph's own attributes those are found that are spelt much like one of the dialect, such as `modle` for `model`.

Why: nobody reads it. Misspelt, what it should say is not said: `functoin=rms` leaves a layer norm.

Fix: correct the name, or the operator; or remove it.

References: the attributes of Graphviz, https://graphviz.org/doc/info/attrs.html; docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dot.dialect import NODE_FACTS
from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.dot.resemblance import HEADER
from dagtool.escape import printable
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.nearest import misspelt
from dagtool.validators.rule import Rule, Severity
from dagtool.validators.suppress import ATTRIBUTE

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM224",
    "undeclared-attribute",
    Severity.WARNING,
    "a node has an attribute that its operator does not read",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m" functoin=rms]
    y [op=all_reduce gpu="0-1" input="[B, H] sum(tp) @m" output="[B, H] @m" over=tp along=1]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m" function=rms]
    y [op=all_reduce gpu="0-1" input="[B, H] sum(tp) @m" output="[B, H] @m" over=tp]
}
"""

_SHOWN = 4


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each attribute and operator, for each name that nobody knows, and for those of the graph."""
    yield from _misplaced(ctx)
    yield from _unknown(ctx)
    yield from _of_graph(ctx)


def _misplaced(ctx: Context) -> Iterator[Finding]:
    """What other operators declare."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for index, kind in enumerate(ctx.dag.kinds):
        if operator := OPERATORS.get(kind.op):
            for name, text in kind.params:
                if text and operator.attribute(name) is None:
                    kinds.setdefault((kind.op, name), []).append(index)
    for (op, name), found in kinds.items():
        if readers := [other for other, operator in OPERATORS.items() if operator.attribute(name)]:
            more = ", …" if len(readers) > _SHOWN else ""
            fault = f"{name!r}, which {op} does not read"
            yield from ctx.about_nodes(
                RULE, ctx.nodes_of(found), f"has {fault}", f"have {fault}", attribute=name,
                help=f"remove it, or correct op: {', '.join(readers[:_SHOWN])}{more} would read it",
            )  # fmt: skip


def _unknown(ctx: Context) -> Iterator[Finding]:
    """What neither the dialect nor Graphviz has, by the name that is meant."""
    for name, nodes in ctx.dag.unread.items():
        meant = {kind: _meant(name, ctx.dag.kinds[kind].op) for kind in {ctx.dag.kind_of[node] for node in nodes}}
        alike: dict[str, list[int]] = {}
        for node in nodes:
            alike.setdefault(meant[ctx.dag.kind_of[node]], []).append(node)
        for known, found in alike.items():
            if name != ATTRIBUTE:
                fault = f"an attribute {printable(name)!r}, which nobody reads"
                yield from ctx.about_nodes(
                    RULE, found, f"has {fault}", f"have {fault}", attribute=name,
                    help=f"did you mean {known!r}?" if known else "no operator has it, and Graphviz has not either",
                    severity=None if known else Severity.INFO,
                )  # fmt: skip


def _meant(name: str, op: str) -> str:
    """The attribute of a node of this operator that is spelt much the same; empty where there is none."""
    own = [attribute.name for attribute in OPERATORS[op].attributes] if op in OPERATORS else []
    return misspelt(name, [*own, *NODE_FACTS])


def _of_graph(ctx: Context) -> Iterator[Finding]:
    """What the graph itself says under a name that is one of the dialect's misspelt."""
    given = ctx.graph.attributes if ctx.graph else {}
    for name in given:
        known = "" if name in GRAPHVIZ_NAMES or name in (*HEADER, ATTRIBUTE) else misspelt(name, HEADER)
        if known and known not in given and known != HEADER[0]:  # DIM225 tells of a misspelt "dagtool"
            yield ctx.finding(
                RULE,
                f"the graph has an attribute {printable(name)!r}, which nobody reads",
                help=f"did you mean {known!r}?",
            )
