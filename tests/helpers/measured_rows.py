"""Columns of rows of measurements, written by hand."""

from __future__ import annotations

__all__ = ["GEMM", "GPT", "LLAMA", "REDUCE"]

LLAMA = {
    "source": "somewhere", "model": "Llama-3.1-70B", "hidden": "8192", "layers": "80", "heads": "64", "kv_heads": "8",
    "ffn": "28672", "vocab": "128256", "seq": "1024", "global_batch": "16", "tp": "4", "pp": "1", "dp": "1",
    "gpus": "4", "gpu": "h100_sxm", "metric": "tpot", "value": "20", "unit": "ms", "notes": "fp8; OSL 1024",
}  # fmt: skip
GPT = {
    "source": "somewhere", "model": "GPT", "hidden": "8192", "layers": "48", "heads": "64", "kv_heads": "64",
    "ffn": "32768", "vocab": "51200", "seq": "2048", "global_batch": "512", "micro_batch": "1", "tp": "8", "pp": "4",
    "dp": "8", "sp": "0", "recompute": "full", "gpus": "256", "gpu": "A100-80GB", "metric": "tokens_per_s_per_gpu",
    "value": "500", "unit": "tok/s/GPU", "notes": "bf16",
}  # fmt: skip
GEMM = {
    "source": "x", "gpu": "A100-SXM", "kind": "gemm", "dtype": "bf16", "m": "4096", "n": "4096", "k": "4096",
    "value": "549", "unit": "us",
}  # fmt: skip
REDUCE = {
    "source": "x", "gpu": "A100-SXM", "kind": "collective", "dtype": "half", "op": "all_reduce", "ranks": "8",
    "bytes": "16777216", "value": "216", "unit": "us",
}  # fmt: skip
