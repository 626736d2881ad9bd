"""Seconds of one kernel: a matrix product in tiles and waves, fused attention, and whatever only moves bytes.

A product ``[m, k] x [k, n]`` is cut into tiles of its output, each multiprocessor works on one at a time, and the
last wave of tiles is as long as a full one: that is what makes small products inefficient, and wide ones in steps.
Beside it runs the memory; the slower of the two is the time, and every kernel takes a moment to start.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from dagtool.cost.dtypes import dtype_bytes, width_bytes
from dagtool.cost.fitted import KernelFit
from dagtool.model.cluster import Gpu

__all__ = [
    "KernelTime",
    "attention_time",
    "bare_roofline_s",
    "matmul_bytes",
    "matmul_time",
    "memory_time",
    "typed_matmul_time",
]

_TILES = ((256, 128, 1.0), (128, 256, 1.0), (128, 128, 0.9), (64, 128, 0.72), (128, 64, 0.72), (64, 64, 0.5))
"""Rows and columns of an output tile, and the rate its arithmetic reaches: a smaller one loads more per operation.

CUTLASS's usual shapes; the rates were set before fitting, after NVIDIA's "Matrix Multiplication Background" guide.
"""
_SPLITS = (1, 2, 4, 8)
"""Into how many parts k may be cut so that a small output fills the GPU; their sums are added up in memory."""
_ACCUMULATOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class KernelTime:
    """Seconds, and what bounds them: ``compute``, ``memory`` or ``launch``."""

    time_s: float
    bound: str


def matmul_bytes(m: float, k: float, n: float, dtype: str) -> float:
    """Bytes that must move: operands in ``dtype``, results in 16 bits or ``dtype``, whichever is wider."""
    width = width_bytes(dtype)
    return width * (m * k + k * n) + max(width, 2.0) * m * n


def bare_roofline_s(m: float, k: float, n: float, dtype: str, gpu: Gpu) -> float:
    """The bound that no kernel can beat: peak arithmetic or peak bandwidth. The baseline in accuracy reports."""
    return max(2 * m * k * n / gpu.peak_flops_per_s(dtype), matmul_bytes(m, k, n, dtype) / gpu.memory_bytes_per_s)


def matmul_time(m: float, k: float, n: float, *, dtype: str, gpu: Gpu, fit: KernelFit) -> KernelTime:
    """Seconds of ``[m, k] x [k, n]`` in a library's best tiling. Raises DagtoolError for a type without a peak."""
    rate = gpu.peak_flops_per_s(dtype) * fit.compute * (fit.fp8 if width_bytes(dtype) <= 1 else 1.0)
    bandwidth = gpu.memory_bytes_per_s * fit.memory
    moved = matmul_bytes(m, k, n, dtype)
    best = None
    for rows, columns, tile_rate in _TILES:
        tiles = ceil(m / rows) * ceil(n / columns)
        for split in _SPLITS:
            flops = ceil(tiles * split / gpu.multiprocessors) * gpu.multiprocessors * 2 * rows * columns * k / split
            sums = _ACCUMULATOR_BYTES * m * n * split if split > 1 else 0
            compute_s, memory_s = flops / (rate * tile_rate), (moved + sums) / bandwidth
            if best is None or max(compute_s, memory_s) < max(best):
                best = (compute_s, memory_s)
    assert best is not None
    return _bounded(*best, fit.launch_s)


def typed_matmul_time(m: float, k: float, n: float, *, dtype: str, gpu: Gpu, fit: KernelFit) -> KernelTime:
    """Seconds of a product whose weight ``[k, n]`` is of a data type that the GPU may be unable to multiply in.

    Then weights are unpacked on the way and the product runs in bf16: it reads fewer bytes and computes a bit slower.
    """
    if dtype in gpu.flops_per_s:
        return matmul_time(m, k, n, dtype=dtype, gpu=gpu, fit=fit)
    compute_s = 2 * m * k * n / (gpu.peak_flops_per_s("bf16") * fit.compute * _WEIGHT_ONLY_RATE)
    moved = float(dtype_bytes(dtype)) * k * n + width_bytes("bf16") * (m * k + m * n)
    return _bounded(compute_s, moved / (gpu.memory_bytes_per_s * fit.memory), fit.launch_s)


_WEIGHT_ONLY_RATE = 0.7
"""The share of a 16-bit product's rate that is reached where narrower weights are unpacked first: set, not fitted."""


def attention_time(flops: float, bytes_: float, *, dtype: str, gpu: Gpu, fit: KernelFit) -> KernelTime:
    """Seconds of the products inside attention: ``flops``, and ``bytes_`` that they read and write outside the chip."""
    rate = gpu.peak_flops_per_s(dtype) * fit.compute * ATTENTION_RATE
    return _bounded(flops / rate, bytes_ / (gpu.memory_bytes_per_s * fit.memory), fit.launch_s)


ATTENTION_RATE = 0.75
"""Of a large product's rate. Its best published rates (FlashAttention-2 and 3: 0.72 and 0.75 of peak) are for long
sequences without a mask; with a causal one cuDNN was measured at 602 TFLOP/s of the kept pairs on an H100, 0.80 of the
rate of a large product (32,768 tokens, 32 heads of 128)."""


def memory_time(bytes_: float, *, gpu: Gpu, fit: KernelFit) -> KernelTime:
    """Seconds of a kernel that moves ``bytes_`` and computes next to nothing: norm, activation, addition, lookup."""
    return _bounded(0.0, bytes_ / (gpu.memory_bytes_per_s * fit.memory), fit.launch_s)


def _bounded(compute_s: float, memory_s: float, launch_s: float) -> KernelTime:
    work = max(compute_s, memory_s)
    if work < launch_s:
        return KernelTime(work + launch_s, "launch")
    return KernelTime(work + launch_s, "compute" if compute_s >= memory_s else "memory")
