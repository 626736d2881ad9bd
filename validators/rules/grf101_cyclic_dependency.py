"""The graph has a cycle.

What: following the edges leads back to where one started. One finding for each group of nodes that are
all on cycles through each other, with a shortest cycle in full.

Why: no node of a cycle can ever run first, so the graph is no schedule, has no critical path and
deadlocks where somebody executes it.

Fix: the usual cause is one id used for several things: one `all_to_all` node for both directions, one
`expert_0` shared by all layers, one `residual` for both adds of a layer. Give each use its own node.

Exceptions: of a graph that is no deployment cycles are asked only where its name or label calls it a DAG or acyclic; where its file name
alone does, a cycle of several nodes is a warning, and an edge from a node to itself is none.

References: A. B. Kahn, Topological sorting of large networks, https://doi.org/10.1145/368996.369025; R. Tarjan,
Depth-first search and linear graph algorithms, https://doi.org/10.1137/0201010.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from dagtool.dag.algorithms import shortest_cycle
from dagtool.dot.change import remove_edges
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.feedback import sole_closing_edge
from dagtool.validators.reuse import reused_id
from dagtool.validators.roles import words
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF101",
    "cyclic-dependency",
    Severity.ERROR,
    "the graph has a cycle",
    requires=("directed",),
    tier="minimal",
    fixes=(UNSAFE,),
    any_graph=True,
)

BAD = """digraph {
    input -> layer0_attn -> expert_0 -> layer1_attn -> expert_0
    layer1_attn -> output
}
"""
GOOD = """digraph {
    input -> layer0_attn -> layer0_expert_0 -> layer1_attn -> layer1_expert_0 -> output
}
"""

FIXABLE = """digraph {
    input -> norm -> q -> scores -> add -> output
    norm -> k -> scores
    norm -> add
    add -> norm
}
"""

_SHOWN_COMPONENTS = 10
_SHOWN_NODES = 60
_CLAIMS = frozenset({"dag", "dags", "acyclic"})
_DENIALS = frozenset({"not", "no", "non", "isn", "never", "cycle", "cycles", "cyclic", "loop", "loops"})
"""Words beside which a claim is none: ``not a DAG: dependency cycle``."""


class Claim(Enum):
    """Why a graph must have no cycle."""

    NONE = ""
    BY_NATURE = "it is a deployment"
    BY_GRAPH = "the graph's name or label calls it acyclic"
    BY_FILE = "its file name calls it acyclic"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must be told; of a deployment it is clear."""
        return () if self is Claim.BY_NATURE else (self.value,)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding per cyclic component; beyond ten, the rest together."""
    claim = Claim.BY_NATURE if ctx.nature.deployment else _claim(ctx)
    if claim is Claim.NONE:
        return  # a state machine may go round in circles
    components = [component for component in ctx.cyclic_components if claim is not Claim.BY_FILE or len(component) > 1]
    limit = _SHOWN_COMPONENTS if ctx.group else len(components)
    for component in components[:limit]:
        yield _cycle(ctx, component, claim)
    if rest := components[limit:]:
        nodes = [node for component in rest for node in component]
        yield ctx.finding(
            RULE,
            f"{len(rest):,} more groups of nodes on cycles, {len(nodes):,} nodes",
            node=nodes[0],
            count=len(rest),
            notes=(ctx.templates(nodes),),
            severity=_severity(claim),
        )


def _claim(ctx: Context) -> Claim:
    """Find what calls a graph that is no deployment a DAG or acyclic."""
    if ctx.graph is None:
        return Claim.NONE
    own = (words(text) for text in (ctx.graph.name or "", ctx.graph.attributes.get("label", "")))
    if any(map(_is_claim, own)):
        return Claim.BY_GRAPH
    return Claim.BY_FILE if _is_claim(words(PurePath(ctx.path).stem)) else Claim.NONE


def _is_claim(said: set[str]) -> bool:
    return bool(said & _CLAIMS) and not said & _DENIALS


def _severity(claim: Claim) -> Severity | None:
    """A file may be named after what it is part of: a warning then."""
    return Severity.WARNING if claim is Claim.BY_FILE else None


def _cycle(ctx: Context, component: Sequence[int], claim: Claim) -> Finding:
    """A shortest cycle of one component, located at the edge that closes it."""
    edges = shortest_cycle(ctx.after, component)
    nodes = [ctx.dag.tails[edge] for edge in edges]
    if len(nodes) == 1:
        return ctx.finding(
            RULE,
            f"{ctx.name(nodes[0])} depends on itself",
            edge=edges[0],
            label="an edge from a node to itself",
            notes=claim.notes,
            fix=partial(_without, ctx, edges[0], ""),
        )
    more = f"; {len(component):,} nodes lie on cycles with each other" if len(component) > len(nodes) else ""
    help = reused_id(ctx, component, nodes)
    return ctx.finding(
        RULE,
        f"cyclic dependency through {len(nodes)} nodes{more}",
        edge=edges[-1],
        label="this edge closes the cycle",
        notes=(f"cycle: {_listed(ctx, nodes)}", *claim.notes),
        help=help,
        severity=_severity(claim),
        fix=None if help else partial(_opened, ctx, component, edges),
    )


def _opened(ctx: Context, component: Sequence[int], cycle: Sequence[int]) -> Proposal | None:
    """Without the edge that all cycles go through; where several could be taken out nobody knows which is wrong."""
    edge = sole_closing_edge(ctx.after, component, cycle)
    return None if edge is None else _without(ctx, edge, ", the one edge that closes every cycle here")


def _without(ctx: Context, edge: int, why: str) -> Proposal | None:
    if ctx.graph is None:
        return None
    gone = (ctx.dag.ids[ctx.dag.tails[edge]], ctx.dag.ids[ctx.dag.heads[edge]])
    title = f"remove {ctx.arrow(edge)}{why}"
    return Proposal(title, UNSAFE, remove_edges(ctx.graph, [edge]), removed_edges=(gone,))


def _listed(ctx: Context, nodes: Sequence[int]) -> str:
    """Every node with its line; only a cycle too long to read loses its middle."""
    shown = [ctx.located(node) for node in (*nodes, nodes[0])]
    shown[-1] = ctx.name(nodes[0])
    if len(shown) > _SHOWN_NODES:
        half = _SHOWN_NODES // 2
        shown = [*shown[:half], f"… {len(shown) - 2 * half:,} more …", *shown[-half:]]
    return " -> ".join(shown)
