"""Every node for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.render.views._folded import unfolded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "picture"]

SUMMARY = "every node"


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """As it is; a cycle too."""
    return unfolded_picture(dag, asked, env)
