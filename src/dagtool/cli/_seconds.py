"""The critical path in seconds, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.model.duration import time_words

if TYPE_CHECKING:
    from dagtool.cost.slowest import Share, SlowestPath
    from dagtool.dag.graph import Dag

__all__ = ["node_prices", "seconds_text"]


def node_prices(found: SlowestPath) -> dict[int, dict[str, object]]:
    """``seconds`` and ``source`` of each node of the path."""
    times = found.times
    return {node: {"seconds": times.time_s[node], "source": times.source(node)} for node in found.path.nodes}


def seconds_text(dag: Dag, found: SlowestPath, where: str) -> list[str]:
    """The total, how it divides between computing and communicating, and what takes most of it."""
    shares = found.shares(dag)
    total = found.time_s or 1.0
    moving = sum(one.count * one.time_s for one in shares if one.communication)
    lines = [
        f"seconds = {time_words(found.time_s)} on {where}: {100 * (1 - moving / total):.0f} % computing, "
        f"{100 * moving / total:.0f} % communicating",
        "",
        f"{'times':>6}  {'share':>6}  {'each':>8}  what, and where its price comes from",
    ]
    return lines + [_line(one, total) for one in shares if one.time_s > 0]


def _line(one: Share, total: float) -> str:
    share = f"{100 * one.count * one.time_s / total:.1f} %"
    return f"{one.count:>6}  {share:>6}  {time_words(one.time_s):>8}  {one.role} ({one.source})"
