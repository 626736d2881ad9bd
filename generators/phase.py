"""What a deployment runs: a plain forward pass, a prefill, decode steps over a cache, or one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dagtool.errors import DagtoolError, did_you_mean

__all__ = [
    "DECODE",
    "FORWARD",
    "LOSS",
    "PHASES",
    "PREFILL",
    "Phase",
    "cache_fault",
    "chooses_token",
    "filling",
    "format_phases",
    "parse_phases",
]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: which tokens are new, which keys they may see, and where those come from."""

    name: str
    tokens: str = "S"
    """The size that counts the new tokens of a sequence."""
    keys: str = "S"
    """The size that counts the tokens of a cache; without one that of the new tokens."""
    reads_cache: bool = False
    """Whether keys and values of earlier tokens come from a cache."""
    writes_cache: bool = False
    """Whether keys and values of the new tokens are handed to a later phase."""
    past: str = ""
    """How many tokens come before the new ones, a sum of sizes; empty: none."""
    next_tokens: str = ""
    """The size that counts the new tokens of the phase that follows in the same graph; empty: none follows."""
    last_only: bool = False
    """Whether only the last token of each sequence is projected onto the vocabulary."""
    loss: bool = False
    """Whether the output is the loss of each token instead of its logits."""
    tag: str = ""
    """What tells its nodes from those of other phases in one graph; empty where there is one phase."""


FORWARD = Phase("forward")
PREFILL = Phase("prefill", last_only=True)
DECODE = Phase("decode", keys="T", reads_cache=True, past="T-S")

LOSS = Phase("loss", loss=True)

PHASES = {phase.name: phase for phase in (FORWARD, PREFILL, DECODE, LOSS)}

_MOST_STEPS = 10_000
_ITEM = re.compile(r"(?P<name>[a-z]+)(?:\*(?P<count>[0-9]{1,6}))?")


def parse_phases(text: str) -> tuple[Phase, ...]:
    """Read ``decode``, or ``prefill decode*3``: a prefill of S tokens and steps of Q tokens on caches of T.

    Raises DagtoolError.
    """
    names: list[str] = []
    for part in text.replace(",", " ").split():
        match = _ITEM.fullmatch(part)
        if match is None or match["name"] not in PHASES:
            hint = did_you_mean(match["name"] if match else part, list(PHASES)) or f"known: {', '.join(PHASES)}"
            raise DagtoolError(f"phase {part!r} is not known", hint)
        names += [match["name"]] * int(match["count"] or 1)
        if len(names) > _MOST_STEPS:
            raise DagtoolError(f"phase {text!r} has more than {_MOST_STEPS:,} steps")
    if len(names) == 1:
        return (PHASES[names[0]],)
    if names[:1] != ["prefill"] or set(names[1:]) != {"decode"}:
        raise DagtoolError(f"phase {text!r}: several phases are a prefill and decode steps", "like 'prefill decode*3'")
    steps = [_step(number, len(names) - 2) for number in range(len(names) - 1)]
    return (filling(steps[0]), *steps)


def _step(number: int, last: int) -> Phase:
    past = "S" + ("" if not number else "+Q" if number == 1 else f"+{number}*Q")
    step = replace(DECODE, tokens="Q", past=past, tag=f"decode{number}")
    return replace(step, writes_cache=True, next_tokens="Q") if number < last else step


def filling(phase: Phase) -> Phase:
    """The phase of several that leaves its caches to this one."""
    return replace(PREFILL, keys=phase.keys, writes_cache=True, next_tokens=phase.tokens, tag="prefill")


def chooses_token(phase: Phase, sizes: Mapping[str, int | None], *, from_vocabulary: bool) -> bool:
    """Return whether the phase chooses the token that the next one begins with.

    It does where that phase takes one new token of a sequence, and tokens are ids: several new tokens are proposed
    by another model, and a model without embedding is given hidden states.
    """
    return from_vocabulary and bool(phase.next_tokens) and sizes.get(phase.next_tokens) == 1


def cache_fault(phases: tuple[Phase, ...], sizes: Mapping[str, int | None]) -> tuple[str, str] | None:
    """Return what is wrong with the room of a cache, and what to do; None where it is right, or a symbol.

    A cache has room for every token that is written into it, and some come before the new ones.
    """
    room, prompt = sizes.get("T"), sizes.get("S")
    if not room or not prompt or not phases[-1].reads_cache:
        return None
    if len(phases) == 1:
        why = f"context T={room} has no token before the S={prompt} new ones"
        return (why, "T counts the new tokens too: at least S + 1") if room <= prompt else None
    new = sizes.get("Q") or 1
    written = prompt + (len(phases) - 1) * new
    steps = f"S={prompt} and {len(phases) - 1} steps of Q={new}"
    why = f"the cache has room for T={room} tokens, but {steps} write {written}"
    return (why, f"T at least {written}") if written > room else None


def format_phases(phases: tuple[Phase, ...]) -> str:
    """The graph attribute ``phase``."""
    steps = len(phases) - 1
    return phases[0].name if not steps else f"prefill decode{f'*{steps}' if steps > 1 else ''}"
