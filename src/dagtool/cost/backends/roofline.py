"""The GPU's peaks, what kernels reach of them at each size, and the time a kernel takes to start."""

from __future__ import annotations

from dataclasses import replace

from dagtool.cost.backends import GetTime, Settings
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import matmul_time
from dagtool.cost.price import Price

__all__ = ["NEEDS", "SUMMARY", "make"]

SUMMARY = "GPU peaks, efficiency by size (tiles and waves), launch time; constants fitted on measured products"
NEEDS = ("cluster",)


def make(settings: Settings) -> GetTime:
    """Prices for the cluster's GPU and the data type. Raises DagtoolError where the GPU lacks the type."""
    gpu, dtype = settings.gpus.gpu, settings.dtype
    gpu.peak_flops_per_s(dtype)
    fit = kernel_fit(gpu)
    if settings.efficiency is not None:
        fit = replace(fit, compute=settings.efficiency)

    def get_time(m: float, k: float, n: float) -> Price:
        found = matmul_time(m, k, n, dtype=dtype, gpu=gpu, fit=fit)
        return Price(found.time_s, f"roofline: {found.bound}")

    return get_time
