"""A node computes for nobody.

What: a node takes something but nothing takes its result, and it is no output of the graph. In our
dialect an output is op="output"; in other files a node is one if its id or title says output, logits and
the like, or if it is the only end there is.

Why: work whose result is thrown away is either a forgotten edge or should not be done.

Fix: add the edge to what uses the result, such as the all-reduce, the aggregation or the output.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("GRF105", "dangling-end", Severity.ERROR, "a node computes for nobody", requires=("directed", "edges"))

BAD = """digraph {
    input -> mlp_gpu0 -> output
    input -> mlp_gpu1
}
"""
GOOD = """digraph {
    input -> mlp_gpu0 -> allreduce -> output
    input -> mlp_gpu1 -> allreduce
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """Sinks that are no output, as one finding."""
    sinks = ctx.roles.sinks
    dangling = [node for node in sinks if not ctx.roles.is_output(node)]
    if len(sinks) == 1 and not ctx.dag.declared:
        return  # the only end is the output, whatever its name
    yield from ctx.about_nodes(
        RULE,
        dangling,
        "has a result that nothing takes, and is no output",
        "have a result that nothing takes, and are no outputs",
        help="add the edge to what uses each result",
    )
