"""What the attributes of a node state, by the names that scripts use who write graphs with networkx or pydot."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dagtool.foreign.dims import Shape, parse_dim, parse_shapes
from dagtool.foreign.gpus import Placement, gpus_of_line, is_plural
from dagtool.foreign.operators import UNKNOWN, Operation, operation_of

__all__ = ["NAMES", "AttributeFacts", "fields_of_label", "read_attributes"]

NAMES: Mapping[str, str] = {
    **dict.fromkeys(("op", "operator", "operation", "op_type", "optype", "op_name", "type", "kind"), "operator"),
    **dict.fromkeys(
        ("gpu", "gpus", "gpu_id", "gpu_ids", "device", "devices", "device_id", "device_ids", "rank", "ranks",
         "placement"), "gpu"
    ),
    **dict.fromkeys(
        ("input", "inputs", "input_shape", "input_shapes", "input_dims", "input_dim", "input_size", "in_shape",
         "in_dims", "shape_in", "dims_in"), "input"
    ),
    **dict.fromkeys(
        ("output", "outputs", "output_shape", "output_shapes", "output_dims", "output_dim", "output_size", "out_shape",
         "out_dims", "shape_out", "dims_out"), "output"
    ),
    **dict.fromkeys(("shape", "dims", "dimensions", "tensor_shape"), "dimensions"),
    **dict.fromkeys(("layer", "layer_index", "layer_id", "layer_idx", "layer_num", "block_index"), "layer"),
    **dict.fromkeys(("stage", "stage_id", "pp_stage", "pp_rank", "pipeline_stage"), "stage"),
    **dict.fromkeys(("expert", "expert_id", "expert_idx", "expert_index"), "expert"),
}  # fmt: skip
"""The fact that each name of an attribute stands for, in small letters."""

_WHOLE = re.compile(r"[A-Za-z_ ]{0,8}(\d{1,6})\Z")
_CUDA = re.compile(r"(?:cuda|gpu|device|rank)\s?[:_-]?\s?(?=\d)", re.IGNORECASE)
_GPU_LIST = re.compile(r"[\[({]?[\d\s,;:.–-]+[\])}]?\Z")
_WORD = r"\w++(?:(?<=\dx)\s++\w++)*+\s*+"  # of ``4x 128`` the x is a part of the word before
_SIZE = rf"{_WORD}(?:=\s*+{_WORD})?+"
_SIZES = re.compile(rf"[\[({{]?\s*+{_SIZE}(?:[,x×*]\s*+{_SIZE})*+,?\s*+[\])}}]?\Z")
_STARTS_NUMBER = re.compile(r"(?<![^\W_])\d")  # `box3d` is an outline
_LAYOUT = re.compile(r"(?:sum|max|vary)\([\w, ]*\)|@\w+")
"""What the dialect of this tool writes behind a shape: ``sum(tp) @all``."""
_ALSO_OF_OTHERS = frozenset(
    {"type", "kind", "op_name", "shape", "rank", "layer", "input", "output", "inputs", "outputs"}
)
"""Names that mean something else to Graphviz or to graphs of other kinds: a value that is no fact is not reported."""
_SIMPLE = frozenset({"type", "kind", "op_name"})
"""Names that many kinds of graph use: they count only where their value is an operator for sure."""


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """The facts of one node's attributes, by kind, and the name of the attribute that each comes from."""

    operation: Operation = UNKNOWN
    placement: Placement | None = None
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    bare: tuple[Shape, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Layer, stage and expert."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The attribute that states a fact, by the fact."""
    unread: tuple[tuple[str, str], ...] = ()
    """Attributes whose names promise a fact and whose values are not understood."""
    product: tuple[tuple[Shape], tuple[Shape]] | None = None
    """What goes into and comes out of a matrix product that ``m``, ``k`` and ``n`` give the sizes of."""


_NONE = AttributeFacts()


def read_attributes(attributes: Mapping[str, str]) -> AttributeFacts:
    """Read the attributes that state facts."""
    stated = tuple((name, value) for name, value in attributes.items() if name.lower() in NAMES and value.strip())
    found = _read(stated) if stated else _NONE
    if "m" not in attributes:
        return found
    sizes = [attributes.get(name, "").strip() for name in "mkn"]
    if not all(size.isdecimal() for size in sizes):
        return found
    m, k, n = [parse_dim(size) for size in sizes]
    return replace(found, product=((Shape((m, k)),), (Shape((m, n)),)))


@lru_cache(maxsize=1 << 10)
def fields_of_label(label: str) -> Mapping[str, str]:
    """The fields of a label that is an object of JSON, ``{"op": "attn", "gpu": 3}``; empty for any other label."""
    if not label.endswith("}") or '":' not in label.replace(" ", ""):
        return {}
    try:
        fields = json.loads(label)
    except (ValueError, RecursionError):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}


@lru_cache(maxsize=1 << 12)
def _read(stated: tuple[tuple[str, str], ...]) -> AttributeFacts:
    found: dict[str, object] = {}
    names: dict[str, str] = {}
    unread = []
    for name, value in stated:
        fact = NAMES[name.lower()]
        read = _value(fact, name.lower(), value.strip())
        if read is not None:
            found.setdefault(fact, read)
            names.setdefault(fact, name)
        elif name.lower() not in _ALSO_OF_OTHERS and not (fact == "gpu" and _is_count(name, value.strip())):
            unread.append((name, value))
    if not names and not unread:
        return _NONE
    numbers = {fact: value for fact, value in found.items() if isinstance(value, int)}
    operation, placement = found.get("operator"), found.get("gpu")
    if isinstance(placement, Placement):
        placement = replace(placement, source=f"attribute {names['gpu']}")
    return AttributeFacts(
        operation if isinstance(operation, Operation) else UNKNOWN,
        placement if isinstance(placement, Placement) else None,
        _shapes(found.get("input")), _shapes(found.get("output")), _shapes(found.get("dimensions")),
        numbers, names, tuple(unread),
    )  # fmt: skip


def _shapes(found: object) -> tuple[Shape, ...]:
    return found if isinstance(found, tuple) else ()


def _value(fact: str, name: str, value: str) -> object:
    """The fact that a value states; None where it is not understood."""
    if fact == "operator":
        operation = operation_of(value.replace("_", " "), "")
        sure = name not in _SIMPLE or operation.confidence >= 1 or operation.op == "matmul"
        return operation if operation and sure else None
    if fact == "gpu":
        return None if _is_count(name, value) else _gpus(value)
    if fact in ("input", "output", "dimensions"):
        return _dimensions(value)
    whole = _WHOLE.match(value)
    return int(whole[1]) if whole else None


def _is_count(name: str, value: str) -> bool:
    """Whether an attribute says how many GPUs there are: ``gpus=4``."""
    return value.isdigit() and is_plural(name)


def _gpus(value: str) -> Placement | None:
    """``0``, ``0-3``, ``[0, 1]``, ``cuda:0``, ``GPU 3``, ``all``."""
    bare = _CUDA.sub("", value)
    text = f"GPU: {bare.strip('[](){}')}" if _GPU_LIST.match(bare) or bare.lower() in ("all", "cpu", "host") else value
    found = gpus_of_line(text.replace(";", ","))
    return found if found and not found.rest else None


def _dimensions(value: str) -> tuple[Shape, ...] | None:
    """``[4, 128, 512]``, ``(4, 128)``, ``4x128x512``, ``batch=4, hidden=512``; several shapes are kept apart."""
    plain = _SIZES.match(value) and _STARTS_NUMBER.search(value)
    value = _LAYOUT.sub("", value)
    text = f"[{value.strip('[](){} ').rstrip(',')}]" if plain else value.replace("(", "[").replace(")", "]")
    shapes, left = parse_shapes(text) if "[" in text else ((), value)
    return shapes if shapes and not re.search(r"\w", left) else None
