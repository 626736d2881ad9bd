"""A label says something else than the node's attributes.

What: a line of the label that begins with `Input:`, `Output:` or `GPU:` and differs from what the
attributes come to: the sizes of one GPU, the GPU numbers.

Why: people read the label, programs the attributes: both must tell the same deployment.

Fix: correct whichever is wrong; 'dagtool gen' writes both from one source.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from dagtool.dot.change import set_on_nodes
from dagtool.dot.labels_written import gpus_label, ports_label
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY904",
    "label-contradicts",
    Severity.WARNING,
    "a label's Input, Output or GPU is not what the attributes say",
    requires=("declared", "named"),
    fixes=(UNSAFE,),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [label="n\\nInput: [batch_size=8, hidden=4]\\nOutput: [batch_size=8, hidden=4]\\nGPU: 1" op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [label="n\\nInput: [batch_size=8, hidden=4]\\nOutput: [batch_size=8, hidden=4]\\nGPU: 0" op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
}
"""


FIXABLE = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    input [op=input gpu=0 input="[B, H] @m" output="[B, H] @m"]
    n [label="n\\nInput: [batch_size=8, hidden=4]\\nOutput: [batch_size=8, hidden=4]\\nGPU: 1" op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    output [op=output gpu=0 input="[B, H] @m" output="[B, H] @m"]
    input -> n -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each line of each kind of node."""
    if ctx.graph is None:
        return
    known: dict[tuple[int, int, str], tuple[str, str] | None] = {}
    wrong: dict[tuple[int, str, str], list[int]] = {}
    dag = ctx.dag

    @cache
    def ports(kind: int, name: str) -> str:
        return ports_label(dag, dag.kinds[kind].inputs if name == "Input" else dag.kinds[kind].outputs)

    for node, attributes in enumerate(ctx.graph.node_attributes):
        label = attributes.get("label", "")
        start = label.find("\\nInput: ")
        if start < 0:
            continue
        key = (dag.kind_of[node], dag.devices_of[node], label[start:])
        if key not in known:
            known[key] = _contradiction(ctx, ports, key[0], key[1], key[2].split("\\n"))
        if found := known[key]:
            wrong.setdefault((key[0], *found), []).append(node)
    for (kind, line, right), nodes in wrong.items():
        role = dag.kinds[kind].role or dag.kinds[kind].op
        fault = f"label says {line}; the attributes say {right or 'none'}"
        fix = partial(_relabelled, ctx, line, right) if right else None
        yield from ctx.about_nodes(RULE, nodes, fault, f"({role}): their {fault}", attribute="label", fix=fix)


def _relabelled(ctx: Context, line: str, right: str, nodes: Sequence[int]) -> Proposal | None:
    """The line as the attributes have it, where these hold together; else they may be what is wrong."""
    assert ctx.graph is not None
    if not ctx.sound:
        return None
    attributes = ctx.graph.node_attributes
    name = line.partition(": ")[0]

    def label(node: int) -> str:
        lines = attributes[node]["label"].split("\\n")
        return "\\n".join([f"{name}: {right}" if text == line else text for text in lines])

    edits = set_on_nodes(ctx.graph, nodes, "label", label)
    return Proposal(f"write '{name}: {right}' in the label", UNSAFE, edits, changes=frozenset({"label"}))


def _contradiction(
    ctx: Context, ports: Callable[[int, str], str], index: int, devices: int, lines: list[str]
) -> tuple[str, str] | None:
    """The first line that is wrong, and what should stand behind its colon."""
    dag, kind = ctx.dag, ctx.dag.kinds[index]
    if index in ctx.refusals or any(name not in dag.meshes for name in kind.meshes):
        return None  # other rules have said what is wrong
    for line in lines:
        name, colon, text = line.partition(": ")
        if not colon or name not in ("Input", "Output", "GPU"):
            continue
        gpus = gpus_label(dag, kind, devices) if name == "GPU" and devices >= 0 else ""
        right = gpus if name == "GPU" else ports(index, name)
        if text != right:
            return line, right
    return None
