"""The strategy at a glance: the GPUs as a grid along the axes of their mesh, and what each axis does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "picture"]

SUMMARY = "the GPUs as a grid along the axes of the mesh, and what is cut along each"


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """One grid for each mesh. Raises DagtoolError where no node names a GPU."""
    from dagtool.foreign.guessed_dag import guess_dag
    from dagtool.render.card import card_picture
    from dagtool.render.dress import dress

    return dress(card_picture(guess_dag(dag), asked.caption), env)
