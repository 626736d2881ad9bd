"""Our dialect of DOT, read: attributes become kinds, types, GPUs. See docs/dialect.md.

Whatever cannot be read becomes a Problem on its node; the rest is read all the same. A file that does not
say ``dagtool=1`` is foreign, unless most of its nodes are written in our dialect: then its header was lost (DIM225
says so) and it is read as if it stood there. Of a foreign file only the structure is known.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from dagtool.dag.graph import Dag, EdgeKind, Kind, Port, Problem
from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.dot.resemblance import resembles_dialect
from dagtool.model.byte_count import parse_bytes
from dagtool.model.mesh import MeshError, parse_gpus, parse_meshes
from dagtool.model.tensor import TypeTextError, parse_ports
from dagtool.model.tree import ModelError, parse_model
from dagtool.ops import OPERATORS, LayoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagtool.dot.graph import DotGraph

__all__ = ["NODE_FACTS", "PARAMETERS", "VERSION", "to_dag"]

PARAMETERS = tuple(sorted({one.name for operator in OPERATORS.values() for one in operator.attributes}))
"""Attributes that are parameters of an operator."""

VERSION = "1"
"""The dialect written and read here, graph attribute ``dagtool``."""

NODE_FACTS = ("op", "role", "input", "output", "phase", "gpu", "layer_index", "expert")
"""Attributes that any node has."""

_KIND_KEYS = (*NODE_FACTS[:5], *PARAMETERS)
_KNOWN = GRAPHVIZ_NAMES.union(NODE_FACTS, PARAMETERS)


def to_dag(graph: DotGraph) -> Dag:
    """The typed graph a file describes; never raises, what is unreadable stands in ``problems``."""
    declared = "dagtool" in graph.attributes or resembles_dialect(graph)
    dag = Dag(name=graph.name or "", ids=graph.node_ids, tails=graph.tails, heads=graph.heads)
    dag.source, dag.declared = graph, declared
    if declared:
        _read_header(graph, dag)
        _read_nodes(graph, dag)
        _read_edges(graph, dag)
    else:
        count = len(graph.node_ids)
        dag.kinds = [Kind("")]
        dag.kind_of, dag.devices_of = [0] * count, [-1] * count
        dag.layer_of, dag.expert_of = [-1] * count, [-1] * count
        dag.edge_kind_of = [0] * len(graph.tails)
    return dag


def _read_header(graph: DotGraph, dag: Dag) -> None:
    attributes = graph.attributes
    for part in attributes.get("sizes", "").split():
        symbol, _, value = part.partition("=")
        number = _positive(value)
        if not _SYMBOL.match(symbol) or not (number or value == symbol):
            dag.problems.append(Problem(-1, "sizes", f"cannot read {part[:40]!r} as a size, like B=128 or B=B"))
        elif symbol in dag.sizes:
            dag.problems.append(Problem(-1, "sizes", f"gives {symbol} twice"))
        else:
            dag.sizes[symbol] = number or None
    try:
        dag.meshes = parse_meshes(attributes.get("meshes", ""))
    except MeshError as error:
        dag.problems.append(Problem(-1, "meshes", str(error)))
    version = attributes.get("dagtool", VERSION)
    if version != VERSION:
        dag.problems.append(Problem(-1, "dagtool", f"is of dialect {version!r}; this dagtool reads {VERSION!r}"))
    if "model" in attributes:
        try:
            parse_model(attributes["model"])
        except ModelError as error:
            dag.problems.append(Problem(-1, "model", str(error)))
    if "gpu_memory" in attributes:
        try:
            parse_bytes(attributes["gpu_memory"])
        except ValueError as error:
            dag.problems.append(Problem(-1, "gpu_memory", str(error)))
    dag.facts = {key: attributes[key] for key in _FACTS if key in attributes}


_FACTS = ("preset", "model", "phase", "padded", "gpu_memory")

_SYMBOL = re.compile(r"[A-Z][A-Za-z0-9_]*\Z")


def _positive(text: str) -> int:
    """A number of at least 1 and at most 18 digits; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _read_nodes(graph: DotGraph, dag: Dag) -> None:
    kinds: dict[tuple[str | None, ...], int] = {}
    forms: dict[tuple[str, ...], _Form] = {}
    devices: dict[str | None, int] = {None: -1}
    numbers: dict[str | None, int] = {None: -1}
    kind_of, devices_of, layer_of, expert_of = dag.kind_of, dag.devices_of, dag.layer_of, dag.expert_of
    for node, attributes in enumerate(graph.node_attributes):
        get = attributes.get
        names = tuple(attributes)
        form = forms.get(names)
        if form is None:
            form = forms[names] = _Form(names)
        values = form.values(attributes)
        kind = form.kinds.get(values)
        if kind is None:
            key = tuple([get(name) for name in _KIND_KEYS])
            kind = form.kinds[values] = kinds.setdefault(key, len(kinds))
            if kind == len(dag.kinds):
                dag.kinds.append(_kind(key, node, dag))
        kind_of.append(kind)
        for name in form.unread:
            dag.unread.setdefault(name, []).append(node)
        gpu = get("gpu")
        if gpu not in devices:
            devices[gpu] = _device_set(gpu, node, dag)
        devices_of.append(devices[gpu])
        layer, expert = get("layer_index"), get("expert")
        if layer not in numbers:
            numbers[layer] = _number(layer, "layer_index", node, dag)
        layer_of.append(numbers[layer])
        if expert not in numbers:
            numbers[expert] = _number(expert, "expert", node, dag)
        expert_of.append(numbers[expert])


class _Form:
    """Nodes that have the same attributes, written in the same order: which of them make the kind is found once."""

    __slots__ = ("kinds", "unread", "values")

    def __init__(self, names: tuple[str, ...]) -> None:
        ours = [name for name in _KIND_KEYS if name in names]
        self.unread = [name for name in names if name not in _KNOWN]
        self.kinds: dict[tuple[str, ...], int] = {}
        # With a single name itemgetter would give no tuple.
        self.values: Callable[[Mapping[str, str]], tuple[str, ...]] = (
            itemgetter(*ours, ours[0]) if ours else lambda _: ()
        )


def _kind(key: tuple[str | None, ...], node: int, dag: Dag) -> Kind:
    op, role, *ports = key[:4]
    phase = key[4] or ""
    read: list[tuple[Port, ...]] = []
    for attribute, text in zip(("input", "output"), ports, strict=True):
        try:
            read.append(tuple(Port(name, tensor) for name, tensor in parse_ports(text)) if text else ())
        except TypeTextError as error:
            dag.problems.append(Problem(node, attribute, str(error)))
            read.append(())
    params = {name: text for name, text in zip(PARAMETERS, key[5:], strict=True) if text is not None}
    return Kind(op or "", role or "", read[0], read[1], _parameters(op or "", params, node, dag), phase)


def _parameters(op: str, given: dict[str, str], node: int, dag: Dag) -> tuple[tuple[str, str], ...]:
    """Those that the operator declares in its order, then the others; a text that is no such value is a problem."""
    declared = OPERATORS[op].attributes if op in OPERATORS else ()
    for one in declared:
        if one.stated(given):
            try:
                one.parse(given[one.name])
            except LayoutError as error:
                dag.problems.append(Problem(node, one.name, str(error)))
    first = [one.name for one in declared if one.name in given]
    return tuple((name, given[name]) for name in dict.fromkeys([*first, *given]))


def _device_set(text: str | None, node: int, dag: Dag) -> int:
    try:
        gpus = parse_gpus(text or "")
    except MeshError as error:
        dag.problems.append(Problem(node, "gpu", str(error)))
        return -1
    dag.device_sets.append(gpus)
    return len(dag.device_sets) - 1


def _number(text: str | None, attribute: str, node: int, dag: Dag) -> int:
    if text is not None and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    dag.problems.append(Problem(node, attribute, f"cannot read {(text or '')[:40]!r} as a number"))
    return -1


def _read_edges(graph: DotGraph, dag: Dag) -> None:
    kinds: dict[tuple[str, str], int] = {("", ""): 0}
    for attributes in graph.edge_attributes:
        key = (attributes.get("arg", ""), attributes.get("out", "")) if attributes else ("", "")
        if key not in kinds:
            kinds[key] = len(dag.edge_kinds)
            dag.edge_kinds.append(EdgeKind(*map(_names, key)))
        dag.edge_kind_of.append(kinds[key])


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
