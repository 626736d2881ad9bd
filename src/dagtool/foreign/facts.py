"""All that the labels of one graph say, node by node: worked out once for each distinct line and title."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from dagtool.dag.idtemplate import IdGroup, group_ids
from dagtool.foreign.dims import Shape, parse_shapes
from dagtool.foreign.gpus import Placement, cluster_gpus, gpus_of_id, gpus_of_line, join
from dagtool.foreign.operators import Operation, is_way, narrowed, operation_of
from dagtool.foreign.place import Place, is_place, place_of
from dagtool.foreign.text import label_lines

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph

__all__ = ["Labels", "NodeFacts"]

_KEY = re.compile(
    r"(?<![A-Za-z_])(?P<key>in(?:put)? ?[/&] ?out(?:put)?|in|out|inputs?|outputs?)"
    r"(?:[ _](?:dimensions?|dims?|shapes?|size))?"
    r"\s?(?P<tag>[A-Z]{1,2}|\d{1,2})?\s*[:：=]\s*",
    re.IGNORECASE,
)
_ARROW = re.compile(r"(?<!\s)\s*+(?:→|->|=>|⇒)\s*+")
_WEIGHT = re.compile(r"\s*[×x*@]\s*\[|\s*(?:weights?|W|bias|params?)\b\s*[:=]", re.IGNORECASE)
_SAME = re.compile(r"(?:the )?same(?: (?:shape|dims?|dimensions?|as input|shape as input))?\Z", re.IGNORECASE)
_OPERAND = re.compile(r"(?:[A-Z]{1,2}(?:\s?,\s?[A-Z])*)?\Z", re.IGNORECASE)
_PRODUCT = re.compile(r"\]\s*[×x*@]\s*\[")
_BULLET = re.compile(r"[-•*] ")
_KNOWN_TEXT = re.compile(r"\W*(?:same(?: shape)?|-|=)?\W*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one line says of dimensions. ``opens`` is the key whose value may go on in the next line."""

    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    bare: tuple[Shape, ...] = ()
    keys: str = ""
    """``i`` and ``o`` for each key written."""
    opens: str = ""
    rest: str = ""
    asked: bool = False
    """Whether a ``?`` stands for a size."""
    same: bool = False
    """Whether the output is said to be as the input."""
    weight: Shape | None = None
    """The second factor of a product, ``×[4096, 1536]``."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of one node. Shapes under no key stand in ``bare``; ``rest`` is text nobody understood."""

    title: str
    operation: Operation
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    bare: tuple[Shape, ...]
    has_input: bool
    """Whether an input is stated at all, be it in prose; so with ``has_output``."""
    has_output: bool
    unknown: bool
    """Whether a ``?`` stands for a size."""
    placement: Placement | None
    id_placement: Placement | None
    place: Place
    rest: tuple[str, ...]
    length: int
    """Letters of the label, blanks left out."""

    @property
    def op(self) -> str:
        """The operator; empty where it is unknown."""
        return self.operation.op

    @property
    def states_dimensions(self) -> bool:
        """Whether it says anything of its dimensions."""
        return self.has_input or self.has_output or bool(self.bare)

    @property
    def gives(self) -> tuple[Shape, ...]:
        """Its outputs; a shape under no key counts for an output."""
        return self.outputs or self.bare[-1:]


@lru_cache(maxsize=1 << 14)
def _said(line: str) -> _Said:
    """The dimensions in one line."""
    text = line
    if text.startswith("[") and _KEY.match(text, 1):
        text = text[1:-1] if text.endswith("]") else text[1:]
    keys = list(_KEY.finditer(text))
    if not keys:
        return _unkeyed(text)
    inputs: list[Shape] = []
    outputs: list[Shape] = []
    rest = [text[: keys[0].start()].strip(" ,;|")]
    opens, value = "", ""
    for match, following in zip(keys, [*keys[1:], None], strict=True):
        value = text[match.end() : following.start() if following else len(text)].strip(" ,;|")
        shapes, left = parse_shapes(value)
        tag = (match["tag"] or "").upper()
        if tag and len(shapes) == 1 and not shapes[0].name:
            shapes = (Shape(shapes[0].dims, shapes[0].count, tag),)
        opens = match["key"][0].lower()
        both = not match["key"].isalpha()  # Input/Output: one shape for the two
        if opens == "i":
            inputs.extend(shapes)
        if opens == "o" or both:
            outputs.extend(shapes)
        rest.append(left)
    written = "".join(match["key"][0].lower() if match["key"].isalpha() else "io" for match in keys)
    left = " ".join(piece for piece in rest if not _KNOWN_TEXT.match(piece))
    same = opens == "o" and bool(_SAME.match(value))
    return _Said(tuple(inputs), tuple(outputs), (), written, "" if value else opens, left, _asked(text), same)


def _asked(text: str) -> bool:
    return "=?" in text.replace(" ", "") or bool(re.search(r"\[\s*\?|,\s*\?", text))


def _unkeyed(text: str) -> _Said:
    if "[" not in text:
        return _Said(rest=text)
    if _WEIGHT.match(text):
        shapes = parse_shapes(text)[0] if text.lstrip()[0] in "×x*@" else ()
        return _Said(weight=shapes[0] if len(shapes) == 1 else None)
    sides = _ARROW.split(text)
    if len(sides) > 1 and "[" in sides[-1]:
        taken, before = parse_shapes(sides[0])
        given, after = parse_shapes(sides[-1])
        if given:
            return _Said(taken, given, (), "o" if not taken else "io", "", f"{before} {after}".strip(), _asked(text))
    shapes, left = parse_shapes(text)
    if len(shapes) > 1 and _PRODUCT.search(text):
        return _Said(inputs=shapes, keys="i", rest=left, asked=_asked(text))
    return _Said(bare=shapes, rest=left, asked=bool(shapes) and _asked(text))


class _Reading:
    """One label while it is read."""

    def __init__(self) -> None:
        self.inputs: list[Shape] = []
        self.outputs: list[Shape] = []
        self.bare: list[Shape] = []
        self.keys = ""
        self.asked = False
        self.placement: Placement | None = None
        self.rest: list[str] = []
        self._opens = ""

    def line(self, text: str) -> str:
        """Take one line in; what remains of it."""
        if placement := gpus_of_line(text):
            self.placement = join(self.placement, placement)
            return placement.rest
        said = _said(text)
        self.asked |= said.asked
        opened, self._opens = self._opens, said.opens
        if said.bare and opened:
            (self.inputs if opened == "i" else self.outputs).extend(said.bare)
            self._opens = opened
            return said.rest
        if said.weight and self.bare and not self.keys:
            self._multiply(said.weight)
        rest = said.rest
        if rest and "[" in text and (placement := gpus_of_line(rest)):
            self.placement = join(self.placement, placement)
            rest = placement.rest
        self.inputs += said.inputs
        self.outputs += said.outputs
        self.bare += said.bare
        self.keys += said.keys
        if said.same and not self.outputs:
            self.outputs = list(self.inputs)
        operands = bool(self.bare) and all(_OPERAND.match(shape.name) for shape in self.bare)
        if said.outputs and "i" not in self.keys and operands:
            # `[A]` and then `→ [B]`, or `Q: [A]`: the first is what comes in. `Up: [A]` is a step between.
            self.inputs, self.bare, self.keys = self.bare, [], self.keys + "i"
        return rest

    def _multiply(self, weight: Shape) -> None:
        """`[A, k]` and then `×[k, n]`: the first is what comes in, and `[A, n]` comes out."""
        taken = self.bare.pop()
        self.inputs.append(taken)
        self.keys += "i"
        if len(weight.dims) == 2 and taken.dims[-1].text == weight.dims[0].text:
            self.outputs.append(Shape((*taken.dims[:-1], weight.dims[1]), taken.count))
            self.keys += "o"


def _first_names(shapes: Sequence[Shape]) -> tuple[str, ...]:
    return tuple([dim.name for dim in shapes[0].dims]) if shapes else ()


_Shapes = tuple[Shape, ...]
_Core = tuple[str, _Shapes, _Shapes, _Shapes, bool, bool, bool, Placement | None, tuple[str, ...], int, tuple[str, ...]]


@lru_cache(maxsize=1 << 12)
def _unread(text: str) -> bool:
    """Whether a line that gave no fact of its own was of no use: places and ways to cut a matrix were."""
    return not is_place(text) and not is_way(text)


def _without_degrees(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Ranks are counted from 0 or 1; where all are higher (`mha_tp8`), they are degrees and dropped."""
    ranks = {facts.place.rank for facts in nodes if facts.place.rank is not None}
    if not ranks or min(ranks) <= 1:
        return nodes
    return [
        facts if facts.place.rank is None else replace(facts, place=replace(facts.place, rank=None)) for facts in nodes
    ]


class Labels:
    """The facts of every node of one graph."""

    def __init__(self, graph: DotGraph) -> None:
        self._graph = graph
        self._cores: dict[tuple[str, str], _Core] = {}

    @cached_property
    def nodes(self) -> list[NodeFacts]:
        """By node number."""
        clusters = self._clusters
        found = []
        for node, (name, attributes) in enumerate(zip(self._graph.node_ids, self._graph.node_attributes, strict=True)):
            label, shape = attributes.get("label", "\\N"), attributes.get("shape", "")
            if "xlabel" in attributes:
                label = f"{label}\\n{attributes['xlabel']}"
            if label == "\\N":
                label = ""
            elif "\\N" in label:
                label = label.replace("\\N", name)
            core = self._cores.get((label, shape))
            if core is None:
                core = self._cores[label, shape] = self._core(label, shape)
            title, inputs, outputs, bare, has_input, has_output, asked, placement, rest, length, places = core
            by_id = gpus_of_id(name)
            operation = operation_of(title, name, shape)
            operation = narrowed(operation, title, rest, _first_names(inputs), _first_names(outputs))
            if title and not operation:
                rest = (title, *rest)
            found.append(
                NodeFacts(
                    title, operation, inputs, outputs, bare, has_input, has_output, asked,
                    placement or by_id or clusters.get(node), by_id, place_of(name, title, *places), rest, length,
                )
            )  # fmt: skip
        return _without_degrees(found)

    @staticmethod
    def _core(label: str, shape: str) -> _Core:
        """What the label alone says."""
        reading = _Reading()
        title = ""
        rest: list[str] = []
        places: list[str] = []
        lines = label_lines(label, shape)
        for line in lines:
            left = reading.line(line)
            if not left:
                continue
            if _BULLET.match(left):
                rest.append(left)
            elif not title and not reading.keys and not reading.bare:
                title = left
            elif is_place(left):
                places.append(left)
            elif not rest and title and not operation_of(title, "") and operation_of(left, ""):
                title = f"{title}: {left}"
            else:
                rest.append(left)
        length = sum(len(line.replace(" ", "")) for line in lines)
        return (
            title, tuple(reading.inputs), tuple(reading.outputs), tuple(reading.bare), "i" in reading.keys,
            "o" in reading.keys, reading.asked, reading.placement, tuple(rest), length, tuple(places),
        )  # fmt: skip

    @cached_property
    def _clusters(self) -> dict[int, Placement]:
        """The GPUs of nodes by the innermost cluster that names some."""
        found: dict[int, Placement] = {}
        for subgraph in self._graph.subgraphs:
            lines = label_lines(subgraph.attributes.get("label", ""))
            if placement := cluster_gpus(subgraph.name or "", lines):
                found.update(dict.fromkeys(subgraph.nodes, placement))
        return found

    @cached_property
    def leftover(self) -> list[IdGroup]:
        """Text that was not understood, one group for each template, the most frequent first."""
        return self.leftover_of(self.unread)

    @cached_property
    def unread(self) -> list[int]:
        """The nodes whose labels hold text that was not understood."""
        return [node for node, facts in enumerate(self.nodes) if any(map(_unread, facts.rest))]

    def leftover_of(self, nodes: Iterable[int]) -> list[IdGroup]:
        """What was not understood of some nodes, by template; ``first`` is the first node that says it."""
        texts = [(node, text) for node in nodes for text in self.nodes[node].rest if _unread(text)]
        return [replace(group, first=texts[group.first][0]) for group in group_ids(text for _, text in texts)]

    def operators(self) -> Counter[str]:
        """How often each operator was read; the empty name counts the unknown ones."""
        return Counter(facts.op for facts in self.nodes)
