"""The flags of a framework's command line: one CSV file for each, with the version it was read from.

Columns: ``flag``, ``aliases``, ``takes`` (none, bool, value, optional, list), ``effect``, ``harmless`` (values with
which the flag changes nothing), ``meaning``. Effects:

``layout``   read here: it changes how tensors lie, memory, communication or what is run
``model``    states the model again, and must agree with its configuration
``noted``    changes memory or communication that the ledger does not count, which it says
``refused``  changes layout, memory or communication in a way that is not modelled: an error
``ignored``  changes none of them
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dagtool.files import read_bytes

__all__ = ["EFFECTS", "Flag", "FlagTable", "read_table"]

EFFECTS = ("layout", "model", "noted", "refused", "ignored")
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flags")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag, or a variable of the environment (without dashes in front)."""

    name: str
    aliases: tuple[str, ...]
    takes: str
    effect: str
    harmless: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class FlagTable:
    """All flags of a program, by every spelling."""

    source: str
    """The project, its version and the files from which the table was made."""
    by_spelling: Mapping[str, Flag]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Each flag once."""
        return tuple(dict.fromkeys(self.by_spelling.values()))


@cache
def read_table(name: str) -> FlagTable:
    """Return the flags of ``vllm``, ``sglang``, ``megatron``, ``torchtitan`` or ``torchrun``."""
    text = read_bytes(os.path.join(_FOLDER, f"{name}.csv")).decode("utf-8")
    source, _, rows = text.partition("\n")
    found: dict[str, Flag] = {}
    for row in csv.DictReader(rows.splitlines()):
        aliases, harmless = tuple(row["aliases"].split()), tuple(row["harmless"].split())
        flag = Flag(row["flag"], aliases, row["takes"], row["effect"], harmless, row["meaning"])
        for spelling in (flag.name, *aliases):
            found.setdefault(spelling, flag)
    return FlagTable(source.lstrip("# "), found)
