"""The graph's own attributes: sizes, meshes, what the model is."""

from __future__ import annotations

import re
from random import Random

from mutation.draft import GRAPH, Draft, Place, falsifies


def layers_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of layers than are drawn."""
    return _size(draft, "L", rng.choice(["1", "3", "4", "8"]))


@falsifies
def experts_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of experts than are drawn."""
    if not any(facts.get("expert") for facts in draft.nodes.values()):
        return None
    return _size(draft, "E", rng.choice(["2", "4", "8", "16"]))


def top_k_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of experts for each token."""
    return _size(draft, "K", rng.choice(["1", "2", "3"]))


def size_odd(draft: Draft, rng: Random) -> Place | None:
    """A size that the degrees may not divide."""
    return _size(draft, rng.choice("BSHNDFV"), rng.choice(["7", "33", "127"]))


@falsifies
def size_removed(draft: Draft, rng: Random) -> Place | None:
    """A size is not given."""
    parts = draft.header["sizes"].split()
    parts.remove(rng.choice(parts))
    draft.header["sizes"] = " ".join(parts)
    return GRAPH


def _size(draft: Draft, symbol: str, value: str) -> Place | None:
    sizes = draft.header["sizes"]
    draft.header["sizes"] = re.sub(rf"\b{symbol}=\w+", f"{symbol}={value}", sizes)
    return GRAPH if draft.header["sizes"] != sizes else None


def degree_changed(draft: Draft, rng: Random) -> Place | None:
    """An axis has another degree than the mesh has GPUs for."""
    found = list(
        re.finditer(r"=(\d+)\b(?!-)", re.sub(r"gpus=[\d,-]+", lambda m: "." * len(m[0]), draft.header["meshes"]))
    )
    if not found:
        return None
    at = rng.choice(found)
    text = draft.header["meshes"]
    draft.header["meshes"] = text[: at.start(1)] + rng.choice(["1", "2", "3", "8"]) + text[at.end(1) :]
    return GRAPH


def degrees_exchanged(draft: Draft, rng: Random) -> Place | None:
    """A mesh has its axes in the other order."""
    meshes = draft.meshes()
    name = rng.choice([*meshes])
    axes = list(meshes[name].axes)
    if len(axes) < 2:
        return None
    rng.shuffle(axes)
    text = draft.header["meshes"]
    old = " ".join(f"{axis}={size}" for axis, size in meshes[name].axes)
    draft.header["meshes"] = text.replace(f"{name}: {old}", f"{name}: " + " ".join(f"{a}={s}" for a, s in axes))
    return GRAPH


def axis_renamed(draft: Draft, rng: Random) -> Place | None:
    """An axis has another name in the mesh than in the types."""
    axes = sorted({axis for mesh in draft.meshes().values() for axis in mesh.sizes})
    if not axes:
        return None
    axis = rng.choice(axes)
    draft.header["meshes"] = re.sub(rf"\b{axis}=", f"{axis}x=", draft.header["meshes"])
    return GRAPH


def mesh_renamed(draft: Draft, rng: Random) -> Place | None:
    """A mesh has another name than in the types."""
    name = rng.choice([*draft.meshes()])
    draft.header["meshes"] = re.sub(rf"\b{name}:", f"{name}2:", draft.header["meshes"])
    return GRAPH


def gpus_in_another_order(draft: Draft, rng: Random) -> Place | None:
    """A mesh lists its GPUs in another order."""
    meshes = draft.meshes()
    name = rng.choice([*meshes])
    gpus = list(meshes[name].gpus)
    rng.shuffle(gpus)
    return _gpus(draft, name, gpus)


def gpus_shifted(draft: Draft, rng: Random) -> Place | None:
    """A mesh lists the next GPUs."""
    meshes = draft.meshes()
    name = rng.choice([*meshes])
    return _gpus(draft, name, [gpu + 1 for gpu in meshes[name].gpus])


def gpu_missing(draft: Draft, rng: Random) -> Place | None:
    """A mesh lists a GPU too few."""
    meshes = draft.meshes()
    name = rng.choice([*meshes])
    return _gpus(draft, name, meshes[name].gpus[:-1]) if len(meshes[name].gpus) > 1 else None


def _gpus(draft: Draft, name: str, gpus: list[int] | tuple[int, ...]) -> Place:
    text = re.sub(rf"(\b{name}: [^;]*gpus=)[\d,-]+", lambda m: m[1] + ",".join(map(str, gpus)), draft.header["meshes"])
    draft.header["meshes"] = text
    return GRAPH


def activation_changed(draft: Draft, rng: Random) -> Place | None:
    """The model has another activation than the nodes."""
    return _model(draft, "activation", rng.choice(["gelu", "relu", "silu"]))


def norm_changed(draft: Draft, rng: Random) -> Place | None:
    """The model has another norm than the nodes."""
    return _model(draft, "norm", rng.choice(["layer", "rms"]))


def gated_changed(draft: Draft, rng: Random) -> Place | None:
    """The model's MLP is gated, the nodes' is not, or the other way round."""
    return _model(draft, "gated", rng.choice(["true", "false"]))


def ffn_changed(draft: Draft, rng: Random) -> Place | None:
    """The model is dense and the nodes have experts, or the other way round."""
    return _model(draft, "ffn", rng.choice(["dense", "moe"]))


def embedding_changed(draft: Draft, rng: Random) -> Place | None:
    """The model has another embedding than the nodes."""
    return _model(draft, "embedding", rng.choice(["token", "token+position", "none"]))


def _model(draft: Draft, key: str, value: str) -> Place | None:
    text = draft.header["model"]
    draft.header["model"] = re.sub(rf"\b{key}=\S+", f"{key}={value}", text)
    return GRAPH if draft.header["model"] != text else None


@falsifies
def two_sizes_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two symbols have each other's value throughout the types."""
    first, second = rng.sample("BSHNDF", 2)
    swap = {first: second, second: first}
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index"))
    if name is None:
        return None
    facts = draft.nodes[name]
    for key in ("input", "output", "param"):
        if key in facts:
            facts[key] = re.sub(r"\b[A-Z]\b", lambda m: swap.get(m[0], m[0]), facts[key])
    return (name,)
