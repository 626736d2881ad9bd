"""Sizes, degrees, and which GPUs do what."""

from __future__ import annotations

from dagtool.analysis.subject import Subject, part_of
from dagtool.analysis.table import Table
from dagtool.escape import code, markdown
from dagtool.model.mesh import Mesh, format_gpus
from dagtool.model.vocabulary import SYMBOLS

__all__ = ["gpu_table", "mesh_table", "size_table"]


def size_table(subject: Subject) -> Table:
    """Every size: symbol, name, value, where it comes from."""
    assumed = subject.strategy.assumed if subject.strategy else ()
    rows = []
    for symbol, value in subject.dag.sizes.items():
        source = "not in the document: a default of the preset" if symbol in assumed else ""
        source = "changed by --set" if symbol in subject.settings else source
        name = code(SYMBOLS.get(symbol, "no size that is known"))
        rows.append([code(symbol), name, f"{value:,}" if value is not None else f"{symbol}, a symbol", source])
    return Table(("size", "what", "value", "remark"), rows, frozenset({2}))


def mesh_table(subject: Subject) -> Table:
    """The meshes: axes with their degrees, GPUs, what lies there."""
    held: dict[str, dict[str, None]] = {}
    for kind in subject.dag.kinds:
        for name in kind.meshes:
            held.setdefault(name, {})[part_of(kind)] = None
    rows = [[code(name), _axes(mesh), _gpus(mesh), _words(held.get(name))] for name, mesh in subject.dag.meshes.items()]
    return Table(("mesh", "axes", "GPUs", "what lies there"), rows)


def gpu_table(subject: Subject) -> Table:
    """Groups of GPUs that hold the same: nodes, layers, experts of each."""
    held: dict[int, tuple[list[int], set[int], set[tuple[int, int]]]] = {}
    dag = subject.dag
    for node, devices in enumerate(dag.devices_of):
        for gpu in dag.device_sets[devices] if devices >= 0 else ():
            nodes, layers, experts = held.setdefault(gpu, ([], set(), set()))
            nodes.append(node)
            if dag.layer_of[node] >= 0 and not dag.kind(node).role.startswith("pipeline"):
                layers.add(dag.layer_of[node])
            if dag.expert_of[node] >= 0 and dag.kind(node).op == "expert_linear":
                experts.add((dag.layer_of[node], dag.expert_of[node]))
    groups: dict[tuple[int, str, int], list[int]] = {}
    for gpu in sorted(held):
        nodes, layers, experts = held[gpu]
        groups.setdefault((len(nodes), format_gpus(sorted(layers)), len(experts)), []).append(gpu)
    rows = [
        [format_gpus(gpus), f"{len(gpus):,}", f"{nodes:,}", layers or "none", f"{experts:,}" if experts else "none"]
        for (nodes, layers, experts), gpus in groups.items()
    ]
    return Table(("GPUs", "number", "nodes of each", "layers", "experts of each"), rows, frozenset({1, 2, 4}))


def _axes(mesh: Mesh) -> str:
    return " × ".join(f"{axis}={size}" for axis, size in mesh.sizes.items()) or "one GPU"


def _gpus(mesh: Mesh) -> str:
    return format_gpus(mesh.gpus)


def _words(parts: dict[str, None] | None) -> str:
    return markdown(", ".join(parts)) if parts else "nothing"
