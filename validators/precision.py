"""How often rules that guess are right: their findings on other people's files, judged by eye one by one.

``findings.csv`` has a row for each: code, file, line, verdict (right or wrong), kind of graph. They were drawn at
random from all findings of a rule, at least 50 or all there are; of GRF102, of which one file has nearly all, three of
each file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["LEAST", "Judged", "judged"]

LEAST = 0.9
"""A rule that is right less often is asked by the profile ``strict`` only."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Of ``count`` findings of a rule, ``right`` were right."""

    right: int
    count: int
    files: int
    kinds: tuple[str, ...]
    """The kinds of graph that the findings are of."""

    @property
    def precision(self) -> float:
        """The share of the right ones."""
        return self.right / self.count

    def __str__(self) -> str:
        files = f"{self.files} file{'' if self.files == 1 else 's'}"
        return f"{self.right} of {self.count} findings judged by eye were right ({files}: {', '.join(self.kinds)})"


@cache
def judged() -> dict[str, Judged]:
    """By the code of the rule, where findings of it were judged."""
    text = files(__package__).joinpath("findings.csv").read_text(encoding="utf-8")
    rows: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        rows.setdefault(row["code"], []).append(row)
    return {
        code: Judged(
            sum(row["verdict"] == "right" for row in found),
            len(found),
            len({row["file"] for row in found}),
            tuple(sorted({row["kind"] for row in found})),
        )
        for code, found in sorted(rows.items())
    }
