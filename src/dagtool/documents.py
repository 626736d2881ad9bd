"""TOML and JSON read, or refused with file, line and column.

What Python's readers cannot take without the stack or memory in the square of the text, no honest document has:
brackets in brackets by the hundred, keys of a hundred parts, numbers of thousands of digits.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from dagtool.errors import DagtoolError

__all__ = ["parse_json", "parse_toml"]

_DEEPEST = 100
_MOST_PARTS = 32
_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:""")?"{0,2}'
    r"|'''(?:[^']++|'(?!''))*+(?:''')?'{0,2}"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+|[\[\]{}.,=\n]",
    re.DOTALL,
)
_TOKEN_OF_JSON = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def parse_toml(data: bytes | str, path: str) -> tuple[dict[str, Any], str]:
    """The content of a TOML document, and its text. Raises DagtoolError that begins with the place."""
    text = _decoded(data, path, "TOML")
    _refuse_deep(text, path, "TOML", _TOKEN)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.fullmatch(str(error))
        if place is None:
            raise DagtoolError(f"{path}: is not TOML: {error}") from None
        line = place[2] or str(text.count("\n") + 1)
        raise DagtoolError(f"{path}:{line}:{place[3] or 1}: is not TOML: {place[1]}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a date that is none
        raise DagtoolError(f"{path}: is not TOML: {_first_line(error)}") from None


def parse_json(data: bytes | str, path: str, hint: str = "") -> Any:
    """The content of a JSON document. Raises DagtoolError that begins with the place, with the hint."""
    text = _decoded(data, path, "JSON", hint)
    _refuse_deep(text, path, "JSON", _TOKEN_OF_JSON, hint)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DagtoolError(f"{path}:{error.lineno}:{error.colno}: is no JSON: {error.msg}", hint) from None
    except (ValueError, RecursionError) as error:
        raise DagtoolError(f"{path}: is no JSON: {_first_line(error)}", hint) from None


def _decoded(data: bytes | str, path: str, language: str, hint: str = "") -> str:
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"{path}:{data.count(10, 0, error.start) + 1}"
        is_not = "is no JSON" if language == "JSON" else f"is not {language}"
        raise DagtoolError(f"{place}: {is_not}: byte {error.start} is no UTF-8", hint) from None


def _refuse_deep(text: str, path: str, language: str, token: re.Pattern[str], hint: str = "") -> None:
    """Find what is nested too deeply, or a key of too many parts, before anything is read."""
    depth = parts = 0
    for found in token.finditer(text):
        match found[0]:
            case "[" | "{":
                depth += 1
                parts = 0
            case "]" | "}":
                depth -= 1
                parts = 0
            case ".":
                parts += 1
            case "\n" | "," | "=":
                parts = 0
        if depth > _DEEPEST or parts >= _MOST_PARTS:
            start = found.start()
            place = f"{path}:{text.count(chr(10), 0, start) + 1}:{start - text.rfind(chr(10), 0, start)}"
            is_not = "is no JSON" if language == "JSON" else "is not TOML"
            why = (
                f"nested more than {_DEEPEST} deep"
                if parts < _MOST_PARTS
                else f"a key of more than {_MOST_PARTS} parts"
            )
            raise DagtoolError(f"{place}: {is_not}: {why}", hint)


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error).partition("\n")[0].partition(";")[0]
