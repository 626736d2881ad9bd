"""Labels hold text that dagtool could not interpret.

What: lines of labels from which neither an operator nor dimensions, a GPU, a layer, stage, expert or rank was read. They
are counted by template: numbers stand for all numbers.

Why: text that is not understood is not checked. If it states a fact, no rule has seen it. This is a limit of dagtool
and no fault of the file, so the rule is asked only where it is named; otherwise the end of a run counts such labels.

Fix: nothing needs to be done. Facts can be written as docs/labels.md says, or declared as attributes (dagtool=1).
Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import UNREAD_LABELS, Finding
from dagtool.report.quote import name_of
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    UNREAD_LABELS,
    "unread-label-text",
    Severity.INFO,
    "labels hold text that dagtool could not interpret (no fault of the file)",
    requires=("source",),
    on_request=True,
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
    """Yield one finding for the file, or one for each template where grouping is off."""
    if ctx.labels is None:
        return
    unread = ctx.unread_labels
    groups = ctx.labels.leftover_of(unread)
    if not ctx.group:
        for group in groups:
            message = f"dagtool could not interpret text of {_times(group.count)}: {name_of(group.text)}"
            yield ctx.finding(RULE, message, node=group.first, attribute="label", count=group.count)
    elif groups:
        shown = [f"{name_of(group.text)} ({group.count:,})" for group in groups[:_SHOWN]]
        shown += [f"… and {len(groups) - _SHOWN:,} more"] if len(groups) > _SHOWN else []
        templates = f"{len(groups):,} template{'s'[: len(groups) > 1]}"
        text = f"dagtool could not interpret text of {_times(len(unread))}, in {templates} (not a fault of the file)"
        yield ctx.finding(RULE, text, node=unread[0], attribute="label", count=len(unread), notes=(", ".join(shown),))


def _times(count: int) -> str:
    return f"{count:,} label{'s'[: count > 1]}"
