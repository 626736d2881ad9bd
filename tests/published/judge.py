"""What becomes of a combination: proved, refused with reason and hint, or a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from helpers.plans import Situation
from published.draw import Combination

from dagtool.cost.work import role_flops
from dagtool.dag.graph import Dag
from dagtool.dag.semantics import held_weights
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.machine import Machine
from dagtool.execute.prove import prove
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import RandomWeights
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings
from dagtool.model.size import Size

__all__ = ["Refusal", "Verdict", "features_of", "judge", "template_of"]

REPEATED_WORK = frozenset({"SCH603"})
"""What a legal combination may be warned of: it does the same on several GPUs."""


@dataclass(frozen=True)
class Refusal:
    """One message of a refusal."""

    message: str
    hint: str


@dataclass(frozen=True)
class Verdict:
    """What became of a combination. ``fault`` is empty where it is as it must be."""

    combination: Combination
    features: frozenset[str]
    refusals: tuple[Refusal, ...] = ()
    nodes: int = 0
    fault: str = ""

    @property
    def proved(self) -> bool:
        """Whether it was generated and is right in every respect."""
        return not self.refusals and not self.fault


def judge(combination: Combination) -> Verdict:
    """Generate; hold what comes out against the unsharded model, or look at the refusal."""
    features = features_of(combination.document)
    try:
        dag = _generated(combination.document)
    except DagtoolError as error:
        refusals = tuple(Refusal(one.message, one.hint) for one in error.errors)
        fault = "".join(map(_unhelpful, refusals)) or _wrongly_refused(combination, refusals)
        fault = fault or _misleading(combination.document, refusals)
        return Verdict(combination, features, refusals, fault=fault)
    except Exception as error:  # whatever it is, users must not see it
        return Verdict(combination, features, fault=f"generating: {type(error).__name__}: {error}")
    try:
        fault = _unclean(dag) or _unequal(dag) or _not_conserved(dag, combination.document)
    except DagtoolError as error:
        fault = f"accepted, then: {error}"
    except Exception as error:  # a rule or the executor breaks
        fault = f"checking: {type(error).__name__}: {error}"
    return Verdict(combination, features, nodes=len(dag.ids), fault=fault)


def _generated(document: Mapping[str, Any]) -> Dag:
    dag = partition(apply_settings("drawn", document, {}))
    return to_dag(parse(dag.to_dot().encode())[0])


# -- refusals ---------------------------------------------------------------------------------

_INTERNAL = re.compile(r"Traceback|Error\(|KeyError|None\b|<dagtool|Ref\(|Dim\(")
MEETING = ("the cut would become strided", "can be stored in")
"""What plans that fit one by one may be refused for, put together with ``[operators]`` and ``[store]``."""


def _unhelpful(one: Refusal) -> str:
    """What a message lacks."""
    if not one.message or not one.hint:
        return f"refused without {'hint' if one.message else 'message'}: {one.message}"
    if _INTERNAL.search(one.message) or _INTERNAL.search(one.hint):
        return f"refused in words of the program: {one.message}; {one.hint}"
    return ""


def _misleading(document: Mapping[str, Any], refusals: tuple[Refusal, ...]) -> str:
    """What comes of doing as the hint of a single refusal says, where that is not enough."""
    for way in _ways_out(document, refusals[0]) if len(refusals) == 1 else []:
        try:
            _generated(way)
        except DagtoolError as error:
            if template_of(error.message) == template_of(refusals[0].message) or "it can with" in refusals[0].hint:
                return f"misleading hint: {refusals[0].message}; {refusals[0].hint}; but then {error}"
    return ""


_CHANGE = re.compile(r"it can with \[([\w.]+)\] (\S+) (?:= '(.*?)'|left out)(?: and replicate = \[(.*)\])?\Z")
_DEGREES = re.compile(r"the nearest degrees? that (?:do are|does is) (\d+)(?: and (\d+))?")
_DEGREE = re.compile(r"\A\w+: (\w+)=\d+ does not divide")
_STAGES = re.compile(r"\[stages\] layers = '(.*?)'")


def _ways_out(document: Mapping[str, Any], refusal: Refusal) -> Iterator[dict[str, Any]]:
    """The document changed as a hint says."""
    if found := _CHANGE.search(refusal.hint):
        outer, _, inner = found[1].partition(".")
        before = document.get(outer, {}).get(inner, {}) if inner else document.get(outer, {})
        table = {**before, found[2]: found[3]}
        kept: dict[str, Any] = {key: value for key, value in table.items() if value is not None}
        idle = [*document.get("replicate", []), *re.findall(r"'(\w+)'", found[4] or "")]
        yield {**document, outer: {inner: kept} if inner else kept, **({"replicate": idle} if idle else {})}
    if (axis := _DEGREE.search(refusal.message)) and (found := _DEGREES.search(refusal.hint)):
        for near in filter(None, found.groups()):
            yield {**document, "degrees": {**document["degrees"], axis[1]: int(near)}}
    if found := _STAGES.search(refusal.hint):
        yield {**document, "stages": {"layers": found[1]}}


def _wrongly_refused(combination: Combination, refusals: tuple[Refusal, ...]) -> str:
    if combination.way != "fitting" or any(reason in one.message for one in refusals for reason in MEETING):
        return ""
    return f"refused though it fits: {refusals[0].message}; {refusals[0].hint}"


def template_of(message: str) -> str:
    """A message without what is of one combination only."""
    text = re.sub(r"'[^']*'|\[[^\]]*\]", "…", message)
    text = re.sub(r"\b[a-zA-Z_]+=[\w]+( (x|and) [\w ]*=\w+)*", "…", text)
    return re.sub(r"\b\d[\d,]*\b", "n", text)


# -- what is right ----------------------------------------------------------------------------


def _unclean(dag: Dag) -> str:
    found = [one for one in dag.validate() if one.severity != "note" and one.code not in REPEATED_WORK]
    return f"validate: {found[0].severity} {found[0].code} {found[0].message}" if found else ""


def _unequal(dag: Dag) -> str:
    failure = prove(dag, seeds=(0,)).failure
    return f"prove: {dag.ids[failure.node]}: {failure.message}" if failure else ""


def _not_conserved(dag: Dag, document: Mapping[str, Any]) -> str:
    """FLOPs and elements of weights of all GPUs together, replicas once, against the same model on one GPU."""
    kept = {key: document[key] for key in ("phase", "model", "sizes", "operators") if key in document}
    whole = _generated(kept)
    if (ours := _flops(dag)) != (expected := _flops(whole)):
        return f"FLOPs: {ours}, unsharded {expected}"
    sizes = small_sizes(dag) | {symbol: size for symbol, size in dag.sizes.items() if size is not None}
    held, needed = _weights(dag, sizes), _weights(whole, sizes)
    for key in sorted({*held, *needed}):
        if held.get(key) != needed.get(key):
            return f"elements of weight {key}: {held.get(key)}, unsharded {needed.get(key)}"
    return ""


def _flops(dag: Dag) -> dict[tuple[tuple[str, int], ...], float]:
    """Distinct FLOPs of all GPUs, by the symbols that are left open."""
    found: dict[tuple[tuple[str, int], ...], Size] = {}
    for row in role_flops(dag):
        powers = row.distinct.powers
        before = found.get(powers)
        total = row.distinct.numerator * (before.denominator if before else 1)
        total += before.numerator * row.distinct.denominator if before else 0
        denominator = row.distinct.denominator * (before.denominator if before else 1)
        found[powers] = Size(total, denominator, powers)
    return {powers: size.numerator / size.denominator for powers, size in found.items()}


def _weights(dag: Dag, sizes: dict[str, int]) -> dict[tuple[str, str, str, int, int], int]:
    """Elements of each use of a weight, by phase, role, parameter, layer, expert; equal parts on several GPUs once."""
    machine = Machine(dag, sizes, RandomWeights(0), {})
    parts: dict[tuple[str, str, str, int, int], set[tuple[tuple[int, int], ...]]] = {}
    for node in range(len(dag.ids)):
        kind = dag.kind(node)
        role = kind.role.removesuffix("_weight") if kind.op == "parameter" else kind.role
        for name, tensor in held_weights(kind):
            # In a ring one node does the work of several.
            key = (kind.phase, "" if name == "attention.sinks" else role, name, dag.layer_of[node], dag.expert_of[node])
            for gpu in dag.gpus(node):
                slices = machine.part(tensor, gpu)
                parts.setdefault(key, set()).add(tuple((one.start, one.stop) for one in slices))
    return {key: sum(prod(stop - start for start, stop in part) for part in held) for key, held in parts.items()}


# -- features ---------------------------------------------------------------------------------


def features_of(document: Mapping[str, Any]) -> frozenset[str]:
    """What occurs in a document, in words."""
    found = {f"phase {document['phase']}"}
    s = Situation(document["model"], {}, document["phase"])
    found |= {f"kinds of layer: {len(s.kinds)}"}
    for options in s.kinds:
        found |= set(_model_features(options))
    found |= {f"drawn: {key} {value}" for key, value in document.get("operators", {}).items()}
    found |= _layout_features(document)
    return frozenset(found)


_NAMED = ("attention", "ffn", "embedding", "activation", "norm", "rope", "gate", "group_score", "mask")
_DEFAULTS = {"attention": "gqa", "ffn": "dense", "rope": "none", "embedding": "token", "mask": "causal"}


def _model_features(options: Mapping[str, Any]) -> list[str]:
    found = [f"{key} {options.get(key, _DEFAULTS.get(key, ''))}" for key in _NAMED if key in {*options, *_DEFAULTS}]
    for key, value in options.items():
        if key in _NAMED or value is False or key in ("layers", "top_groups", "positions"):
            continue
        text = str(value).partition(":")[0] if key in ("rope_scaling", "attention_bias") else ""
        found.append(f"{key} {text}".strip())
    return found


def _layout_features(document: Mapping[str, Any]) -> set[str]:
    degrees = {axis: count for axis, count in document.get("degrees", {}).items() if count != 1}
    axes = [axis for axis in degrees if axis != "pp"]
    found = {f"axes: {len(axes)}", *({"pipeline"} if "pp" in degrees else set())}
    found |= {f"[{table}]" for table in ("stages", "mesh", "groups", "store", "dtypes") if document.get(table)}
    found |= {"[decode.layout]"} if document.get("decode") else set()
    found |= {"a padded size" for size in document["sizes"].values() if "pad" in str(size)}
    found |= {"physical experts" for size in document["sizes"] if size == "R"}
    found |= {f"[dtypes] {kind} {held}" for kind, held in document.get("dtypes", {}).items()}
    found |= {"several new tokens" for size in ("Q",) if document["sizes"].get(size) not in (None, 1)}
    for place, text in {**document.get("regions", {}), **document.get("layout", {})}.items():
        found |= {"layers of their own"} if place.startswith("layers.") else set()
        name = place if place in ("attention.core", "attention.keys", "experts", "router", "stream", "output") else ""
        for word in [word for word in str(text).split() if "/" in word]:
            size, *by = word.split("/")
            found.add(f"{size} cut")
            found |= {"a size cut along several axes"} if len(by) > 1 else set()
            found |= {f"{name}: {size} cut"} if name and size in "BSTGNE" else set()
    return found
