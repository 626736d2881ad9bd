"""An attribute whose name is nearly one that Graphviz knows.

What: the name of an attribute differs by a letter from one that Graphviz reads, and its value is one that this attribute could have.

Why: Graphviz keeps attributes that it does not know without a word, so `colour=red` draws nothing red.

Fix: write the name as Graphviz knows it.

Exceptions: other names are ordinary: graphs carry data of their own.

References: attributes, https://graphviz.org/doc/info/attrs.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.escape import printable
from dagtool.foreign.attributes import NAMES
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.attribute_faults import AttributeFault, report_attributes
from dagtool.validators.graphviz_values import NUMBERS, VALUES
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY907",
    "misspelt-attribute",
    Severity.WARNING,
    "an attribute whose name is nearly one that Graphviz knows",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    gate [lable="Gate", colour=red]
    input -> gate -> output
}
"""
GOOD = """digraph {
    gate [label="Gate", color=red]
    input -> gate -> output
}
"""

_NUMBERS = NUMBERS | {"ranksep"}
_NUMBER = re.compile(r"-?(?:\d++(?:\.\d*+)?|\.\d++)(?:,-?(?:\d++(?:\.\d*+)?|\.\d++))?\Z")
_TEXTS = frozenset({"label", "xlabel", "headlabel", "taillabel", "tooltip", "fontname", "comment"})
_CANDIDATES = sorted(
    (_NUMBERS | _TEXTS | {"shape"} | {name for values in VALUES.values() for name in values}) & GRAPHVIZ_NAMES
)
_OURS = frozenset(NAMES) | {name for operator in OPERATORS.values() for name in getattr(operator, "attributes", ())}
_SHORTEST = 5
"""Letters of a name below which one that differs by one letter is another word: ``rank`` and ``bank``."""


def check(ctx: Context) -> Iterator[Finding]:
    """Report each misspelt name once."""
    yield from report_attributes(ctx, RULE, _find_faults, lambda _, name: bool(_near(name)))


def _find_faults(kind: str, attributes: Mapping[str, str]) -> Iterator[AttributeFault]:
    for name, value in attributes.items():
        if (meant := _near(name)) and meant not in attributes and _is_plausible(kind, meant, value):
            text = f"the attribute {printable(name)!r}, which Graphviz does not know"
            yield AttributeFault(name, text, f"did you mean {meant!r}?")


@lru_cache(maxsize=1 << 10)
def _near(name: str) -> str:
    """The one attribute of Graphviz that a name misspells; empty for one that is known or is like none."""
    if name in GRAPHVIZ_NAMES or name in _OURS or len(name) < _SHORTEST - 1 or name[-1:].isdigit():
        return ""
    small = name.lower().replace("colour", "color").replace("centre", "center")
    if small in _CANDIDATES:
        return small
    near = [known for known in _CANDIDATES if len(known) >= _SHORTEST and _differ_by_one(small, known)]
    return near[0] if len(near) == 1 else ""


def _differ_by_one(word: str, known: str) -> bool:
    """Whether one letter is wrong, lacks or is too much, or two neighbours are exchanged; a plural is another word."""
    if abs(len(word) - len(known)) > 1 or word == f"{known}s" or known == f"{word}s":
        return False
    start = next((at for at, (one, other) in enumerate(zip(word, known, strict=False)) if one != other), -1)
    if start < 0:
        return len(word) != len(known)
    mine, theirs = word[start:], known[start:]
    return (
        mine[1:] == theirs[1:]
        or mine[1:] == theirs
        or mine == theirs[1:]
        or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    )


def _is_plausible(kind: str, meant: str, value: str) -> bool:
    """Whether the attribute that is meant could have the value."""
    if meant in _NUMBERS:
        return bool(_NUMBER.match(value.strip()))
    values = VALUES[kind].get(meant)
    if values:
        return bool(value) and not values.unknown(value)
    return meant in _TEXTS or meant == "shape"
