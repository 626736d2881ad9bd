"""A name claims other degrees than the graph has.

What: the name of the file or of the graph states degrees or numbers (`ep64_tp8_pp2_dp2`, `TP8-PP2`, `tp_8`, `16gpus`)
that the nodes contradict: another number of GPUs than the product, another number of stages, fewer experts than expert groups.
Expert and sequence parallelism may lie on the GPUs of the other axes. A name that promises a part only (`_simplified`, `layer_0`,
`attention`) is let be, and so is a key that occurs with two values.

Why: such names are how people and programs pick a plan; what the name promises and the graph does not hold is found only when it runs.

Fix: draw what the name promises, or rename.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD711",
    "contradicted-name",
    Severity.WARNING,
    "a name claims other degrees than the graph has",
    requires=("source",),
)

BAD = r"""digraph TP2_PP2 {
    input -> mlp_gpu0 -> output
    input -> mlp_gpu1 -> output
}
"""
GOOD = r"""digraph TP2 {
    input -> mlp_gpu0 -> output
    input -> mlp_gpu1 -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each contradicted claim of the file's name, else of the graph's."""
    from dagtool.report.quote import name_of
    from dagtool.validators.claims import claims_of_name
    from dagtool.validators.contradictions import judge

    assert ctx.graph is not None
    stem = ctx.path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    names = ((stem, "the file's name"), (ctx.graph.name or "", "the graph's name"))
    told: set[str] = set()
    if ctx.partial:
        return
    preset = ctx.dag.facts.get("preset")
    for name, source in names:
        if source.startswith("the file") and ctx.where:
            continue  # one of several graphs is not all that the file's name promises
        if name == preset:
            continue  # the preset it began as; the degrees it has now stand in its meshes
        claims = claims_of_name(name, source)
        for verdict in judge(claims, ctx.inventory) if claims else ():
            if not verdict.open and verdict.text not in told:
                told.add(verdict.text)
                yield ctx.finding(RULE, f"{source} {name_of(name)} says {verdict.text}")
