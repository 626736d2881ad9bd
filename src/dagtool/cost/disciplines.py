"""In which order a GPU's streams are given micro-batches: fixed before anything runs, as a program is.

A discipline orders blocks. A block is one micro-batch in one stage, forward or backward, and every stream takes the
blocks in that one order, so the order must never put a block before what it depends on:
forward (stage, i) after (stage - 1, i), backward (stage, i) after (stage + 1, i) and after its own forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["DISCIPLINES", "Block", "Discipline"]


@dataclass(frozen=True, slots=True)
class Block:
    """One micro-batch in one stage, or in one part of a stage."""

    backward: bool
    stage: int
    microbatch: int


@dataclass(frozen=True, slots=True)
class Discipline:
    """``blocks(part_of, microbatches)`` is the order of all blocks, forward and backward.

    Stages are cut into parts where computation and communication take turns if the discipline is ``by_stream``;
    blocks are then of parts, and ``part_of`` has for each part its stage. Else every stage is its one part.
    """

    blocks: Callable[[Sequence[int], int], list[Block]]
    by_stream: bool
    backward: float
    """The backward pass that is assumed where none is stated, in times of the forward one."""
    summary: str


def _breadth_first(part_of: Sequence[int], microbatches: int) -> list[Block]:
    """All micro-batches through a stage before the next one, then all of them back."""
    stages, every = range(len(part_of)), range(microbatches)
    forward = [Block(False, stage, one) for stage in stages for one in every]
    return forward + [Block(True, stage, one) for stage in reversed(stages) for one in every]


def _one_forward_one_backward(part_of: Sequence[int], microbatches: int) -> list[Block]:
    """1F1B. Stage s of p takes p - s micro-batches, then goes back with one for each that it takes.

    The order is that of the steps in which blocks run where each takes one step: a step never depends on a later one.
    Narayanan et al. 2021, section 2.2.1.
    """
    stages = len(part_of)
    steps: list[tuple[int, bool, int, int]] = []
    for stage in range(stages):
        for one in range(microbatches):
            steps.append((stage + (one if one < stages - stage else 2 * one), False, stage, one))
            steps.append((2 * stages - 1 - stage + 2 * one, True, stage, one))
    return [Block(backward, stage, one) for _, backward, stage, one in sorted(steps)]


def _two_at_a_time(part_of: Sequence[int], microbatches: int) -> list[Block]:
    """Breadth first over stages; in a stage two micro-batches take turns, part by part (two-batch overlap)."""
    parts: dict[int, list[int]] = {}
    for part, stage in enumerate(part_of):
        parts.setdefault(stage, []).append(part)
    pairs = [range(first, min(first + 2, microbatches)) for first in range(0, microbatches, 2)]
    forward = [Block(False, part, one) for stage in parts for pair in pairs for part in parts[stage] for one in pair]
    returning = [
        Block(True, part, one)
        for stage in reversed(parts)
        for pair in pairs
        for part in reversed(parts[stage])
        for one in pair
    ]
    return forward + returning


DISCIPLINES = {
    "gpipe": Discipline(_breadth_first, False, 0.0, "all micro-batches through a stage, then back in the same manner"),
    "1f1b": Discipline(_one_forward_one_backward, False, 2.0, "forward and backward by turns, few in flight"),
    "overlap": Discipline(_two_at_a_time, True, 0.0, "one micro-batch computes while another one communicates"),
}
"""By name."""
