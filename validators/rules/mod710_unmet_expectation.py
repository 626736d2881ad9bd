"""The graph is not what the caller expects.

What: `--expect ep=16,tp=4,gpus=64,layers=16,experts=16`, or the same as the attribute `expect` of the graph, says
what the graph must come to: degrees of tensor, pipeline, data, expert, context and sequence parallelism (tp, pp, dp, ep,
cp, sp) and numbers of GPUs, layers and experts. A number that differs is an error; one that nothing in the file tells
is a warning. Degrees are held against declared meshes; where there are none, their product against the number of GPUs. There
expert and sequence parallelism may lie on the GPUs of the other axes: ep=4 tp=8 pp=2 may be 64 GPUs or 16.

Why: a plan for 64 GPUs that names 32 does not run on either; a build that checks files can ask for what was ordered.

Fix: draw what is missing, or correct the expectation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD710",
    "unmet-expectation",
    Severity.ERROR,
    "the graph is not what the caller expects",
    requires=("source",),
    tier="minimal",
    any_graph=True,
)

BAD = r"""digraph {
    graph [expect="tp=4"]
    input -> mlp_gpu0 -> output
    input -> mlp_gpu1 -> output
}
"""
GOOD = r"""digraph {
    graph [expect="tp=2 gpus=2"]
    input -> mlp_gpu0 -> output
    input -> mlp_gpu1 -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each claim that does not hold."""
    from dagtool.errors import DagtoolError
    from dagtool.validators.claims import parse_expectation
    from dagtool.validators.contradictions import judge

    assert ctx.graph is not None
    claims = list(ctx.wishes.expected if ctx.wishes else ())
    try:
        claims += parse_expectation(ctx.graph.attributes.get("expect", ""), "the graph's attribute expect")
    except DagtoolError as error:
        yield ctx.finding(RULE, error.message, help=error.hint)
    for verdict in judge(claims, ctx.inventory) if claims else ():
        severity = Severity.WARNING if verdict.open else None
        yield ctx.finding(RULE, f"expected is {verdict.text}", severity=severity)
