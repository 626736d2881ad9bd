"""What one label says: its title, dimensions, GPUs and places; each distinct line is worked out once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from dagtool.foreign.dims import Shape, ValueKind, is_dimension_word, is_size, parse_shapes
from dagtool.foreign.gpus import Placement, gpus_of_line, join, loose_gpus_of_lines, unite
from dagtool.foreign.operators import operation_of
from dagtool.foreign.place import Place, is_place, place_of_text
from dagtool.foreign.text import RECORDS, label_lines

__all__ = ["LabelFacts", "join_lines", "read_label"]

_KEY = re.compile(
    r"(?<![A-Za-z_])(?P<key>in(?:put)? ?[/&] ?out(?:put)?|in|out|inputs?|outputs?|输入|输出)"
    r"(?:[ _](?:dimensions?|dims?|shapes?|size))?"
    r"\s?(?P<tag>[A-Z]{1,2}|\d{1,2})?\s*[:：=]\s*",
    re.IGNORECASE,
)
_ARROW = re.compile(r"(?<!\s)\s*+(?:→|->|=>|⇒)\s*+")
_WEIGHT = re.compile(r"\s*[×x*@]\s*\[|\s*(?:weights?|W|bias|params?)\b\s*[:=]", re.IGNORECASE)
_SAME = re.compile(r"(?:the )?same(?: (?:shape|dims?|dimensions?|as input|shape as input))?\Z", re.IGNORECASE)
_OPERAND = re.compile(r"(?:[A-Z]{1,2}(?:\s?,\s?[A-Z])*)?\Z", re.IGNORECASE)
_PRODUCT = re.compile(r"\]\s*[×x*@]\s*\[")
_TENSOR = re.compile(
    r"(?:[A-Z]{1,3}|[a-z]|(?i:(?:hidden|final|local|partial|kv)?_?"
    r"(?:shapes?|sizes?|dims?|dimensions?|tensors?|data|cache|weights?|bias|params?|up|down|gate|hidden|states?|final|volume"
    r"|activations?|logits|query|key|tokens|results?)))(?:\s?,\s?[A-Z])*+\Z"
)
"""Names of tensors."""
_WORD = re.compile(r"[^\W\d_]\w*+")
_BESIDE = re.compile(
    r"(?:[A-Z]{1,2}|[a-z]|[TPEDSCtpedsc][Pp]\d*|each|(?i:per|of|tokens?|ids?|inputs?\d*|outputs?\d*|partitions?|copies|gpus?|devices?|ranks?|heads?"
    r"|experts?|layers?|tensors?|shapes?|sizes?|dims?|(?:b?f|fp|float|s|u|u?int)\d{1,2}))\Z"
)
"""Words beside a shape that are no prose."""
_NUMBER = re.compile(r"\d+")
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
class LabelFacts:
    """The facts of one label. Shapes under no key stand in ``bare``; ``rest`` is text that was not understood."""

    title: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    bare: tuple[Shape, ...]
    has_input: bool
    has_output: bool
    unknown: bool
    placement: Placement | None
    loose_placement: Placement | None
    """GPUs by another name (``rank 3``), where the label names none plainly."""
    rest: tuple[str, ...]
    length: int
    shape: str
    """The shape that the node is drawn in."""
    places: tuple[Place, ...]
    """What the title and the lines that only name places say of layer, stage, expert and rank."""


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
        opens = _side(match["key"])
        both = not match["key"].isalpha()  # Input/Output: one shape for the two
        if opens == "i":
            inputs.extend(shapes)
        if opens == "o" or both:
            outputs.extend(shapes)
        rest.append(left)
    written = "".join(_side(match["key"]) if match["key"].isalpha() else "io" for match in keys)
    left = " ".join(piece for piece in rest if not _KNOWN_TEXT.match(piece))
    same = opens == "o" and bool(_SAME.match(value))
    return _Said(tuple(inputs), tuple(outputs), (), written, "" if value else opens, left, _asked(text), same)


def _side(key: str) -> str:
    """Say of which side of a node a key is, ``i`` or ``o``."""
    return "o" if key == "输出" or key[0] in "oO" else "i"


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
        taken, before = _shapes(sides[0])
        given, after = _shapes(sides[-1])
        if given:
            return _Said(taken, given, (), "o" if not taken else "io", "", f"{before} {after}".strip(), _asked(text))
    shapes, left = _shapes(text)
    if len(shapes) > 1 and _PRODUCT.search(text):
        return _Said(inputs=shapes, keys="i", rest=left, asked=_asked(text))
    return _Said(bare=shapes, rest=left, asked=bool(shapes) and _asked(text))


def _shapes(text: str) -> tuple[tuple[Shape, ...], str]:
    """The shapes that stand under no key of input or output; brackets in prose are none: ``[1] Knuth``."""
    shapes, left = parse_shapes(text)
    alone = not shapes or _is_beside_a_shape(left)
    kept = tuple(shape for shape in shapes if _is_named(shape) or (alone and _is_of_a_tensor(shape)))
    return (kept, left) if kept else ((), text)


def _is_named(shape: Shape) -> bool:
    """Whether a shape says itself that it is one: by names of dimensions (``[B, S, 7168]``) or by its count."""
    if shape.count > 1 or any(dim.name for dim in shape.dims):
        return True
    kinds = {dim.kind for dim in shape.dims if dim.kind is not ValueKind.SYMBOL or is_dimension_word(dim.text)}
    return kinds == {ValueKind.INT, ValueKind.SYMBOL} and all(map(is_size, shape.dims))


def _is_of_a_tensor(shape: Shape) -> bool:
    """Whether the name before a bracket is a tensor's and what is inside can be sizes, unlike ``grid: [32, 4, 1]``."""
    if not any(dim.kind is not ValueKind.UNKNOWN for dim in shape.dims) or not all(map(is_size, shape.dims)):
        return False
    if not shape.name or _TENSOR.match(shape.name) or operation_of(shape.name, ""):
        return True
    return all(dim.kind is ValueKind.SYMBOL and is_dimension_word(dim.text) for dim in shape.dims)


def _is_beside_a_shape(text: str) -> bool:
    """Whether a text may stand beside a shape: what it is the shape of, and how often; prose may not."""
    words = _WORD.findall(text)
    return all(_BESIDE.match(word) or _TENSOR.match(word) for word in words) or bool(operation_of(text, ""))


def _is_mark(shape: Shape) -> bool:
    """Whether brackets hold one number or letter, as those of a reference do: ``[1]``, ``[x]``."""
    (dim, *more) = shape.dims
    if more or _is_named(shape):
        return False
    return dim.kind is ValueKind.INT or (dim.kind is ValueKind.SYMBOL and len(dim.text) == 1)


@lru_cache(maxsize=1 << 12)
def _form(line: str, rest: str) -> str:
    """How a line names GPUs: without their numbers and without the rest of it."""
    return _NUMBER.sub("#", line.replace(rest, "", 1)).strip()


class _Reading:
    """One label while it is read. ``divided``: each line is a field of a record, with a GPU of its own."""

    def __init__(self, divided: bool = False) -> None:
        self.inputs: list[Shape] = []
        self.outputs: list[Shape] = []
        self.bare: list[Shape] = []
        self.keys = ""
        self.asked = False
        self.placement: Placement | None = None
        self.rest: list[str] = []
        self.title = ""
        self._opens = ""
        self._divided = divided
        self._placed = ("", "")

    def line(self, text: str) -> str:
        """Take one line in; what remains of it."""
        if placement := gpus_of_line(text):
            self.place(text, placement)
            text = placement.rest
            if "[" not in text:
                return text
        said = _said(text)
        if said.bare and not self.keys and not operation_of(self.title, "") and all(map(_is_mark, said.bare)):
            return text
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

    def place(self, text: str, placement: Placement) -> None:
        """Take in the GPUs of a line; lines of one form (``GPU 0`` and ``GPU 1``) name GPUs beside one another."""
        before, self._placed = self._placed, (text, placement.rest)
        alone = self._divided or not (placement.rest or before[1])
        both = (
            unite(self.placement, placement)
            if self.placement and alone and _form(*before) == _form(text, placement.rest)
            else None
        )
        self.placement = both or join(self.placement, placement)

    def _multiply(self, weight: Shape) -> None:
        """`[A, k]` and then `×[k, n]`: the first is what comes in, and `[A, n]` comes out."""
        taken = self.bare.pop()
        self.inputs.append(taken)
        self.keys += "i"
        if len(weight.dims) == 2 and taken.dims[-1].text == weight.dims[0].text:
            self.outputs.append(Shape((*taken.dims[:-1], weight.dims[1]), taken.count))
            self.keys += "o"


def join_lines(lines: Iterable[tuple[str, Placement]], shape: str) -> Placement | None:
    """Join what the lines of a label, in a node of a shape, say of GPUs."""
    reading = _Reading(shape in RECORDS)
    for line, placement in lines:
        reading.place(line, placement)
    return reading.placement


def read_label(label: str, shape: str) -> LabelFacts:
    """Read a label as Graphviz draws it in a node of a shape."""
    reading = _Reading(shape in RECORDS)
    rest: list[str] = []
    places: list[str] = []
    lines = label_lines(label, shape)
    for line in lines:
        left = reading.line(line)
        if not left:
            continue
        if _BULLET.match(left):
            rest.append(left)
        elif not reading.title and not reading.keys and not reading.bare:
            reading.title = left
        elif is_place(left):
            places.append(left)
        elif not rest and reading.title and not operation_of(reading.title, "") and operation_of(left, ""):
            reading.title = f"{reading.title}: {left}"
        else:
            rest.append(left)
    length = sum(len(line.replace(" ", "")) for line in lines)
    return LabelFacts(
        reading.title, tuple(reading.inputs), tuple(reading.outputs), tuple(reading.bare), "i" in reading.keys,
        "o" in reading.keys, reading.asked, reading.placement,
        None if reading.placement else loose_gpus_of_lines(lines), tuple(rest), length, shape,
        tuple(map(place_of_text, (reading.title, *places))),
    )  # fmt: skip
