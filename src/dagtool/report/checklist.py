"""The ten promises deployment documents make of their DAG, each with what was really found.

Nothing is ticked that was not checked, and nothing is crossed out without an error or a warning about it: what labels
leave open is not stated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from dagtool.report.finding import CheckItem, Finding, Severity
from dagtool.report.quote import name_of
from dagtool.report.verdict import plural

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["checklist"]

_GUESSED = "by their titles"


def checklist(ctx: Context, findings: Sequence[Finding], asked: Collection[str]) -> list[CheckItem]:
    """The ten lines, in the documents' order; ``asked`` are the codes of the rules that could be asked."""
    verdicts = _Verdicts(findings, asked)
    described = _declared if ctx.dag.declared else _foreign
    return [_cycles(ctx, verdicts), *described(ctx, verdicts), _colors(ctx)]


class _Verdicts:
    """What families of rules say together, errors and warnings alone."""

    def __init__(self, findings: Sequence[Finding], asked: Collection[str]) -> None:
        from dagtool.validators.catalogue import rule_codes

        self._counts = Counter[str]()
        for finding in findings:
            if finding.severity is not Severity.INFO:
                self._counts[finding.code] += finding.count
        self._asked = asked
        self._known = rule_codes()

    def judged(self, text: str, *prefixes: str, otherwise: bool | None = None) -> CheckItem:
        """False where one of these rules found an error or a warning, which the line then names."""
        wrong = self.found(*prefixes)
        if not wrong:
            return CheckItem(otherwise, text)
        return CheckItem(False, f"{text}; {sum(wrong.values()):,} at fault ({', '.join(sorted(wrong))})")

    def found(self, *prefixes: str) -> dict[str, int]:
        """How many places each of these rules found at fault."""
        return {code: count for code, count in self._counts.items() if code.startswith(prefixes)}

    def proved(self, text: str, *prefixes: str, whole: bool = True) -> CheckItem:
        """True where all of these rules could be asked and found nothing, of what is ``whole``."""
        missing = [prefix for prefix in prefixes if not self._all_asked(prefix)]
        if missing:
            return self.judged(f"{text}; not all checked ({', '.join(missing)} rules not asked)", *prefixes)
        item = self.judged(text, *prefixes, otherwise=True if whole else None)
        return CheckItem(True, f"{text}, none at fault") if item.passed else item

    def _all_asked(self, prefix: str) -> bool:
        codes = [code for code in self._known if code.startswith(prefix)]
        return bool(codes) and all(code in self._asked for code in codes)


def _cycles(ctx: Context, verdicts: _Verdicts) -> CheckItem:
    if not ctx.directed:
        return CheckItem(None, "no cycles: the graph is undirected")
    if ctx.acyclic:
        verb = "has" if len(ctx.isolated) == 1 else "have"
        alone = f", but {len(ctx.isolated):,} of {ctx.size:,} nodes {verb} no edge at all" if ctx.isolated else ""
        return CheckItem(True, f"no cycles: acyclic, {plural(len(ctx.dag.tails), 'edge')}{alone}")
    parts = ctx.cyclic_components
    nodes, code = plural(sum(map(len, parts)), "node"), "GRF101"
    text = f"no cycles: {nodes} on cycles, in {plural(len(parts), 'group')}"
    return CheckItem(False, f"{text} ({code})") if verdicts.found(code) else CheckItem(None, text)


def _of_all(count: int, size: int, what: str) -> str:
    return f"{count:,} of {size:,} {what}"


def _foreign(ctx: Context, verdicts: _Verdicts) -> Iterator[CheckItem]:
    """Lines two to nine where only labels speak."""
    assert ctx.labels is not None
    nodes, size = ctx.labels.nodes, ctx.size
    dims = sum(facts.has_input and facts.has_output for facts in nodes)
    gpus = sum(facts.placement is not None for facts in nodes)
    exact = sum(facts.placement is not None and facts.placement.exact for facts in nodes)
    transfers = sum(facts.operation.family == "communication" for facts in nodes)
    ops = ctx.labels.operators()
    text = f"{_of_all(dims, size, 'labels state both')}; not checked on every edge" if dims else "not stated"
    yield verdicts.judged(f"input and output dimensions: {text}", "DIM")
    text = f"{_of_all(gpus, size, 'nodes name a GPU')}, {exact:,} of them by number" if gpus else "not stated"
    yield verdicts.judged(f"GPU assignments: {text}", "DEV")
    text = f"{plural(transfers, 'node')} {_GUESSED}" if transfers else "no title names one"
    transferring = ("DEV513", "COM411", "COM415", "COM416", "COM417")
    yield verdicts.judged(f"communication operations represented: {text}", *transferring)
    yield _foreign_gates(ctx, verdicts)
    known = size - ops[""]
    text = _of_all(known, size, "titles name an operator") if known else "no title names an operator"
    yield verdicts.judged(f"operator-level detail: {text}", "GRF121", "GRF124")
    yield verdicts.judged(f"attention fully decomposed: {_foreign_attention(ops)}", "GRF127")
    text = f"all-reduce and all-to-all included: {_foreign_collectives(ops)}"
    yield verdicts.judged(text, "COM410", "COM412", "COM413", "COM414")
    yield verdicts.judged(f"node shapes: {_shapes(ctx)}; not held against the operators", "STY901", "STY903", "STY910")


def _foreign_attention(ops: Counter[str]) -> str:
    named = {part: ops[part] for part in ("scores", "softmax", "weighted_sum") if ops[part]}
    whole = {part: ops[part] for part in ("attention", "fused") if ops[part]}
    if not named and not whole:
        return "not stated: no title names attention"
    if not whole:
        return f"{_counted(named)} {_GUESSED}"
    return f"{_counted(whole)} drawn whole; {f'{_counted(named)} {_GUESSED}' if named else 'no title names its parts'}"


def _counted(ops: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in ops.items())


_COLLECTIVES = (
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


def _foreign_collectives(ops: Counter[str]) -> str:
    found = {name: ops[name] for name in _COLLECTIVES if ops[name]}
    return f"{_counted(found)} {_GUESSED}" if found else "no title names one"


def _shapes(ctx: Context) -> str:
    assert ctx.graph is not None
    shapes = Counter(attributes.get("shape") or "ellipse" for attributes in ctx.graph.node_attributes)
    return ", ".join(f"{count:,} {name_of(shape)}" for shape, count in shapes.most_common(5)) or "no nodes"


def _foreign_gates(ctx: Context, verdicts: _Verdicts) -> CheckItem:
    from dagtool.validators.roles import words

    facts = ctx.labels.nodes if ctx.labels else []
    gates = {node for node, name in enumerate(ctx.dag.ids) if words(name) & {"gate", "router", "gating"}}
    gates -= {node for node in gates if facts and facts[node].op in ("linear", "activation")}  # a gated MLP's gate_proj
    return _dashed(ctx, verdicts, gates, "named gate or router")


def _dashed(ctx: Context, verdicts: _Verdicts, gates: set[int], which: str) -> CheckItem:
    """How many edges out of the gates are dashed."""
    if ctx.graph is None:
        return CheckItem(None, "expert routing dashed: no picture")
    edges = [edge for edge, tail in enumerate(ctx.dag.tails) if tail in gates]
    dashed = sum("dashed" in ctx.graph.edge_attributes[edge].get("style", "") for edge in edges)
    what = "expert routing dashed"
    if not gates:
        return CheckItem(None, f"{what}: no node is {which}")
    leaving = _of_all(dashed, len(edges), "edges that leave")
    text = f"{what}: {leaving} the {plural(len(gates), 'node')} {which} are dashed"
    whole = dashed == len(edges) and dashed > 0
    return verdicts.judged(text, "STY902", "STY911", otherwise=True if whole else None)


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
    yield verdicts.proved(text, "DIM", "SHD", whole=typed == size)
    placed = size - dag.devices_of.count(-1)
    gpus = len({gpu for gpus in dag.device_sets for gpu in gpus})
    text = f"GPU assignments: {_of_all(placed, size, 'nodes name their GPUs')}, {plural(gpus, 'GPU')} in all"
    yield verdicts.proved(text, "DEV501", "DEV502", whole=placed == size)
    text = f"communication operations represented: {plural(families['communication'], 'node')}"
    yield verdicts.proved(text, "COM", "DEV503")
    gates = {node for node, kind in enumerate(dag.kind_of) if dag.kinds[kind].op == "gate"}
    yield _dashed(ctx, verdicts, gates, "of operator gate")
    known = size - families[""]
    text = f"operator-level detail: {_of_all(known, size, 'nodes')} of {plural(len(ops), 'operator')}"
    yield verdicts.judged(text, "DIM202", otherwise=True if known == size else None)
    yield _attention(ops)
    yield verdicts.proved(f"all-reduce and all-to-all included: {_collectives(ctx, ops)}", "COM", "SHD")
    yield verdicts.proved(f"node shapes: {_shapes(ctx) if ctx.graph else 'no picture'}", "STY901", "STY903")


def _attention(ops: Counter[str]) -> CheckItem:
    parts = {part: ops[part] for part in ("scores", "softmax", "weighted_sum")}
    if not any(parts.values()):
        return CheckItem(None, "attention fully decomposed: the graph has no attention")
    alike = len(set(parts.values())) == 1
    return CheckItem(True if alike else None, f"attention fully decomposed: {_counted(parts)}")


def _collectives(ctx: Context, ops: Counter[str]) -> str:
    kinds = zip(ctx.dag.kinds, ctx.families, strict=True)
    names = sorted({kind.op for kind, family in kinds if family == "communication"})
    return ", ".join(f"{ops[name]:,} {name}" for name in names) or "no communication"


def _colors(ctx: Context) -> CheckItem:
    if ctx.graph is None:
        return CheckItem(None, "color coding: no picture")
    colors = {attributes.get("fillcolor") or attributes.get("color") for attributes in ctx.graph.node_attributes}
    count = len(colors - {None})
    return CheckItem(True if count > 1 else None, f"color coding: {plural(count, 'color') if count else 'not stated'}")
