"""Roles, shardings and GPU sets in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dagtool.dag.folded import FoldedNode
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.idtemplate import group_ids
from dagtool.foreign.text import label_lines, label_text
from dagtool.model.labels import shape_label
from dagtool.model.mesh import format_gpus

__all__ = [
    "attributes_of",
    "gpu_words",
    "label_words",
    "layer_words",
    "mesh_words",
    "output_words",
    "place_words",
    "role_words",
    "sharding_words",
    "times_words",
]

_MAX_RUNS = 4


def role_words(roles: Sequence[str], block: str = "") -> str:
    """In the block ``attention``, ``attention.q_heads`` and ``attention.k_heads`` together are ``q, k heads``."""
    texts = [role.removeprefix(f"{block}.").replace(".", " ").replace("_", " ") for role in roles]
    if len(texts) == 1:
        return texts[0]
    words = [text.split(" ") for text in texts]
    before = _common([word[:-1] for word in words])
    after = _common([word[len(before) + 1 :][::-1] for word in words])[::-1]
    own = [" ".join(word[len(before) : len(word) - len(after)]) for word in words]
    return " ".join([*before, ", ".join(own), *after])


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """The longest beginning that all have."""
    found: list[str] = []
    for column in zip(*lists, strict=False):
        if len(set(column)) > 1:
            break
        found.append(column[0])
    return found


def attributes_of(dag: Dag, node: int) -> Mapping[str, str]:
    """What the file says of a node."""
    return dag.source.node_attributes[dag.source.index[dag.ids[node]]] if dag.source else {}


def label_words(dag: Dag, members: Iterable[int]) -> tuple[str, str]:
    """The first line of the label of nodes that are drawn as one, and the next line; their ids where they have none."""
    said = [_first_lines(dag.ids[member], attributes_of(dag, member)) for member in members]
    first, second = (group_ids(lines)[0].text for lines in zip(*said, strict=True))
    return first, second


def _first_lines(name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    """The first line of a label and the next that says something; an ellipsis behind it where there are more."""
    first, *others = label_lines(label_text(name, attributes), attributes.get("shape", "")) or (name,)
    told = [line for line in others if line[-1] != ":" and any(map(str.isalnum, line))]
    return first, "".join(told[:1]) + " …" * (len(told) > 1)


def gpu_words(gpus: Sequence[int]) -> str:
    """``GPU 0–7``; many separate runs are cut."""
    if not gpus:
        return ""
    runs = format_gpus(gpus).replace("-", "–").split(",")
    if len(runs) > _MAX_RUNS:
        runs = [*runs[: _MAX_RUNS - 1], "…", runs[-1]]
    return f"GPU {', '.join(runs)}"


def place_words(dag: Dag, node: FoldedNode) -> str:
    """The GPUs of a node; from where to where if it moves data from one mesh to another."""
    sides = [sorted(set(node.gpus).intersection(dag.meshes[mesh].gpus)) for mesh in _meshes(dag, node)]
    if len(sides) > 1 and all(sides):
        return " → ".join(map(gpu_words, sides))
    return gpu_words(node.gpus)


def _meshes(dag: Dag, node: FoldedNode) -> list[str]:
    kind = dag.kind(node.first)
    return [mesh for mesh in kind.meshes if mesh in dag.meshes] if kind.op != "recv" else []


def times_words(dag: Dag, node: FoldedNode) -> str:
    """How many nodes it stands for in each layer: ``×8``, ``×16 experts, 2 per GPU``, ``×16 groups of 4``."""
    ranks, each = node.ranks, len(dag.gpus(node.first))
    twins = " each" if len(node.roles) > 1 else ""
    if node.experts > 1:
        text = f"×{node.experts} experts" + (f" × {ranks // node.experts}" if ranks > node.experts else "")
        crowd = ranks // max(1, len(node.gpus))
        return text + (f", {crowd} per GPU" if crowd > 1 and len(node.gpus) > 1 else "") + twins
    if ranks <= 1:
        return ""
    return f"×{ranks}" + (f" groups of {each}" if each > 1 else twins)


def layer_words(layers: Sequence[int]) -> str:
    """``layer 3`` or ``layers 0–7 · ×8``."""
    if len(layers) == 1:
        return f"layer {layers[0]}"
    return f"layers {layers[0]}–{layers[-1]} · ×{len(layers)}"


def mesh_words(dag: Dag) -> str:
    """The meshes with more than one GPU: ``attn: tp 8 on GPU 0–7``."""
    shown = [mesh for mesh in dag.meshes.values() if mesh.axes] or list(dag.meshes.values())
    named = len(dag.meshes) > 1
    texts = []
    for mesh in shown:
        axes = " × ".join(f"{name} {size}" for name, size in mesh.axes)
        texts.append(f"{mesh.name}: " * named + f"{axes} on " * bool(axes) + gpu_words(mesh.gpus))
    if len(texts) > _MAX_RUNS:
        texts = [*texts[: _MAX_RUNS - 1], "…", texts[-1]]
    return "; ".join(texts)


def output_words(dag: Dag, kind: Kind) -> str:
    """The local shape of the output; of equal outputs once, with their names."""
    shapes: dict[str, list[str]] = {}
    for port in kind.outputs:
        if port.type.mesh in dag.meshes:
            shape = shape_label(port.type, dag.meshes[port.type.mesh].sizes, dag.sizes)
            shapes.setdefault(shape, []).append(port.name)
    return "; ".join(f"{', '.join(filter(None, names))} {shape}".strip() for shape, names in shapes.items())


def sharding_words(kind: Kind) -> str:
    """How the work is divided: ``row-parallel over tp, partial sums``, ``over ep``."""
    params = kind.parameters
    over = params.get("over") or params.get("owner", "")
    if "param" not in params:
        return f"over {over}" if over else ""
    before = {axis for port in kind.inputs for axis in port.type.used_axes}
    partial = {axis for port in kind.outputs for axis in port.type.partial} - _partial_inputs(kind)
    cut = {axis for port in kind.outputs for axis in port.type.sharded_axes} - before
    if partial:
        return f"row-parallel over {', '.join(sorted(partial))}: partial sums"
    if cut:
        return f"column-parallel over {', '.join(sorted(cut))}"
    return f"experts over {over}" if over else ""


def _partial_inputs(kind: Kind) -> set[str]:
    """The axes along which its inputs are partial sums already."""
    return {axis for port in kind.inputs for axis in port.type.partial}
