"""A send without a receive, or a receive without a send.

What: a node whose title says send and that leads to no receive within two edges; a node whose title says receive and to which
no send or other communication leads within two edges.

Why: a send that nobody receives waits forever, and so does a receive to which nobody sends.

Fix: draw both halves and the edge between them, or one transfer that names both GPUs. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dag.algorithms import Adjacency
    from dagtool.validators.context import Context

RULE = Rule(
    "COM411",
    "lone-send",
    Severity.INFO,
    "a send without a receive, or a receive without a send",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph { input -> layer0_mlp -> send_stage0 -> layer1_mlp -> output }
"""
GOOD = r"""digraph { input -> layer0_mlp -> send_stage0 -> recv_stage1 -> layer1_mlp -> output }
"""

_SURE = 0.6


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for sends, one for receives."""
    reading = ctx.reading
    family = [facts.operation.family for facts in reading.nodes]
    sends, receives = reading.of("send", sure=_SURE), reading.of("recv", sure=_SURE)
    taken, moving = set(receives), {node for node, one in enumerate(family) if one == "communication"}
    lone = [node for node in sends if not taken & _near(ctx.after, node)]
    waiting = [node for node in receives if not (moving - {node}) & _near(ctx.before, node)]
    yield from ctx.about_nodes(
        RULE, lone, "sends, and no receive follows", "send, and no receive follows",
        help="draw the receive on the other GPU", limit=6,
    )  # fmt: skip
    yield from ctx.about_nodes(
        RULE, waiting, "receives, and no send leads to it", "receive, and no send leads to them",
        help="draw the send on the other GPU", limit=6,
    )  # fmt: skip


def _near(neighbours: Adjacency, node: int) -> set[int]:
    """What lies one or two edges away."""
    near = set(neighbours.of(node))
    return near.union(*(neighbours.of(one) for one in near))
