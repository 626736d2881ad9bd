"""One mutant: is it harmful (the executor says), is it reported, and where (the rules say)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from random import Random
from zlib import crc32

from mutation.catalogue import mutations
from mutation.draft import GRAPH, Draft, Place
from mutation.forms import HEADER_CODES, WHOLE, Form, forms_of
from mutation.subjects import subject

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.catalogue import select_rules
from dagtool.validators.context import Context
from dagtool.validators.engine import check_context

__all__ = ["Key", "Said", "Verdict", "findings_of", "judge", "mutant", "read"]

SEEDS = (0, 1)
"""Weights and inputs the executor tries."""


@dataclass(frozen=True, slots=True)
class Key:
    """Names a mutant; the same key gives the same text."""

    operator: str
    subject: str
    number: int
    seed: int

    def __str__(self) -> str:
        return f"{self.operator}@{self.subject}#{self.number}"


@dataclass(frozen=True, slots=True)
class Said:
    """What the rules say of a mutant in one form."""

    gone: bool
    """Whether the damage was in what the form takes away, so that nothing is left to be found."""
    error: bool
    warning: bool
    """Whether there is a warning, other than of the lost header."""
    header: bool
    """Whether the lost header is told."""

    @property
    def reported(self) -> bool:
        """Whether a reader learns that something is wrong, or that not all was checked."""
        return self.error or self.warning or self.header


@dataclass(frozen=True, slots=True)
class Verdict:
    """What executor and rules say of a mutant."""

    key: Key
    text_hash: int
    place: Place
    falsifies: bool
    """Whether a declaration is false by the mutation, whatever becomes of the values."""
    harm: str
    """Why it is harmful; empty where it is not."""
    harm_at: str
    errors: tuple[str, ...]
    """Codes of findings of severity error."""
    warnings: tuple[str, ...]
    near: bool
    """Whether an error is on or beside the damaged place."""
    forms: tuple[tuple[str, Said], ...] = ()
    """What the rules say of it in each of the forms in which it was judged."""
    crash: str = ""
    """What executor or rules broke with, where they should have answered."""

    @property
    def missed(self) -> bool:
        """Harmful and not reported."""
        return bool(self.harm) and not self.errors

    @property
    def false_alarm(self) -> bool:
        """Harmless and reported."""
        return self.harmless and bool(self.errors)

    @property
    def harmless(self) -> bool:
        """Neither a value nor a declaration is wrong."""
        return not self.harm and not self.falsifies


def mutant(key: Key) -> tuple[Draft, Draft, Place] | None:
    """The correct draft, the damaged one and the place; None where the operator does not apply or changes nothing."""
    whole = _whole(key.subject)
    damaged = whole.copy()
    place = mutations()[key.operator](damaged, Random(str((key.seed, key.operator, key.subject, key.number))))
    return None if place is None or damaged.text() == whole.text() else (whole, damaged, place)


@cache
def _whole(name: str) -> Draft:
    """The correct draft, which nobody changes."""
    return Draft.read(subject(name))


def judge(key: Key) -> Verdict | None:
    """Damage, run, validate."""
    made = mutant(key)
    if made is None:
        return None
    whole, damaged, place = made
    text = damaged.text()
    harm, harm_at, crash = _harm(read(text))
    try:
        findings = findings_of(read(text))
        forms = tuple(_said(form, whole, damaged, findings) for form in forms_of(text))
    except Exception as error:  # whatever it is, it is a fault of the rules
        findings, forms, crash = [], (), f"rules: {type(error).__name__}: {error}"
    errors = [one for one in findings if one.severity == "error"]
    touched = {*place, *damaged.changed_from(whole)} - {*GRAPH}
    places = whole.around(touched) | damaged.around(touched)
    near = damaged.header != whole.header or any(_is_near(one, text, places) for one in errors)
    return Verdict(
        key,
        crc32(text.encode()),
        place,
        getattr(mutations()[key.operator], "falsifies", False),
        harm,
        harm_at,
        tuple(sorted({one.code for one in errors})),
        tuple(sorted({one.code for one in findings if one.severity != "error"})),
        bool(errors) and near,
        forms,
        crash,
    )


def _said(form: Form, whole: Draft, damaged: Draft, as_it_is: list[Finding]) -> tuple[str, Said]:
    """Ask the rules about a damaged draft in another form."""
    left = [{**draft.header, form.lost: ""} for draft in (whole, damaged)]
    gone = left[0] == left[1] and not damaged.changed_from(whole)
    findings = as_it_is
    if form is not WHOLE:
        findings = findings_of(read(form.of(damaged, Random(form.name)).text()))
    told = {(one.severity.value, one.code in HEADER_CODES) for one in findings}
    return form.name, Said(gone, ("error", False) in told, ("warning", False) in told, ("warning", True) in told)


def findings_of(dag: Dag) -> list[Finding]:
    """What the rules say, a finding for each node."""
    return check_context(Context(dag, group=False), select_rules((), ()))[0]


def read(text: str) -> Dag:
    """A DAG as read from a file."""
    return to_dag(parse(text.encode())[0])


def _harm(dag: Dag) -> tuple[str, str, str]:
    """Why, at which node, and whether the executor broke."""
    try:
        failure = prove(dag, seeds=SEEDS).failure
    except DagtoolError as error:
        return f"cannot be run: {error}", "", ""
    except Exception as error:  # whatever it is, it is a fault of the executor
        text = f"{type(error).__name__}: {error}"
        return text, "", f"executor: {text}"
    if failure is None:
        return _idle_edge(dag) or _idle_node(dag) or _copies_sent(dag), "", ""
    return failure.message, dag.ids[failure.node], ""


def _idle_edge(dag: Dag) -> str:
    """An edge that brings nothing to any GPU of its head: the executor does not miss it, a machine would wait."""
    for tail, head, kind in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        maker, user, edge = dag.kind(tail), dag.kind(head), dag.edge_kinds[kind]
        slots = edge.slots or OPERATORS[user.op].slots[:1]
        taken = edge.outputs or slots
        names = [port.name for port in maker.outputs]
        brings = len(names) == 1 or set(taken) & set(names)
        fills = OPERATORS[user.op].symmetric or set(slots) & {
            port.name or OPERATORS[user.op].slots[0] for port in user.inputs
        }
        if not (_gpus(dag, tail, -1) & _gpus(dag, head, 0) and brings and fills) and "send" not in (maker.op, user.op):
            return f"{dag.ids[tail]} -> {dag.ids[head]} brings nothing"
    return ""


def _gpus(dag: Dag, node: int, end: int) -> set[int]:
    """The GPUs where a node has its output (-1) or takes its input (0)."""
    meshes = dag.kind(node).meshes
    own = set(dag.gpus(node))
    return own & set(dag.meshes[meshes[end]].gpus) if len(meshes) > 1 and dag.kind(node).op != "recv" else own


def _idle_node(dag: Dag) -> str:
    """A node that computes for nobody: no output of the graph depends on it."""
    makers: dict[int, list[int]] = {}
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        makers.setdefault(head, []).append(tail)
    waiting = [node for node in range(len(dag.ids)) if dag.kind(node).op == "output"]
    used = set(waiting)
    while waiting:
        for maker in makers.get(waiting.pop(), []):
            if maker not in used:
                used.add(maker)
                waiting.append(maker)
    idle = [name for node, name in enumerate(dag.ids) if node not in used]
    return f"{idle[0]} computes for nobody" if idle else ""


def _copies_sent(dag: Dag) -> str:
    """A dispatch of tokens that its ranks hold alike: each expert gets every token once from each rank.

    The executor brings equal tokens together; a machine would compute them as often as they are sent.
    """
    for kind in dag.kinds:
        if kind.op == "dispatch" and kind.inputs:
            owner = {axis.strip() for axis in kind.parameters.get("owner", "").split(",")}
            tokens = {axis for dim in kind.inputs[0].type.dims[:-1] for axis in dim.axes}
            if not owner <= tokens:
                return f"{kind.role} sends copies of its tokens: {kind.inputs[0].type} is not cut along {sorted(owner)}"
    return ""


_WORD = re.compile(r"[\w.]+")
_TEMPLATE = re.compile(r"\{[\d,…-]+\}")


def _is_near(finding: Finding, text: str, places: set[str]) -> bool:
    """On a place by node or line, or naming one in its message or notes, alone or by a template of ids."""
    if finding.node in places:
        return True
    said = "\n".join((finding.message, *finding.notes))
    if finding.line is not None:
        said += "\n" + text.splitlines()[finding.line - 1].partition(" [")[0]
    if places & set(_WORD.findall(said)):
        return True
    return any(_fits(template, name) for template in re.findall(r"[^\s,]*\{[^\s]*", said) for name in places)


def _fits(template: str, name: str) -> bool:
    """Whether ``layer{0-1}_norm`` stands for an id."""
    words = _TEMPLATE.split(template.rstrip(","))
    found = re.fullmatch(r"(\d+)".join(map(re.escape, words)), name)
    if not found:
        return False
    return all(
        _among(slot[1:-1], int(number))
        for slot, number in zip(_TEMPLATE.findall(template), found.groups(), strict=True)
    )


def _among(runs: str, number: int) -> bool:
    if "…" in runs:
        return True
    ends = [run.partition("-") for run in runs.split(",")]
    return any(int(first) <= number <= int(last or first) for first, _, last in ends)
