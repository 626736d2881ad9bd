"""Every expert takes all tokens.

What: two experts of a layer or more each state an input with the whole batch and sequence of the gate or of the layer's other nodes.

Why: a gate sends each token to K of E experts; on average an expert gets K/E of them. A graph in which each computes them all costs E/K
times as much, in time and in memory.

Fix: state the tokens that an expert gets (`tokens`, or K/E of batch times sequence). What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.reading import Reading

RULE = Rule(
    "DIM219",
    "expert-takes-all",
    Severity.INFO,
    "every expert takes all tokens",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    gate [label="Gate\nInput: [batch=4, seq=8, hidden=64]\nOutput: [batch=4, seq=8, experts=2]"]
    expert_0 [label="Expert 0\nInput: [batch=4, seq=8, hidden=64]\nOutput: [batch=4, seq=8, hidden=64]"]
    expert_1 [label="Expert 1\nInput: [batch=4, seq=8, hidden=64]\nOutput: [batch=4, seq=8, hidden=64]"]
    input -> gate -> {expert_0 expert_1} -> output
}
"""
GOOD = r"""digraph {
    gate [label="Gate\nInput: [batch=4, seq=8, hidden=64]\nOutput: [batch=4, seq=8, experts=2]"]
    expert_0 [label="Expert 0\nInput: [tokens, hidden=64]\nOutput: [tokens, hidden=64]"]
    expert_1 [label="Expert 1\nInput: [tokens, hidden=64]\nOutput: [tokens, hidden=64]"]
    input -> gate -> {expert_0 expert_1} -> output
}
"""

_TOKENS = ("batch_size", "seq_len")
_COMPUTE = ("experts", "linear", "mlp")


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    whole = {tokens for node in reading.of("gate", "norm", "residual") if (tokens := _tokens(reading, node))}
    if not whole:
        return
    greedy: list[int] = []
    for experts in reading.places.experts.values():
        taking = [
            node for nodes in experts.values() for node in nodes
            if reading.nodes[node].op in _COMPUTE and _tokens(reading, node) in whole
        ]  # fmt: skip
        if len({reading.places.expert_of[node] for node in taking}) > 1:
            greedy += taking
    if greedy:
        text = f"all tokens ({_shown(reading, greedy[0])}), though a gate sends each token to few of the experts"
        yield from ctx.about_nodes(
            RULE, sorted(greedy), f"is an expert's and takes {text}", f"are experts' and each take {text}",
            help="an expert gets K/E of the tokens", limit=4,
        )  # fmt: skip


def _tokens(reading: Reading, node: int) -> tuple[str, ...]:
    """Batch and sequence of its input as written; empty unless both are stated."""
    shapes = reading.nodes[node].inputs
    if len(shapes) != 1:
        return ()
    sizes = {dim.name: dim.text for dim in shapes[0].dims}
    return tuple(sizes[name] for name in _TOKENS) if sizes.keys() >= set(_TOKENS) else ()


def _shown(reading: Reading, node: int) -> str:
    return "batch {}, sequence {}".format(*_tokens(reading, node))
