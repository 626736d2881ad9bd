"""The look: Jinja templates, and the sandboxed environment that renders them.

A user's folder may stand in front of ours; a template found there replaces ours of the same name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["dot_value", "environment", "in_lines", "template_errors"]

_BARE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*|-?(?:\.\d+|\d+(?:\.\d*)?))\Z")
_LONGEST = 4000
"""Letters of a line of quoted text: so few that C Graphviz reads them with what stands around (``dot/lengths.py``)."""
_LINE = re.compile(rf'[^"\\\n]{{{_LONGEST}}}')
_KEYWORDS = frozenset({"node", "edge", "graph", "digraph", "subgraph", "strict"})


def dot_value(value: object) -> str:
    """A value as DOT writes it: bare where that is allowed, else quoted."""
    text = str(value)
    if len(text) <= _LONGEST and _BARE.match(text) and text.lower() not in _KEYWORDS:
        return text
    return '"' + in_lines(text.replace('"', '\\"')) + '"'


def in_lines(text: str) -> str:
    """Break a long text that stands in quotes by a backslash and a new line, which Graphviz takes out again."""
    return _LINE.sub("\\g<0>\\\\\n", text) if len(text) > _LONGEST else text


def environment(folder: str | None = None) -> SandboxedEnvironment:
    """The environment; ``folder`` holds templates that replace ours. Raises DagtoolError for no folder."""
    if folder is not None and not os.path.isdir(folder):
        raise DagtoolError(f"--templates {folder}: no such folder")
    return _environment(folder, os.getcwd() if folder is not None else "")


@lru_cache(maxsize=8)
def _environment(folder: str | None, directory: str) -> SandboxedEnvironment:
    """The environment of a folder as seen from a directory: its templates are compiled once, and after each change."""
    from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    ours = os.path.dirname(os.path.abspath(__file__))
    loaders = [FileSystemLoader(one) for one in (folder, ours) if one is not None]
    found = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader(loaders), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False,
    )  # fmt: skip
    found.filters["dot"] = dot_value
    return found


@contextmanager
def template_errors() -> Iterator[None]:
    """Templates that fail, as DagtoolError with the place in them."""
    from jinja2 import TemplateError

    try:
        yield
    except DagtoolError:
        raise
    except Exception as error:  # a template can raise anything: ``{{ "%s" | format }}``, ``{{ 1 / 0 }}``
        place = _place(error)
        if not place and not isinstance(error, TemplateError):
            raise  # nothing of a template was running
        why = f"{place or 'template'}: {type(error).__name__}: {error}"
        raise DagtoolError(why, "templates are Jinja; ours are the examples") from None


def _place(error: Exception) -> str:
    """File and line: a syntax error says them, of others Jinja's frames of the traceback do; empty where none does."""
    from traceback import walk_tb

    from jinja2 import TemplateSyntaxError

    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or 'template'}:{error.lineno}"
    found = ""
    for frame, line in walk_tb(error.__traceback__):
        compiled = frame.f_globals.get("__jinja_template__")  # its lines are of the code made from the template
        if compiled or "__jinja_exception__" in frame.f_globals:
            found = f"{frame.f_code.co_filename}:{compiled.get_corresponding_lineno(line) if compiled else line}"
    return found
