"""Data types that are not the default: ``[dtypes]`` names them by kind of value, or weights by the path of their place.

``weights = "fp8"``, ``cache = "fp8"``, ``dispatch = "fp8"``, ``"layers.*.experts" = "mxfp4"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.layout import Layout, Region, Rule, parse_key
from dagtool.generators.regions import flat_lines
from dagtool.model.tensor import DTYPES

__all__ = ["DataTypes", "parse_dtypes"]

KINDS = ("weights", "cache", "dispatch")


@dataclass(frozen=True, slots=True)
class DataTypes:
    """The data types of a strategy; an empty text is the default."""

    cache: str = ""
    """The data type of keys, values and latents in the cache."""
    dispatch: str = ""
    """The data type in which tokens are sent to their experts."""
    weights: Layout = field(default_factory=lambda: Layout((), Region("", {}), 0))

    def of_weight(self, place: str, layer: int) -> str:
        """Return the data type in which weights of a place are stored."""
        return self.weights.at(place or "stream", layer).mesh


def parse_dtypes(table: Mapping[str, Any], layers: int, places: frozenset[str], faults: Faults) -> DataTypes:
    """Return what ``[dtypes]`` says; mistakes are noted in ``faults``."""
    kinds: dict[str, str] = {}
    rules: list[Rule] = []
    for key, value, keys in flat_lines(table, ("dtypes",)):
        with faults.at(*keys):
            if value not in DTYPES:
                hint = did_you_mean(str(value), list(DTYPES)) or f"known: {', '.join(DTYPES)}"
                raise DagtoolError(f"there is no data type {value!r}", hint)
            if key in KINDS[1:]:
                kinds[key] = value
                continue
            pattern, chosen = parse_key("*" if key == "weights" else key, layers, places)
            rules.append(Rule(keys, pattern, chosen, Region(value, {})))
    return DataTypes(**kinds, weights=Layout(rules, Region("", {}), layers))
