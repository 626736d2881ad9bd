"""The nearest strategy that can be built: what to change of one that cannot, found by trying.

Tried are a choice of ``[operators]`` as it is by default; else a line of the layout with one axis fewer, on the mesh of
the stream, or left out. Of those that help the one that keeps most of what is cut, and most like the places around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from math import log
from typing import NamedTuple

from dagtool.generators.faults import MisplacedError
from dagtool.generators.layout import Region, Rule, followed
from dagtool.generators.strategy import OPERATOR_CHOICES, Strategy

__all__ = ["nearest_change"]

_MOST_TRIES = 60


class _Change(NamedTuple):
    """What to write instead, and the strategy that follows."""

    text: str
    strategy: Strategy


def nearest_change(strategy: Strategy, fault: MisplacedError, fault_of: Callable[[Strategy], str]) -> str:
    """Return the change after which a strategy can be built, as a hint; else one after which another fault remains.

    ``fault_of`` says why a strategy cannot be built. Empty where no change that is tried makes a difference.
    """
    other = ""
    for changes in (_drawn_otherwise(strategy), islice(_lying_otherwise(strategy, fault.place), _MOST_TRIES)):
        helping: list[_Change] = []
        for change in changes:
            left = fault_of(change.strategy)
            helping += [] if left else [change]
            if left and left != fault.message and not other:
                other = f"with {change.text} it can, but then {left}"
        if helping:
            best = max(helping, key=lambda change: _kept(change.strategy))
            return f"it can with {best.text}{_idle(strategy, best.strategy)}"
    return other


def _kept(strategy: Strategy) -> tuple[float, int]:
    """How much is cut, over all places; and how many cuts are those of the place that one follows."""
    cut, alike = 0.0, 0
    for layout in strategy.layouts.values():
        for place, layer, region in layout.regions(sorted(strategy.places)):
            around = layout.at(followed(place) or "stream", layer)
            cut += sum(log(strategy.degrees[axis]) for axes in region.cuts.values() for axis in axes)
            alike += sum(around.cuts.get(symbol) == axes for symbol, axes in region.cuts.items())
    return cut, alike


def _drawn_otherwise(strategy: Strategy) -> Iterator[_Change]:
    """Each choice of ``[operators]`` as it is by default."""
    for key, choices in OPERATOR_CHOICES.items():
        if strategy.operators[key] != choices[0]:
            operators = {**strategy.operators, key: choices[0]}
            yield _Change(f"[operators] {key} = {choices[0]!r}", replace(strategy, operators=operators))


def _lying_otherwise(strategy: Strategy, place: str) -> Iterator[_Change]:
    """Each line of the layouts of all phases changed, those about a place first."""
    lines = [(phase, rule) for phase, layout in strategy.layouts.items() for rule in layout.rules]
    lines.sort(key=lambda line: _distance(line[1], place))
    for phase, rule in lines:
        for region in _simpler(rule, strategy, strategy.layouts[phase].at("stream").mesh):
            yield _with(strategy, phase, rule, region)
    for phase, rule in lines:
        yield _with(strategy, phase, rule, None)


def _distance(rule: Rule, place: str) -> int:
    """0 for a line about the faulty place or what lies in it, 1 for one that it follows, 2 for the others."""
    if rule.pattern.partition(".")[0] == place.partition(".")[0]:
        return 0
    while place and place != rule.pattern:
        place = followed(place)
    return 1 if place else 2


def _simpler(rule: Rule, strategy: Strategy, mesh: str) -> Iterator[Region]:
    """A region with an axis taken out of a cut, or with its mesh exchanged for that of the stream."""
    region = rule.region
    for symbol, axes in region.cuts.items():
        for axis in reversed(axes):
            left = tuple(one for one in axes if one != axis)
            cuts = {key: left if key == symbol else held for key, held in region.cuts.items()}
            yield replace(region, cuts={key: held for key, held in cuts.items() if held})
    if region.mesh != mesh:
        here = strategy.declared.axes.get(mesh, ())
        yield Region(mesh, {key: axes for key, axes in region.cuts.items() if set(axes) <= set(here)})


def _with(strategy: Strategy, phase: str, rule: Rule, region: Region | None) -> _Change:
    """The change of one line of a phase's layout, or (no phase) of that of all others; None leaves it out."""
    layout = strategy.layouts[phase]
    table, key = rule.keys[: 1 + bool(phase)], rule.keys[1 + bool(phase) :]
    name = f"[{'.'.join(map(str, table))}] {'.'.join(map(str, key))}"
    instead = [replace(rule, region=region)] if region else []
    changed = layout.with_rules([new for one in layout.rules for new in (instead if one is rule else [one])])
    text = f"{name} = {_format(region)!r}" if region else f"{name} left out"
    if not phase:
        return _Change(text, replace(strategy, layout=changed))
    return _Change(text, replace(strategy, phase_layouts={**strategy.phase_layouts, phase: changed}))


def _format(region: Region) -> str:
    return " ".join([region.mesh, *("/".join([symbol, *axes]) for symbol, axes in region.cuts.items())])


def _idle(before: Strategy, after: Strategy) -> str:
    """What must be said of axes that cut nothing any more."""
    axes = [axis for axis in _cutting(before) if axis not in _cutting(after)]
    return f" and replicate = {axes}" if axes else ""


def _cutting(strategy: Strategy) -> dict[str, None]:
    regions = [one for layout in strategy.layouts.values() for one in layout.regions(sorted(strategy.places))]
    return {axis: None for _, _, region in regions for axes in region.cuts.values() for axis in axes}
