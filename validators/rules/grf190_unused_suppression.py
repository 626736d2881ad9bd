"""A request to ignore a rule that hides nothing.

What: a comment `// dagtool: ignore[CODE]`, `file-ignore[CODE]` or `disable[CODE]`, or an attribute `lint_ignore`, hides
no finding although its rule was asked, names no rule that there is, or is not understood; an `enable[CODE]` ends nothing.

Why: what it was written for has been mended or never was there. Left in place it hides the next fault.

Fix: remove it, or correct the code; `ignore` acts on its own line or, alone on a line, on the next statement, `disable`
up to the `enable` of the same code.

References: docs/validate.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.quote import excerpt
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.suppress import Suppression

RULE = Rule(
    "GRF190",
    "unused-suppression",
    Severity.WARNING,
    "a request to ignore a rule hides nothing",
    last=True,
    any_graph=True,
)

BAD = """digraph {
    // dagtool: ignore[GRF1O2] a legend
    input -> output
}
"""
GOOD = """digraph {
    // dagtool: ignore[GRF102] a spare part, wired up later
    spare
    input -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each code of no use."""
    if ctx.suppressions is None:
        return
    for request in [*ctx.suppressions.attributes, *(ctx.suppressions.comments if ctx.last_graph else ())]:
        for message, help in _faults(ctx, request):
            yield _at(ctx, request, ctx.finding(RULE, message, help=help))


def _at(ctx: Context, request: Suppression, found: Finding) -> Finding:
    assert ctx.graph is not None
    piece = excerpt(ctx.graph.line_text(request.line), request.column, edge=False)
    return replace(found, line=request.line, column=request.column, excerpt=piece)


def _faults(ctx: Context, request: Suppression) -> Iterator[tuple[str, str]]:
    from dagtool.validators.catalogue import all_rules

    known = [loaded.rule.code for loaded in all_rules()]
    if request.problem:
        yield f"suppression not understood: {printable(request.problem)}", ""
    for code in request.codes:
        matching = {one for one in known if one.startswith(code)}
        if not matching:
            yield f"suppression of {printable(code)!r}, which is no rule", did_you_mean(code, known)
        elif code not in request.used and matching <= ctx.asked:
            yield f"unused suppression: {printable(code)} finds nothing here", "remove it"
