"""One configuration file, checked key by key: what it sets, and on which line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["JOINED", "KEYS", "Config", "Reader"]

JOINED = ("severity", "options", "per_file_ignores")
"""Tables, which are joined entry by entry with those of the file that is extended."""


@dataclass(frozen=True, slots=True)
class Config:
    """What configuration files set; None where they say nothing. ``origins`` has ``file:line`` by key or entry."""

    path: str = ""
    extend: str | None = None
    profile: str | None = None
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    severity: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    treat_as: str | None = None
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_on: str | None = None
    min_severity: str | None = None
    output_format: str | None = None
    group: bool | None = None
    baseline: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    def over(self, base: Config) -> Config:
        """These values, and those of ``base`` where this file says nothing."""
        own = {key.name: getattr(self, key.name) for key in fields(self) if key.name not in JOINED}
        own = {name: value for name, value in own.items() if value is not None}
        joined = {name: tuple({**dict(getattr(base, name)), **dict(getattr(self, name))}.items()) for name in JOINED}
        return replace(base, **{**own, **joined, "origins": {**base.origins, **self.origins}})


KEYS = tuple(key.name.replace("_", "-") for key in fields(Config) if key.name not in ("path", "origins"))
"""Every key of a configuration file."""


class Reader:
    """Checks keys and values, and knows on which line a key stands."""

    def __init__(self, path: str, text: str, shared: bool) -> None:
        self._path = path
        self._text = text
        self._shared = shared
        self._origins: dict[str, str] = {}

    def config(self, table: dict[str, Any]) -> Config:
        """The values of the table. Raises DagtoolError."""
        readers: dict[str, Callable[[str, Any], object]] = {
            "extend": self._file,
            "profile": self._profile,
            "select": self._codes,
            "extend-select": self._codes,
            "ignore": self._codes,
            "severity": self._severity,
            "options": self._options,
            "treat-as": self._treat_as,
            "per-file-ignores": self._per_file,
            "fail-on": self._fail_on,
            "min-severity": self._min_severity,
            "output-format": self._format,
            "group": self._flag,
            "baseline": self._file,
        }
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key not in readers:
                near = did_you_mean(key, list(readers)) or f"there are {', '.join(readers)}"
                raise DagtoolError(f"{self._where(key)}: unknown key {key!r}", near)
            self._origins[key] = self._where(key)
            values[key.replace("-", "_")] = readers[key](key, value)
        return Config(self._path, origins=self._origins, **values)

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

    def _treat_as(self, key: str, value: Any) -> str:
        from dagtool.validators.wishes import TREATMENTS

        return self._one_of(key, value, TREATMENTS)

    def _fail_on(self, key: str, value: Any) -> str:
        return self._one_of(key, value, (*_levels(), "never"))

    def _min_severity(self, key: str, value: Any) -> str:
        return self._one_of(key, value, _levels())

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
        return self._beside(value)

    def _beside(self, name: str) -> str:
        return os.path.normpath(os.path.join(os.path.dirname(self._path), name))

    def _codes(self, key: str, value: Any) -> tuple[str, ...]:
        from dagtool.validators.catalogue import parse_codes

        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self._fail(key, "is not a list of rule codes", f'as in {key} = ["GRF1", "STY"]')
        try:
            return parse_codes(texts)
        except DagtoolError as error:
            raise self._fail(key, f": {error.message}", error.hint) from None

    def _severity(self, key: str, value: Any) -> tuple[tuple[str, str], ...]:
        from dagtool.validators.catalogue import severities

        if not isinstance(value, dict) or not all(isinstance(level, str) for level in value.values()):
            raise self._fail(key, "is not a table of levels by rule code", 'as in severity = { GRF102 = "warning" }')
        for code, level in value.items():
            self._origins[f"{key}.{code}"] = self._where(code)
            try:
                severities([f"{code}={level}"])
            except DagtoolError as error:
                raise DagtoolError(f"{self._where(code)}: {error.message}", error.hint) from None
        return tuple(value.items())

    def _options(self, key: str, value: Any) -> tuple[tuple[str, str], ...]:
        from dagtool.validators.catalogue import select_options

        if not isinstance(value, dict) or not all(isinstance(chosen, str) for chosen in value.values()):
            raise self._fail(key, "is not a table of values by option", 'as in options = { all-gpus = "forbid" }')
        for option, chosen in value.items():
            self._origins[f"{key}.{option}"] = self._where(option)
            try:
                select_options([f"{option}={chosen}"])
            except DagtoolError as error:
                raise DagtoolError(f"{self._where(option)}: {error.message}", error.hint) from None
        return tuple(value.items())

    def _per_file(self, key: str, value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Patterns with a folder are relative to the configuration's."""
        from dagtool.cli._patterns import anchored

        if not isinstance(value, dict):
            raise self._fail(
                key, "is not a table of rule codes by pattern", f'as in {key} = {{ "old/*.dot" = ["STY"] }}'
            )
        found = []
        for pattern, codes in value.items():
            whole = anchored(pattern, os.path.dirname(self._path))
            self._origins[f"{key}.{whole}"] = self._where(pattern)
            found.append((whole, self._codes(pattern, codes)))
        return tuple(found)


def _levels() -> tuple[str, ...]:
    from dagtool.report.finding import Severity

    return tuple(kind.value for kind in Severity)
