"""The model's parts by role: which operator each is, what it takes from which part, and with which weight.

This is a decoder layer as a table, written from its definition. The rules hold a graph's wiring against it.
A role is ``module.part``; conversions of a part's value are called ``module.part.all_reduce`` and the like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagtool.model.transformer import Model

__all__ = ["ENTRY", "EXPERT_PARTS", "Part", "base_role", "model_parts"]

ENTRY = "entry"
"""The residual stream as it enters a layer: the layer before, or the embedding."""

EXPERT_PARTS = frozenset({"moe.route", "moe.up", "moe.activation", "moe.down", "moe.route_back"})
"""Parts with a node for each expert."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part. ``sources``: for each input slot the parts (``role`` or ``role:output``) that may feed it."""

    ops: tuple[str, ...]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[tuple[str, ...], ...] = ()
    """For a sum: its terms, each with the parts that may be it."""
    weights: tuple[str, ...] = ()
    """The dimensions its weight may have, as text without cuts."""
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters and the values they may have; the first one is meant where none is stated."""
    outputs: tuple[str, ...] = ()
    """The names of its outputs in order, where it has several."""
    required: bool = True


def base_role(role: str) -> str:
    """The part whose value a node holds: ``attention.out`` for ``attention.out.all_reduce``."""
    first, _, rest = role.partition(".")
    if first in {"input", "output", ENTRY}:
        return first
    if first == "pipeline":
        return ENTRY
    return f"{first}.{rest.partition('.')[0]}" if rest else first


def model_parts(model: Model, *, grouped: bool = False) -> dict[str, Part]:
    """Every part of the model. ``grouped``: fewer heads of keys and values than of queries."""
    parts = {**_embedding(model), **_attention(model, grouped=grouped)}
    parts |= _experts(model) if model.ffn == "moe" else _mlp(model)
    parts["head.norm"] = _norm(model, ENTRY)
    parts["head.projection"] = Part(("linear",), {"x": ("head.norm",)}, weights=("[H, V]",))
    parts["output"] = Part(("output",), {"x": ("head.projection",)})
    return parts


def _norm(model: Model, source: str) -> Part:
    return Part(("norm",), {"x": (source,)}, weights=("[H]",), params={"function": (model.norm,)})


def _embedding(model: Model) -> dict[str, Part]:
    parts = {"input": Part(("input",))}
    if model.embedding == "none":
        return parts
    tables = model.embedding if "," not in model.embedding else "token"
    parts["embedding.tokens"] = Part(
        ("embedding",), {"x": ("input",)}, weights=("[V, H]",), params={"tables": (tables,)}
    )
    if "," in model.embedding:
        parts["embedding.positions"] = Part(
            ("embedding",), {"x": ("input",)}, weights=("[S, H]",), params={"tables": ("position",)}
        )
        parts["embedding.add"] = Part(("add",), terms=(("embedding.tokens",), ("embedding.positions",)))
    return parts


def _attention(model: Model, *, grouped: bool) -> dict[str, Part]:
    normed = ("attention.norm", "attention.copy_in")
    queries = "[H, G, N/G, D]" if grouped else "[H, N, D]"
    keys = "[H, G, D]" if grouped else "[H, N, D]"
    made = {
        "q": ("attention.q", "attention.qkv:q"),
        "k": ("attention.k", "attention.qkv:k", "attention.kv:k"),
        "v": ("attention.v", "attention.qkv:v", "attention.kv:v"),
    }

    def heads(name: str) -> tuple[str, ...]:
        return (*made[name], f"attention.{name}_heads")

    inner, outer = ("bsgrd,btgd->bgrst", "bgrsd,bgtd->bgrst") if grouped else ("bsnd,btnd->bnst", "bnsd,bntd->bnst")
    mixed, mixed_outer = (
        ("bgrst,btgd->bsgrd", "bgrst,bgtd->bsgrd") if grouped else ("bnst,btnd->bsnd", "bnst,bntd->bsnd")
    )
    front = (
        {"q": "bsgrd->bgrsd", "k": "bsgd->bgsd", "v": "bsgd->bgsd"} if grouped else dict.fromkeys("qkv", "bsnd->bnsd")
    )
    parts = {
        "attention.norm": _norm(model, ENTRY),
        "attention.copy_in": Part(("copy",), {"x": ("attention.norm",)}, required=False),
        "attention.qkv": Part(
            ("linear",), {"x": normed}, weights=("[H, 3, N, D]",), outputs=("q", "k", "v"), required=False
        ),
        "attention.kv": Part(("linear",), {"x": normed}, weights=("[H, 2, G, D]",), outputs=("k", "v"), required=False),
        "attention.q": Part(("linear",), {"x": normed}, weights=(queries,), required=False),
        "attention.k": Part(("linear",), {"x": normed}, weights=(keys,), required=False),
        "attention.v": Part(("linear",), {"x": normed}, weights=(keys,), required=False),
        "attention.scores": Part(("scores",), {"q": heads("q"), "k": heads("k")}, params={"einsum": (inner, outer)}),
        "attention.softmax": Part(("softmax",), {"x": ("attention.scores",)}),
        "attention.weighted": Part(
            ("weighted_sum",), {"p": ("attention.softmax",), "v": heads("v")}, params={"einsum": (mixed, mixed_outer)}
        ),
        "attention.merge": Part(
            ("head_merge",),
            {"x": ("attention.weighted",)},
            params={"einsum": ("bsgrd->bs(grd)" if grouped else "bsnd->bs(nd)",)},
            required=False,
        ),
        "attention.copy_out": Part(("copy",), {"x": ("attention.merge",)}, required=False),
        "attention.out": Part(
            ("linear",),
            {"x": ("attention.weighted", "attention.merge", "attention.copy_out")},
            weights=("[G, N/G, D, H]" if grouped else "[N, D, H]", "[N*D, H]"),
        ),
        "attention.residual": Part(("add",), terms=((ENTRY,), ("attention.out",))),
    }
    for name in "qkv":
        parts[f"attention.{name}_heads"] = Part(
            ("head_split",), {"x": made[name]}, params={"einsum": (front[name],)}, required=False
        )
    return parts


def _ffn(model: Model, part: str, linear: str, taken: Mapping[str, tuple[str, ...]]) -> dict[str, Part]:
    """up, activation, down."""
    act = {"function": (model.activation,)}
    if model.gated:
        fed: Mapping[str, tuple[str, ...]] = {"gate": (f"{part}.up:gate",), "up": (f"{part}.up:up",)}
        activation = Part(("gated_activation",), fed, params=act)
    else:
        activation = Part(("activation",), {"x": (f"{part}.up",)}, params=act)
    return {
        f"{part}.up": Part(
            (linear,),
            taken,
            weights=("[H, 2, F]" if model.gated else "[H, F]",),
            outputs=("gate", "up") if model.gated else (),
        ),
        f"{part}.activation": activation,
        f"{part}.down": Part((linear,), {"x": (f"{part}.activation",)}, weights=("[F, H]",)),
    }


def _mlp(model: Model) -> dict[str, Part]:
    return {
        "mlp.norm": _norm(model, "attention.residual"),
        "mlp.copy_in": Part(("copy",), {"x": ("mlp.norm",)}, required=False),
        **_ffn(model, "mlp", "linear", {"x": ("mlp.norm", "mlp.copy_in")}),
        "mlp.residual": Part(("add",), terms=(("attention.residual",), ("mlp.down",))),
    }


def _experts(model: Model) -> dict[str, Part]:
    routed = {"x": ("moe.norm",), "route": ("moe.gate",)}
    back = {"tokens": ("moe.down",), "route": ("moe.gate",)}
    spread = {"experts": ("E",)}
    return {
        "moe.norm": _norm(model, "attention.residual"),
        "moe.gate": Part(("gate",), {"x": ("moe.norm",)}, weights=("[H, E]",), params={"top_k": ("K",)}),
        "moe.dispatch": Part(("dispatch",), routed, params=spread, required=False),
        "moe.route": Part(("route",), routed, params=spread, required=False),
        **_ffn(model, "moe", "expert_linear", {"x": ("moe.dispatch", "moe.route", "moe.norm"), "route": ("moe.gate",)}),
        "moe.route_back": Part(("route_back",), back, params=spread, required=False),
        "moe.combine": Part(("combine", "combine_reduce", "aggregate"), back, params=spread, required=False),
        "moe.residual": Part(("add",), terms=(("attention.residual",), ("moe.combine", "moe.route_back"))),
    }
