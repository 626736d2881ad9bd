"""From what a user has to a ledger: words and a model, a launch line and a model, a preset or a strategy file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagtool.cost.dtypes import dtype_bytes
from dagtool.cost.held import Assumptions
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.phase import parse_phases
from dagtool.generators.plans.build import complete_plan, describe_model, resize_model
from dagtool.generators.plans.document import Described, Run, write_document
from dagtool.generators.plans.plan import Beside, Plan
from dagtool.generators.plans.words import are_words, parse_words
from dagtool.generators.presets import preset_names
from dagtool.generators.request import Request, read_strategy
from dagtool.generators.settings import apply_settings
from dagtool.generators.strategy import Strategy
from dagtool.launch.read import degree_flags, model_of, read_launch, words_of
from dagtool.ledger.change import Knob, find_changes
from dagtool.ledger.count import count_ledger
from dagtool.ledger.ledger import Ledger
from dagtool.model.zoo import find_model, zoo_names

__all__ = ["Planned", "ledger_of", "plan_launch", "plan_name"]

Rebuild = Callable[[Mapping[str, int], Run], "Planned"]
"""Builds a deployment again with other degrees and another run."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A deployment that can be counted, and built again with changes."""

    name: str
    strategy: Strategy
    plan: Plan | None = None
    """None for presets and strategy files, whose layout is given."""
    model: Described | None = None
    run: Run = field(default_factory=Run)
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    memory_share: float = 1.0
    """The part of a GPU's memory that the deployment may use."""
    static_share: float | None = None
    """The part that weights and cache may use, where a launch line says it."""
    trains: bool = False
    """Whether it is a training run, of which the forward pass alone is counted."""
    degrees: Mapping[str, str] = field(default_factory=dict)
    """Degrees that may be changed: their names, and how a user writes them."""
    rebuild: Rebuild | None = None


def plan_name(name: str, request: Request) -> Planned:
    """Return the deployment of words, a preset or a strategy file. Raises DagtoolError."""

    def again(degrees: Mapping[str, int], run: Run) -> Planned:
        return plan_name(_with_degrees(name, degrees), request._replace(run=run))

    if request.model and not name.endswith(".toml") and are_words(name):
        model = describe_model(request.model)
        built = _build(name, complete_plan(parse_words(name), model), model, request.run, request.settings)
        degrees = {} if "|" in name else {"tensor": "tp{}", "pipeline": "pp{}", "expert": "ep{}"}
        return replace(built, rebuild=again, degrees=degrees)
    strategy = read_strategy(name, request)
    return Planned(name, strategy, run=request.run, notes=strategy.notes, rebuild=again)


def _with_degrees(words: str, degrees: Mapping[str, int]) -> str:
    """The words with some degrees changed or added."""
    for name, value in degrees.items():
        word = {"tensor": "tp", "pipeline": "pp", "expert": "ep"}[name]
        changed = re.sub(rf"(?:(?<=_)|\A){word}[0-9]+", f"{word}{value}", words)
        words = changed if changed != words else f"{words}_{word}{value}"
    return words


def plan_launch(
    arguments: Sequence[str], request: Request, gpus: int | None, place: str = "the launch line"
) -> Planned:
    """Return the deployment that a launch line starts. Raises DagtoolError for one that its framework refuses."""
    if len(arguments) == 1 and not re.search(r"\s", arguments[0]):
        _refuse_name(arguments[0])
    words = words_of(arguments, place)
    named = model_of(words)
    reference = request.model or named
    if not reference:
        raise DagtoolError("the launch line names no model", "--model config.json, or a name of 'dagtool list models'")
    found = find_model(reference)
    launched = read_launch(words, found, gpus)
    run = _merged(request.run, launched.run)
    built = _build(launched.framework, launched.plan, describe_model(reference), run, request.settings)
    flags = degree_flags(words)

    def again(degrees: Mapping[str, int], run: Run) -> Planned:
        more = [text for name, value in degrees.items() for text in (flags[name], str(value))]
        return plan_launch([*words, *more], request._replace(run=run), gpus)

    return replace(
        built,
        notes=(*built.notes, *launched.notes, *_other_model(named, reference)),
        ignored=launched.ignored,
        memory_share=launched.memory_share,
        static_share=launched.static_share,
        trains=launched.trains,
        degrees={name: f"{flag} {{}}" for name, flag in flags.items()},
        rebuild=again,
    )


def _refuse_name(name: str) -> None:
    """A single word is no launch line: say what it might have been. A TOML of torchtitan is read elsewhere."""
    if name.endswith(".toml"):
        return
    if name.endswith((".dot", ".gv")):
        raise DagtoolError(f"{name}: is a DOT file", "'dagtool memory' and 'dagtool path' take DOT files")
    plain = re.sub(r"[^a-z0-9|:]+", "_", name.lower()).strip("_")
    near = f"did you mean {plain!r}?" if are_words(plain) else did_you_mean(name, preset_names())
    known = "words like tp8_sp, a preset, a strategy file, or a launch line behind --"
    raise DagtoolError(f"{name!r} is no strategy", near or known)


def _other_model(named: str, reference: str) -> tuple[str, ...]:
    """A note where the line names a known model and another one is counted."""
    last = named.lower().rpartition("/")[2]
    if last not in zoo_names() or last == reference.lower():
        return ()
    same = find_model(named).published.sizes == find_model(reference).published.sizes
    return () if same else (f"the line names {named}, and {reference} is counted (--model)",)


def _merged(asked: Run, launched: Run) -> Run:
    """The run of a line with what the call says put over it."""
    run = Run(
        asked.phase or launched.phase,
        asked.batch or launched.batch,
        asked.seq or launched.seq,
        asked.context or launched.context,
    )
    if run.phase == "decode" and launched.phase == "prefill":
        return replace(run, seq=asked.seq, context=run.context or launched.seq)
    if run.phase != "decode" and launched.phase == "decode":
        return replace(run, seq=run.seq or run.context, context=None)
    return run


def _build(name: str, plan: Plan, model: Described, run: Run, settings: Mapping[str, str]) -> Planned:
    model = resize_model(model, settings)
    written = write_document(plan, model, run, name=name)
    strategy = apply_settings(str(written.document["name"]), written.document, settings, place=name)
    notes = tuple(note.text for note in written.notes)
    if not plan.weight_dtype and "*" not in model.weight_dtypes:
        notes = (*notes, f"assumed: weights in {_UNSAID}, because the configuration names no data type")
    return Planned(name, strategy, plan, model, run, notes)


# -- counted ----------------------------------------------------------------------------------


def ledger_of(planned: Planned, *, gpu_memory_bytes: int | None = None, reserve_bytes: int | None = None) -> Ledger:
    """Return the ledger; where it does not fit also the nearest changes after which it does. Raises DagtoolError."""
    found = _count(planned, gpu_memory_bytes, reserve_bytes)
    if found.headroom_bytes is None or found.headroom_bytes >= 0 or planned.rebuild is None:
        return found
    sizes = found.sizes
    whole = Run(planned.run.phase, sizes["B"], sizes["S"], sizes.get("T"))

    def excess(name: str, value: int) -> int | None:
        """Bytes too much after one change; None where it cannot be built or its framework refuses it."""
        run = _run_with(whole, name, value)
        try:
            assert planned.rebuild is not None
            other = planned.rebuild({} if name in _OF_RUN else {name: value}, run)
            headroom = _count(other, gpu_memory_bytes, reserve_bytes).headroom_bytes
        except DagtoolError:
            return None
        return None if headroom is None else -headroom

    knobs = _knobs(planned, found)
    changes = find_changes(knobs, -found.headroom_bytes, found.capacity_bytes or 0, excess)
    return replace(found, changes=changes or ("none found by changing one number",))


_ROUND = 16
"""Numbers of tokens that are proposed are multiples of it."""
_OF_RUN = ("batch", "seq", "context")


def _run_with(run: Run, name: str, value: int) -> Run:
    """The run with one of its sizes changed; itself for a degree."""
    return Run(
        run.phase,
        value if name == "batch" else run.batch,
        value if name == "seq" else run.seq,
        value if name == "context" else run.context,
    )


def _knobs(planned: Planned, ledger: Ledger) -> dict[str, Knob]:
    """What may be changed of a deployment."""
    plan, sizes = planned.plan, ledger.sizes
    several = len(parse_phases(planned.run.phase or "prefill")) > 1
    tokens = "context" if "T" in sizes and not several else "seq"
    together = 1 if plan is None else plan.context * plan.ulysses * plan.cache_context
    together *= plan.tensor if plan is not None and plan.sequence and tokens == "seq" else 1
    groups = 1 if plan is None else plan.data
    length = sizes["T" if tokens == "context" else "S"]
    found = {
        tokens: Knob(length, f"--{tokens} {{}}", together * (_ROUND if length > _ROUND * together else 1)),
        "batch": Knob(sizes["B"], "--batch {}", groups),
    }
    if plan is not None:
        now = {"tensor": plan.tensor * (plan.data if plan.dense == "all" else 1), "pipeline": plan.pipeline}
        now |= {"expert": plan.expert} if plan.expert > 1 else {}
        now |= {"data": plan.data} if plan.expert > 1 else {}
        found |= {name: Knob(now[name], text) for name, text in planned.degrees.items() if name in now}
    return found


def _count(planned: Planned, gpu_memory_bytes: int | None, reserve_bytes: int | None) -> Ledger:
    beside: tuple[Beside, ...] = ()
    given = Assumptions(reserve_bytes=reserve_bytes)
    if planned.plan is not None and planned.model is not None:
        given = replace(_assumptions(planned.plan, planned.model), reserve_bytes=reserve_bytes)
        beside = planned.plan.beside
    capacity = static = None
    if gpu_memory_bytes is not None:
        capacity = int(gpu_memory_bytes * planned.memory_share)
        static = None if planned.static_share is None else int(gpu_memory_bytes * planned.static_share)
    found = count_ledger(planned.strategy, given, capacity_bytes=capacity, beside=beside)
    kept = tuple(dict.fromkeys(one.why for one in beside))
    notes = (*planned.notes, *kept, *((_FORWARD_ONLY,) if planned.trains else ()))
    return replace(
        found,
        name=planned.name,
        notes=notes,
        ignored=planned.ignored,
        static_capacity_bytes=static,
        forward_only=planned.trains,
    )


_FORWARD_ONLY = "forward pass only: gradients, optimizer states and saved activations are not counted"
_UNSAID = "fp32"
"""The data type of weights where a configuration names none: transformers' default."""


def _assumptions(plan: Plan, model: Described) -> Assumptions:
    """Bytes as the checkpoint stores them, or of the data type that the plan gives all weights."""
    wide = 4.0 if plan.activation_dtype == "fp32" else 2.0
    given = Assumptions(activation_width_bytes=wide, kv_width_bytes=wide)
    if plan.weight_dtype:
        return replace(given, weight_width_bytes=float(dtype_bytes(plan.weight_dtype, "weight")))
    usual = model.weight_dtypes.get("*", _UNSAID)
    return replace(
        given,
        weight_width_bytes=float(dtype_bytes(usual, "weight")),
        weight_dtypes={role: dtype for role, dtype in model.weight_dtypes.items() if role != "*"},
    )
