"""The graph does not say which model it deploys.

What: a graph that declares operators has no attribute `model`.

Why: what the layers must consist of, in which order, with which weights and functions, follows from the model alone.
Without it a norm that is missing on every rank, or a softmax over the wrong values, is found by no rule, and `dagtool prove`
refuses the file.

Fix: state the model, as in `model="ffn=dense norm=rms gated=true activation=silu"`; every option that is left out has
the default of docs/strategy-files.md.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD705",
    "unstated-model",
    Severity.WARNING,
    "the graph does not say which model it deploys",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm role="attention.norm" gpu=0 input="[B, H] @m" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm role="attention.norm" gpu=0 input="[B, H] @m" output="[B, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """Report the graph once, with the attribute that its nodes suggest."""
    if "model" in ctx.dag.facts:
        return
    yield ctx.finding(
        RULE,
        "the graph does not say which model it deploys, so what its layers must consist of is not checked",
        help=f'add it to the graph, as in model="{_suggested(ctx)}"',
    )


def _suggested(ctx: Context) -> str:
    """The options of the model that the nodes show."""
    kinds = ctx.dag.kinds
    roles = {base.partition(".")[0] for base in ctx.bases}
    functions = {kind.op: kind.parameters.get("function", "") for kind in kinds}
    gated = "gated_activation" in functions
    told = {
        "ffn": "moe" if "moe" in roles else "dense",
        "norm": functions.get("norm", ""),
        "gated": "true" if gated else "",
        "activation": functions.get("gated_activation" if gated else "activation", ""),
    }
    return " ".join(f"{key}={value}" for key, value in told.items() if value)
