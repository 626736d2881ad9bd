"""Words that look like one name or one edge, and that Graphviz reads as something else.

What: ``layer-1`` without quotes, which is read as two nodes, ``layer`` and ``-1``, and so are ``3x`` and ``a.5``; a long dash
or an arrow of one character (``a – b``, ``a → b``), which is read as a node; typographic quotes, which become a part of the
name or of the value.

Why: Graphviz accepts the file and draws another graph: edges lead to numbers, and nodes have no edges.

Fix: quote the name, ``"layer-1"``; write edges with ``->`` (in a graph that is not directed with ``--``) and quotes as ``"``.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.dot.split_names import ARROW, QUOTES, SPLIT, Misread, misread
from dagtool.escape import printable
from dagtool.report.fix import Proposal
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule(
    "DOT009",
    "misread-name",
    Severity.WARNING,
    "words that look like one name or one edge are read as something else",
    requires=("source",),
    tier="minimal",
    fixes=(UNSAFE,),
    any_graph=True,
)

BAD = """digraph {
    layer-1 -> layer-2
    layer-2 -> layer-3
}
"""
GOOD = """digraph {
    "layer-1" -> "layer-2"
    "layer-2" -> "layer-3"
}
"""

_LISTED = 5
_LONGEST = 60


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each way of being misread."""
    assert ctx.graph is not None
    places = misread(ctx.graph)
    for kind in (SPLIT, ARROW, QUOTES):
        if some := [place for place in places if place.kind == kind]:
            yield _told(ctx, kind, some)


def _told(ctx: Context, kind: str, places: Sequence[Misread]) -> Finding:
    first = places[0]
    message, help = _words(kind, _shown(ctx, first), first)
    again = list(dict.fromkeys(_shown(ctx, place) for place in places[1:]))
    again = [words for words in again if words != _shown(ctx, first)]
    more = f" and {len(again) - _LISTED:,} more" if len(again) > _LISTED else ""
    note = f"the same with {', '.join(again[:_LISTED])}{more}" if again else ""
    return ctx.finding(
        RULE, message, at=first.start, count=len(places), notes=(note,), help=help, fix=partial(_mended, ctx, places)
    )


def _words(kind: str, words: str, first: Misread) -> tuple[str, str]:
    """What is wrong with the first, and what to do about it."""
    meant = printable(first.meant)[:_LONGEST]
    if kind == SPLIT:
        names = [printable(part) for part in first.parts]
        return f"{words} is read as {len(names)} names, {', '.join(names)}", f"quote it: {meant}"
    if kind == QUOTES:
        return f"the quotes of {words} are read as a part of it", f"write {meant}"
    if meant:
        return f"{words} is read as a node, not as an edge", f"write {meant}"
    return f"{words} is read as a node", "write edges with -> or --, or quote the name"


def _shown(ctx: Context, place: Misread) -> str:
    assert ctx.graph is not None
    return printable(ctx.graph.text[place.start : place.stop][:_LONGEST])


def _mended(ctx: Context, places: Sequence[Misread]) -> Proposal | None:
    """All that can mean but one thing written so."""
    certain = [place for place in places if place.meant]
    if not certain:
        return None
    gone = frozenset(part for place in certain for part in place.parts)
    dag = ctx.dag
    pairs = ((dag.ids[tail], dag.ids[head]) for tail, head in zip(dag.tails, dag.heads, strict=True))
    more = f", and {len(certain) - 1:,} more" if len(certain) > 1 else ""
    return Proposal(
        f"write {printable(certain[0].meant)[:_LONGEST]} instead of {_shown(ctx, certain[0])}{more}",
        UNSAFE,
        [(place.start, place.stop, place.meant) for place in certain],
        removed_nodes=gone & frozenset(dag.ids),
        removed_edges=tuple(pair for pair in pairs if pair[0] in gone or pair[1] in gone),
    )
