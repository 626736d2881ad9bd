"""What follows from the labels of a foreign file together: places, neighbours, the widest value of each dimension."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.dag.idtemplate import outlines, positions_of
from dagtool.foreign.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dagtool.foreign import NodeFacts
    from dagtool.foreign.dims import Shape
    from dagtool.validators.context import Context

__all__ = ["Reading", "head_pairs", "numbers"]

_NUMBER = re.compile(r"\d+")
_OWN_NUMBER = re.compile(r"\d+(?![a-z\d])|(?<![a-z\d])\d+")
_JOINS = frozenset(["communication", "routing", "residual"])


class Reading:
    """Answers about the nodes of one graph; without nodes where the file declares its operators."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.nodes: list[NodeFacts] = ctx.labels.nodes if ctx.labels else []
        self.places = ctx.labels.places if ctx.labels else Places((), {})
        self._sizes: dict[int, dict[str, int]] = {}

    @cached_property
    def _by_operation(self) -> dict[tuple[str, float], list[int]]:
        operations = (facts.operation for facts in self.nodes)
        return positions_of([(operation.op, operation.confidence) for operation in operations])

    def of(self, *ops: str, sure: float = 0.9) -> list[int]:
        """The nodes of these operators, as far as that is plain."""
        by_operation = self._by_operation.items()
        wanted = [nodes for (op, confidence), nodes in by_operation if op in ops and confidence >= sure]
        return sorted(chain.from_iterable(wanted))

    def family(self, node: int) -> str:
        """The family of its operator; empty where none is known."""
        return self.nodes[node].operation.family

    def joins(self, node: int) -> bool:
        """Whether it brings values of several GPUs or experts together, or moves them."""
        return self.family(node) in _JOINS

    @cached_property
    def _gpus(self) -> list[frozenset[int]]:
        known: dict[tuple[int, ...], frozenset[int]] = {}
        return [known.setdefault(named, frozenset(named)) for named in [facts.gpus for facts in self.nodes]]

    def gpus(self, node: int) -> frozenset[int]:
        """The GPUs it names by number, on both sides of an arrow; empty where it says "all" or nothing."""
        return self._gpus[node]

    @cached_property
    def _phrases(self) -> dict[str, list[int]]:
        """The nodes by label in small letters, numbers as ``#`` (not that of ``a2a``): few texts for many nodes."""
        ctx, found = self._ctx, dict[str, list[int]]()
        if ctx.graph is None or not self.nodes:
            return found
        for outline, nodes in positions_of(ctx.label_outlines).items():
            phrase = _phrase(outline)
            if "0" not in phrase:
                found.setdefault(phrase, []).extend(nodes)
                continue
            for node in nodes:  # a number that is part of a word
                found.setdefault(_phrase(ctx.graph.node_attributes[node].get("label", "")), []).append(node)
        return found

    def saying(self, pattern: re.Pattern[str]) -> list[int]:
        """The nodes whose phrase has a match; each distinct one is searched once."""
        return sorted(chain.from_iterable([nodes for text, nodes in self._phrases.items() if pattern.search(text)]))

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        names = zip(self._ctx.dag.ids, self.nodes, strict=True) if self.nodes else ()
        return positions_of(outlines([f"{name} {facts.title}" for name, facts in names]))

    def named(self, pattern: re.Pattern[str]) -> list[int]:
        """The nodes whose id and title have a match, whatever the numbers in them are."""
        return sorted(chain.from_iterable([nodes for text, nodes in self._by_name.items() if pattern.search(text)]))

    @cached_property
    def by_shapes(self) -> list[tuple[tuple[Shape, ...], list[int]]]:
        """The inputs, outputs and other shapes together, and the nodes that state these; some lists are equal."""
        nodes = self.nodes
        alike = positions_of([(id(facts.inputs), id(facts.outputs), id(facts.bare)) for facts in nodes]).values()
        firsts = [(nodes[stating[0]], stating) for stating in alike]
        return [(facts.inputs + facts.outputs + facts.bare, stating) for facts, stating in firsts]

    @cached_property
    def widest(self) -> dict[str, int]:
        """For each named dimension the largest number that stands for it anywhere."""
        found: dict[str, int] = {}
        for shapes, _ in self.by_shapes:
            for dim in (dim for shape in shapes for dim in shape.dims):
                if dim.name and dim.value is not None and dim.value > found.get(dim.name, 0):
                    found[dim.name] = dim.value
        return found

    @cached_property
    def hidden(self) -> int:
        """The whole hidden size: the widest that an input, embedding, norm, gate or residual has; 0 if none says.

        (An MLP's inner size is often called hidden too.)
        """
        families = ("io", "norm", "residual", "gate")
        stated = {
            (id(facts.inputs), id(facts.outputs)): facts.inputs + facts.outputs
            for facts in self.nodes
            if facts.operation.family in families or facts.operation.op == "embedding"
        }
        sizes = (dim.value for held in stated.values() for shape in held for dim in shape.dims if dim.name == "hidden")
        return max((size for size in sizes if size), default=0)

    def before(self, node: int) -> Sequence[int]:
        """The nodes whose edges lead to one."""
        return self._ctx.before.of(node)

    @cached_property
    def _shared(self) -> dict[str, int | None]:
        """Over how many GPUs the nodes of each template are spread; None where one of them says none by number."""
        found: dict[str, set[int] | None] = {}
        for node in range(len(self.nodes)):
            template, gpus = self.template(node), self.gpus(node)
            held = found.setdefault(template, set())
            if not gpus:
                found[template] = None
            elif held is not None:
                held |= gpus
        return {template: None if held is None else len(held) for template, held in found.items()}

    def may_be_parts(self, node: int, parts: int) -> bool:
        """Whether nodes like this one can be so many parts of one value: they name as many GPUs, or no numbers.

        (A smaller width on too few GPUs is that of a second model in the file, say a draft model.)
        """
        gpus = self._shared[self.template(node)]
        return gpus is None or gpus >= parts

    def on_edge(self, edge: int) -> str:
        """What is written on an edge: its label and its outer label; often empty."""
        graph = self._ctx.graph
        attributes = graph.edge_attributes[edge] if graph else {}
        return f"{attributes.get('label', '')} {attributes.get('xlabel', '')}".strip()

    def within(self, node: int, hops: int, stop: Callable[[int], bool]) -> Iterator[int]:
        """What is reached from a node in so many steps, not going on behind a node at which ``stop`` holds."""
        seen, edge = {node}, [node]
        for _ in range(hops):
            following = []
            for one in edge:
                for other in self._ctx.after.of(one):
                    if other not in seen:
                        seen.add(other)
                        yield other
                        if not stop(other):
                            following.append(other)
            edge = following

    def template(self, node: int) -> str:
        """The id without its numbers."""
        return self._id_templates[node]

    @cached_property
    def _id_templates(self) -> list[str]:
        outlines = self._ctx.id_outlines
        known = {outline: _NUMBER.sub("#", outline) for outline in set(outlines)}
        return [known[outline] for outline in outlines]

    def sizes(self, shape: Shape) -> Mapping[str, int]:
        """The numbers of a shape of these nodes, by the names of the dimensions."""
        found = self._sizes.get(id(shape))
        if found is None:
            found = self._sizes[id(shape)] = numbers(shape)
        return found


def _phrase(label: str) -> str:
    return _OWN_NUMBER.sub("#", label.lower())


def numbers(shape: Shape) -> dict[str, int]:
    """The dimensions that have a name and a number; of a name that occurs twice the last."""
    return {dim.name: dim.value for dim in shape.dims if dim.name and dim.value is not None}


def head_pairs(reading: Reading) -> dict[tuple[int, int], list[int]]:
    """The nodes whose outputs state so many heads of such a size."""
    pairs: dict[tuple[int, int], list[int]] = {}
    for node, facts in enumerate(reading.nodes):
        for shape in facts.outputs:
            sizes = reading.sizes(shape)
            if "heads" in sizes and "d_k" in sizes:
                pairs.setdefault((sizes["heads"], sizes["d_k"]), []).append(node)
    return pairs
