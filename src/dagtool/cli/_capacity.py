"""The memory of a GPU, as the command line gives it."""

from __future__ import annotations

from dagtool.errors import DagtoolError
from dagtool.model.byte_count import parse_bytes

__all__ = ["capacity_of", "size_of"]


def capacity_of(gpu_memory: str | None, cluster: str | None) -> int | None:
    """Return the bytes of a GPU by ``--gpu-memory`` or ``--cluster``; None without. Raises DagtoolError."""
    if not cluster:
        return size_of("--gpu-memory", gpu_memory)
    if gpu_memory:
        raise DagtoolError("--gpu-memory and --cluster both say what a GPU has", "give one of them")
    from dagtool.model.cluster import cluster as find_cluster

    return find_cluster(cluster).gpu.memory_bytes


def size_of(what: str, text: str | None) -> int | None:
    """Return a number of bytes; None for an empty text. Raises DagtoolError."""
    try:
        return parse_bytes(text) if text else None
    except ValueError as error:
        raise DagtoolError(f"{what}: {error}") from None
