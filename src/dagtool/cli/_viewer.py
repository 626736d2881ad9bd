"""The HTML viewer of ``dagtool render``, with what is to be laid over it."""

from __future__ import annotations

import os

from dagtool.errors import DagtoolError

__all__ = ["viewer"]


def viewer(
    file: str,
    *,
    highlight: str | None = None,
    findings: str | None = None,
    times: str | None = None,
    templates: str | None = None,
) -> tuple[bytes, int]:
    """The page of a file and the number of its nodes; ``highlight`` is ``path``, ``findings`` or None.

    ``findings`` and ``times`` are reports of ``validate`` and ``schedule``. Raises DagtoolError for what cannot be
    read or shown.
    """
    from dagtool.cli._marks import lint_marks, read_marks
    from dagtool.cli._times import read_runs
    from dagtool.dot.load import load_dag
    from dagtool.render import caption
    from dagtool.render.html import Overlays, viewer_page

    if highlight == "findings" and findings is not None:
        raise DagtoolError("--findings FILE takes the place of --highlight findings", "leave one of them out")
    dag = load_dag(file)
    marks = None if findings is None else read_marks(findings, dag)
    if highlight == "findings":
        marks = lint_marks(file, dag)
    runs = None if times is None else read_runs(times, dag)
    options = ["--format html", *([f"--highlight {highlight}"] if highlight else [])]
    name = "" if file == "-" else os.path.splitext(os.path.basename(file))[0]
    overlays = Overlays(marks, runs, path=highlight == "path")
    try:
        page = viewer_page(dag, title=name, caption=caption(file, *options), overlays=overlays, templates=templates)
    except DagtoolError as error:
        if templates is None:
            error.message = f"{file}: {error.message}"
        raise
    return page.encode(), len(dag.ids)
