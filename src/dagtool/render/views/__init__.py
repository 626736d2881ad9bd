"""The views: what of a graph is drawn, and how much of it is folded. One module each, found by its place.

A view's module has ``SUMMARY``, a line for the help, and ``picture(dag, asked, env)``, which gives a dressed
picture, placed or not; and ``TAKES``, where it heeds options that others do not. It raises DagtoolError for a graph
it cannot show.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture

__all__ = ["Asked", "View", "load_view", "view_names", "views_taking"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for, beside the view. Each view takes what concerns it."""

    caption: str = ""
    """How the picture was made."""
    node: str = ""
    """The id of the node in the middle."""
    steps: int = 2
    """How far from it."""
    gpus: tuple[int, ...] = ()
    """Which GPUs; empty for all of them."""
    unfold: tuple[str, ...] = ()
    """Axes of the mesh along which ranks stay apart."""
    detail: str = ""
    """``0:op,1:block,2-:layer``."""
    path: tuple[str, ...] = ()
    """Ids of the nodes of a path to be marked, in its order."""
    badges: tuple[tuple[str, str], ...] = ()
    """Ids of nodes to be marked, each with the text that says why."""
    remarks: tuple[str, ...] = ()
    """Lines under the title that say what is marked."""


class View(Protocol):
    """A view's module."""

    SUMMARY: str

    def picture(self, dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
        """The dressed picture."""


def view_names() -> list[str]:
    """Every view, in the order of its name."""
    return sorted(one.name for one in pkgutil.iter_modules(__path__) if not one.name.startswith("_"))


def load_view(name: str) -> View:
    """The view of one of ``view_names()``."""
    return cast("View", importlib.import_module(f"{__name__}.{name}"))


def views_taking(option: str) -> list[str]:
    """The views that heed a field of ``Asked`` which not all do."""
    return [name for name in view_names() if option in getattr(load_view(name), "TAKES", ())]
