"""The deployment in a few boxes: runs of equal layers, and what lies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.render.views._folded import folded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "picture"]

SUMMARY = "each run of equal layers on the same GPUs as one node"


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """Runs of layers, and what stands before, between and after them."""
    return folded_picture(dag, Detail(rest="layer"), asked, env)
