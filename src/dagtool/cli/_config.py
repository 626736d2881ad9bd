"""The configuration file of ``dagtool validate``: ``dagtool.toml``, or ``[tool.dagtool]`` in ``pyproject.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["Config", "find_config", "load_config"]

_OWN = "dagtool.toml"
_SHARED = "pyproject.toml"
_MENTION = re.compile(
    rb"""\[\s*tool\s*\.\s*["']?dagtool|^\s*["']?dagtool["']?\s*[.=]|^\s*tool\s*\.\s*dagtool""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file sets; None where it says nothing."""

    path: str = ""
    profile: str | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    severity: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    fail_on: str | None = None
    output_format: str | None = None
    group: bool | None = None
    baseline: str | None = None


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
                    return found
            folder = os.path.dirname(folder)
    return Config()


def load_config(path: str) -> Config:
    """The file the caller names. Raises DagtoolError."""
    return _read(path, required=True) or Config(path)


def _read(path: str, *, required: bool) -> Config | None:
    """What a file sets; None if it is a project's file that does not speak of us."""
    from dagtool.files import read_bytes

    data = read_bytes(path)
    shared = os.path.basename(path) == _SHARED
    if shared and not _MENTION.search(data):
        if required:
            raise DagtoolError(f"{path} has no table [tool.dagtool]")
        return None
    import tomllib

    try:
        text = data.decode()
        table: Any = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DagtoolError(f"{path} is not TOML: {error}") from None
    if shared:
        tool = table.get("tool")
        if not isinstance(tool, dict) or "dagtool" not in tool:
            return None
        table = tool["dagtool"]
    if not isinstance(table, dict):
        raise DagtoolError(f"{path}: [tool.dagtool] is not a table")
    return _Reader(path, text, shared).config(table)


class _Reader:
    """Checks keys and values, and knows on which line a key stands."""

    def __init__(self, path: str, text: str, shared: bool) -> None:
        self._path = path
        self._text = text
        self._shared = shared

    def config(self, table: dict[str, Any]) -> Config:
        readers: dict[str, Callable[[str, Any], object]] = {
            "profile": self._profile,
            "select": self._codes,
            "ignore": self._codes,
            "severity": self._severity,
            "options": self._options,
            "fail-on": self._fail_on,
            "output-format": self._format,
            "group": self._flag,
            "baseline": self._file,
        }
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key not in readers:
                near = did_you_mean(key, list(readers)) or f"there are {', '.join(readers)}"
                raise DagtoolError(f"{self._where(key)}: unknown key {key!r}", near)
            values[key.replace("-", "_")] = readers[key](key, value)
        return Config(self._path, **values)

    def _where(self, key: str) -> str:
        """``file:line`` of a key, in our table."""
        lines = self._text.split("\n")
        ours = not self._shared
        names = rf"(?:[\"']?{re.escape(key)}[\"']?\s*[.=]|.*\.\s*[\"']?{re.escape(key)}[\"']?\s*[\]=.])"
        for number, line in enumerate(lines, 1):
            if self._shared and re.match(r"\s*\[", line):
                ours = bool(re.match(r"\s*\[\s*tool\s*\.\s*[\"']?dagtool", line))
            if ours and re.match(rf"\s*\[?\s*{names}|\s*\[\s*{re.escape(key)}\s*\]", line):
                return f"{self._path}:{number}"
        return self._path

    def _fail(self, key: str, what: str, hint: str = "") -> DagtoolError:
        return DagtoolError(f"{self._where(key)}: {key} {what}", hint)

    def _one_of(self, key: str, value: Any, known: Sequence[str]) -> str:
        if not isinstance(value, str) or value not in known:
            hint = did_you_mean(value, list(known)) if isinstance(value, str) else ""
            raise self._fail(key, f"is {value!r}, not one of {', '.join(known)}", hint)
        return value

    def _profile(self, key: str, value: Any) -> str:
        from dagtool.validators.rule import PROFILES

        return self._one_of(key, value, PROFILES)

    def _fail_on(self, key: str, value: Any) -> str:
        return self._one_of(key, value, ("error", "warning", "info", "never"))

    def _format(self, key: str, value: Any) -> str:
        from dagtool.report.formats import format_names

        return self._one_of(key, value, format_names())

    def _flag(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._fail(key, f"is {value!r}, not true or false")
        return value

    def _file(self, key: str, value: Any) -> str:
        """Relative to the configuration's folder."""
        if not isinstance(value, str) or not value:
            raise self._fail(key, f"is {value!r}, not the name of a file")
        return os.path.normpath(os.path.join(os.path.dirname(self._path), value))

    def _codes(self, key: str, value: Any) -> tuple[str, ...]:
        from dagtool.validators.catalogue import select_rules

        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self._fail(key, "is not a list of rule codes", f'as in {key} = ["GRF1", "STY"]')
        try:
            select_rules(texts)
        except DagtoolError as error:
            raise self._fail(key, f": {error.message}", error.hint) from None
        return tuple(texts)

    def _severity(self, key: str, value: Any) -> tuple[str, ...]:
        from dagtool.validators.catalogue import severities

        if not isinstance(value, dict) or not all(isinstance(level, str) for level in value.values()):
            raise self._fail(key, "is not a table of levels by rule code", 'as in severity = { GRF102 = "warning" }')
        texts = tuple(f"{code}={level}" for code, level in value.items())
        for code, text in zip(value, texts, strict=True):
            try:
                severities([text])
            except DagtoolError as error:
                raise DagtoolError(f"{self._where(code)}: {error.message}", error.hint) from None
        return texts

    def _options(self, key: str, value: Any) -> tuple[str, ...]:
        from dagtool.validators.catalogue import select_options

        if not isinstance(value, dict) or not all(isinstance(chosen, str) for chosen in value.values()):
            raise self._fail(key, "is not a table of values by option", 'as in options = { all-gpus = "forbid" }')
        texts = tuple(f"{option}={chosen}" for option, chosen in value.items())
        for option, text in zip(value, texts, strict=True):
            try:
                select_options([text])
            except DagtoolError as error:
                raise DagtoolError(f"{self._where(option)}: {error.message}", error.hint) from None
        return texts
