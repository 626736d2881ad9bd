"""When nodes run, for what they hold: at the times of a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dagtool.cost.disciplines import DISCIPLINES

if TYPE_CHECKING:
    from dagtool.cost.memory import Assumptions
    from dagtool.dag.graph import Dag

__all__ = ["moment_options", "require_no_microbatches", "scheduled"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOST_INSTANCES = 2_000_000


def moment_options(command: _Command) -> _Command:
    """The options that say when nodes run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--at",
        "moment",
        type=click.Choice(["listed", "schedule"]),
        default="listed",
        show_default=True,
        help="When nodes run: one after the other as listed, or side by side as 'dagtool schedule' says.",
    ),
    click.option(
        "--microbatches",
        type=click.IntRange(1, 10_000),
        default=1,
        show_default=True,
        help="Cut the batch into so many, with --at schedule.",
    ),
    click.option(
        "--discipline",
        type=click.Choice(list(DISCIPLINES)),
        default="gpipe",
        show_default=True,
        help="In which order micro-batches are issued, forward only.",
    ),
)


def require_no_microbatches(microbatches: int) -> None:
    """Raises DagtoolError: one after the other, nodes run for the whole batch."""
    from dagtool.errors import DagtoolError

    if microbatches > 1:
        raise DagtoolError("micro-batches run in the order of a schedule", "add --at schedule")


def scheduled(
    dag: Dag, where: str | None, dtype: str, given: Assumptions, *, microbatches: int, discipline: str
) -> tuple[Dag, list[float], list[float]]:
    """The nodes of every micro-batch with their starts and ends in seconds, forward only.

    On the cluster that is named or on one that is large enough. Raises DagtoolError as pricing and cutting do,
    ValueError for a cycle.
    """
    from dagtool.cli._pricing import cluster_for
    from dagtool.cost.microbatch import every_microbatch, one_microbatch
    from dagtool.cost.schedule import schedule
    from dagtool.cost.seconds import node_seconds
    from dagtool.errors import DagtoolError

    if len(dag.ids) * microbatches > _MOST_INSTANCES:
        most = _MOST_INSTANCES // len(dag.ids)
        raise DagtoolError(f"{microbatches:,} micro-batches of {len(dag.ids):,} nodes are too many: at most {most:,}")
    part = one_microbatch(dag, microbatches)
    times = node_seconds(part, cluster_for(dag, where), dtype=dtype, fused_attention=given.fused_attention)
    plan = schedule(part, times.time_s, microbatches=microbatches, discipline=discipline, backward=0.0)
    return every_microbatch(part, microbatches), plan.start_s, plan.end_s
