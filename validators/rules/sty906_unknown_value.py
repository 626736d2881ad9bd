"""A colour, a style, another word or a number that Graphviz does not know.

What: an attribute that takes words of a list has another value: a colour, a style, `rankdir`, `dir`, `splines`, an arrow, `rank`, `labelloc`, `labeljust`;
or one that takes a number (`height`, `fontsize`, `weight`, `nodesep`) or true and false (`constraint`, `compound`) has neither.

Why: Graphviz draws on without it, black or in the default way, at best with a warning.

Fix: write a value of the list; the nearest is suggested. Colours: names of X11 and SVG, `#rrggbb`, `#rrggbbaa`, three numbers, or `/scheme/name`.

Exceptions: where a `colorscheme` is in force its colours are not looked up; styles written as functions, `setlinewidth(2)`, are left alone, and so is what
begins with a number, which Graphviz reads as far as it goes (`12pt`).

References: attributes, https://graphviz.org/doc/info/attrs.html; colours, https://graphviz.org/doc/info/colors.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.validators.attribute_faults import AttributeFault, report_attributes
from dagtool.validators.graphviz_values import VALUES
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY906",
    "unknown-value",
    Severity.WARNING,
    "a colour, style, word or number that Graphviz does not know",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    gate [style=filed, fillcolor=lightblu]
    input -> gate -> output
}
"""
GOOD = """digraph {
    gate [style=filled, fillcolor=lightblue]
    input -> gate -> output
}
"""

_SCHEME = "colorscheme"
_NEAR = 0.6
"""How like a known word another must be: 'foo' is not 'odot'."""
_FEW = 12
"""Words of a list that are all named where none is near."""


def check(ctx: Context) -> Iterator[Finding]:
    """Report each attribute and unknown value once."""
    yield from report_attributes(ctx, RULE, _find_faults, _counts)


def _counts(kind: str, name: str) -> bool:
    return name in VALUES[kind] or name == _SCHEME


def _find_faults(kind: str, attributes: Mapping[str, str]) -> Iterator[AttributeFault]:
    known, has_scheme = VALUES[kind], bool(attributes.get(_SCHEME))
    for name, value in attributes.items():
        values = known.get(name)
        word = values.unknown(value) if values else ""
        if values and word and not (has_scheme and name.endswith("color")):
            text = f"{name} {printable(word)!r}, which {values.effect}"
            yield AttributeFault(name, text, did_you_mean(word, values.known, _NEAR) or _listed(values.known))


def _listed(known: Sequence[str]) -> str:
    """Name the words of a short list."""
    return f"Graphviz knows {', '.join(known[:-1])} and {known[-1]}" if 1 < len(known) <= _FEW else ""
