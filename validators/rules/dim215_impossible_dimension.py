"""A dimension is a fraction, negative or zero.

What: a size such as `batch_size=0.5`, `heads=-4` or `hidden=0`, or an expression of numbers that does not come out whole (`4096/12`).

Why: no tensor has such a size. Mostly a degree that does not divide what it cuts: ranks would hold shards of different sizes.

Fix: choose a degree that divides the size, or pad the size. Only files that declare no operators are asked. Where types are declared DIM205 asks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.foreign.dims import ValueKind
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.foreign.dims import Dim
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM215",
    "impossible-dimension",
    Severity.WARNING,
    "a dimension is a fraction, negative or zero",
    requires=("source",),
)

BAD = r"""digraph { a [label="Softmax\nInput: [batch_size=0.5, heads=4]\nOutput: [batch_size=0.5, heads=4]"]; input -> a }
"""
GOOD = r"""digraph { a [label="Softmax\nInput: [batch_size=B, heads=4]\nOutput: [batch_size=B/2, heads=4]"]; input -> a }
"""

_FRACTION = re.compile(r"-?\d*\.\d+\Z")
_NUMBERS = re.compile(r"[\d\s()*×x/+÷.-]+\Z")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each size."""
    wrong: dict[str, list[int]] = {}
    for shapes, stating in ctx.reading.by_shapes:
        if text := next((str_of(dim) for shape in shapes for dim in shape.dims if _impossible(dim)), ""):
            wrong.setdefault(text, []).extend(stating)
    for nodes, text in sorted((sorted(nodes), text) for text, nodes in wrong.items()):
        fault = f"the size {printable(text)}, which is no whole number above zero"
        yield from ctx.about_nodes(RULE, nodes, f"has {fault}", f"have {fault}", attribute="label", limit=4)


def str_of(dim: Dim) -> str:
    """``heads=-4``, or the size alone."""
    return f"{dim.name}={dim.text}" if dim.name else dim.text


def _impossible(dim: Dim) -> bool:
    if dim.value is not None:
        return dim.value == 0 and bool(dim.name)  # [0] alone may be an index
    text = dim.text.strip()
    if dim.kind is ValueKind.EXPRESSION:
        return bool(_NUMBERS.match(text)) and ("/" in text or "÷" in text or text[0] == "-")
    return bool(_FRACTION.match(text)) and float(text) % 1 != 0
