"""Write the strategy file of a strategy in words, to be changed by hand.

dagtool init tp8_sp --model config.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._complete import complete_presets
from dagtool.cli._strategy import strategy_options
from dagtool.escape import printable

if TYPE_CHECKING:
    from dagtool.generators.request import Request

__all__ = ["command"]


@click.command(
    "init",
    epilog="Examples: dagtool init tp8_sp_pp2 --model llama-3.1-70b; dagtool init ep16 -o my_plan.toml\n\n"
    "Exit status: 0 written, 2 unknown words or model, a degree that does not divide, or the file exists.",
)
@click.argument("name", metavar="WORDS|NAME", shell_complete=complete_presets)
@click.option("-o", "--output", metavar="FILE.toml|-", help="Where to write.  [default: WORDS.toml here]")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@strategy_options
def command(name: str, output: str | None, force: bool, request: Request) -> None:
    """Write a strategy file: of words like tp8_sp_pp2 and a --model, or a copy of a preset."""
    import os

    from dagtool.errors import DagtoolError
    from dagtool.files import write_text
    from dagtool.generators.presets import preset_names, preset_path
    from dagtool.generators.request import NOTHING_ELSE, format_document, open_document, read_strategy
    from dagtool.generators.strategy_file import read_document

    strategy = read_strategy(name, request)
    opened = open_document(name, request)
    if name in preset_names() and request == NOTHING_ELSE:
        opened = opened._replace(text=read_document(preset_path(name))[1])
    target = output or f"{strategy.name}.toml"
    if target != "-" and os.path.exists(target) and not force:
        raise DagtoolError(f"{target}: is there already", "--force replaces it, -o names another file")
    write_text(target, [format_document(opened)])
    if target != "-":
        click.echo(printable(f"{target}: written; 'dagtool gen {target}' builds it"), err=True)
