"""What one GPU, or a few, have to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.dag.subgraph import subgraph
from dagtool.errors import DagtoolError
from dagtool.model.mesh import format_gpus
from dagtool.render.views._folded import folded_picture
from dagtool.render.words import gpu_words

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "TAKES", "picture"]

SUMMARY = "the program of the GPUs that --gpus names, by default the first"
TAKES = ("gpus",)


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The nodes that these GPUs take part in. Raises DagtoolError for GPUs that the graph does not name."""
    known = sorted({gpu for gpus in dag.device_sets for gpu in gpus})
    if not known:
        raise DagtoolError("no node names a GPU", "--view layer draws what there is")
    wanted = set(asked.gpus or known[:1])
    if missing := wanted.difference(known):
        raise DagtoolError(f"GPU {format_gpus(sorted(missing))}: not in the graph, which has {gpu_words(known)}")
    taking = {index for index, gpus in enumerate(dag.device_sets) if wanted.intersection(gpus)}
    part = subgraph(dag, (node for node, devices in enumerate(dag.devices_of) if devices in taking))
    drawn = folded_picture(part, Detail(), asked, env)
    counts = f"{len(part.ids):,} of {len(dag.ids):,} nodes"
    return replace(drawn, title=f"{drawn.title}: {gpu_words(sorted(wanted))}", facts=(counts, *drawn.facts[1:]))
