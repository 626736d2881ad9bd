"""Tokens are sent to the experts of a layer and never back.

What: a layer in which one sort of node dispatches tokens or exchanges them (all-to-all), and none combines, aggregates or gathers
them or brings them back.

Why: expert parallelism needs two exchanges in each layer: tokens go to the GPU of their expert and the results come back. With one of
them half of the communication is missing from the graph and from its time.

Fix: add the combining all-to-all behind the experts. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM416",
    "one-way-exchange",
    Severity.INFO,
    "tokens are sent to the experts of a layer and never back",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph { input -> layer0_gate -> layer0_all_to_all -> layer0_expert_0 -> layer1_norm -> output }
"""
GOOD = r"""digraph { input -> layer0_gate -> layer0_dispatch -> layer0_expert_0 -> layer0_combine -> layer1_norm -> output }
"""

_THERE = re.compile(r"all[-_ ]?(?:to|2)[-_ ]?all|\ba2a\b|dispatch", re.IGNORECASE)
_BACK = ("combine", "aggregate", "route_back", "gather", "concat", "all_gather")
_RETURN = re.compile(r"combin|aggregat|return|route[-_ ]?back|gather", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for all such layers."""
    reading = ctx.reading
    if ctx.labels is None:
        return
    back = {reading.places.layer_of[node] for node in (*reading.of(*_BACK, sure=0.5), *reading.saying(_RETURN))}
    there: dict[int, dict[str, int]] = {}
    for node in {*reading.of("all_to_all", "dispatch", sure=0.6), *reading.saying(_THERE)}:
        layer = reading.places.layer_of[node]
        if layer is not None and layer not in back:
            there.setdefault(layer, {}).setdefault(reading.template(node), node)
    one_way = sorted(layer for layer, templates in there.items() if len(templates) == 1)
    if one_way:
        node = next(iter(there[one_way[0]].values()))
        which = f"layer{'s' if len(one_way) > 1 else ''} {format_gpus(one_way)}"
        yield ctx.finding(
            RULE, f"{which}: tokens are exchanged once, as in {ctx.name(node)}; dispatch or combine is missing",
            node=node, count=len(one_way), help="each layer needs an exchange to the experts and one back",
        )  # fmt: skip
