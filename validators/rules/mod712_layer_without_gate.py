"""A layer with experts has no gate.

What: a layer in which experts are drawn or tokens are routed, and no gate (nor one that leads to
the layer's nodes within two edges), in a file that has gates elsewhere or has two such layers or more without any.

Why: each MoE layer chooses its experts anew, by scores that depend on its own input: one gate for all layers, or none, is another model.

Fix: draw a gate in every layer with experts, on every GPU that routes tokens. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD712",
    "layer-without-gate",
    Severity.INFO,
    "a layer with experts has no gate",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    input -> layer0_gate -> layer0_expert_0 -> layer0_combine
    layer0_combine -> layer1_dispatch -> layer1_expert_0 -> layer1_combine -> output
}
"""
GOOD = r"""digraph {
    input -> layer0_gate -> layer0_expert_0 -> layer0_combine
    layer0_combine -> layer1_gate -> layer1_expert_0 -> layer1_combine -> output
}
"""

_ROUTING = ("dispatch", "route", "routing", "all_to_all")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    reading = ctx.reading
    gates = reading.of("gate", sure=0.6)
    routing = {reading.places.layer_of[node]: node for node in reversed(reading.of(*_ROUTING, sure=0.6))}
    for layer, experts in reading.places.experts.items():
        routing.setdefault(layer, next(iter(experts.values()))[0])
    led = {other for node in gates for other in reading.within(node, 2, lambda _: False)}
    gated = {reading.places.layer_of[node] for node in (*gates, *led)}
    without = sorted(layer for layer in routing if layer is not None and layer not in gated)
    if not without or (len(without) == 1 and not gates):
        return
    which = f"layer{'s' if len(without) > 1 else ''} {format_gpus(without)}"
    there = f"{len(gates):,} gate{'s' if len(gates) != 1 else ''} in all" if gates else "no gate at all"
    yield ctx.finding(
        RULE, f"{which}: tokens are routed to experts without a gate ({there})", node=routing[without[0]],
        count=len(without), help="draw a gate in every layer with experts",
    )  # fmt: skip
