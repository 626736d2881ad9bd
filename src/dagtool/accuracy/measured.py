"""A file of measurements: CSV, recognised by its header, one measurement a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["UNITS_OF_TIME", "Measured", "Row", "UnpredictableError", "in_unit", "read_measured"]

HEADERS: Mapping[str, tuple[str, ...]] = {
    "operators": ("gpu", "kind", "value", "unit"),
    "end_to_end": ("model", "hidden", "layers", "gpu", "metric", "value", "unit"),
}
"""What kind of file it is, by columns that must be there."""


class UnpredictableError(ValueError):
    """A row lacks what a prediction needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: its columns as text, and the line it stands on."""

    line: int
    columns: Mapping[str, str]

    def text(self, name: str) -> str:
        """A column; empty where the file has none or leaves it out."""
        return (self.columns.get(name) or "").strip()

    def number(self, name: str) -> float | None:
        """A column that is a number; None where it is left out. Raises UnpredictableError for other text."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = float(text)
        except ValueError:
            raise UnpredictableError(f"{name} is {text!r}, which is no number") from None
        if not 0 <= found < float("inf"):
            raise UnpredictableError(f"{name} is {text}, which no measurement has")
        return found

    def required(self, name: str) -> float:
        """A column that must be a number above 0. Raises UnpredictableError."""
        found = self.number(name)
        if not found:
            raise UnpredictableError(f"states no {name}" if found is None else f"{name} is 0")
        return found

    def count(self, name: str, default: int = 0) -> int:
        """A column that is a whole number, ``default`` where it is left out. Raises UnpredictableError."""
        found = self.number(name)
        if found is None:
            return default
        if found != int(found):
            raise UnpredictableError(f"{name} is {found:g}, which is no whole number")
        return int(found)

    def size(self, name: str) -> int:
        """A column that must be a whole number of at least 1. Raises UnpredictableError."""
        self.required(name)
        return self.count(name)

    def noted(self, pattern: str) -> str:
        """What a pattern's first group finds in the notes; empty where it finds nothing."""
        found = re.search(pattern, self.text("notes"), re.IGNORECASE)
        return found[1] if found else ""


UNITS_OF_TIME = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""How many of them a second has."""


def in_unit(time_s: float, row: Row) -> float:
    """Seconds in the row's unit. Raises UnpredictableError where that is no unit of time."""
    unit = row.text("unit")
    if unit not in UNITS_OF_TIME:
        raise UnpredictableError(f"its unit {unit!r} is not one of time ({', '.join(UNITS_OF_TIME)})")
    return time_s * UNITS_OF_TIME[unit]


@dataclass(frozen=True, slots=True)
class Measured:
    """A file's rows, and what kind of file it is."""

    path: str
    kind: str
    """``operators`` or ``end_to_end``."""
    rows: tuple[Row, ...]


def read_measured(path: str) -> Measured:
    """Read a CSV file. Raises DagtoolError: unreadable, a header of neither kind, a row of another length."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            kind = _kind(path, header)
            return Measured(path, kind, tuple(_rows(path, header, reader)))
    except OSError as error:
        raise DagtoolError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DagtoolError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except csv.Error as error:
        raise DagtoolError(f"{path}: not CSV: {error}") from None


def _kind(path: str, header: list[str]) -> str:
    for kind, needed in HEADERS.items():
        if set(needed) <= set(header):
            return kind
    missing = {kind: [name for name in needed if name not in header] for kind, needed in HEADERS.items()}
    nearest = min(missing, key=lambda kind: len(missing[kind]))
    near = next(filter(None, (did_you_mean(name, missing[nearest]) for name in header)), "")
    raise DagtoolError(
        f"{path}:1: its columns are those of no known file of measurements",
        f"{nearest}: {', '.join(missing[nearest])} missing; {near}".rstrip("; "),
    )


def _rows(path: str, header: list[str], reader: Iterator[list[str]]) -> Iterator[Row]:
    line = 1
    for cells in reader:
        line += 1
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise DagtoolError(
                f"{path}:{line}: {len(cells)} cells, but the header has {len(header)}",
                "a comma inside a cell needs quotes around it",
            )
        yield Row(line, dict(zip(header, cells, strict=True)))
