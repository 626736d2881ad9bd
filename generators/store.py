"""How parameters are stored: in more parts than they are used in, and gathered before use (FSDP, ZeRO-3).

``[store]`` maps paths of the model to axes: ``"*" = "dp"``, ``"layers.*.mlp" = "dp,cp"``. The first dimension of a
parameter that these axes divide is cut along them, innermost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.layout import Layout, Region, Rule, parse_key
from dagtool.generators.meshes import Meshes
from dagtool.generators.regions import flat_lines

__all__ = ["Store", "parse_store"]

_AXES = "axes"
"""Under this name a rule of the store has its axes."""


@dataclass(frozen=True, slots=True)
class Store:
    """Along which axes the parameters of each place are stored in parts."""

    layout: Layout = field(default_factory=lambda: Layout((), Region("", {}), 0))
    axes: tuple[str, ...] = ()
    """All axes that occur."""
    uneven: bool = False
    """Whether a parameter that no axis divides is cut all the same: bytes can be counted of that, and nothing run."""

    def at(self, place: str, layer: int) -> tuple[str, ...]:
        """Return the axes along which parameters of a place are stored in parts."""
        return self.layout.at(place or "stream", layer).cuts.get(_AXES, ()) if self.axes else ()


def parse_store(
    table: Mapping[str, Any], declared: Meshes, layers: int, places: frozenset[str], faults: Faults
) -> Store:
    """Return what ``[store]`` says; mistakes are noted in ``faults``."""
    rules: list[Rule] = []
    for key, value, keys in flat_lines(table, ("store",)):
        with faults.at(*keys):
            pattern, chosen = parse_key(key, layers, places)
            rules.append(Rule(keys, pattern, chosen, Region("", {_AXES: _axes(value, declared)})))
    used = dict.fromkeys(axis for rule in rules for axis in rule.region.cuts[_AXES])
    return Store(Layout(rules, Region("", {}), layers), tuple(used))


def _axes(value: Any, declared: Meshes) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise DagtoolError(f"{value!r} names no axes", "like 'dp' or 'dp,cp'; '' for none")
    known = [axis for axis in (*declared.degrees, *declared.groups) if axis != "pp"]
    axes: list[str] = []
    for name in (part.strip() for part in value.split(",") if part.strip()):
        if name not in known:
            raise DagtoolError(f"{name!r} is no axis", did_you_mean(name, known) or f"axes: {', '.join(known)}")
        axes += declared.groups.get(name, (name,))
    return tuple(axis for axis in axes if declared.degrees[axis] > 1)
