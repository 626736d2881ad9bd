"""A product over a slice of its inner dimension is not reduced.

What: a linear that says "row parallel", or whose input is a slice of the hidden size (1024 of the 8192 that norms and residuals have), from
which no all-reduce, reduce-scatter or aggregation is reached within three edges, or only behind a softmax, activation or norm. On fewer GPUs than there would be slices it is the whole
input of another model, and not asked; nor is a node that says all-reduce itself, or from which an edge that says so leads.

Why: over a slice of the inner dimension each GPU has a part of a sum. Until the parts are added the value is wrong, and what is not
linear must not be applied to it; the product also does only that part of its FLOPs.

Fix: add the all-reduce after the product; or give a column-parallel product its whole input and cut its output only. What a node is, is read from its title. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.reading import Reading

RULE = Rule(
    "COM412",
    "unreduced-product",
    Severity.WARNING,
    "a product over a slice of its inner dimension is not reduced",
    requires=("directed", "source"),
    guesses=True,
)

BAD = r"""digraph {
    down [label="MLP Down (row parallel)\nInput: [batch=8, ffn=64]\nOutput: [batch=8, hidden=64]"]
    add [label="Residual Add"]
    input -> down -> add -> output
}
"""
GOOD = r"""digraph {
    down [label="MLP Down (row parallel)\nInput: [batch=8, ffn=64]\nOutput: [batch=8, hidden=64]"]
    sum [label="TP All-Reduce"]
    add [label="Residual Add"]
    input -> down -> sum -> add -> output
}
"""

_ROW = re.compile(r"row[- _]?(?:parallel|wise|split)|\(row\)|\browparallel", re.IGNORECASE)
_NOT_LINEAR = frozenset(["softmax", "activation", "norm", "scores", "residual"])
_ADDS = frozenset(["all_reduce", "reduce_scatter", "aggregate", "combine"])
_SAYS_SO = re.compile(r"all[-_ ]?reduce|reduce[-_ ]?scatter", re.IGNORECASE)
"""A node or an edge that says so does both: the product and the sum of its parts."""
_HOPS = 3


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for those that say so, one for those whose input is a slice."""
    reading = ctx.reading
    moving = ("communication", "routing", "io")
    row = [node for node in reading.saying(_ROW) if reading.family(node) not in moving]
    summed = {*reading.saying(_SAYS_SO), *_reduced_on_edges(ctx)}
    said = [node for node in row if node not in summed and not _reduced(ctx, node)]
    text = "row parallel, and nothing adds up the parts of its sum"
    yield from ctx.about_nodes(
        RULE, said, f"is {text}", f"are {text.replace('its', 'their')}",
        help="add the all-reduce behind it", limit=6,
    )  # fmt: skip
    known = set(row)
    sliced = [node for node in reading.of("linear") if node not in known and _slice(reading, node)]
    lost = [node for node in sliced if node not in summed and not _reduced(ctx, node)]
    if lost:
        part = _slice(reading, lost[0])
        text = f"a slice of the hidden size ({part} of {reading.hidden}), and nothing adds up the parts"
        yield from ctx.about_nodes(
            RULE, lost, f"multiplies {text}", f"multiply {text}",
            help="give it the whole input, or add the all-reduce behind it", limit=6,
        )  # fmt: skip


def _slice(reading: Reading, node: int) -> int:
    """The width of an input that is a slice of the hidden size; 0 where it is whole or unknown."""
    shapes = reading.nodes[node].inputs
    whole = reading.hidden
    if len(shapes) != 1 or not shapes[0].dims:
        return 0
    last = shapes[0].dims[-1]
    if last.name != "hidden" or not last.value or last.value >= whole or whole % last.value:
        return 0
    if not reading.may_be_parts(node, whole // last.value):
        return 0
    return last.value


def _reduced(ctx: Context, node: int) -> bool:
    """Whether its sum is completed before anything that is not linear."""
    reading = ctx.reading

    def stop(other: int) -> bool:
        return reading.nodes[other].op in _NOT_LINEAR

    return any(reading.nodes[other].op in _ADDS for other in reading.within(node, _HOPS, stop))


def _reduced_on_edges(ctx: Context) -> set[int]:
    """The nodes from which an edge leads that is labelled all-reduce."""
    tails = ctx.dag.tails
    return {tails[edge] for edge in range(len(tails)) if _SAYS_SO.search(ctx.reading.on_edge(edge))}
