"""What a dispatch of routed tokens and its way back send: one copy of a token for each expert, or one for each host.

``copy``: each of a token's K experts gets a copy of its own, (n-1)/n of them on another GPU: a plain all-to-all.
``host``: over the network goes one copy to each host that has one of the K experts, and from there one to each of its
GPUs that has one; results come back added up in the same way (DeepEP's kernels for prefill and training,
https://github.com/deepseek-ai/DeepEP, ``csrc/kernels/internode.cu``; DeepSeek-V3, arXiv:2412.19437, section 3.2.2).

With K of E experts chosen evenly, a part of the cluster with E/h of the experts is met by a token with the
probability 1 - C(E - E/h, K)/C(E, K): none of the K is in it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

from dagtool.cost.collectives import Group
from dagtool.cost.dtypes import dtype_bytes
from dagtool.dag.graph import Dag, Kind
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, Work
from dagtool.ops.collective import Dispatch
from dagtool.ops.routing import EXPERTS

__all__ = ["DISPATCHES", "Exchanged", "distinct_parts", "exchanged", "sent_bytes"]

DISPATCHES = ("copy", "host")
"""Ways to send routed tokens."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Elements that one GPU sends inside its host, and over the network."""

    inside: Fraction
    outside: Fraction


def distinct_parts(experts: int, top_k: int, parts: int) -> Fraction:
    """Return in how many of ``parts`` parts of the experts, as equal as can be, a token's ``top_k`` lie on average."""
    each, larger = divmod(experts, parts)
    missed = (parts - larger) * comb(experts - each, top_k)
    missed += larger * comb(experts - each - 1, top_k) if larger else 0
    return parts - Fraction(missed, comb(experts, top_k))


def exchanged(dag: Dag, kind: Kind, work: Work, group: Group) -> Exchanged | None:
    """Return what one copy for each host makes each GPU send.

    None for what is no exchange of routed tokens, and while a size is a symbol.
    """
    operator = OPERATORS.get(kind.op)
    route = next((port.type for port in kind.inputs if port.name == "route"), None)
    if not isinstance(operator, Dispatch) or route is None or group.ranks < 2:
        return None
    sizes = (work.elements_moved[0], route.dims[-1].size, operator.read(kind.parameters, EXPERTS))
    copies, top_k, experts = (_number(dag, size) for size in sizes)
    if copies is None or top_k is None or experts is None:
        return None
    token = copies / top_k
    hosts = distinct_parts(int(experts), int(top_k), group.nodes)
    ranks = distinct_parts(int(experts), int(top_k), group.ranks)
    per_host = Fraction(group.ranks, group.nodes)
    return Exchanged(token * ranks * (1 - 1 / per_host), token * hosts * Fraction(group.nodes - 1, group.nodes))


def sent_bytes(dag: Dag, kind: Kind, work: Work, width_bytes: float, hosts: Group | None = None) -> float | None:
    """Return what one GPU sends in a node, elements without a data type of their own being ``width_bytes`` wide.

    ``hosts``: how its GPUs lie, where routed tokens go once to each host. None where nothing is sent here, and while a
    size is a symbol.
    """
    if work.elements_sent is None:
        return None
    width = float(dtype_bytes(work.sent_dtype, "activation")) if work.sent_dtype else width_bytes
    parts = exchanged(dag, kind, work, hosts) if hosts else None
    sent = parts.inside + parts.outside if parts else _number(dag, work.elements_sent)
    return None if sent is None else float(sent) * width


def _number(dag: Dag, size: Size) -> Fraction | None:
    bound = size.bind(dag.sizes)
    return None if bound.symbols else Fraction(bound.numerator, bound.denominator)
