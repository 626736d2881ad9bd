"""The DAG of a file that declares nothing, with the operators, layers, blocks and GPUs that are guessed.

A guess may be wrong, so no price is worked out from it; a picture only looks like ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.algorithms import degrees, successors, topological_order
from dagtool.dag.graph import Dag, Kind
from dagtool.foreign.operators import without_addresses
from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from dagtool.foreign.facts import NodeFacts
    from dagtool.foreign.operators import Operation

__all__ = ["drawn_family", "guess_dag", "role_of_id"]

_FAMILIES = {"gate": "routing", "residual": "compute", "placeholder": ""}
"""Families of labels that are no families of operators."""
_NAMES = {"residual": "add"}
_PLACES = re.compile(
    r"(?:^|_)(?:layer|lyr|l|gpu|g|device|dev|d|expert|exp|e|stage|s|tp|ep|pp|dp|rank|r|t)_?\d+(?=_|$)", re.IGNORECASE
)
_NUMBERS_BEHIND = re.compile(r"(?:\d++_)++")
"""The numbers an id ends with, read backwards."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_WORD = re.compile(r"[\W\d_]+")
_EXPERT = re.compile(r"(^|_)(expert)_?\d+(?=_|$)", re.IGNORECASE)
_ATTENTION = frozenset({"attention", "scores", "softmax", "weighted_sum", "cache"})
_MOE = frozenset({"gate", "experts", "route", "route_back", "routing", "dispatch", "aggregate", "combine"})
_ATTENTION_ROLE = re.compile(r"(?:^|_)(?:attn|attention|mha|qkv|[qkv]_proj)(?:_|$)")


def guess_dag(dag: Dag) -> Dag:
    """Give a graph the kinds, layers, experts and GPUs of the guess; one that declares its operators stays as it is.

    So does one that is no deployment of a model.
    """
    if dag.declared or any(kind.role for kind in dag.kinds) or dag.source is None or dag.source.node_ids != dag.ids:
        return dag
    from dagtool.foreign.deployment import is_plain
    from dagtool.foreign.guess import guess

    guessed = guess(dag.source)
    if is_plain(guessed):
        return dag
    facts = guessed.nodes
    layers = [-1 if one.place.layer is None else one.place.layer for one in facts]
    kind_of, kinds = dag.kind_of, dag.kinds
    if any(one.operation for one in facts):
        numbers: dict[Kind, int] = {}
        rows = zip(dag.ids, facts, _blocks(dag, facts, layers), strict=True)
        kind_of = [numbers.setdefault(_kind(*row), len(numbers)) for row in rows]
        kinds = list(numbers)
    devices: dict[tuple[int, ...], int] = {}
    return replace(
        dag,
        kind_of=kind_of,
        kinds=kinds,
        layer_of=layers,
        expert_of=[-1 if one.place.expert is None else one.place.expert for one in facts],
        devices_of=[devices.setdefault(held, len(devices)) if held else -1 for held in guessed.gpus],
        device_sets=list(devices),
    )


def drawn_family(operation: Operation) -> str:
    """Name the family of operators that an operation is drawn as."""
    return _FAMILIES.get(operation.family, operation.family)


def _kind(name: str, facts: NodeFacts, block: str) -> Kind:
    op = _NAMES.get(facts.op, facts.op)
    role = role_of_id(name) or _NO_WORD.sub("_", facts.title).strip("_").lower() or op or "node"
    shape = facts.gives[0] if facts.gives else None
    output = f"[{', '.join(f'{dim.name}={dim.text}' if dim.name else dim.text for dim in shape.dims)}]" if shape else ""
    params = (("family", drawn_family(facts.operation)), ("output", output))
    return Kind(op if op in OPERATORS else "", f"{block}.{role}" if block else role, params=params)


def role_of_id(name: str) -> str:
    """What an id says of the part that a node plays; empty where it is a number, a letter, an address or "node"."""
    role = _role(without_addresses(name))
    return role if _WORD.search(role) and _NO_WORD.sub("", role).lower() != "node" else ""


def _role(name: str) -> str:
    """What remains of an id without the numbers of its place: ``q_proj`` of ``layer0_q_proj_gpu3``.

    That it is an expert stays: ``expert_up`` of ``layer0_expert3_up``.
    """
    role = _EXPERT.sub(r"\1\2", name)
    behind = _NUMBERS_BEHIND.match(role[::-1])
    end = len(role) - (behind.end() if behind else 0)
    found = [match.span() for match in _PLACES.finditer(role)]
    edges = [0, *(edge for span in found for edge in span), max(end, found[-1][1] if found else 0)]
    return "".join(role[start : min(stop, end)] for start, stop in zip(edges[::2], edges[1::2], strict=True)).strip("_")


def _blocks(dag: Dag, facts: Sequence[NodeFacts], layers: Sequence[int]) -> list[str]:
    """The block of each node of a layer: a layer is divided after each residual add; empty outside of layers."""
    parts = _parts(dag, facts, layers)
    ops: dict[tuple[int, int], set[str]] = {}
    for node, (layer, part) in enumerate(zip(layers, parts, strict=True)):
        if layer >= 0:
            ops.setdefault((layer, part), set()).update((facts[node].op, _role(dag.ids[node]).lower()))
    names = {key: _block(found) for key, found in ops.items()}
    return [names.get((layer, part), "") for layer, part in zip(layers, parts, strict=True)]


def _parts(dag: Dag, facts: Sequence[NodeFacts], layers: Sequence[int]) -> list[int]:
    """How many residual adds of its own layer lie before each node, two at most."""
    count = len(dag.ids)
    incoming, _ = degrees(count, dag.tails, dag.heads)
    after = successors(count, dag.tails, dag.heads)
    parts = [0] * count
    for node in topological_order(after, incoming):
        step = parts[node] + (facts[node].operation.family == "residual")
        for head in after.of(node):
            if layers[head] == layers[node]:
                parts[head] = min(2, max(parts[head], step))
    return parts


def _block(found: Iterable[str]) -> str:
    words = set(found)
    if words & _MOE or any("expert" in word for word in words):
        return "moe"
    if words & _ATTENTION or any(_ATTENTION_ROLE.search(word) for word in words):
        return "attention"
    return "mlp" if words & {"mlp", "activation", "linear"} else "rest"
