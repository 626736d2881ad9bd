"""Generate the DAG of a preset or of a strategy file.

dagtool gen ep16_tp4 --set L=64
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._complete import complete_presets
from dagtool.escape import printable

if TYPE_CHECKING:
    from dagtool.generators.request import Request

from dagtool.cli._strategy import strategy_options

__all__ = ["command"]


@click.command(
    "gen",
    epilog="Examples: dagtool gen ep16_tp4 --set L=64; dagtool gen tp8_sp_pp2 --model config.json\n\n"
    "Exit status: 0 written, 2 unknown name, a degree that does not divide, or a file that cannot be written.",
)
@click.argument("name", metavar="NAME|FILE.toml|WORDS", shell_complete=complete_presets)
@click.option("-o", "--output", metavar="FILE|-", help="Where to write.  [default: outputs/NAME.dot]")
@strategy_options
@click.option("--print-strategy", is_flag=True, help="Print the strategy as TOML instead of building it.")
@click.option("--templates", metavar="DIR", help="Templates that go in front of ours, by the same names.")
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def command(
    *, name: str, output: str | None, request: Request, print_strategy: bool, templates: str | None, quiet: bool
) -> None:
    """Generate the DAG of a preset (see 'dagtool list'), a strategy file, or words like tp8_sp_pp2 and a --model."""
    import gc
    import os
    import time

    gc.disable()  # a million small tuples and not one cycle: collecting finds nothing and costs a third
    started = time.perf_counter()
    from dagtool.cli._files import refuse_overwriting
    from dagtool.dot.writer import write_dot
    from dagtool.errors import DagtoolError
    from dagtool.files import write_text
    from dagtool.generators.partition import partition
    from dagtool.generators.request import format_document, open_document, read_strategy

    if output is not None and name.endswith(".toml"):
        refuse_overwriting([output], [name])
    if print_strategy:
        read_strategy(name, request)  # what cannot be built is refused
        write_text(output or "-", [format_document(open_document(name, request))])
        return
    strategy = read_strategy(name, request)
    dag = partition(strategy)
    if output is None:
        try:
            os.makedirs("outputs", exist_ok=True)
        except OSError as error:
            hint = "write elsewhere with -o FILE"
            raise DagtoolError(f"the folder 'outputs' cannot be made: {error.strerror}", hint) from None
        output = os.path.join("outputs", f"{dag.name}.dot")
    write_text(output, write_dot(dag, templates))
    if not quiet:
        gpus = len({gpu for mesh in dag.meshes.values() for gpu in mesh.gpus})
        spent = time.perf_counter() - started
        where = "standard output" if output == "-" else output
        click.echo(
            printable(f"{where}: {len(dag.ids):,} nodes, {len(dag.tails):,} edges, {gpus:,} GPUs in {spent:.2f} s"),
            err=True,
        )
        for note in strategy.notes:
            click.echo(printable(f"note: {note}"), err=True)
