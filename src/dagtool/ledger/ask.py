"""From what a user has to a ledger: words and a model, a launch line and a model, a preset or a strategy file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagtool.cost.dtypes import dtype_bytes
from dagtool.cost.held import Assumptions
from dagtool.errors import DagtoolError
from dagtool.generators.plans.build import describe_model, resize_model, with_copies
from dagtool.generators.plans.document import Described, Run, write_document
from dagtool.generators.plans.plan import Plan
from dagtool.generators.plans.words import are_words, parse_words
from dagtool.generators.presets import preset_names
from dagtool.generators.request import Request, read_strategy
from dagtool.generators.settings import apply_settings
from dagtool.generators.strategy import Strategy
from dagtool.launch.read import model_of, read_launch, words_of
from dagtool.ledger.change import find_changes
from dagtool.ledger.count import count_ledger
from dagtool.ledger.ledger import Ledger
from dagtool.ledger.uneven import Beside
from dagtool.model.zoo import find_model

__all__ = ["Planned", "ledger_of", "plan_launch", "plan_name"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A deployment that can be built again with another run or plan."""

    name: str
    strategy: Strategy
    plan: Plan | None = None
    """None for presets and strategy files, whose layout is given."""
    model: Described | None = None
    run: Run = field(default_factory=Run)
    settings: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    memory_share: float = 1.0

    def again(self, plan: Plan, run: Run) -> Planned:
        """Return the deployment with another plan and run. Raises DagtoolError where it cannot be built."""
        assert self.model is not None
        return replace(_build(self.name, plan, self.model, run, self.settings), memory_share=self.memory_share)


def plan_name(name: str, request: Request) -> Planned:
    """Return what words, a preset or a strategy file name. Raises DagtoolError."""
    words = bool(request.model) or (name not in preset_names() and are_words(name))
    if words and request.model and not name.endswith(".toml") and are_words(name):
        model = describe_model(request.model)
        return _build(name, with_copies(parse_words(name), model), model, request.run, request.settings)
    strategy = read_strategy(name, request)
    return Planned(name, strategy, run=request.run, settings=request.settings, notes=strategy.notes)


def plan_launch(
    arguments: Sequence[str], request: Request, gpus: int | None, place: str = "the launch line"
) -> Planned:
    """Return what a launch line comes to. Raises DagtoolError for one that its framework refuses."""
    words = words_of(arguments, place)
    reference = request.model or model_of(words)
    if not reference:
        raise DagtoolError("the launch line names no model", "--model config.json, or a name of 'dagtool list models'")
    found = find_model(reference)
    launched = read_launch(words, found, gpus)
    run = Run(
        request.run.phase or launched.run.phase,
        request.run.batch or launched.run.batch,
        request.run.seq or launched.run.seq,
        request.run.context or launched.run.context,
    )
    if run.phase == "decode" and launched.run.phase == "prefill":
        run = replace(run, seq=request.run.seq, context=run.context or launched.run.seq)
    if run.phase != "decode" and launched.run.phase == "decode":
        run = replace(run, seq=run.seq or run.context, context=None)
    built = _build(launched.framework, launched.plan, describe_model(reference), run, request.settings)
    return replace(
        built,
        notes=(*built.notes, *launched.notes),
        ignored=launched.ignored,
        memory_share=launched.memory_share,
    )


def _build(name: str, plan: Plan, model: Described, run: Run, settings: Mapping[str, str]) -> Planned:
    model = resize_model(model, settings)
    written = write_document(plan, model, run, name=name)
    strategy = apply_settings(str(written.document["name"]), written.document, settings, place=name)
    notes = tuple(note.text for note in written.notes)
    if not plan.weight_dtype and "*" not in model.weight_dtypes:
        notes = (*notes, f"assumed: weights in {_UNSAID}, because the configuration names no data type")
    return Planned(name, strategy, plan, model, run, settings, notes)


def ledger_of(
    planned: Planned,
    *,
    gpu_memory_bytes: int | None = None,
    reserve_bytes: int | None = None,
    changes: bool = True,
) -> Ledger:
    """Return the ledger; where it does not fit also the nearest changes after which it does. Raises DagtoolError."""
    capacity = None if gpu_memory_bytes is None else int(gpu_memory_bytes * planned.memory_share)
    found = _count(planned, reserve_bytes, capacity)
    if capacity is None or found.fits or not changes:
        return found

    def fits(plan: Plan | None, run: Run) -> bool:
        other = _rebuilt(planned, plan, run)
        return bool(_count(other, reserve_bytes, capacity).fits)

    return replace(found, changes=find_changes(planned.plan, planned.run, found, _quietly(fits)))


def _quietly(fits: Callable[[Plan | None, Run], bool]) -> Callable[[Plan | None, Run], bool]:
    """A deployment that cannot be built does not fit."""

    def quiet(plan: Plan | None, run: Run) -> bool:
        try:
            return fits(plan, run)
        except DagtoolError:
            return False

    return quiet


def _rebuilt(planned: Planned, plan: Plan | None, run: Run) -> Planned:
    if plan is not None:
        return planned.again(plan, run)
    strategy = read_strategy(planned.name, Request(planned.settings, run=run))
    return replace(planned, strategy=strategy, run=run)


def _count(planned: Planned, reserve_bytes: int | None, capacity: int | None) -> Ledger:
    beside: tuple[Beside, ...] = ()
    given = Assumptions(reserve_bytes=reserve_bytes)
    if planned.plan is not None and planned.model is not None:
        given = replace(_assumptions(planned.plan, planned.model), reserve_bytes=reserve_bytes)
        beside = tuple(Beside(one.what, one.stages, one.why) for one in planned.plan.beside)
    found = count_ledger(planned.strategy, given, capacity_bytes=capacity, beside=beside)
    kept = tuple(dict.fromkeys(one.why for one in beside))
    return replace(found, name=planned.name, notes=(*planned.notes, *kept), ignored=planned.ignored)


_UNSAID = "fp32"
"""The data type of weights where a configuration names none: transformers' default."""


def _assumptions(plan: Plan, model: Described) -> Assumptions:
    """Bytes as the checkpoint stores them, or of the data type that the plan gives all weights."""
    if plan.weight_dtype:
        return Assumptions(weight_width_bytes=float(dtype_bytes(plan.weight_dtype, "weight")))
    usual = model.weight_dtypes.get("*", _UNSAID)
    return Assumptions(
        weight_width_bytes=float(dtype_bytes(usual, "weight")),
        weight_dtypes={role: dtype for role, dtype in model.weight_dtypes.items() if role != "*"},
    )
