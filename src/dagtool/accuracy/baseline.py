"""The flat baseline: one constant throughput for each GPU and data type, taken from the very rows it is compared on.

What a row's useful work is: FLOPs of products and of tokens trained or read, bytes of a collective, and where tokens
are generated the bytes of the weights they pass. A prediction that is no better than this says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from dagtool.accuracy import serving, training
from dagtool.accuracy.measured import UNITS_OF_TIME, Row, UnpredictableError
from dagtool.accuracy.operators import product_of, sent_bytes
from dagtool.accuracy.precision import dtype_of
from dagtool.accuracy.server import weight_bytes
from dagtool.cost.kernels import bare_roofline_s
from dagtool.errors import DagtoolError
from dagtool.model.cluster import find_gpu

__all__ = ["bare_value", "flat_values"]


def flat_values(rows: Iterable[Row]) -> dict[int, float]:
    """By line what the constant throughput of a row's kind, GPU and data type gives; rows without known work miss."""
    works: dict[int, tuple[tuple[str, str, str, str], float, Row]] = {}
    for row in rows:
        try:
            experts = "experts" if row.text("experts") else ""
            key = (row.text("kind") or row.text("metric"), experts, find_gpu(row.text("gpu")).short, dtype_of(row))
            work = _work(row)
            if 0 < _throughput(row, work, row.required("value")) < float("inf"):
                works[row.line] = (key, work, row)
        except (UnpredictableError, DagtoolError, ArithmeticError):
            continue
    throughputs: dict[tuple[str, str, str, str], list[float]] = {}
    for key, work, row in works.values():
        throughputs.setdefault(key, []).append(_throughput(row, work, row.required("value")))
    return {line: _flat(row, work, median(throughputs[key])) for line, (key, work, row) in works.items()}


def _throughput(row: Row, work: float, value: float) -> float:
    """Work per time: of a rate work times value, of a time work over it."""
    return work * value if _is_rate(row) else work / value


def _flat(row: Row, work: float, throughput: float) -> float:
    """The other way round."""
    return throughput / work if _is_rate(row) else work / throughput


def _is_rate(row: Row) -> bool:
    return row.text("unit") not in UNITS_OF_TIME


def _work(row: Row) -> float:
    """Useful work of a row. Raises UnpredictableError or DagtoolError."""
    kind, metric = row.text("kind"), row.text("metric")
    if kind == "gemm":
        return product_of(row).flops
    if kind in ("collective", "moe_a2a"):
        return sent_bytes(row)
    if kind or metric in ("achieved_tflops_per_gpu", "model_tflops_per_gpu", "mfu", "hfu"):
        return 1.0
    if metric in training.METRICS:
        step = training.step_of(row)
        tokens = 1 if _is_rate(row) else step.global_batch * step.seq / step.gpus
        return tokens * training.model_flops(step.arch, step.seq, causal=True)
    return _served(row, metric)


def _served(row: Row, metric: str) -> float:
    server = serving.server_of(row)
    if metric in ("ttft", "prefill_latency", "layer_prefill_time"):
        return training.model_flops(server.arch, row.size("seq"), causal=True) / 3 * row.size("seq") / server.degrees.tp
    if "tokens_per_s" in metric:
        return training.model_flops(server.arch, row.size("seq"), causal=True) / 3 / server.degrees.tp
    if metric in serving.METRICS:
        batch = row.count("global_batch") or row.count("micro_batch")
        steps = serving.output_tokens(row) if metric == "generate_latency" else 1
        return weight_bytes(server, met_by=batch) * steps
    raise UnpredictableError(f"its metric {metric!r} is not priced")


def bare_value(row: Row) -> float | None:
    """The bare roofline of an operator's row, in its unit: peak arithmetic, memory or link; None for other rows."""
    if row.text("unit") != "us":
        return None
    if row.text("kind") == "gemm":
        one = product_of(row)
        return bare_roofline_s(one.m, one.k, one.n, one.dtype, one.gpu) * 1e6
    if row.text("kind") in ("collective", "moe_a2a"):
        return sent_bytes(row) / find_gpu(row.text("gpu")).inside.bytes_per_s_one_way * 1e6
    return None
