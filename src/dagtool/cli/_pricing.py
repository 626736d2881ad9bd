"""The options that say what a node costs, for every command that needs seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dagtool.cost.seconds import NodeTimes
    from dagtool.dag.graph import Dag
    from dagtool.model.cluster import Cluster

__all__ = ["priced", "pricing_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--cluster", metavar="NODESxGPUxGPUS|FILE.toml", help="What it runs on.  [default: H100, 8 to a node]"
    ),
    click.option(
        "--cost",
        default="roofline",
        show_default=True,
        metavar="NAME|MODULE:FUNCTION",
        help="How products are priced: roofline, table, or a Python function of m, k, n that gives seconds.",
    ),
    click.option("--dtype", default="bf16", show_default=True, help="Data type of the products."),
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
_USUAL, _EACH = "h100", 8
"""Where no cluster is named: which GPU, and how many to a node."""


def pricing_options(command: _Command) -> _Command:
    """Give a command the options; what they are set to goes to ``priced``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def priced(dag: Dag, options: Mapping[str, Any]) -> tuple[Cluster, NodeTimes]:
    """The cluster, by default one that is large enough, and the seconds of every node on it. Raises DagtoolError."""
    from dagtool.cost.backends import Settings
    from dagtool.cost.dtypes import width_bytes
    from dagtool.cost.seconds import node_seconds
    from dagtool.model.cluster import cluster

    width_bytes(options["dtype"])  # an unknown one is said before anything else
    last = max((gpu for gpus in dag.device_sets for gpu in gpus), default=0)
    built = cluster(options["cluster"] or f"{last // _EACH + 1}x{_USUAL}x{_EACH}")
    times = node_seconds(
        dag,
        built,
        options["cost"],
        dtype=options["dtype"],
        fused_attention=options["attention"] == "fused",
        imbalance=options["imbalance"],
        settings=Settings(table=options["table"], outside=options["outside"], efficiency=options["efficiency"]),
    )
    return built, times
