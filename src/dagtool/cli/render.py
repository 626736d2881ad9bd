"""Draw a DAG: each kind of layer once, with ×N, or all of it in one HTML file.

dagtool render outputs/ep16_tp4.dot -o ep16_tp4.svg
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._given import FiniteRange, is_given, refuse_given
from dagtool.cli._option_groups import GroupedCommand
from dagtool.escape import printable
from dagtool.render.views import Asked, load_view, view_names, views_taking

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["command"]

_FORMATS = ("svg", "png", "pdf", "dot", "mmd", "json", "html")
_PICTURES_ONLY = ("view", "detail", "unfold", "node", "steps", "gpus")
"""Options that say what a picture shows; an HTML file shows all."""


class _ViewOption(click.Option):
    """Says what each view draws, and loads them only to say it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As the base class, with a line for each view."""
        self.help = "\b\n" + "\n".join(f"{name}: {load_view(name).SUMMARY}." for name in view_names())
        return super().get_help_record(ctx)


@click.command(
    "render",
    cls=GroupedCommand,
    option_groups={
        "What is drawn": "view detail node steps gpus",
        "What is marked": "highlight lint findings times",
        "Output": "output format templates timeout quiet",
    },
    epilog="Example: dagtool render outputs/ep16_tp4.dot -o ep16_tp4.svg\n\nPNG and PDF need Graphviz (the program"
    " 'dot', or pip install 'dagtool[render]'); the others need nothing. An HTML file holds the whole graph, to be"
    " searched and unfolded in a browser (docs/viewer.md).\n\nExit status: 0 drawn, 2 the file"
    " cannot be read, or is too large for the view, 3 Graphviz is missing, failed, or took too long.",
)
@click.argument("file", metavar="FILE|-")
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    help="Where to write; the ending says the format: .svg, .png, .pdf, .dot, .mmd (Mermaid),"
    " .json (the whole graph, for Model Explorer), .html (the whole graph, for a browser).  [default: FILE with .svg]",
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="The format, where the ending does not say it.")
@click.option(
    "--view",
    type=click.Choice(view_names()),
    default="layer",
    show_default=True,
    metavar="NAME",
    cls=_ViewOption,
)
@click.option(
    "--detail", metavar="LAYERS:LEVEL,…", help="For --view layers: op, block or layer, as in 0:op,1:block,2-:layer."
)
@click.option(
    "--unfold",
    metavar="AXES",
    help="For folded views: keep the ranks along these axes of the mesh apart, as in tp or tp,ep.",
)
@click.option("--node", metavar="ID", help="For --view around: the node in the middle.")
@click.option(
    "--steps", type=click.IntRange(1), default=2, show_default=True, help="For --view around: how many edges from it."
)
@click.option(
    "--highlight",
    type=click.Choice(["path", "findings"]),
    help="Mark the critical path, or the nodes that 'dagtool validate' finds fault with.",
)
@click.option("--lint", is_flag=True, help="Short for --highlight findings.")
@click.option("--findings", metavar="FILE", help="For HTML: the findings of this JSON report of 'dagtool validate'.")
@click.option("--times", metavar="FILE", help="For HTML: the times of this JSON report of 'dagtool schedule'.")
@click.option("--gpus", metavar="SET", help="For --view gpu and lanes: which GPUs, as in 0-7,12.")
@click.option("--templates", metavar="DIR", help="Templates that go in front of ours, by the same names.")
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
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
    times: str | None,
    templates: str | None,
    timeout: float,
    quiet: bool,
    **asked: Any,
) -> None:
    """Draw a DAG, folded so that it can be read: equal ranks, experts and layers once, with ×N; or all as HTML."""
    import gc
    import time

    gc.disable()  # many small objects and no cycles among them
    started = time.perf_counter()
    from dagtool.cli._subject import refuse_preset

    refuse_preset(file)
    output, form = _target(file, output, form)
    from dagtool.dot.load import load_dag
    from dagtool.errors import DagtoolError
    from dagtool.render import compose_drawing

    if lint:
        asked["highlight"] = "findings"
    if form == "html":
        size, nodes = _viewer(
            file, output, highlight=asked["highlight"], findings=findings, times=times, templates=templates
        )
        if not quiet:
            _summary(output, f"{nodes:,} nodes, {size / 1e6:.2f} MB", started)
        return
    _refuse_reports(form, findings=findings, times=times)
    _refuse_unused(view, form)
    wanted = _asked(file, view, asked)
    dag = load_dag(file)
    if form == "json":
        from dagtool.render.model_explorer import model_explorer

        _write(output, model_explorer(dag).encode())
        if not quiet:
            _summary(output, f"{len(dag.ids):,} nodes written", started)
        return
    try:
        wanted = _highlighted(file, dag, asked["highlight"], wanted)
        drawing = compose_drawing(dag, view=view, asked=wanted, templates=templates)
    except DagtoolError as error:
        if templates is None:
            error.message = f"{file}: {error.message}"
        raise
    _write(output, drawing.draw(form, timeout))
    if not quiet:
        _summary(output, f"{len(dag.ids):,} nodes drawn as {drawing.nodes:,}", started)


def _refuse_reports(form: str, **reports: str | None) -> None:
    """Pictures show no reports. Raises DagtoolError where one is given."""
    from dagtool.errors import DagtoolError

    for name, report in reports.items():
        if report is not None:
            raise DagtoolError(f"--{name} is for HTML files, this one is {form}", "write to a file that ends in .html")


def _refuse_unused(view: str, form: str) -> None:
    """Options that another view or format heeds. Raises DagtoolError where one is given."""
    if form == "json":
        said = (*_PICTURES_ONLY, "highlight", "lint")
        refuse_given(said, "is for pictures: this JSON file holds the whole graph", "leave it out")
    for name in _PICTURES_ONLY[1:]:
        if (views := views_taking(name)) and view not in views:
            why = f"is for --view {' and '.join(views)}, this is --view {view}"
            refuse_given([name], why, f"add --view {views[0]}, or leave it out")
    if is_given("highlight"):
        refuse_given(["lint"], "is short for --highlight findings, and --highlight is given", "leave one of them out")


def _viewer(file: str, output: str, **given: str | None) -> tuple[int, int]:
    """Write the HTML; its size in bytes, and how many nodes it holds. Raises DagtoolError for options of pictures."""
    from dagtool.cli._viewer import viewer

    refuse_given(_PICTURES_ONLY, "is for pictures: an HTML file shows the whole graph", "leave it out")
    page, nodes = viewer(file, **given)
    _write(output, page)
    return len(page), nodes


def _summary(output: str, done: str, started: float) -> None:
    import time

    where = "standard output" if output == "-" else output
    click.echo(printable(f"{where}: {done} in {time.perf_counter() - started:.2f} s"), err=True)


def _asked(file: str, view: str, given: dict[str, Any]) -> Asked:
    """What the options ask for, and how they would be written again. Raises DagtoolError for GPUs that are none."""
    import shlex

    from dagtool.errors import DagtoolError
    from dagtool.model.mesh import MeshError, parse_gpus
    from dagtool.render import caption

    said = {name: value for name, value in given.items() if is_given(name)}
    options = [f"--{name} {shlex.quote(str(value))}" for name, value in {"view": view, **said}.items()]
    try:
        gpus = parse_gpus(given["gpus"]) if given["gpus"] else ()
    except MeshError as error:
        raise DagtoolError(f"--gpus {given['gpus']}: {error}", "write them as in 0-7,12") from None
    return Asked(
        caption=caption(file, *options[view == "layer" :]),
        node=given["node"] or "",
        steps=given["steps"],
        gpus=gpus,
        detail=given["detail"] or "",
        unfold=tuple(dict.fromkeys(filter(None, (given["unfold"] or "").replace(" ", "").split(",")))),
    )


def _highlighted(file: str, dag: Dag, highlight: str | None, asked: Asked) -> Asked:
    """With what is to be marked. Raises DagtoolError for the path of a graph with a cycle, and for a configuration."""
    from dataclasses import replace

    if highlight == "path":
        from dagtool.render.mark import mark_path

        return mark_path(dag, asked)
    if highlight == "findings":
        from dagtool.cli._lint import lint

        findings = [(finding.node, finding.code) for finding in lint(file, dag, group=False) if finding.node]
        nodes = len({name for name, _ in findings})
        remark = f"{len(findings):,} findings name {nodes:,} nodes" if findings else "no finding names a node"
        return replace(asked, badges=tuple(findings), remarks=(remark,))
    return asked


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
        hint = (
            did_you_mean(ending, list(_FORMATS))
            or f"endings: {', '.join('.' + one for one in _FORMATS)}; or say --format"
        )
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
