"""What the runtime takes of every GPU before the model gets anything.

Source: ai-dynamo/aiconfigurator, systems/*.yaml, ``misc``: ``nccl_mem`` 358612992 bytes (342 MiB) for 2 GPUs and
411041792 (392 MiB) for 4 and for 8, ``other_mem`` 3758096384 (3.5 GiB: context, kernels, fragmentation). It calls
both corrections from observations; beyond 8 GPUs the last figure is kept.
"""

from __future__ import annotations

__all__ = ["runtime_reserve_bytes"]

_OTHER_BYTES = 3_758_096_384
_NCCL_BYTES = ((4, 411_041_792), (2, 358_612_992))
"""(from so many GPUs on, bytes)."""


def runtime_reserve_bytes(gpus: int) -> int:
    """Bytes of each of ``gpus`` GPUs."""
    return _OTHER_BYTES + next((size for least, size in _NCCL_BYTES if gpus >= least), 0)
