"""The page: markup, style, scripts and data in one file that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.templates import environment

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["assemble"]

_VENDOR = "html/vendor/"


def assemble(data: str, words: Mapping[str, object], templates: str | None = None) -> str:
    """The HTML. ``data`` is base64; ``words`` are for the markup, which escapes them."""
    env = environment(templates)
    names = env.list_templates(extensions=["js"])
    libraries = [_licensed(env, name) for name in names if name.startswith(_VENDOR)]
    own = [_source(env, name) for name in names if name.startswith("html/") and not name.startswith(_VENDOR)]
    # One function around all modules: they see each other and the page sees none of them.
    script = "(function () {\n'use strict';\n" + "".join(own) + "main();\n})();\n"
    style = _source(env, "html/style.css")
    scripts = [*libraries, script]
    if any("</script" in one.lower() for one in scripts) or "</style" in style.lower():
        raise DagtoolError("a script or style of the viewer closes its own element")
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src " + " ".join(map(_hash, scripts)),
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    page = env.get_template("html/page.html.j2")
    return page.render(**words, data=data, scripts=scripts, style=style, policy=policy)


def _source(env: SandboxedEnvironment, name: str) -> str:
    """A file as it is, not as a template: braces are JavaScript's."""
    assert env.loader is not None
    return env.loader.get_source(env, name)[0]


def _licensed(env: SandboxedEnvironment, name: str) -> str:
    """A library under the licence that asks to be in every copy."""
    licence = _source(env, f"{name.removesuffix('.js')}.LICENSE.txt").replace("*/", "* /")
    return f"/*\n{licence.strip()}\n*/\n{_source(env, name)}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
