"""The configuration of ``dagtool validate``: ``dagtool.toml``, or ``[tool.dagtool]`` in ``pyproject.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from dagtool.cli._config_reader import Config, Reader
from dagtool.errors import DagtoolError

__all__ = ["Config", "find_config", "load_config"]

_OWN = "dagtool.toml"
_SHARED = "pyproject.toml"
_MENTION = re.compile(
    rb"""\[\s*tool\s*\.\s*["']?dagtool|^\s*["']?dagtool["']?\s*[.=]|^\s*tool\s*\.\s*dagtool""", re.MULTILINE
)


def find_config(paths: Sequence[str]) -> Config:
    """The nearest configuration at or above what is checked, else at or above the current folder."""
    folders = [os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path)) for path in paths if path != "-"]
    starts = [os.getcwd()]
    if folders:
        try:
            starts.insert(0, os.path.commonpath(folders))
        except ValueError:  # on several drives
            starts.insert(0, folders[0])
    seen = set()
    for start in starts:
        folder = start
        while folder not in seen:
            seen.add(folder)
            for name in (_OWN, _SHARED):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and (found := _read(path, required=False)):
                    return _extended(found)
            folder = os.path.dirname(folder)
    return Config()


def load_config(path: str) -> Config:
    """The file the caller names. Raises DagtoolError."""
    return _extended(_read(path, required=True) or Config(path))


def _extended(config: Config) -> Config:
    """The file over the one it extends, and so on."""
    chain = [config]
    while chain[-1].extend:
        last = chain[-1]
        place, path = last.origins["extend"], last.extend or ""
        if os.path.realpath(path) in (os.path.realpath(one.path) for one in chain):
            circle = " -> ".join([*(one.path for one in chain), path])
            raise DagtoolError(f"{place}: extend comes back to a file that is extended: {circle}")
        if not os.path.isfile(path):
            raise DagtoolError(f"{place}: extend: there is no file {path}", "the path is relative to the file it is in")
        chain.append(_read(path, required=True) or Config(path))
    found = chain.pop()
    while chain:
        found = chain.pop().over(found)
    return found


def _read(path: str, *, required: bool) -> Config | None:
    """What a file sets; None if it is a project's file that does not speak of us."""
    from dagtool.files import read_bytes

    data = read_bytes(path)
    shared = os.path.basename(path) == _SHARED
    if shared and not _MENTION.search(data):
        if required:
            raise DagtoolError(f"{path} has no table [tool.dagtool]")
        return None
    from dagtool.documents import parse_toml

    table: Any
    table, text = parse_toml(data, path)
    if shared:
        tool = table.get("tool")
        if not isinstance(tool, dict) or "dagtool" not in tool:
            return None
        table = tool["dagtool"]
    if not isinstance(table, dict):
        raise DagtoolError(f"{path}: [tool.dagtool] is not a table")
    return Reader(path, text, shared).config(table)
