"""Write a report: configuration, splits, products, communication, path, memory, findings, the document's numbers.

dagtool report ep16_tp4 -o ep16_tp4.md
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
    "report",
    cls=GroupedCommand,
    option_groups={**MODEL_GROUP, "Seconds": PRICING_GROUP},
    epilog="Examples: dagtool report ep16 --cluster 2xh100x8; dagtool report ep16_tp4 -o ep16_tp4.md; dagtool report"
    " somebodys.dot\n\nOf a file of other origin it says what the labels tell, and what cannot be derived.\n\nExit"
    " status: 0 written, 2 unknown name, a file that cannot be read or priced.",
)
@click.argument("names", metavar="NAME|FILE|-...", nargs=-1, required=True, shell_complete=complete_presets)
@click.option("-o", "--output", metavar="FILE.md|-", default="-", show_default=True, help="Where to write.")
@strategy_options
@pricing_options(usual_cost="roofline", usual_cluster="none: no seconds")
@click.option("--templates", metavar="DIR", help="Templates that go in front of ours, by the same names.")
def command(names: tuple[str, ...], output: str, request: Request, templates: str | None, **options: object) -> None:
    """Write the report of a preset, a strategy file or a DOT file, as Markdown."""
    import gc

    gc.disable()
    from dagtool.analysis.report import render_report
    from dagtool.cli._analysed import subject_of
    from dagtool.files import write_text

    found = [render_report(subject_of(name, request, options), templates) for name in names]
    write_text(output, ["\n".join(found)])
