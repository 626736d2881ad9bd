"""Which nodes begin and end a deployment, and which are no part of it, in our dialect and in any other."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["Roles", "title", "words"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TAG = re.compile(r"<[^<>]*>")
_TITLE_END = re.compile(r"\\[nlr]|[\r\n|]|<br\s*/?>", re.IGNORECASE)
_DIMENSIONS = re.compile(r"(in|out)(put)?s?\b[^:\[]{0,20}[:=\[]", re.IGNORECASE)


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INPUT = _vocabulary("""
    input inputs token tokens embed embedding embeddings prompt prompts ids position positions pos mask
    request requests query queries data dataset source src start sequence sequences
    cache kv weight weights param params parameters
""")
_OUTPUT = _vocabulary("""
    output outputs logits result results prediction predictions response responses probabilities loss
    generated sampling sampler sample end sink
""")
# A node named after an operation is no end of the graph, whatever else its name says: attn_output_gpu3.
_OPERATION = _vocabulary("""
    proj projection linear dense norm layernorm rmsnorm ln attn attention mha qkv mlp ffn fc gelu silu relu
    swiglu activation softmax score scores matmul residual res add gate gating router routing route dispatch
    combine expert experts moe agg aggregate aggregation merge concat split scatter gather allgather reduce
    allreduce broadcast comm communication sync send recv receive transfer pipeline shard all
""")
_STORED = _vocabulary("weight weights param params parameter parameters")
_PARTED = _vocabulary("shard shards")
_LEGEND = _vocabulary("legend note notes caption annotation annotations title comment comments description")
_TEXT_SHAPES = frozenset(["plaintext", "plain", "none", "note"])


def words(text: str) -> set[str]:
    """The words of a name, in small letters: ``attnOut_gpu3`` has attn, out, gpu."""
    return {word.lower() for word in _WORD.findall(text)}


def title(label: str) -> str:
    """The first line of a label, empty where it only states dimensions."""
    first = _TAG.sub(" ", _TITLE_END.split(label, maxsplit=1)[0]).strip("{ ")
    return "" if _DIMENSIONS.match(first) else first


class Roles:
    """Answers about the nodes of one graph; see the module's docstring."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[tuple[str, int], bool] = {}

    def is_input(self, node: int) -> bool:
        """Whether the graph may begin here."""
        operator = OPERATORS.get(self._ctx.dag.kind(node).op)
        return (operator is not None and not operator.slots) or self._is(node, "input", _INPUT)

    def is_state(self, node: int) -> bool:
        """Whether a node stands for what a rank already holds, as a cache: a declared operator without inputs."""
        operator = OPERATORS.get(self._ctx.dag.kind(node).op)
        return operator is not None and not operator.slots

    def is_output(self, node: int) -> bool:
        """Whether the graph may end here."""
        return self._is(node, "output", _OUTPUT)

    def _is(self, node: int, op: str, vocabulary: frozenset[str]) -> bool:
        declared = self._ctx.dag.kind(node).op
        if declared:
            return declared == op
        key = op, self._alike[node]
        if key not in self._known:
            self._known[key] = any(
                names & vocabulary and not names & (_OPERATION - _PARTED if names & _STORED else _OPERATION)
                for names in self._words(node)
            )
        return self._known[key]

    @cached_property
    def _alike(self) -> list[int]:
        """A number for each node; those of equal numbers have the same words."""
        numbers: dict[tuple[str, str], int] = {}
        outlines = zip(self._ctx.id_outlines, self._ctx.label_outlines, strict=True)
        return [numbers.setdefault(outline, len(numbers)) for outline in outlines]

    def _words(self, node: int) -> tuple[set[str], set[str]]:
        """The words of the id of a node, and those of its title."""
        return words(self._ctx.id_outlines[node]), words(title(self._ctx.label_outlines[node]))

    def is_legend(self, node: int) -> bool:
        """Whether a node explains the picture instead of being part of the deployment."""
        if node in self._in_legend:
            return True
        graph = self._ctx.graph
        if graph is None or self._ctx.dag.kind(node).op:
            return False
        key = "legend", self._alike[node]
        if key not in self._known:
            self._known[key] = bool(set().union(*self._words(node)) & _LEGEND)
        return self._known[key]

    @cached_property
    def _in_legend(self) -> set[int]:
        """Nodes inside a cluster called legend or note."""
        found: set[int] = set()
        for subgraph in self._ctx.graph.subgraphs if self._ctx.graph else ():
            if words(f"{subgraph.name or ''} {title(subgraph.attributes.get('label', ''))}") & _LEGEND:
                found.update(subgraph.nodes)
        return found

    @cached_property
    def isolated(self) -> list[int]:
        """Nodes without any edge that should have one."""
        return [node for node in self._ctx.isolated if not self.is_legend(node) and not self.is_text(node)]

    def is_text(self, node: int) -> bool:
        """Whether a node is drawn as mere text."""
        graph = self._ctx.graph
        return graph is not None and graph.node_attributes[node].get("shape") in _TEXT_SHAPES

    @cached_property
    def unannounced(self) -> list[int]:
        """Nodes that are named in edges only, in a file that declares others of those it joins: slips of the pen."""
        ctx, graph = self._ctx, self._ctx.graph
        if graph is None or 0 not in graph.declared:
            return []
        missing = [node for node, declared in enumerate(graph.declared) if not declared]
        if not ctx.dag.declared:
            # `a -> {b c}` names b and c as it names a
            braced = {node for subgraph in graph.subgraphs if subgraph.name is None for node in subgraph.own}
            plain = graph.node_attributes[missing[0]]
            listed = {node for node in braced if graph.node_attributes[node] == plain}
            joined = {*ctx.dag.tails, *ctx.dag.heads} - listed
            if not any(map(graph.declared.__getitem__, joined)):
                return []
        return missing

    @cached_property
    def sources(self) -> list[int]:
        """Nodes that only give, legends left out."""
        ctx = self._ctx
        pairs = enumerate(zip(ctx.indegree, ctx.outdegree, strict=True))
        return [node for node, (coming, going) in pairs if not coming and going and not self.is_legend(node)]

    @cached_property
    def sinks(self) -> list[int]:
        """Nodes that only take, legends left out."""
        ctx = self._ctx
        pairs = enumerate(zip(ctx.indegree, ctx.outdegree, strict=True))
        return [node for node, (coming, going) in pairs if coming and not going and not self.is_legend(node)]
