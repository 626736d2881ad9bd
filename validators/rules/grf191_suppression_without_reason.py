"""A request to ignore a rule that does not say why.

What: a comment `// dagtool: ignore[CODE]`, `file-ignore[CODE]` or `disable[CODE]` ends after the code, or an attribute
`lint_ignore` has nothing after a colon.

Why: who reads the file later cannot tell a fault that is accepted from one that is hidden.

Fix: write the reason after the bracket: `// dagtool: ignore[GRF102] a legend`; in an attribute after a colon:
`lint_ignore="GRF102: a legend"`.

References: docs/validate.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.quote import excerpt
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF191",
    "suppression-without-reason",
    Severity.ERROR,
    "a request to ignore a rule gives no reason",
    tier="strict",
    last=True,
    any_graph=True,
)

BAD = """digraph {
    spare // dagtool: ignore[GRF102]
    input -> output
}
"""
GOOD = """digraph {
    spare // dagtool: ignore[GRF102] wired up later
    input -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each request without a reason."""
    if ctx.suppressions is None or ctx.graph is None:
        return
    for request in [*ctx.suppressions.attributes, *(ctx.suppressions.comments if ctx.last_graph else ())]:
        if not request.reason and not request.problem:
            codes = printable(", ".join(request.codes))
            found = ctx.finding(RULE, f"suppression of {codes} without a reason", help="say why after the code")
            piece = excerpt(ctx.graph.line_text(request.line), request.column, edge=False)
            yield replace(found, line=request.line, column=request.column, excerpt=piece)
