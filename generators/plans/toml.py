"""A strategy document as TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["format_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def format_toml(document: Mapping[str, Any], comments: Iterable[str] = (), described: Mapping[str, str] = {}) -> str:
    """Return the text of a document. ``comments`` go in front; ``described`` has a remark for keys of ``[sizes]``."""
    lines = [f"# {comment}" for comment in comments]
    lines += [_pair(key, value) for key, value in document.items() if not isinstance(value, Mapping)]
    for key, value in document.items():
        if isinstance(value, Mapping):
            lines += ["", *_table(key, value, described if key == "sizes" else {})]
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(name: str, table: Mapping[str, Any], described: Mapping[str, str]) -> list[str]:
    lines = [f"[{name}]"]
    for key, value in table.items():
        if not isinstance(value, Mapping):
            remark = f"  # {described[key]}" if key in described else ""
            lines.append(_pair(key, value) + remark)
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", *_table(f"{name}.{_key(key)}", value, {})]
    return lines


def _key(key: str) -> str:
    return key if _BARE.match(key) else json.dumps(key, ensure_ascii=False)


def _pair(key: str, value: Any) -> str:
    return f"{_key(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
