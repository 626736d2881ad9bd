"""Compare deployments side by side, and say why one wins, term by term.

dagtool compare moe_tp8_pp2 ep16 --cluster 2xh100x8
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._complete import complete_presets
from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._pricing import PRICING_GROUP, pricing_options

if TYPE_CHECKING:
    from dagtool.generators.request import Request

from dagtool.cli._strategy import MODEL_GROUP, strategy_options

__all__ = ["command"]


@click.command(
    "compare",
    cls=GroupedCommand,
    option_groups={**MODEL_GROUP, "Seconds": PRICING_GROUP},
    epilog="Examples: dagtool compare moe_tp8_pp2 ep16 --cluster 2xh100x8; dagtool compare ma_separation tp8 pp2\n\n"
    "Without a cluster it compares expressions and FLOPs. Exit status: 0 compared, 2 fewer than two, an unknown name, a"
    " file that cannot be read, declares no operators, or cannot be priced.",
)
@click.argument("names", metavar="NAME|FILE...", nargs=-1, required=True, shell_complete=complete_presets)
@strategy_options
@pricing_options(usual_cost="roofline", usual_cluster="none: expressions and FLOPs")
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def command(names: tuple[str, ...], request: Request, output_format: str, **options: object) -> None:
    """Put deployments side by side: path, makespan, communication, memory, tokens/s, and why one wins."""
    import gc

    gc.disable()
    from dagtool.analysis.compare import compare
    from dagtool.cli._analysed import subject_of

    found = compare([subject_of(name, request, options) for name in names])
    says = {"text": found.as_text, "json": found.as_json, "markdown": found.as_markdown}
    click.echo(says[output_format]())
