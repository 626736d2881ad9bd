"""How large a deployment may be: beyond these numbers a command refuses at once instead of running out of memory."""

from __future__ import annotations

__all__ = ["MOST_BYTES", "MOST_GPUS", "MOST_LAYERS", "MOST_NODES", "MOST_RUNS", "MOST_RUN_BYTES", "MOST_RUN_GPUS"]

MOST_LAYERS = 10_000
"""Layers of a model that is read, deployed or run."""
MOST_GPUS = 1 << 20
"""GPUs of a mesh and its copies for the stages of a pipeline."""
MOST_NODES = 50_000_000
"""Nodes of a graph that is generated."""
MOST_BYTES = 2 << 30
"""Bytes of weights that are read from files; in double precision they take up to four times as much memory."""
MOST_RUN_GPUS = 1 << 16
"""GPUs on which a graph is run."""
MOST_RUNS = 5_000_000
"""Nodes that a run takes, each counted on every GPU that it names."""
MOST_RUN_BYTES = 4 << 30
"""Bytes of arrays that a run holds at one time."""
