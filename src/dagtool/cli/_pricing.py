"""The options that say what a node costs, for every command that needs seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dagtool.cli._given import refuse_given
from dagtool.escape import printable

if TYPE_CHECKING:
    from dagtool.cost.backends import GetTime, Settings
    from dagtool.cost.seconds import NodeTimes
    from dagtool.dag.graph import Dag
    from dagtool.model.cluster import Cluster

__all__ = [
    "PRICING_GROUP",
    "backend_settings",
    "cluster_for",
    "priced",
    "pricing_options",
    "refuse_unused",
    "seconds_on",
    "warn_of_hosts",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
PRICING_GROUP = "cluster cost dtype efficiency attention imbalance dispatch table outside"
"""The options, for help in groups."""
_USUAL, _EACH = "h100", 8
"""Where no cluster is named: which GPU, and how many to a node."""


def pricing_options(*, usual_cost: str, usual_cluster: str) -> Callable[[_Command], _Command]:
    """Give a command the options. ``usual_…`` are words for its help: what it does where they are not set."""
    options = (
        click.option(
            "--cost",
            metavar="NAME|MODULE:FUNCTION",
            help="How terms are priced: symbolic, roofline, table, or a Python function of m, k, n that gives seconds."
            f"  [default: {usual_cost}]",
        ),
        click.option(
            "--cluster",
            metavar="NODESxGPUxGPUS|FILE.toml",
            help=f"What the DAG runs on, as 2xh100x8.  [default: {usual_cluster}]",
        ),
        *_OPTIONS,
    )

    def given(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return given


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Click's ranges let nan and inf through, and every time would become one."""
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is no number to count with")
    return value


_OPTIONS = (
    click.option(
        "--dtype", default="bf16", show_default=True, help="Data type of the products: bf16, fp16, fp8, fp4, int8."
    ),
    click.option("--table", default="", metavar="FILE.csv", help="Measured products: columns m, k, n, dtype, us."),
    click.option("--outside", default="", metavar="NAME", help="What prices products outside the table, else refused."),
    click.option(
        "--efficiency",
        type=click.FloatRange(0, 1, min_open=True),
        callback=_finite,
        help="Share of peak that large products reach.",
    ),
    click.option(
        "--attention",
        type=click.Choice(["fused", "unfused"]),
        default="fused",
        show_default=True,
        help="Whether scores and softmax stay on the chip.",
    ),
    click.option(
        "--imbalance",
        type=click.FloatRange(1),
        callback=_finite,
        default=1.0,
        show_default=True,
        help="What the busiest GPU of an all-to-all moves, in averages.",
    ),
    click.option(
        "--dispatch",
        type=click.Choice(["copy", "host"]),
        default="copy",
        show_default=True,
        help="What of a routed token is sent: a copy for each of its experts, or one for each host that has some.",
    ),
)


def refuse_unused(cost: str) -> None:
    """Options of seconds where there are none: they would look as if they did something. Raises DagtoolError."""
    if cost == "symbolic":
        why = "changes only seconds, and without --cluster there are none"
        refuse_given(("dtype", "attention", "imbalance", "dispatch"), why, "add --cluster, as in --cluster 2xh100x8")


_READ_BY = {"table": ("table",), "outside": ("table",), "efficiency": ("roofline", "table")}
"""Which backends read an option; given to another one it would change nothing, and nobody would know."""


def backend_settings(cost: str, options: Mapping[str, Any], built: Cluster | None) -> Settings:
    """What the cost backend ``cost`` is told. Raises DagtoolError for an unknown data type, or an option it ignores."""
    from dagtool.cost.backends import Settings
    from dagtool.cost.dtypes import width_bytes
    from dagtool.errors import DagtoolError

    width_bytes(options["dtype"])
    for option, readers in _READ_BY.items():
        if options[option] and cost not in readers:
            raise DagtoolError(f"--{option} has no effect on --cost {cost}", f"--cost {' or '.join(readers)} reads it")
    return Settings(
        cluster=built,
        dtype=options["dtype"],
        table=options["table"],
        outside=options["outside"],
        efficiency=options["efficiency"],
    )


def seconds_on(built: Cluster, dag: Dag, cost: str, prices: GetTime, options: Mapping[str, Any]) -> NodeTimes:
    """The seconds of every node; ``prices``, made by the backend ``cost``, gives those of products.

    Raises DagtoolError.
    """
    from dagtool.cost.backends import typed_backend
    from dagtool.cost.seconds import node_seconds

    return node_seconds(
        dag,
        built,
        prices,
        dtype=options["dtype"],
        fused_attention=options["attention"] == "fused",
        imbalance=options["imbalance"],
        dispatch=options["dispatch"],
        typed=typed_backend(cost, backend_settings(cost, options, built)),
    )


def cluster_for(dag: Dag, text: str | None) -> Cluster:
    """The cluster that is named, or as many usual nodes as the graph needs. Raises DagtoolError."""
    from dagtool.model.cluster import cluster

    last = max((gpu for gpus in dag.device_sets for gpu in gpus), default=0)
    return cluster(text or f"{last // _EACH + 1}x{_USUAL}x{_EACH}")


def warn_of_hosts(dag: Dag, built: Cluster) -> None:
    """Say on standard error where the order of axes sends tensor parallel groups over the network for nothing."""
    from dagtool.cost.hosts import find_crossing

    if warning := find_crossing(dag, built):
        click.echo(printable(f"warning: {warning}"), err=True)


def priced(dag: Dag, options: Mapping[str, Any]) -> tuple[Cluster, NodeTimes]:
    """The cluster, by default one that is large enough, and the seconds of every node on it. Raises DagtoolError."""
    from dagtool.cost.backends import make_backend
    from dagtool.errors import DagtoolError

    built = cluster_for(dag, options["cluster"])
    cost = options["cost"] or "roofline"
    prices = make_backend(cost, backend_settings(cost, options, built))
    if prices is None:
        raise DagtoolError(f"--cost {cost} gives no seconds", "roofline, table and MODULE:FUNCTION do")
    times = seconds_on(built, dag, cost, prices, options)
    warn_of_hosts(dag, built)
    return built, times
