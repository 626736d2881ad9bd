"""No order of two collectives or transfers on the same GPUs that all ranks share is stated.

What: two collectives or transfers share two GPUs or more, no path leads from one to the other, and the order of the
file does not settle it. The file is the program of all ranks: each runs its nodes in the order in which they stand.
That settles nothing where a node stands before one that it depends on, since no rank can then run the file as it is
written, or where the same two collectives stand in one order for some ranks and in the other for others.

Why: each GPU may start another one of them first: then both wait for each other. Runtimes avoid it by one
fixed order on all ranks.

Fix: write the nodes in the order in which the ranks run them, the same for all ranks; or add an edge from the one to
what leads to the other.

References: NCCL on several communicators at once,
https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/communicators.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dagtool.dag import algorithms
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
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    x [op=input gpu="0-3" input="[B] @m" output="[B] @m"]
    a0 [op=all_gather role=a gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b0 [op=all_gather role=b gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b1 [op=all_gather role=b gpu="2-3" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    a1 [op=all_gather role=a gpu="2-3" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    x -> {a0 b0 a1 b1}
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    x [op=input gpu="0-3" input="[B] @m" output="[B] @m"]
    a0 [op=all_gather role=a gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    a1 [op=all_gather role=a gpu="2-3" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b0 [op=all_gather role=b gpu="0-1" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    b1 [op=all_gather role=b gpu="2-3" over=tp along=0 input="[B/tp] @m" output="[B] @m"]
    x -> {a0 b0 a1 b1}
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of roles, at the first place where they meet."""
    dag = ctx.dag
    backward = next((edge for edge, tail in enumerate(dag.tails) if tail > dag.heads[edge]), None)
    order = ctx.order if backward is not None else range(ctx.size)
    place = [0] * ctx.size
    for position, node in enumerate(order):
        place[node] = position
    pairs = _neighbours(ctx, order) if backward is not None else _contradictory(ctx)
    note = "" if backward is None else f"{ctx.arrow(backward)} leads back: no rank can run the nodes as they stand"
    seen: set[tuple[int, int, int]] = set()
    said: set[frozenset[str]] = set()
    for one, other in pairs:
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
            notes = (note or "they stand in the other order for other ranks",)
            yield ctx.finding(RULE, message, node=one, notes=notes, help="all ranks must start them in one order")


def _contradictory(ctx: Context) -> list[tuple[int, int]]:
    """Communication nodes that follow each other in the file, but on other ranks directly or in a circle do not.

    A step is what ranks have in common: kind, layer, expert, and which of several equal ones it is. Where the steps
    that follow each other on some GPU form a circle, there is no one order in which all ranks run them.
    """
    dag = ctx.dag
    steps: dict[tuple[int, int, int, int], int] = {}
    met: dict[tuple[int, int, int, int], int] = {}
    step_of: dict[int, int] = {}
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    for one, other in _neighbours(ctx, range(ctx.size)):
        for node in (one, other):
            if node not in step_of:
                what = (dag.kind_of[node], dag.layer_of[node], dag.expert_of[node])
                again = met[(*what, dag.devices_of[node])] = met.get((*what, dag.devices_of[node]), -1) + 1
                step_of[node] = steps.setdefault((*what, again), len(steps))
        pairs.setdefault((step_of[one], step_of[other]), (one, other))
    tails, heads = [one for one, _ in pairs], [other for _, other in pairs]
    after = algorithms.successors(len(steps), tails, heads)
    order = algorithms.topological_order(after, algorithms.degrees(len(steps), tails, heads)[0])
    circles = algorithms.cyclic_components(len(steps), tails, heads, order)
    circle_of = {step: number for number, circle in enumerate(circles) for step in circle}
    return [
        nodes for (one, other), nodes in pairs.items() if one in circle_of and circle_of[one] == circle_of.get(other)
    ]


def _neighbours(ctx: Context, order: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Communication nodes that follow each other on some GPU, the nodes run in an order."""
    dag = ctx.dag
    communicates = [kind.op in OPERATORS and OPERATORS[kind.op].is_communication for kind in dag.kinds]
    last: dict[int, int] = {}
    for node in order:
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
