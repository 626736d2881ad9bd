"""The GPU's peaks, what kernels reach of them at each size, and the time a kernel takes to start."""

from __future__ import annotations

from dataclasses import replace

from dagtool.cost.backends import GetTime, Settings
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import typed_matmul_time
from dagtool.cost.price import Price

__all__ = ["NEEDS", "SUMMARY", "make", "make_typed"]

SUMMARY = "GPU peaks, efficiency by size (tiles and waves), launch time; constants fitted on measured products"
NEEDS = ("cluster",)


def make(settings: Settings) -> GetTime:
    """Prices for the cluster's GPU and the data type. Raises DagtoolError where the GPU lacks the type."""
    settings.gpus.gpu.peak_flops_per_s(settings.dtype)
    return make_typed(settings, settings.dtype)


def make_typed(settings: Settings, dtype: str) -> GetTime:
    """Prices of products whose weights are of a data type, also of one that the GPU only unpacks."""
    gpu = settings.gpus.gpu
    fit = kernel_fit(gpu)
    if settings.efficiency is not None:
        fit = replace(fit, compute=settings.efficiency)

    def get_time(m: float, k: float, n: float) -> Price:
        found = typed_matmul_time(m, k, n, dtype=dtype, gpu=gpu, fit=fit)
        return Price(found.time_s, f"roofline: {found.bound}")

    return get_time
