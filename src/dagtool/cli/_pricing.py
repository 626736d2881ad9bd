"""The options that say what a node costs, for every command that needs seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dagtool.cost.backends import GetTime, Settings
    from dagtool.cost.seconds import NodeTimes
    from dagtool.dag.graph import Dag
    from dagtool.model.cluster import Cluster

__all__ = ["backend_settings", "priced", "pricing_options", "seconds_on"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
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


_OPTIONS = (
    click.option(
        "--dtype", default="bf16", show_default=True, help="Data type of the products: bf16, fp16, fp8, fp4, int8."
    ),
    click.option("--table", default="", metavar="FILE.csv", help="Measured products: columns m, k, n, dtype, us."),
    click.option("--outside", default="", metavar="NAME", help="What prices products outside the table, else refused."),
    click.option(
        "--efficiency", type=click.FloatRange(0, 1, min_open=True), help="Share of peak that large products reach."
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
        default=1.0,
        show_default=True,
        help="What the busiest GPU of an all-to-all moves, in averages.",
    ),
)


def backend_settings(options: Mapping[str, Any], built: Cluster | None) -> Settings:
    """What a cost backend is told. Raises DagtoolError for an unknown data type."""
    from dagtool.cost.backends import Settings
    from dagtool.cost.dtypes import width_bytes

    width_bytes(options["dtype"])
    return Settings(
        cluster=built,
        dtype=options["dtype"],
        table=options["table"],
        outside=options["outside"],
        efficiency=options["efficiency"],
    )


def seconds_on(built: Cluster, dag: Dag, prices: str | GetTime, options: Mapping[str, Any]) -> NodeTimes:
    """The seconds of every node; ``prices`` is a backend or its name. Raises DagtoolError."""
    from dagtool.cost.seconds import node_seconds

    return node_seconds(
        dag,
        built,
        prices,
        dtype=options["dtype"],
        fused_attention=options["attention"] == "fused",
        imbalance=options["imbalance"],
        settings=backend_settings(options, built),
    )


def priced(dag: Dag, options: Mapping[str, Any]) -> tuple[Cluster, NodeTimes]:
    """The cluster, by default one that is large enough, and the seconds of every node on it. Raises DagtoolError."""
    from dagtool.model.cluster import cluster

    last = max((gpu for gpus in dag.device_sets for gpu in gpus), default=0)
    built = cluster(options["cluster"] or f"{last // _EACH + 1}x{_USUAL}x{_EACH}")
    return built, seconds_on(built, dag, options["cost"] or "roofline", options)
