"""The nearest changes of a deployment that does not fit, after which it does: fewer tokens, sequences, more ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Plan
from dagtool.ledger.ledger import Ledger

__all__ = ["find_changes"]

Fits = Callable[[Plan | None, Run], bool]
_MOST_DOUBLINGS = 6


def find_changes(plan: Plan | None, run: Run, ledger: Ledger, fits: Fits) -> tuple[str, ...]:
    """Return the changes as text: the largest run that fits, and the smallest degrees with which this one does.

    ``fits`` says whether a plan with a run fits; None for a plan that cannot be changed.
    """
    found: list[str] = []
    tokens = "T" if "T" in ledger.sizes else "S"
    length = _largest(ledger.sizes[tokens], lambda count: fits(plan, _with_tokens(run, tokens, ledger, count)))
    if length:
        found.append(f"{'--context' if tokens == 'T' else '--seq'} {length}")
    together = _step(plan, ledger)
    groups = _largest(
        ledger.sizes["B"] // together, lambda count: fits(plan, _run(run, ledger, batch=count * together))
    )
    if groups and groups * together < ledger.sizes["B"]:
        found.append(f"--batch {groups * together}")
    if plan is not None:
        found += list(_more_ranks(plan, _run(run, ledger), fits))
    return tuple(found)


def _step(plan: Plan | None, ledger: Ledger) -> int:
    """Sequences that come and go together: one for each group that runs its own."""
    return max(min(plan.data, ledger.sizes["B"]), 1) if plan is not None else 1


def _run(run: Run, ledger: Ledger, *, batch: int | None = None) -> Run:
    """The run with the sizes that were counted, so that a change of degrees does not change them."""
    sizes = ledger.sizes
    if "T" in sizes:
        return Run(run.phase, batch or sizes["B"], sizes["S"], sizes["T"])
    return Run(run.phase, batch or sizes["B"], sizes["S"])


def _with_tokens(run: Run, symbol: str, ledger: Ledger, count: int) -> Run:
    whole = _run(run, ledger)
    return replace(whole, context=count) if symbol == "T" else replace(whole, seq=count)


def _largest(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number below ``count`` that fits, of powers of two times the steps below; 0 if none does."""
    lower = 1
    while lower * 2 < count:
        lower *= 2
    while lower and not fits(lower):
        lower //= 2
    if lower < 64:
        return lower
    step = lower // 2
    best = lower
    while step >= max(lower // 8, 16):
        if best + step < count and fits(best + step):
            best += step
        step //= 2
    return best


def _more_ranks(plan: Plan, run: Run, fits: Fits) -> Iterator[str]:
    """Each degree by itself, doubled until it fits."""
    for name, change in _DEGREES:
        for doubling in range(1, _MOST_DOUBLINGS + 1):
            changed = change(plan, 1 << doubling)
            if changed is None:
                break
            other, text = changed
            if fits(other, run):
                yield f"{text} ({name}, {other.gpus:,} GPUs)"
                break


def _tensor(plan: Plan, factor: int) -> tuple[Plan, str] | None:
    if plan.apart or plan.cache_context > 1:
        return None
    tensor = plan.tensor * factor
    follows = plan.expert == 1 and plan.expert_tensor in (plan.tensor, plan.stage_ranks)
    cut = plan.expert_tensor * factor if follows else plan.expert_tensor
    expert = plan.expert if follows or plan.expert == 1 else plan.expert * factor
    return replace(plan, tensor=tensor, expert_tensor=cut, expert=expert, chunks=plan.chunks), f"tp{tensor}"


def _pipeline(plan: Plan, factor: int) -> tuple[Plan, str] | None:
    if plan.apart or plan.chunk_ranks or plan.beside:
        return None
    return replace(plan, pipeline=plan.pipeline * factor, chunks=(), virtual=1), f"pp{plan.pipeline * factor}"


def _experts(plan: Plan, factor: int) -> tuple[Plan, str] | None:
    if plan.apart or plan.expert == 1:
        return None
    expert = plan.expert * factor
    return replace(plan, data=plan.data * factor, expert=expert), f"ep{expert} with dp{plan.data * factor}"


_DEGREES = (
    ("more tensor parallel ranks", _tensor),
    ("more pipeline stages", _pipeline),
    ("more expert parallel ranks", _experts),
)
