"""Every layer, some of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.dag.detail import DetailError, parse_detail
from dagtool.errors import DagtoolError
from dagtool.render.views._folded import folded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "TAKES", "picture"]

SUMMARY = "the first layer in full, the others as one node each; or as --detail says"
TAKES = ("detail",)


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The layers as asked for; the first one that there is in full where nothing is."""
    first = min((layer for layer in dag.layer_of if layer >= 0), default=0)
    try:
        detail = parse_detail(asked.detail or f"{first}:op")
    except DetailError as error:
        raise DagtoolError(f"--detail {asked.detail}: {error}") from None
    return folded_picture(dag, detail, asked, env)
