"""The ten promises deployment documents make of their DAG, each with what was really found.

Nothing is ticked that was not checked: where the facts stand in labels only, the line says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from dagtool.report.finding import CheckItem, Finding
from dagtool.report.quote import name_of

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["checklist"]

_GUESSED = "by the titles; not checked against declared operators"


def checklist(ctx: Context, findings: Sequence[Finding], asked: Collection[str]) -> list[CheckItem]:
    """The ten lines, in the documents' order; ``asked`` are the codes of the rules that could be asked."""
    verdicts = _Verdicts(findings, asked)
    described = _declared if ctx.dag.declared else _foreign
    return [_cycles(ctx), *described(ctx, verdicts), _colors(ctx)]


class _Verdicts:
    """What families of rules say together."""

    def __init__(self, findings: Sequence[Finding], asked: Collection[str]) -> None:
        from dagtool.validators.catalogue import all_rules

        self._counts = Counter[str]()
        for finding in findings:
            self._counts[finding.code] += finding.count
        self._asked = asked
        self._known = [loaded.rule.code for loaded in all_rules()]

    def wrong(self, *prefixes: str) -> int:
        """How many places are at fault."""
        return sum(count for code, count in self._counts.items() if code.startswith(prefixes))

    def item(self, text: str, *prefixes: str, otherwise: bool = True) -> CheckItem:
        """Not so if something is at fault, so if all the rules were asked, else not checked."""
        if wrong := self.wrong(*prefixes):
            return CheckItem(False, f"{text}, {wrong:,} at fault")
        if not otherwise:
            return CheckItem(False, text)
        for prefix in prefixes:
            codes = [code for code in self._known if code.startswith(prefix)]
            if not codes or any(code not in self._asked for code in codes):
                return CheckItem(None, f"{text}; not all checked ({prefix} rules not asked)")
        return CheckItem(True, f"{text}, none at fault")


def _cycles(ctx: Context) -> CheckItem:
    if not ctx.directed:
        return CheckItem(None, "no cycles: the graph is undirected")
    if ctx.acyclic:
        edges = f"{len(ctx.dag.tails):,} edge{'' if len(ctx.dag.tails) == 1 else 's'}"
        alone = f", but {len(ctx.isolated):,} of {ctx.size:,} nodes have no edge at all" if ctx.isolated else ""
        return CheckItem(True, f"no cycles: acyclic, {edges}{alone}")
    parts = ctx.cyclic_components
    nodes = sum(map(len, parts))
    return CheckItem(False, f"no cycles: {nodes:,} nodes lie on cycles, in {len(parts):,} group(s)")


def _of_all(count: int, size: int, what: str) -> str:
    return f"{count:,} of {size:,} {what}"


def _foreign(ctx: Context, verdicts: _Verdicts) -> Iterator[CheckItem]:
    """Lines two to nine where only labels speak."""
    assert ctx.labels is not None
    nodes, size = ctx.labels.nodes, ctx.size
    dims = sum(facts.has_input and facts.has_output for facts in nodes)
    gpus = sum(facts.placement is not None for facts in nodes)
    exact = sum(facts.placement is not None and facts.placement.exact for facts in nodes)
    families = Counter(facts.operation.family for facts in nodes)
    ops = ctx.labels.operators()
    odd = verdicts.wrong("DIM212")
    agree = f"; {odd:,} edges between sizes that do not agree" if odd else "; not checked on every edge"
    yield _label_item("input and output dimensions", dims, size, f"labels state both{agree}")
    yield _label_item("GPU assignments", gpus, size, f"nodes name a GPU, {exact:,} of them by number")
    text = f"communication operations represented: {families['communication']:,} nodes"
    yield CheckItem(None, f"{text} {_GUESSED}")
    yield _foreign_gates(ctx)
    known = size - ops[""]
    yield CheckItem(None, f"operator-level detail: {_of_all(known, size, 'titles name an operator')}")
    parts = ", ".join(f"{ops[part]:,} {part}" for part in ("scores", "softmax", "weighted_sum"))
    whole = ", ".join(f"{ops[part]:,} {part}" for part in ("attention", "fused") if ops[part])
    yield CheckItem(None, f"attention fully decomposed: {parts}{f'; whole: {whole}' if whole else ''} {_GUESSED}")
    yield _foreign_collectives(verdicts, ops)
    unknown = verdicts.wrong("STY903")
    strange = f" ({unknown:,} of a shape Graphviz does not know)" if unknown else ""
    yield CheckItem(False if unknown else None, f"node shapes: {_shapes(ctx)}{strange}; not held against the operators")


def _foreign_collectives(verdicts: _Verdicts, ops: Counter[str]) -> CheckItem:
    names = (
        "all_gather",
        "all_reduce",
        "all_to_all",
        "broadcast",
        "recv",
        "reduce_scatter",
        "send",
        "send_recv",
        "transfer",
    )
    found = ", ".join(f"{ops[name]:,} {name}" for name in names if ops[name]) or "none"
    wrong = verdicts.wrong("COM410")
    text = f"all-reduce and all-to-all included: {found}"
    if wrong:
        return CheckItem(False, f"{text}; {wrong:,} all-reduces change the size of their value")
    return CheckItem(None, f"{text} {_GUESSED}")


def _label_item(what: str, count: int, size: int, rest: str) -> CheckItem:
    """Stated by all is no proof, but not stated is a fact."""
    return CheckItem(None if count == size else False, f"{what}: {_of_all(count, size, rest)}")


def _shapes(ctx: Context) -> str:
    assert ctx.graph is not None
    shapes = Counter(attributes.get("shape") or "ellipse" for attributes in ctx.graph.node_attributes)
    return ", ".join(f"{count:,} {name_of(shape)}" for shape, count in shapes.most_common(5))


def _foreign_gates(ctx: Context) -> CheckItem:
    from dagtool.validators.roles import words

    facts = ctx.labels.nodes if ctx.labels else []
    gates = {node for node, name in enumerate(ctx.dag.ids) if words(name) & {"gate", "router", "gating"}}
    gates -= {node for node in gates if facts and facts[node].op in ("linear", "activation")}  # a gated MLP's gate_proj
    return _dashed(ctx, gates, "named gate or router")


def _dashed(ctx: Context, gates: set[int], which: str) -> CheckItem:
    """How many edges out of the gates are dashed."""
    if ctx.graph is None:
        return CheckItem(None, "expert routing dashed: no picture")
    edges = [edge for edge, tail in enumerate(ctx.dag.tails) if tail in gates]
    dashed = sum("dashed" in ctx.graph.edge_attributes[edge].get("style", "") for edge in edges)
    what = "expert routing dashed"
    if not gates:
        return CheckItem(None, f"{what}: no node is {which}")
    leaving = _of_all(dashed, len(edges), "edges that leave")
    text = f"{what}: {leaving} the {len(gates):,} node(s) {which} are dashed"
    return CheckItem(dashed == len(edges) and dashed > 0, text)


def _declared(ctx: Context, verdicts: _Verdicts) -> Iterator[CheckItem]:
    """Lines two to nine where operators, types and GPUs are declared."""
    dag, size = ctx.dag, ctx.size
    per_kind = Counter(dag.kind_of)
    ops, families = Counter[str](), Counter[str]()
    for kind, count in per_kind.items():
        ops[dag.kinds[kind].op] += count
        families[ctx.families[kind]] += count
    typed = sum(count for kind, count in per_kind.items() if dag.kinds[kind].outputs)
    text = f"input and output dimensions: {_of_all(typed, size, 'nodes declare their types')}"
    yield verdicts.item(text, "DIM", "SHD", otherwise=typed == size)
    placed = size - dag.devices_of.count(-1)
    gpus = len({gpu for gpus in dag.device_sets for gpu in gpus})
    text = f"GPU assignments: {_of_all(placed, size, 'nodes name their GPUs')}, {gpus:,} GPUs in all"
    yield verdicts.item(text, "DEV501", "DEV502")
    text = f"communication operations represented: {families['communication']:,} nodes"
    yield verdicts.item(text, "COM", "DEV503")
    gates = {node for node, kind in enumerate(dag.kind_of) if dag.kinds[kind].op == "gate"}
    yield _dashed(ctx, gates, "of operator gate")
    known = size - families[""]
    text = f"operator-level detail: {_of_all(known, size, 'nodes')} of {len(ops):,} operators"
    yield CheckItem(known == size, text)
    yield _attention(ops)
    yield verdicts.item(f"all-reduce and all-to-all included: {_collectives(ctx, ops)}", "COM", "SHD")
    yield verdicts.item(f"node shapes: {_shapes(ctx) if ctx.graph else 'no picture'}", "STY901", "STY903")


def _attention(ops: Counter[str]) -> CheckItem:
    parts = ("scores", "softmax", "weighted_sum")
    if not any(ops[part] for part in parts):
        return CheckItem(None, "attention fully decomposed: the graph has no attention")
    text = ", ".join(f"{ops[part]:,} {part}" for part in parts)
    return CheckItem(len({ops[part] for part in parts}) == 1, f"attention fully decomposed: {text}")


def _collectives(ctx: Context, ops: Counter[str]) -> str:
    kinds = zip(ctx.dag.kinds, ctx.families, strict=True)
    names = sorted({kind.op for kind, family in kinds if family == "communication"})
    return ", ".join(f"{ops[name]:,} {name}" for name in names) or "no communication"


def _colors(ctx: Context) -> CheckItem:
    if ctx.graph is None:
        return CheckItem(None, "color coding: no picture")
    colors = {attributes.get("fillcolor") or attributes.get("color") for attributes in ctx.graph.node_attributes}
    count = len(colors - {None})
    return CheckItem(count > 1, f"color coding: {count:,} colors")
