"""A node stands for others that are not drawn.

What: a title like `...` or `Layers 8-15: similar`.

Why: the graph is not complete; sizes, paths and balance found in it are those of what is drawn. Some conventions ask for
such nodes and some forbid them, so this is a note.

Fix: draw what is left out. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF121", "placeholder-node", Severity.INFO, "a node stands for others that are not drawn", requires=("source",)
)

BAD = r"""digraph {
    more [label="..."]
    input -> more -> output
}
"""
GOOD = r"""digraph {
    layer1 [label="Layer 1"]
    input -> layer1 -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    found = [
        node
        for node, facts in enumerate(ctx.labels.nodes)
        if facts.op == "placeholder" and not ctx.roles.is_legend(node)
    ]
    text = "for nodes that are not drawn"
    yield from ctx.about_nodes(RULE, found, f"stands {text}", f"stand {text}", attribute="label")
