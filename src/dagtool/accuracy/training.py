"""Rows that measure training: the step they ran, and the tokens or FLOPs a GPU did in it."""

from __future__ import annotations

from dataclasses import replace

from dagtool.accuracy.architecture import Architecture, architecture_of
from dagtool.accuracy.constants import TrainingFit, sustained, training_fit
from dagtool.accuracy.layer import attention_flops, causal_share, degrees_of, expert_products, head_product, products
from dagtool.accuracy.machine import Machine
from dagtool.accuracy.measured import Row, UnpredictableError, in_unit
from dagtool.accuracy.precision import dtype_of
from dagtool.accuracy.software import software_of
from dagtool.accuracy.step import Step
from dagtool.model.cluster import find_gpu

__all__ = ["METRICS", "model_flops", "step_of", "training_value"]

METRICS = (
    "achieved_tflops_per_gpu", "model_tflops_per_gpu", "tokens_per_s_per_gpu", "iteration_time", "step_time", "mfu",
    "hfu",
)  # fmt: skip

_LAUNCH_S = 5e-6


def model_flops(arch: Architecture, seq: float, *, recompute: bool = False, causal: bool = False) -> float:
    """FLOPs of one token forward and backward, attention in full or causal; with recomputation Narayanan's eq. (3)."""
    held = products(arch, 1, 1)
    if arch.experts:
        held += expert_products(arch, arch.topk / arch.experts, arch.experts, 1)
    attention = attention_flops(arch, 1, seq, 1) * (causal_share(seq) if causal else 1)
    layer = sum(2 * one.m * one.k * one.n * one.count for one in held) + attention
    one = head_product(arch, 1, 1)
    return (4 if recompute else 3) * arch.layers * layer + 3 * 2 * one.k * one.n


def step_of(row: Row, fit: TrainingFit | None = None, table: dict[str, dict[str, float]] | None = None) -> Step:
    """The step a row measures. Raises UnpredictableError or DagtoolError (unknown GPU, data type)."""
    gpu, dtype = find_gpu(row.text("gpu")), dtype_of(row)
    gpu.peak_flops_per_s(dtype)
    arch = architecture_of(row)
    degrees = replace(degrees_of(row), cp=int(row.noted(r"CP=(\d+)") or 1))
    batch, seq = row.size("global_batch"), row.size("seq")
    assumed = list(arch.assumed)
    micro = row.count("micro_batch")
    if not micro:
        micro = 1 if degrees.pp > 1 else min(8, max(1, batch // degrees.dp))
        assumed.append(f"micro_batch not stated: {micro}")
    if batch < degrees.dp * micro:
        raise UnpredictableError(f"global_batch {batch} is less than dp {degrees.dp} x micro_batch {micro}")
    gpus = row.count("gpus") or degrees.tp * degrees.pp * degrees.dp * degrees.cp
    parallel = row.text("sp") != "0" and degrees.tp > 1
    if parallel and not row.text("sp"):
        assumed.append("sp not stated: sequence parallel")
    return Step(
        arch, degrees, Machine.of(gpu, dtype, sustained(gpu, dtype, table), _LAUNCH_S), software_of(row),
        fit or training_fit(), seq, batch, micro, row.count("interleave", 1) or 1, row.text("recompute"), parallel,
        gpus, tuple(assumed),
    )  # fmt: skip


def training_value(row: Row, fit: TrainingFit | None = None, table: dict[str, dict[str, float]] | None = None) -> float:
    """What the row measures, predicted, in its unit. Raises UnpredictableError or DagtoolError."""
    step, metric = step_of(row, fit, table), row.text("metric")
    time_s = step.time_s()
    tokens = step.global_batch * step.seq / time_s / step.gpus
    if metric in ("iteration_time", "step_time"):
        return in_unit(time_s, row)
    if metric == "tokens_per_s_per_gpu":
        return tokens
    hardware = metric in ("achieved_tflops_per_gpu", "hfu")
    flops_per_s = tokens * model_flops(step.arch, step.seq, recompute=hardware and step.recompute == "full")
    if metric in ("mfu", "hfu"):
        return (
            flops_per_s
            / step.machine.gpu.peak_flops_per_s(step.machine.dtype)
            * (100 if row.text("unit") == "%" else 1)
        )
    return flops_per_s / 1e12
