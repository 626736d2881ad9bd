"""The critical path in seconds, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.cost.slowest import Share, SlowestPath
    from dagtool.dag.graph import Dag

__all__ = ["node_prices", "seconds_text", "shown_seconds"]


def shown_seconds(time_s: float) -> str:
    """``1.23 us``, ``45.6 ms``, ``7.89 s``: three digits."""
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if time_s * scale >= 1:
            return f"{time_s * scale:.3g} {unit}" if time_s * scale < 1000 else f"{time_s * scale:.0f} {unit}"
    return f"{time_s * 1e6:.3g} us"


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
        f"seconds = {shown_seconds(found.time_s)} on {where}: {100 * (1 - moving / total):.0f} % computing, "
        f"{100 * moving / total:.0f} % communicating",
        "",
        f"{'times':>6}  {'share':>6}  {'each':>8}  what, and where its price comes from",
    ]
    return lines + [_line(one, total) for one in shares if one.time_s > 0]


def _line(one: Share, total: float) -> str:
    share = f"{100 * one.count * one.time_s / total:.1f} %"
    return f"{one.count:>6}  {share:>6}  {shown_seconds(one.time_s):>8}  {one.role} ({one.source})"
