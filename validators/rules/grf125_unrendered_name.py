"""An id or a label holds a name in braces that a program should have filled in.

What: `layer_{layer_id}_attn` as an id, `GPU: {gpu}` in a label: a template whose names were not replaced. Fields of record
shapes, HTML labels and declared files are let be.

Why: all nodes of the template have become one, or they say nothing; the edges to it join what never was joined.

Fix: fill in the template (an f-string without its f?). Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.foreign.text import RECORDS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF125",
    "unrendered-name",
    Severity.INFO,
    "an id or a label holds a name in braces that a program should have filled in",
    requires=("source",),
)

BAD = r"""digraph { input -> "layer_{layer_id}_attn" -> output }
"""
GOOD = r"""digraph { input -> layer_0_attn -> output }
"""

_NAME = re.compile(r"\$?\{\{?\s*[A-Za-z_][\w.]*(?:\[\w+\])?(?:\s*[-+*/%]+\s*\w+)*\s*(?::[^{}]{0,6})?\}")


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None or ctx.graph is None:
        return
    held: dict[int, str] = {}
    for node, (name, attributes) in enumerate(zip(ctx.dag.ids, ctx.graph.node_attributes, strict=True)):
        label = attributes.get("label", "")
        if "{" not in name and "{" not in label:
            continue
        if attributes.get("shape") in RECORDS or label.startswith("<"):
            label = ""
        if found := _NAME.search(name) or _NAME.search(label):
            held[node] = found[0]
    if held:
        first = printable(next(iter(held.values())))
        yield from ctx.about_nodes(
            RULE, list(held), f"still holds {first}", f"still hold a name in braces such as {first}",
            help="fill in the template that wrote the file",
        )  # fmt: skip
