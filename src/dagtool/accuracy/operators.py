"""Rows that measure one operator: a matrix product, a collective, an exchange of routed tokens."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.accuracy.measured import Row, UnpredictableError, in_unit
from dagtool.accuracy.precision import dtype_of
from dagtool.accuracy.software import software_of
from dagtool.cost.collectives import Group, collective_s
from dagtool.cost.dtypes import width_bytes
from dagtool.cost.fitted import KernelFit, LinkFit, kernel_fit
from dagtool.cost.kernels import matmul_time
from dagtool.model.cluster import Cluster, Gpu, find_gpu
from dagtool.model.size import Size
from dagtool.ops import OPERATORS
from dagtool.ops.collective import Collective

__all__ = ["Product", "operator_value", "product_of", "sent_bytes"]

_SPELLINGS = {name.replace("_", ""): name for name in ("all_to_all", "all_reduce", "all_gather", "reduce_scatter")}


@dataclass(frozen=True, slots=True)
class Product:
    """A measured ``[m, k] x [k, n]``."""

    gpu: Gpu
    dtype: str
    m: int
    k: int
    n: int

    @property
    def flops(self) -> float:
        """2*m*k*n."""
        return 2.0 * self.m * self.k * self.n


def product_of(row: Row) -> Product:
    """The product a row measures. Raises UnpredictableError or DagtoolError (unknown GPU or data type)."""
    gpu, dtype = find_gpu(row.text("gpu")), dtype_of(row)
    gpu.peak_flops_per_s(dtype)
    return Product(gpu, dtype, row.size("m"), row.size("k"), row.size("n"))


def operator_value(row: Row, kernels: KernelFit | None = None, links: LinkFit | None = None) -> float:
    """What the row measures, predicted, in its own unit; by other constants than the fitted ones where given.

    Raises UnpredictableError, or DagtoolError for an unknown GPU or data type.
    """
    kind = row.text("kind")
    if kind in ("gemm", "gemm_peak"):
        return _product_value(row, kernels)
    if kind == "collective":
        return in_unit(_collective_s(row, links), row)
    if kind == "moe_a2a":
        return _exchange_value(row, links)
    raise UnpredictableError(f"its kind {kind!r} is not priced" if kind else "states no kind")


def _product_value(row: Row, fit: KernelFit | None) -> float:
    one = product_of(row)
    found = matmul_time(one.m, one.k, one.n, dtype=one.dtype, gpu=one.gpu, fit=fit or kernel_fit(one.gpu))
    time_s = found.time_s + software_of(row).harness_s
    return one.flops / time_s / 1e12 if row.text("unit") == "TFLOP/s" else in_unit(time_s, row)


def _cluster(row: Row, ranks: int) -> tuple[Cluster, Group]:
    gpu = find_gpu(row.text("gpu"))
    nodes = -(-ranks // gpu.gpus_per_node)
    return Cluster(gpu, gpu.gpus_per_node, nodes, gpu.inside, gpu.between), Group(ranks, nodes)


def sent_bytes(row: Row) -> float:
    """What one GPU sends in a collective or an exchange of routed tokens. Raises UnpredictableError."""
    ranks = row.size("ranks")
    if row.text("kind") == "collective":
        # ``bytes`` is the larger buffer, as nccl-tests count.
        sent = _collective(row).wire(Size(row.size("bytes")), ranks)
        return sent.numerator / sent.denominator
    # DeepEP sends tokens to the experts in fp8 and their results back in bf16.
    width = width_bytes("fp8" if "dispatch" in row.text("op") else "bf16")
    return row.required("tokens") * row.required("topk") * row.required("hidden") * width * (ranks - 1) / ranks


def _collective(row: Row) -> Collective:
    name = _SPELLINGS.get(row.text("op").replace("_", "").lower(), row.text("op"))
    operator = OPERATORS.get(name)
    if not isinstance(operator, Collective):
        raise UnpredictableError(f"its op {row.text('op')!r} is no collective")
    return operator


def _collective_s(row: Row, fit: LinkFit | None) -> float:
    cluster, group = _cluster(row, row.size("ranks"))
    return collective_s(_collective(row).algorithm, sent_bytes(row), group, cluster, fit=fit)


def _exchange_value(row: Row, fit: LinkFit | None) -> float:
    """A dispatch or combine of ``tokens`` tokens a GPU, each to ``topk`` experts anywhere in the group."""
    op, ranks = row.text("op"), row.size("ranks")
    if "dispatch" not in op and "combine" not in op:
        raise UnpredictableError(f"its op {op!r} is neither dispatch nor combine")
    cluster, group = _cluster(row, ranks)
    if "rdma" in row.text("notes").lower():
        group = Group(ranks, ranks)  # every message goes through the network, also inside a node
    sent = sent_bytes(row)
    time_s = collective_s("all_to_all", sent, group, cluster, fit=fit)
    if "GB/s" not in row.text("unit"):
        return in_unit(time_s, row)
    return sent * (ranks - group.per_node) / (ranks - 1) / time_s / 1e9
