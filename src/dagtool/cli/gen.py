"""Generate the DAG of a preset or of a strategy file.

dagtool gen ep16_tp4 --set L=64
"""

from __future__ import annotations

import click

from dagtool.cli._complete import complete_presets

__all__ = ["command"]


@click.command(
    "gen",
    epilog="Example: dagtool gen ep16_tp4 --set L=64 --set ep=32 --set E=32\n\nExit status: 0 written, 2 unknown name,"
    " a degree that does not divide, or a file that cannot be written.",
)
@click.argument("name", metavar="NAME|FILE.toml", shell_complete=complete_presets)
@click.option("-o", "--output", metavar="FILE|-", help="Where to write.  [default: outputs/NAME.dot]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="K=V",
    help="Change a size or degree (L=64), or keep a size a symbol (B=B).",
)
@click.option("--templates", metavar="DIR", help="Templates that go in front of ours, by the same names.")
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def command(name: str, output: str | None, settings: tuple[str, ...], templates: str | None, quiet: bool) -> None:
    """Generate the DAG of a preset (see 'dagtool list') or of a strategy file."""
    import gc
    import os
    import time

    gc.disable()  # a million small tuples and not one cycle: collecting finds nothing and costs a third
    started = time.perf_counter()
    from dagtool.cli._files import refuse_overwriting
    from dagtool.dot.writer import write_dot
    from dagtool.errors import DagtoolError
    from dagtool.files import write_text
    from dagtool.generators import generate
    from dagtool.generators.settings import parse_settings

    if output is not None and name.endswith(".toml"):
        refuse_overwriting([output], [name])
    dag = generate(name, parse_settings(settings))
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
            f"{where}: {len(dag.ids):,} nodes, {len(dag.tails):,} edges, {gpus:,} GPUs in {spent:.2f} s",
            err=True,
        )
