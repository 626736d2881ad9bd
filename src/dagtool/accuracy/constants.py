"""Constants of whole runs, fitted on measured rows by docs/fit_costs.py: ``training.toml`` and ``serving.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dagtool.model.cluster import Gpu

__all__ = ["ServingFit", "TrainingFit", "serving_fit", "sustained", "training_fit"]


@dataclass(frozen=True, slots=True)
class TrainingFit:
    """What a training step takes beside its kernels."""

    passes: float = 1.0
    """Reads and writes of the residual stream, in those of fused norms and additions."""
    attention: float = 1.0
    """Time of attention, in that of its model."""
    casts: float = 1.0
    """Reads and writes for conversion to fp8, in one of each operand."""
    tensor_exposed: float = 1.0
    """Share of tensor parallel communication that products do not hide, with sequence parallelism."""
    data_exposed: float = 1.0
    """Share of the gradients' reduction that the backward pass does not hide."""
    gather_exposed: float = 0.1
    """Share of the gathering of sharded weights that is not hidden, beside what does not fit under the products."""
    unprefetched: float = 5.0
    """Time of gathering weights when needed, in that of one large collective."""
    experts: float = 1.0
    """Time of experts' products and exchanges, in that of their model: balanced routing, one kernel for each expert.

    Below 1 where one grouped kernel does them all.
    """
    expert_host_s: float = 4e-3
    """For each layer with experts, forward and backward: the host reads how many tokens came and starts the kernels."""


@dataclass(frozen=True, slots=True)
class ServingFit:
    """What a step of inference takes beside its kernels."""

    launch_s: float = 4e-6
    """From kernel to kernel in a captured graph."""
    eager_launch_s: float = 12e-6
    """The same where the host launches each."""
    one_shot_s: float = 7e-6
    """An all-reduce of a few kilobytes in one kernel that reads all ranks' memory."""
    host_s: float = 1e-3
    """Scheduling and sampling, each step."""
    touched: float = 0.7
    """Experts that a batch meets, in those it would meet if every choice were independent."""
    queue: float = 0.05
    """How many prompts a request waits for, for each other request in flight."""
    first_token_s: float = 20e-3
    """From a request's arrival to its scheduling."""


@cache
def _table(name: str) -> dict[str, dict[str, float]]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


def training_fit() -> TrainingFit:
    """The fitted constants."""
    return TrainingFit(**_table("training")["step"])


def serving_fit() -> ServingFit:
    """The fitted constants."""
    return ServingFit(**_table("serving")["step"])


def sustained(gpu: Gpu, dtype: str, table: dict[str, dict[str, float]] | None = None) -> float:
    """Share of single kernels' rate that a GPU sustains for hours, by width of the data type; others have the mean."""
    table = table or _table("training")
    width = "bf16" if dtype in ("bf16", "fp16", "fp32") else "fp8"
    own = table.get(gpu.short, table.get(gpu.measured_as, {}))
    return own.get(width, table["all"][width])
