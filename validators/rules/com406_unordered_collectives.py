"""The order of two collectives or transfers on the same GPUs is left open.

What: two collectives or transfers share two GPUs or more, and no path leads from one to the other.

Why: each GPU may start another one of them first: then both wait for each other. Runtimes avoid it by one
fixed order on all ranks, which the graph does not state.

Fix: add an edge from the one to what leads to the other, or make sure that all ranks run them in the order
of the file.

References: NCCL on several communicators at once,
https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/communicators.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM406",
    "unordered-collectives",
    Severity.WARNING,
    "no path orders two collectives on the same GPUs",
    requires=("declared", "acyclic"),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: tp=2 gpus=0-1"]
    x [op=input gpu="0-1" input="[B] @m" output="[B] @m"]
    a [op=all_gather gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b [op=all_gather gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    x -> a
    x -> b
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: tp=2 gpus=0-1"]
    x [op=input gpu="0-1" input="[B] @m" output="[B] @m"]
    a [op=all_gather gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b [op=all_gather gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    x -> a
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of roles, at the first place where they meet."""
    dag = ctx.dag
    place = [0] * ctx.size
    for position, node in enumerate(ctx.order):
        place[node] = position
    seen: set[tuple[int, int, int]] = set()
    said: set[frozenset[str]] = set()
    for one, other in _neighbours(ctx):
        key = (dag.kind_of[one], dag.kind_of[other], dag.layer_of[other] - dag.layer_of[one])
        if key in seen:  # all layers and ranks are the same program: one look for each pair of kinds
            continue
        seen.add(key)
        if dag.kind_of[one] == dag.kind_of[other] and dag.expert_of[one] != dag.expert_of[other]:
            continue  # the experts of one GPU are run one after the other, in their order
        roles = frozenset({dag.kind(one).role, dag.kind(other).role})
        if (
            len(set(dag.gpus(one)) & set(dag.gpus(other))) > 1
            and roles not in said
            and not _leads(ctx, one, other, place)
        ):
            said.add(roles)
            message = f"the order of {ctx.located(one)} and {ctx.located(other)} on the same GPUs is left open: no path orders them"
            yield ctx.finding(RULE, message, node=one, help="all ranks must start them in one order")


def _neighbours(ctx: Context) -> Iterator[tuple[int, int]]:
    """Communication nodes that follow each other on some GPU, in dependency order."""
    dag = ctx.dag
    communicates = [kind.op in OPERATORS and OPERATORS[kind.op].is_communication for kind in dag.kinds]
    last: dict[int, int] = {}
    for node in ctx.order:
        if communicates[dag.kind_of[node]] and len(dag.gpus(node)) > 1:
            yield from sorted({(last[gpu], node) for gpu in dag.gpus(node) if gpu in last})
            last.update(dict.fromkeys(dag.gpus(node), node))


def _leads(ctx: Context, start: int, end: int, place: list[int]) -> bool:
    """Whether a path leads from one node to another; only nodes between them in the order can be on it."""
    reached, waiting = {start}, [start]
    while waiting:
        for node in ctx.after.of(waiting.pop()):
            if node == end:
                return True
            if node not in reached and place[node] < place[end]:
                reached.add(node)
                waiting.append(node)
    return False
