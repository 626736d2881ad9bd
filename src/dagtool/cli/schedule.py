"""Schedule a DAG on real GPUs: critical path beside makespan, waiting, overlap, bubble, timeline.

dagtool schedule ep16_tp4 --cluster 8xh100x8 --svg ep16_tp4.timeline.svg
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._given import FiniteRange
from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._pricing import PRICING_GROUP, priced, pricing_options
from dagtool.cost.disciplines import DISCIPLINES

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.generators.request import Request

from dagtool.cli._strategy import MODEL_GROUP, strategy_options

__all__ = ["command"]

_MOST_INSTANCES = 20_000_000


@click.command(
    "schedule",
    cls=GroupedCommand,
    option_groups={
        **MODEL_GROUP,
        "Seconds": PRICING_GROUP,
        "Order": "microbatches discipline backward",
        "Output": "output-format svg trace",
    },
    epilog="Examples: dagtool schedule outputs/ep16_tp4.dot; dagtool schedule dense_tp8_pp2 --microbatches 8"
    " --discipline 1f1b --svg pipeline.svg\n\nExit status: 0 scheduled, 2 the file cannot be read, has a cycle, or"
    " cannot be priced.",
)
@click.argument("name", metavar="NAME|FILE|-")
@strategy_options
@pricing_options(usual_cost="roofline", usual_cluster="H100, 8 to a node, as many as it needs")
@click.option(
    "--microbatches", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Cut the batch into so many."
)
@click.option(
    "--discipline",
    type=click.Choice(list(DISCIPLINES)),
    default="gpipe",
    show_default=True,
    help="In which order micro-batches are issued. "
    + " ".join(f"{name}: {one.summary}." for name, one in DISCIPLINES.items()),
)
@click.option(
    "--backward",
    type=FiniteRange(0, 1000),
    metavar="TIMES",
    help="The backward pass: computation takes so many times as long as forward.  [default: 2 for 1f1b, else none]",
)
@click.option("--trace", "trace_file", metavar="FILE.json", help="Write a trace for ui.perfetto.dev.")
@click.option("--svg", "svg_file", metavar="FILE.svg", help="Write a chart of the GPUs over time.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    *,
    name: str,
    request: Request,
    microbatches: int,
    discipline: str,
    backward: float | None,
    trace_file: str | None,
    svg_file: str | None,
    output_format: str,
    **options: object,
) -> None:
    """Schedule a DAG on the streams of real GPUs: when each node runs, who waits for whom."""
    import gc

    gc.disable()
    from dagtool.cli._scheduled import as_json, as_text, headline
    from dagtool.cli._subject import load_subject
    from dagtool.cost.microbatch import one_microbatch
    from dagtool.cost.schedule import schedule
    from dagtool.errors import DagtoolError
    from dagtool.files import write_text, write_whole

    _require_files(name, trace_file, svg_file)
    dag = load_subject(name, request)
    _require_operators(name, dag)
    if len(dag.ids) * microbatches > _MOST_INSTANCES:
        most = _MOST_INSTANCES // len(dag.ids)
        raise DagtoolError(f"{microbatches:,} micro-batches of {len(dag.ids):,} nodes are too many: at most {most:,}")
    part = one_microbatch(dag, microbatches)
    built, times = priced(part, options)
    try:
        plan = schedule(part, times.time_s, microbatches=microbatches, discipline=discipline, backward=backward)
    except ValueError as error:
        hint = f"'dagtool validate {name}' shows it" if "cycle" in str(error) else ""
        raise DagtoolError(f"{name}: {error}", hint) from None
    if trace_file is not None:
        from dagtool.render.trace import trace

        write_text(trace_file, trace(part, plan, built.gpus_per_node))
    if svg_file is not None:
        from dagtool.render.timeline import timeline, timeline_svg

        title = f"{dag.name or name}: GPUs over time"
        write_whole(svg_file, [timeline_svg(timeline(part, plan, title, headline(part, plan, str(built))))])
    click.echo(as_json(part, plan, str(built)) if output_format == "json" else as_text(part, plan, str(built)))


def _require_files(name: str, *outputs: str | None) -> None:
    """What is written is a file, and neither what is read nor written twice."""
    import os

    from dagtool.errors import DagtoolError

    taken = [os.path.realpath(name)] if name != "-" else []
    for output in filter(None, outputs):
        if output == "-":
            raise DagtoolError("the table goes to standard output, so --trace and --svg need the name of a file")
        if os.path.realpath(output) in taken:
            raise DagtoolError(f"{output}: is used twice in this call", "name another file")
        taken.append(os.path.realpath(output))


def _require_operators(name: str, dag: Dag) -> None:
    from dagtool.errors import DagtoolError

    if not dag.declared:
        raise DagtoolError(
            f"{name}: its nodes declare no operators and sizes, so their time is not known",
            "'dagtool gen' writes files that do; 'dagtool validate' checks the structure of any file",
        )
