"""Draw a DAG: each kind of layer once, with ×N, or all of it in one HTML file.

dagtool render outputs/ep16_tp4.dot -o ep16_tp4.svg
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["command"]

_FORMATS = ("svg", "png", "pdf", "dot", "html")
_ENDINGS = ", ".join(f".{form}" for form in _FORMATS)


@click.command(
    "render",
    epilog="Example: dagtool render outputs/ep16_tp4.dot -o ep16_tp4.svg\n\nSVG, PNG and PDF need Graphviz (the program"
    " 'dot', or pip install 'dagtool[render]'); DOT and HTML need nothing. An HTML file holds the whole graph, to be"
    " searched and unfolded in a browser (docs/viewer.md).\n\nExit status: 0 drawn, 2 the file cannot be read,"
    " has a cycle, or is too large for the view, 3 Graphviz is missing, failed, or took too long.",
)
@click.argument("file", metavar="FILE|-")
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    help="Where to write; the ending says the format: .svg, .png, .pdf, .dot, .html.  [default: FILE with .svg]",
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="The format, where the ending does not say it.")
@click.option(
    "--view",
    type=click.Choice(["layer", "layers", "all"]),
    default="layer",
    show_default=True,
    help="layer: each kind of layer once, ×N. layers: the first layer in full, the others as one node each."
    " all: every node. Not for HTML, which holds them all.",
)
@click.option("--lint", is_flag=True, help="HTML: check the graph as 'dagtool validate' does and show what is found.")
@click.option("--findings", metavar="FILE", help="HTML: show the findings of this JSON report of 'dagtool validate'.")
@click.option("--templates", metavar="DIR", help="Templates that go in front of ours, by the same names.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long Graphviz may take.",
)
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def command(
    *,
    file: str,
    output: str | None,
    form: str | None,
    view: str,
    lint: bool,
    findings: str | None,
    templates: str | None,
    timeout: float,
    quiet: bool,
) -> None:
    """Draw a DAG, folded so that it can be read: equal ranks, experts and layers once, with ×N; or all as HTML."""
    import gc
    import time

    gc.disable()  # many small objects and no cycles among them
    started = time.perf_counter()
    output, form = _target(file, output, form)
    _check_options(form, lint=lint, findings=findings)
    from dagtool.dot.load import load_dag

    dag = load_dag(file)
    if form == "html":
        size = _viewer(dag, file, output, lint=lint, findings=findings, templates=templates)
        drawn = f"{len(dag.ids):,} nodes, {size / 1e6:.2f} MB"
    else:
        nodes = _picture(dag, file, output, form=form, view=view, templates=templates, timeout=timeout)
        drawn = f"{len(dag.ids):,} nodes drawn as {nodes:,}"
    if not quiet:
        spent = time.perf_counter() - started
        where = "standard output" if output == "-" else output
        click.echo(f"{where}: {drawn} in {spent:.2f} s", err=True)


def _check_options(form: str, *, lint: bool, findings: str | None) -> None:
    """Options that only one kind of output heeds. Raises DagtoolError."""
    from dagtool.errors import DagtoolError

    given = click.get_current_context().get_parameter_source("view")
    if form == "html" and given is click.core.ParameterSource.COMMANDLINE:
        raise DagtoolError("--view is for pictures: an HTML file holds every view", "leave it out")
    if form != "html" and (lint or findings is not None):
        option = "--lint" if lint else "--findings"
        raise DagtoolError(f"{option} is for HTML files, this one is {form}", "write to a file that ends in .html")
    if lint and findings is not None:
        raise DagtoolError("--lint and --findings exclude each other", "--lint checks now, --findings reads a report")


def _picture(dag: Dag, file: str, output: str, *, form: str, view: str, templates: str | None, timeout: float) -> int:
    """Write a folded picture; how many nodes it has."""
    from dagtool.errors import DagtoolError
    from dagtool.render import caption, compose_drawing

    try:
        drawing = compose_drawing(dag, view=view, caption=caption(file, view), templates=templates)
    except DagtoolError as error:
        if templates is None:
            error.message = f"{file}: {error.message}"
        raise
    _write(output, drawing.draw(form, timeout))
    return drawing.nodes


def _viewer(dag: Dag, file: str, output: str, *, lint: bool, findings: str | None, templates: str | None) -> int:
    """Write the HTML; its size in bytes."""
    import os

    from dagtool.cli._viewer import lint_marks, read_marks
    from dagtool.errors import DagtoolError
    from dagtool.render import caption
    from dagtool.render.html import Overlays, viewer_page

    marks = lint_marks(dag) if lint else read_marks(findings, dag) if findings is not None else None
    name = "" if file == "-" else os.path.splitext(os.path.basename(file))[0]
    try:
        page = viewer_page(
            dag, title=name, caption=caption(file), overlays=Overlays(marks), templates=templates
        ).encode()
    except DagtoolError as error:
        if templates is None:
            error.message = f"{file}: {error.message}"
        raise
    _write(output, page)
    return len(page)


def _target(file: str, output: str | None, form: str | None) -> tuple[str, str]:
    """Where to write and in which format. Raises DagtoolError for an ending that is none."""
    import os

    from dagtool.errors import DagtoolError, did_you_mean

    if output is None:
        form = form or "svg"
        ending = "folded.dot" if form == "dot" else form
        return ("-" if file == "-" else f"{os.path.splitext(file)[0]}.{ending}"), form
    if file != "-" and os.path.realpath(output) == os.path.realpath(file):
        raise DagtoolError(f"{output}: is the file to be drawn", "write the picture to another one with -o")
    ending = os.path.splitext(output)[1].removeprefix(".").lower()
    if form is None and output == "-":
        form = "svg"
    if form is None and ending not in _FORMATS:
        hint = did_you_mean(ending, list(_FORMATS)) or f"endings: {_ENDINGS}; or say --format"
        raise DagtoolError(f"{output}: cannot tell the format from its ending", hint)
    return output, form or ending


def _write(output: str, data: bytes) -> None:
    """Whole or not at all; ``-`` is the standard output."""
    import sys

    from dagtool.files import write_whole

    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_whole(output, [data])
