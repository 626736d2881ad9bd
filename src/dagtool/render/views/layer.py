"""Each kind of layer once: the picture for documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.foreign.guessed_dag import guess_dag
from dagtool.render.views._folded import SMALL, folded_picture, unfolded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "picture"]

SUMMARY = "each kind of layer once, equal layers as one frame ×N"


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """Small graphs of which no operators are known are drawn as they are."""
    known = guess_dag(dag)
    if not any(kind.role for kind in known.kinds) and len(dag.ids) <= SMALL:
        return unfolded_picture(known, asked, env)
    return folded_picture(known, Detail(), asked, env)
