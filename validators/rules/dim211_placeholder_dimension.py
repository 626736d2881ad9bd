"""A dimension is a question mark.

What: `?` stands for the size of a dimension, as in `Input: [batch_size=?, heads=?]`.

Why: the question mark is the blank of a template; whoever fills it in should have. Nothing can be checked against it.

Fix: write the number, an expression (`4096/8`) or a symbol with a meaning (`B`). Only files that declare no operators
are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("DIM211", "placeholder-dimension", Severity.WARNING, "a dimension is a question mark", requires=("source",))

BAD = r"""digraph {
    a [label="Softmax\nInput: [batch_size=?, heads=4]\nOutput: [batch_size=?, heads=4]"]
    input -> a
}
"""
GOOD = r"""digraph {
    a [label="Softmax\nInput: [batch_size=B, heads=4]\nOutput: [batch_size=B, heads=4]"]
    input -> a
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    asking = [node for node, facts in enumerate(ctx.labels.nodes) if facts.unknown]
    text = "'?' for a dimension"
    yield from ctx.about_nodes(
        RULE,
        asking,
        f"has {text}",
        f"have {text}",
        help="write its size, or a symbol that stands for it",
        attribute="label",
        limit=6,
    )
