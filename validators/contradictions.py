"""Claims held against what a graph has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from dagtool.validators.claims import DEGREES, Claim
from dagtool.validators.inventory import Inventory

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with claims: they are contradicted, or (``open``) nothing in the graph can confirm them."""

    text: str
    open: bool = False


def judge(claims: Sequence[Claim], there: Inventory) -> Iterator[Verdict]:
    """Every claim that does not hold. Nothing is said of those that may."""
    by_key = {claim.key: claim.value for claim in claims}
    yield from _gpus(by_key, there)
    yield from _degrees(by_key, there)
    yield from _counts(by_key, there)


def _gpus(by_key: dict[str, int], there: Inventory) -> Iterator[Verdict]:
    wanted = by_key.get("gpus")
    if wanted is None:
        return
    if not there.gpu_count:
        yield Verdict(f"gpus={wanted}, but no node names a GPU by number", open=True)
    elif there.gpu_count != wanted:
        # "all GPUs" may stand for those that are not named.
        maybe = there.gpu_count < wanted and there.vague
        more = f"; {there.vague:,} say all GPUs without a number" if maybe else ""
        yield Verdict(f"gpus={wanted}, but the nodes name {there.gpu_text}{more}", open=bool(maybe))


def _degrees(by_key: dict[str, int], there: Inventory) -> Iterator[Verdict]:
    """The axes a graph declares count for more than the product of the degrees."""
    degrees = {key: by_key[key] for key in DEGREES if key in by_key}
    wrong = {key: value for key, value in degrees.items() if key in there.axes and value not in there.axes[key]}
    for key, value in wrong.items():
        sizes = " and ".join(map(str, sorted(there.axes[key])))
        yield Verdict(f"{key}={value}, but the meshes have {key}={sizes}")
    declared = bool(there.axes) and all(key in there.axes for key in degrees)
    if not degrees or declared or wrong:
        return
    text = " ".join(f"{key}={value}" for key, value in degrees.items())
    if not there.gpu_count:
        yield Verdict(f"{text}, but no node names a GPU by number", open=True)
        return
    possible = _possible(degrees)
    alone = len(degrees) == 1
    fits = there.gpu_count % min(possible) == 0 if alone else there.gpu_count in possible
    if not fits and not (there.vague and there.gpu_count < max(possible)):
        needed = " or ".join(f"{count:,}" for count in sorted(possible, reverse=True))
        more = "a multiple of " if alone else ""
        yield Verdict(f"{text}, which needs {more}{needed} GPUs, but the nodes name {there.gpu_text}")


def _possible(degrees: dict[str, int]) -> set[int]:
    """The numbers of GPUs that degrees may come to.

    Expert and sequence parallelism need no GPUs of their own: they may lie on those of the others, where
    the product of those is a multiple of them (EP folds over DP and TP, SP over TP).
    """
    folding = [key for key in ("ep", "sp") if key in degrees]
    found = set()
    for count in range(len(folding) + 1):
        for folded in combinations(folding, count):
            base = prod(value for key, value in degrees.items() if key not in folded)
            if all(base % degrees[key] == 0 for key in folded):
                found.add(base)
    return found


def _counts(by_key: dict[str, int], there: Inventory) -> Iterator[Verdict]:
    pairs = (("layers", len(there.layers), "names a layer"), ("experts", there.experts, "names an expert"))
    for key, count, what in pairs:
        wanted = by_key.get(key)
        if wanted is None:
            continue
        if not count:
            yield Verdict(f"{key}={wanted}, but no node {what}", open=True)
        elif count != wanted and not (key == "experts" and there.expert_places == wanted):
            yield Verdict(f"{key}={wanted}, but {_drawn(key, count, there)}")
    stages = by_key.get("pp")
    if stages and len(there.stages) > 1 and len(there.stages) != stages and "pp" not in there.axes:
        yield Verdict(f"pp={stages}, but {len(there.stages)} stages are drawn ({_listed(there.stages)})")
    groups = by_key.get("ep")
    most = max(there.experts, there.expert_places, there.last_expert + 1)
    if groups and there.experts and most < groups and "ep" not in there.axes:
        yield Verdict(f"ep={groups}, but only {there.experts} experts are drawn")


def _drawn(key: str, count: int, there: Inventory) -> str:
    which = f" ({_listed(there.layers)})" if key == "layers" else ""
    return f"{count:,} {key if count > 1 else key[:-1]} {'are' if count > 1 else 'is'} drawn{which}"


def _listed(numbers: frozenset[int]) -> str:
    from dagtool.model.mesh import format_gpus

    text = format_gpus(sorted(numbers))
    return text if len(text) < 40 else f"{text[:36]}…"
