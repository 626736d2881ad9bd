"""What the families share: sizes, layers in a pattern, windows, and the options of a Llama-like decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagtool.model.families.reader import Reader
from dagtool.model.tree import Model, Value

__all__ = [
    "activation",
    "bias",
    "decoder_options",
    "dense_and_experts",
    "layers",
    "read_experts",
    "read_sizes",
    "sliding_layers",
    "tied",
    "window_everywhere",
    "windows_and_full",
]

Options = dict[str, Value]

_ACTIVATIONS = {
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_python_tanh": "gelu",
}


def read_sizes(config: Reader, *, head_dim: int | None = None) -> dict[str, int]:
    """Read H, N, G, D, F, L and V by the names that most families use; G only where keys have fewer heads."""
    hidden, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    groups = config.whole("num_key_value_heads", default=heads)
    if heads % groups:
        raise config.error("num_key_value_heads", f"is {groups}, which does not divide num_attention_heads {heads}")
    width = config.whole("head_dim", default=head_dim or hidden // heads)
    if width % 2:
        raise config.error("head_dim", f"is {width}: rotary positions need an even number")
    sizes = {"H": hidden, "N": heads, "G": groups, "D": width, "F": config.whole("intermediate_size")}
    if groups == heads:
        del sizes["G"]
    return {**sizes, "L": config.whole("num_hidden_layers"), "V": config.whole("vocab_size")}


def decoder_options(config: Reader, *, epsilon: float = 1e-6) -> Options:
    """Read the options of a decoder with RMSNorm, a causal mask and a gated feed-forward network."""
    return {
        "norm": "rms",
        "epsilon": config.number("rms_norm_eps", default=epsilon),
        "mask": "causal",
        "activation": activation(config, "hidden_act", default="silu"),
        "gated": True,
    }


def activation(config: Reader, *names: str, default: str) -> str:
    """Read the activation. Raises DagtoolError for one that no block has."""
    name = config.word(*names, default=default)
    if name not in _ACTIVATIONS:
        raise config.error(names[0], f"is {name!r}", f"supported: {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def bias(config: Reader, name: str, *, default: bool = False) -> Options:
    """Read whether all four projections of attention have a bias."""
    return {"attention_bias": "qkvo"} if config.flag(name, default=default) else {}


def tied(config: Reader, *, default: bool = False) -> Options:
    """Read whether the head is the embedding's table."""
    return {"tied": True} if config.flag("tie_word_embeddings", default=default) else {}


# -- windows ----------------------------------------------------------------------------------


def window_everywhere(config: Reader, sizes: dict[str, int], *, default: int | None = None) -> Options:
    """Read a sliding window that every layer has; W becomes a size."""
    window = config.whole("sliding_window", default=default)
    if window is None or config.is_null("sliding_window"):
        return {}
    sizes["W"] = window
    return {"window": "W"}


def sliding_layers(config: Reader, default: Sequence[bool]) -> list[bool]:
    """Read ``layer_types``: whether each layer has a sliding window. Raises DagtoolError for other types."""
    types = config.value("layer_types", default=None)
    if types is None:
        return list(default)
    known = {"sliding_attention": True, "full_attention": False}
    if not isinstance(types, list) or len(types) != len(default):
        raise config.error("layer_types", f"does not give a type for each of {len(default)} layers")
    if unknown := [one for one in types if one not in known]:
        raise config.error("layer_types", f"has the type {unknown[0]!r}", f"supported: {', '.join(known)}")
    return [known[one] for one in types]


def windows_and_full(options: Mapping[str, Value], own: Mapping[str, Options], sliding: Sequence[bool]) -> Model:
    """Return the model of layers with a window W and without; ``own`` are further options of either kind."""
    kinds = {"window": {"window": "W", **own.get("window", {})}, "full": own.get("full", {"mask": "causal"})}
    return layers(options, kinds, ["window" if slides else "full" for slides in sliding])


# -- experts ----------------------------------------------------------------------------------


def read_experts(config: Reader, *names: str) -> dict[str, int]:
    """Read E by one of its names, and K."""
    sizes = {"E": config.whole(*names), "K": config.whole("num_experts_per_tok", "experts_per_token")}
    if sizes["K"] > sizes["E"]:
        raise config.error("num_experts_per_tok", f"is {sizes['K']}, more than the {sizes['E']} experts")
    return sizes


def dense_and_experts(
    config: Reader, options: Options, moe: Options, sizes: dict[str, int], sparse: Sequence[bool]
) -> Model:
    """Return the model of dense layers and layers of experts, whose width is Fe where there are dense ones."""
    width = config.whole("moe_intermediate_size")
    sizes["F" if all(sparse) else "Fe"] = width
    experts: Options = {"ffn": "moe", **moe, **({} if all(sparse) else {"width": "Fe"})}
    order = ["moe" if one else "dense" for one in sparse]
    return layers(options, {"dense": {"ffn": "dense"}, "moe": experts}, order)


# -- layers -----------------------------------------------------------------------------------


def layers(options: Mapping[str, Value], kinds: Mapping[str, Mapping[str, Value]], order: Sequence[str]) -> Model:
    """Return the model whose layers are of these kinds, in this order; one kind alone needs no name."""
    used = [kind for kind in kinds if kind in order]
    if len(used) == 1:
        return Model({**options, **kinds[used[0]]})
    first = list(dict.fromkeys(order))
    return Model(dict(options), {kind: dict(kinds[kind]) for kind in first}, _pattern(order))


def _pattern(order: Sequence[str]) -> str:
    """The order of layers in a few words; its last item fills the rest, so that L can be changed."""
    period = next(p for p in range(1, len(order) + 1) if all(order[i] == order[i % p] for i in range(len(order))))
    runs: list[tuple[str, int]] = []
    for kind in order:
        runs.append((kind, runs.pop()[1] + 1 if runs and runs[-1][0] == kind else 1))
    if len(runs) > 2 and period <= len(order) // 2 + 1:
        return f"({','.join(order[:period])})*"
    items = [kind if count == 1 else f"{kind}*{count}" for kind, count in runs[:-1]]
    return ",".join([*items, f"{runs[-1][0]}*"])
