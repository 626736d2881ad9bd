"""Rows that measure inference: the deployment that ran, and the time or rate they report."""

from __future__ import annotations

from dataclasses import replace

from dagtool.accuracy.architecture import architecture_of
from dagtool.accuracy.constants import ServingFit, serving_fit, sustained
from dagtool.accuracy.layer import degrees_of
from dagtool.accuracy.machine import ACTIVATION_BYTES, Machine
from dagtool.accuracy.measured import Row, UnpredictableError, in_unit
from dagtool.accuracy.precision import dtype_of
from dagtool.accuracy.server import Server
from dagtool.accuracy.software import software_of
from dagtool.cost.dtypes import width_bytes
from dagtool.model.cluster import find_gpu

__all__ = ["METRICS", "output_tokens", "server_of", "serving_value"]

METRICS = (
    "ttft", "tpot", "generate_latency", "prefill_latency", "decode_latency_per_token",
    "layer_prefill_time", "layer_decode_time", "max_output_tokens_per_s",
    "prefill_tokens_per_s_per_gpu", "decode_tokens_per_s_per_gpu", "prefill_tokens_per_s_per_node",
    "decode_tokens_per_s_per_node",
)  # fmt: skip


def server_of(row: Row, fit: ServingFit | None = None) -> Server:
    """The deployment a row measures. Raises UnpredictableError or DagtoolError (unknown GPU)."""
    gpu, dtype = find_gpu(row.text("gpu")), dtype_of(row)
    arch, fit = architecture_of(row), fit or serving_fit()
    assumed = list(arch.assumed)
    degrees = degrees_of(row)
    rate = sustained(gpu, dtype)
    server = Server(arch, degrees, Machine.of(gpu, dtype, rate, 0.0), software_of(row), fit, True)
    if row.text("metric") == "max_output_tokens_per_s":
        # These engines keep keys and values as narrow as fp8 weights; a batch is what fits.
        assumed.append("batch not stated: what fits into memory")
        server = replace(server, cache_bytes=min(ACTIVATION_BYTES, max(1.0, width_bytes(dtype))))
    # Serving engines report times of captured graphs, latencies of single calls are measured without.
    metric = row.text("metric")
    captured = metric in ("ttft", "tpot") or "tokens_per_s" in metric
    return replace(server, captured=captured, assumed=tuple(assumed))


def output_tokens(row: Row) -> int:
    """Tokens generated for each request, as the notes say. Raises UnpredictableError."""
    for pattern in (r"OSL (\d+)", r"output length (\d+)", r"(\d+) generated tokens"):
        if found := row.noted(pattern):
            return int(found)
    raise UnpredictableError("states no number of output tokens")


def _batch(row: Row) -> float:
    """Requests in flight on one replica."""
    found = row.count("global_batch") or row.count("micro_batch")
    if not found:
        raise UnpredictableError("states no batch")
    return max(1.0, found / (row.count("dp") or 1))


def serving_value(row: Row, fit: ServingFit | None = None) -> float:
    """What the row measures, predicted, in its unit. Raises UnpredictableError or DagtoolError."""
    metric, prompt = row.text("metric"), row.size("seq")
    server = server_of(row, fit)
    if metric == "max_output_tokens_per_s":
        output = output_tokens(row)
        batch = server.largest_batch(prompt + output)
        return batch / server.token_s(batch, prompt, output)
    if metric.startswith(("prefill_tokens", "decode_tokens")):
        return _tokens_per_s(metric, row, server, prompt)
    return in_unit(_latency_s(metric, row, server, prompt), row)


def _tokens_per_s(metric: str, row: Row, server: Server, prompt: int) -> float:
    """Of one GPU or of a node's, one kind of step after the other."""
    batch, degrees = _batch(row), server.degrees
    if metric.startswith("prefill"):
        rate = batch * prompt / server.prefill_s(batch, prompt)
    else:
        rate = batch / (server.decode_s(batch, prompt) + server.fit.host_s)
    per_gpu = rate / (degrees.tp * degrees.pp)
    return per_gpu * (server.machine.gpu.gpus_per_node if metric.endswith("node") else 1)


def _latency_s(metric: str, row: Row, server: Server, prompt: int) -> float:
    batch = _batch(row)
    if metric == "tpot":
        return server.token_s(batch, prompt, output_tokens(row))
    if metric == "ttft":
        return server.first_token_s(batch, prompt, output_tokens(row))
    if metric == "prefill_latency":
        return server.prefill_s(batch, prompt)
    if metric == "layer_prefill_time":
        return server.layer_s(batch * prompt, batch, prompt, decoding=False, experts=bool(server.arch.experts))
    if metric == "layer_decode_time":
        return server.layer_s(batch, batch, prompt, decoding=True, experts=bool(server.arch.experts))
    output = output_tokens(row)
    step = server.decode_s(batch, prompt + output / 2)
    return step if metric == "decode_latency_per_token" else server.prefill_s(batch, prompt) + output * step
