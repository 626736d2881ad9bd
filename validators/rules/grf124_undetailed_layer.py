"""A layer is one node where others are drawn in detail.

What: layers of one node each, or of a quarter of the nodes that another layer has, in a file in which some layer has eight nodes or more.

Why: what one node stands for cannot be checked: its operators, its communication, its GPUs. Paths and balance count it as
one operator. `--elided-layers allow` lets it pass, `forbid` makes it an error.

Fix: draw every layer in the same detail; a folded picture is made from a whole graph by `dagtool render`. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.options import ELIDED_LAYERS
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF124",
    "undetailed-layer",
    Severity.INFO,
    "a layer is one node where others are drawn in detail",
    requires=("source",),
    options=(ELIDED_LAYERS,),
)

BAD = r"""digraph {
    input -> layer0_norm -> layer0_qkv -> layer0_scores -> layer0_softmax -> layer0_out -> layer0_add
    layer0_add -> layer0_mlp1 -> layer0_gelu -> layer0_mlp2 -> layer1 -> output
}
"""
GOOD = r"""digraph { input -> layer0 -> layer1 -> output }
"""

_DETAILED = 8
"""Nodes from which on a layer counts as drawn in detail."""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    severity = ctx.stance(ELIDED_LAYERS)
    layers = ctx.reading.places.layers
    most = max(map(len, layers.values()), default=0)
    if severity is None or most < _DETAILED:
        return
    coarse = [layer for layer, nodes in layers.items() if len(nodes) == 1 or 4 * len(nodes) < most]
    if not coarse:
        return
    coarse.sort()
    fullest = next(layer for layer, nodes in layers.items() if len(nodes) == most)
    fewest = max(len(layers[layer]) for layer in coarse)
    size = "one node each" if fewest == 1 else f"{fewest} nodes or fewer"
    which = f"layer{'s' if len(coarse) > 1 else ''} {format_gpus(coarse)}"
    text = f"{which}: {size if len(coarse) > 1 else size.removesuffix(' each')}; layer {fullest} is drawn with {most:,}"
    yield ctx.finding(
        RULE, text, node=layers[coarse[0]][0], count=len(coarse), severity=severity,
        help="draw every layer in the same detail",
    )  # fmt: skip
