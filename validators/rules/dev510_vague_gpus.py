"""A label says "all GPUs" instead of which.

What: a node that names its GPUs as `all` or `shared`, in a file in which others name theirs by number, or, where that is forbidden, in any. "All
64 GPUs" says how many and is let pass.

Why: all of them may mean every GPU of the deployment, of the stage or of the group; a number cannot be misread. Some
conventions ask for "all GPUs" and some forbid it, so this is a note; `--all-gpus allow` lets it pass, `forbid` makes it an error (so
does the profile `strict`).

Fix: write the range, `GPU: 0-15`. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.options import ALL_GPUS
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV510",
    "vague-gpus",
    Severity.INFO,
    "a label says all GPUs instead of which",
    requires=("source",),
    options=(ALL_GPUS,),
)

BAD = r"""digraph {
    a [label="Softmax\nGPU: 0"]
    b [label="Aggregate\nGPU: all GPUs"]
    a -> b
}
"""
GOOD = r"""digraph {
    a [label="Softmax\nGPU: 0"]
    b [label="Aggregate\nGPU: 0-15"]
    a -> b
}
"""

_SHARED = re.compile(r"(?:gpu|device)s?\s*[:=]\s*(?:shared|multiple|any|various|several)\b")


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    severity = ctx.stance(ALL_GPUS)
    if ctx.labels is None or severity is None:
        return
    placements = [facts.placement for facts in ctx.labels.nodes]
    if severity is Severity.INFO and not any(placement and placement.exact for placement in placements):
        return
    shared = set(ctx.reading.saying(_SHARED))
    vague = [
        node
        for node, placement in enumerate(placements)
        if placement and ((placement.every and not placement.count) or (placement.host and node in shared))
    ]
    text = "all GPUs instead of which"
    yield from ctx.about_nodes(RULE, vague, f"names {text}", f"name {text}", severity=severity, limit=6)
