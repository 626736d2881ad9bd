"""An edge names a node that is declared nowhere.

What: an id stands in an edge only, in a file where other nodes of edges have statements of their own. Parts of words that
DOT009 names are left out.

Why: Graphviz draws an unlabelled ellipse for it without a word, while the node that was meant stays
unconnected. One id template spelt two ways (`gpu0_att_agg`, `layer0_att_agg_gpu0`) makes thousands of them.

Fix: use the id that is declared; the nearest one is suggested. Or declare the node.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.dag.idtemplate import group_ids
from dagtool.dot.change import rename_nodes
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.report.quote import name_of
from dagtool.validators.nearest import MeantIds, NearestIds, SlipIds
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.dot import DotGraph
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF106",
    "undeclared-node",
    Severity.WARNING,
    "an edge names a node that is declared nowhere",
    requires=("source", "edges"),
    tier="minimal",
    fixes=(UNSAFE,),
    any_graph=True,
)

BAD = """digraph {
    input [label="Input"]
    layer0_attn_agg [label="Aggregate"]
    output [label="Output"]
    input -> layer0_agg_attn -> output
    input -> layer0_attn_agg
}
"""
GOOD = """digraph {
    input [label="Input"]
    layer0_attn_agg [label="Aggregate"]
    output [label="Output"]
    input -> layer0_attn_agg -> output
}
"""

_SUGGESTIONS = 3
_FEW = 10
"""One node in so many may be undeclared before leaving them out is the habit of the file."""
_NUMBER = re.compile(r"-?[0-9.]++")
"""An id that is a number has no other spelling: another number is another node."""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding; an error in our own dialect, whose nodes are all declared."""
    missing = [node for node in ctx.roles.unannounced if node not in ctx.misread_nodes]
    if not ctx.nature.deployment:
        missing = _slips(ctx, missing)
    if not missing:
        return
    yield from ctx.about_nodes(
        RULE,
        missing,
        "is named in an edge but declared nowhere",
        "are named in edges but declared nowhere",
        help=_suggestion(ctx, missing),
        severity=Severity.ERROR if ctx.dag.declared else None,
        fix=partial(_renamed, ctx),
    )


def _slips(ctx: Context, missing: Sequence[int]) -> list[int]:
    """Those of a graph that is no deployment which are one slip away from a declared id.

    To name nodes in edges only is ordinary DOT. It is a slip where nearly all nodes are declared and the id differs
    from a declared one by one letter, or by capitals and separators alone.
    """
    if not missing or ctx.graph is None or len(missing) > max(1, ctx.size // _FEW):
        return []
    known = SlipIds(_declared(ctx.graph))
    return [node for node in missing if known.meant(ctx.dag.ids[node])]


def _declared(graph: DotGraph) -> Iterator[str]:
    return (name for name, declared in zip(graph.node_ids, graph.declared, strict=True) if declared)


def _renamed(ctx: Context, missing: Sequence[int]) -> Proposal | None:
    """Those that can mean but one declared id."""
    assert ctx.graph is not None
    known = MeantIds(_declared(ctx.graph))
    candidates = (name for node in missing if not _NUMBER.fullmatch(name := ctx.dag.ids[node]))
    names = {name: meant for name in candidates if (meant := known.meant(name))}
    if not names:
        return None
    first, more = next(iter(names)), len(names) - 1
    title = f"write {name_of(names[first])} instead of {name_of(first)}{f', and {more:,} more' if more else ''}"
    ids, dag = ctx.dag.ids, ctx.dag
    pairs = ((ids[tail], ids[head]) for tail, head in zip(dag.tails, dag.heads, strict=True))
    gone = tuple(pair for pair in pairs if pair[0] in names or pair[1] in names)
    return Proposal(title, UNSAFE, rename_nodes(ctx.graph, names), removed_nodes=frozenset(names), removed_edges=gone)


def _suggestion(ctx: Context, missing: list[int]) -> str:
    """The nearest declared id of the first of each template."""
    assert ctx.graph is not None
    known = NearestIds(_declared(ctx.graph))
    found = []
    for group in group_ids(ctx.dag.ids[node] for node in missing)[:_SUGGESTIONS]:
        wrong = ctx.dag.ids[missing[group.first]]
        if near := known.nearest(wrong):
            found.append(f"did you mean {name_of(near)} instead of {name_of(wrong)}?")
    return " ".join(found)
