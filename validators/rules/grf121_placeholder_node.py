"""A node stands for others that are not drawn.

What: a title like `...`, `Layers 8-15` or `Layers 8-15: similar`; a title like `Experts 10-65` where other nodes are single experts.

Why: the graph is not complete; sizes, paths and balance found in it are those of what is drawn. Some conventions ask for
such nodes and some forbid them, so this is a note; `--elided-layers allow` lets them pass, `forbid` makes them an error (so does
the profile `strict`).

Fix: draw what is left out. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.options import ELIDED_LAYERS
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF121",
    "placeholder-node",
    Severity.INFO,
    "a node stands for others that are not drawn",
    requires=("source",),
    options=(ELIDED_LAYERS,),
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


_SEVERAL = re.compile(r"\b(layers?|experts?)[ :#]*(\d{1,5})\s*(?:-|–|\.\.|…|to)\s*(\d{1,5})\b", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    severity = ctx.stance(ELIDED_LAYERS)
    if ctx.labels is None or severity is None:
        return
    single = {place for experts in ctx.reading.places.experts.values() for place in experts}
    nodes, reading = ctx.labels.nodes, ctx.reading
    several = {node for node in reading.named(_SEVERAL) if _stands_for_several(nodes[node].title, single)}
    standing = sorted(several.union(reading.of("placeholder", sure=0)))
    found = [node for node in standing if not ctx.roles.is_legend(node)]
    text = "for nodes that are not drawn"
    yield from ctx.about_nodes(RULE, found, f"stands {text}", f"stand {text}", attribute="label", severity=severity)


def _stands_for_several(title: str, single: set[int]) -> bool:
    """Whether a title names a range of layers, or one of experts none of which is drawn though others are."""
    found = _SEVERAL.search(title)
    if not found:
        return False
    first, last = int(found[2]), int(found[3])
    if found[1].lower().startswith("layer"):
        return first < last
    return first < last and bool(single) and not any(first <= expert <= last for expert in single)
