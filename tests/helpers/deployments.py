"""Small deployments made by hand or at random: nodes on GPUs, without types."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from dagtool.dag.graph import Dag, Kind, Port
from dagtool.model.mesh import Mesh
from dagtool.model.tensor import parse_type

GPUS = 4
MESHES = {
    "a": Mesh("a", (("tp", 2),), (0, 1)),
    "b": Mesh("b", (("tp", 2),), (2, 3)),
    "all": Mesh("all", (("ep", 2), ("tp", 2)), (0, 1, 2, 3)),
}
_ROWS = {
    "compute": ("linear", "all", ()),
    "tp": ("all_reduce", "all", (("over", "tp"),)),
    "ep": ("all_reduce", "all", (("over", "ep"),)),
    "there": ("send_recv", "a", (("to", "b"),)),
    "back": ("send_recv", "b", (("to", "a"),)),
    "input": ("input", "all", ()),
}
WHAT = tuple(_ROWS)


def deployment(nodes: Sequence[tuple[str, tuple[int, ...]]], edges: Sequence[tuple[int, int]]) -> Dag:
    """A Dag of nodes, each one of ``WHAT`` and its GPUs, and of edges."""
    dag = Dag(name="made", declared=True, meshes=dict(MESHES), sizes={})
    for op, mesh, params in _ROWS.values():
        dag.kinds.append(Kind(op, op, (Port("", parse_type(f"[B] @{mesh}")),), (), params))
    for index, (what, gpus) in enumerate(nodes):
        if gpus and gpus not in dag.device_sets:
            dag.device_sets.append(gpus)
        dag.ids.append(f"n{index}")
        dag.kind_of.append(WHAT.index(what))
        dag.devices_of.append(dag.device_sets.index(gpus) if gpus else -1)
        dag.layer_of.append(-1)
        dag.expert_of.append(-1)
    for tail, head in edges:
        dag.tails.append(tail)
        dag.heads.append(head)
        dag.edge_kind_of.append(0)
    return dag


def pipeline(stages: int, each: int = 1) -> Dag:
    """A chain of ``each`` computations per stage, stage s on GPU s."""
    count = stages * each
    return deployment(
        [("compute", (node // each,)) for node in range(count)], [(node, node + 1) for node in range(count - 1)]
    )


_GPU_SETS = st.lists(st.integers(0, GPUS - 1), min_size=0, max_size=GPUS, unique=True).map(tuple)


@st.composite
def deployments(draw: st.DrawFn, most: int = 12) -> Dag:
    """Any small deployment: nodes in any order of numbers, on any GPUs, or on none."""
    nodes = draw(st.lists(st.tuples(st.sampled_from(WHAT), _GPU_SETS), min_size=1, max_size=most))
    rank = draw(st.permutations(range(len(nodes))))
    pairs = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1))
    edges = draw(st.lists(pairs, max_size=2 * most))
    ordered = [(a, b) if rank[a] < rank[b] else (b, a) for a, b in edges if a != b]
    return deployment(nodes, ordered)


def seconds(dag: Dag) -> st.SearchStrategy[list[float]]:
    """Whole seconds for each node, so that sums are exact."""
    return st.lists(st.integers(0, 9).map(float), min_size=len(dag.ids), max_size=len(dag.ids))
