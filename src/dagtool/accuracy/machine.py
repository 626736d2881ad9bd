"""A GPU of a row at work: seconds of products, attention, bytes and collectives by the cost models' own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from dagtool.cost.collectives import Group, collective_s
from dagtool.cost.fitted import KernelFit, kernel_fit
from dagtool.cost.kernels import attention_time, memory_time, typed_matmul_time
from dagtool.model.cluster import Cluster, Gpu

__all__ = ["ACTIVATION_BYTES", "Machine"]

ACTIVATION_BYTES = 2.0
"""Between products values are kept in 16 bits, whatever the products run in."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``dtype``: of the weights; where the GPU cannot multiply in it, products run in bf16 on fewer bytes."""

    gpu: Gpu
    dtype: str
    fit: KernelFit
    """Launch time set to that of the run; ``compute`` to what is sustained in it."""

    @staticmethod
    def of(gpu: Gpu, dtype: str, sustained: float, launch_s: float) -> Machine:
        """A GPU that sustains a share of what single kernels reach."""
        fit = kernel_fit(gpu)
        return Machine(gpu, dtype, replace(fit, compute=fit.compute * sustained, launch_s=launch_s))

    @property
    def bandwidth(self) -> float:
        """Bytes per second that kernels reach."""
        return self.gpu.memory_bytes_per_s * self.fit.memory

    def product_s(self, m: float, k: float, n: float, dtype: str = "") -> float:
        """``[m, k] x [k, n]``; nothing for no rows."""
        if m <= 0:
            return 0.0
        return typed_matmul_time(m, k, n, dtype=dtype or self.dtype, gpu=self.gpu, fit=self.fit).time_s

    def attention_s(self, flops: float, bytes_: float) -> float:
        """Fused or not: the caller says which bytes move. In 16 bits."""
        return attention_time(flops, bytes_, dtype="bf16", gpu=self.gpu, fit=self.fit).time_s

    def moved_s(self, bytes_: float) -> float:
        """Kernels that only move bytes; their launches are counted by the caller."""
        return memory_time(bytes_, gpu=self.gpu, fit=replace(self.fit, launch_s=0.0)).time_s

    def collective_s(self, algorithm: str, sent_bytes: float, ranks: int, stride: int = 1) -> float:
        """A collective of ``ranks`` GPUs that stand ``stride`` apart."""
        gpu = self.gpu
        nodes = min(ranks, ceil(ranks * stride / gpu.gpus_per_node))
        cluster = Cluster(gpu, gpu.gpus_per_node, max(nodes, 1), gpu.inside, gpu.between)
        return collective_s(algorithm, sent_bytes, Group(ranks, max(nodes, 1)), cluster)
