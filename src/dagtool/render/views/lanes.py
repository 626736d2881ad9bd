"""A column for each GPU, a row for each step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.model.mesh import format_gpus
from dagtool.render.words import gpu_words

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "TAKES", "picture"]

SUMMARY = "a column for each GPU, a row for each step of each kind of layer"
TAKES = ("gpus",)
_MAX_LANES = 128


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The lanes of all GPUs, or of those asked for. Raises DagtoolError for more than a page can hold."""
    from dagtool.foreign.guessed_dag import guess_dag
    from dagtool.render.closing import closing_words
    from dagtool.render.dress import dress
    from dagtool.render.lanes import lanes_picture
    from dagtool.render.views._folded import fold_open

    known = sorted({gpu for gpus in guess_dag(dag).device_sets for gpu in gpus})
    if not known:
        raise DagtoolError("no node names a GPU, so there are no lanes", "--view layer draws what there is")
    if missing := set(asked.gpus).difference(known):
        raise DagtoolError(f"GPU {format_gpus(sorted(missing))}: not in the graph, which has {gpu_words(known)}")
    gpus = tuple(sorted(asked.gpus or known))
    if len(gpus) > _MAX_LANES:
        raise DagtoolError(
            f"{len(gpus):,} lanes could not be read (the limit is {_MAX_LANES})",
            f"--gpus {format_gpus(gpus[:64])} draws some of them; -o FILE.html holds them all",
        )
    dag, folded, closing = fold_open(dag)
    if closing:
        asked = replace(asked, remarks=(*asked.remarks, closing_words(dag, closing, "not marked here")))
    return dress(lanes_picture(dag, folded, gpus, asked), env)
