"""Labels hold text that is not understood.

What: lines of labels from which neither an operator nor dimensions, a GPU, a layer, stage, expert or rank was read. They
are counted by template: numbers stand for all numbers.

Why: what is not understood is not checked. If a fact is among it, no rule has seen it.

Fix: write facts as docs/labels.md says, or declare them as attributes (dagtool=1). Prose may stay as it is: this is a
note. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.report.quote import name_of
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF192", "unread-label-text", Severity.INFO, "labels hold text that is not understood", requires=("source",)
)

BAD = r"""digraph {
    a [label="Q Projection\n2 partitions of the third kind\nGPU: 0"]
    b [label="Softmax\nGPU: 0"]
    a -> b
}
"""
GOOD = r"""digraph {
    a [label="Q Projection\nInput: [batch=8, hidden=64]\nGPU: 0"]
    b [label="Softmax\nGPU: 0"]
    a -> b
}
"""
_SHOWN = 8


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the file; one for each template where grouping is off."""
    if ctx.labels is None:
        return
    unread = [node for node in ctx.labels.unread if not ctx.roles.is_legend(node) and not ctx.roles.is_text(node)]
    groups = ctx.labels.leftover_of(unread)
    if not ctx.group:
        for group in groups:
            message = f"not understood in {_times(group.count)}: {name_of(group.text)}"
            yield ctx.finding(RULE, message, node=group.first, attribute="label", count=group.count)
    elif groups:
        shown = [f"{name_of(group.text)} ({group.count:,})" for group in groups[:_SHOWN]]
        shown += [f"… and {len(groups) - _SHOWN:,} more"] if len(groups) > _SHOWN else []
        text = f"text of {_times(len(unread))} is not understood, in {len(groups):,} template{'s'[: len(groups) > 1]}"
        yield ctx.finding(RULE, text, node=unread[0], attribute="label", count=len(unread), notes=(", ".join(shown),))


def _times(count: int) -> str:
    return f"{count:,} label{'s'[: count > 1]}"
