"""Arrays of a state dict in the shapes of the model: whole weights, contracted dimensions first, by role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dagtool.errors import DagtoolError
from dagtool.model.tree import Model, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Arrays = dict[tuple[str, int, int], Array]
else:
    Arrays = dict

__all__ = ["Arrays", "Checkpoint", "read_attention", "read_decoder", "read_dense", "read_ends", "read_experts"]

_BUFFERS = re.compile(r".*(rotary_emb\.inv_freq|\.attn\.bias|\.attn\.masked_bias|lm_head\.weight)$")
"""Names that hold no weight of their own: tables of angles, masks, the head where it is the embedding's table."""


class Checkpoint:
    """Takes arrays from a state dict by name and holds them by role; whatever stays behind is an error."""

    def __init__(self, state: Mapping[str, Any], model: Model, sizes: Mapping[str, int]) -> None:
        self.model = model
        self.sizes = sizes
        self._state = state
        self._taken: set[str] = set()
        self._arrays: Arrays = {}

    def layers(self) -> Iterator[tuple[int, Mapping[str, Value]]]:
        """Yield each layer's number and options."""
        for layer, kind in enumerate(self.model.order(self.sizes["L"])):
            yield layer, self.model.options_of(kind)

    def has(self, name: str) -> bool:
        """Whether the state dict has an array."""
        return name in self._state

    def take(self, *names: str) -> Array:
        """Return the array that has one of several names. Raises DagtoolError where none is there."""
        import numpy as np

        for name in names:
            if name in self._state:
                self._taken.add(name)
                return np.asarray(self._state[name], np.float64)
        raise DagtoolError(f"the checkpoint has no {names[0]}")

    def put(self, role: str, layer: int, array: Array, *sizes: int | str, expert: int = -1) -> None:
        """Hold an array in the shape that the model needs. Raises DagtoolError where it does not fit."""
        import numpy as np

        shape = [size if isinstance(size, int) else self.sizes[size] for size in sizes]
        if array.size != np.prod(shape):
            raise DagtoolError(f"{role} of layer {layer}: {array.shape} in the checkpoint are not {tuple(shape)}")
        self._arrays[role, layer, expert] = array.reshape(shape)

    def finish(self) -> Arrays:
        """Return the arrays by (role, layer, expert). Raises DagtoolError where one of the state dict is left over."""
        for name in self._state:
            beyond = re.search(r"\blayers\.([0-9]+)\.", name)  # a head that predicts further tokens
            if name in self._taken or _BUFFERS.match(name) or (beyond and int(beyond[1]) >= self.sizes["L"]):
                continue
            raise DagtoolError(f"the checkpoint has {name}, which this model does not read")
        return self._arrays


# -- what most families have ------------------------------------------------------------------


def read_decoder(c: Checkpoint, *, offset: float = 0.0) -> None:
    """Read a Llama-like decoder. ``offset`` is added to the gains of its norms."""
    read_ends(c, offset=offset)
    for layer, options in c.layers():
        at, ffn = f"model.layers.{layer}", "moe" if options.get("ffn") == "moe" else "mlp"
        after = f"{at}.post_attention_layernorm.weight"
        norms = {"attention.norm": f"{at}.input_layernorm.weight", f"{ffn}.norm": after}
        if options.get("post_norm"):
            norms |= {"attention.post_norm": after, f"{ffn}.norm": f"{at}.pre_feedforward_layernorm.weight"}
            norms[f"{ffn}.post_norm"] = f"{at}.post_feedforward_layernorm.weight"
        for role, name in norms.items():
            c.put(role, layer, c.take(name) + offset, "H")
        read_attention(c, layer, options, offset=offset)
        if ffn == "moe":
            read_experts(c, layer, str(options.get("width", "F")))
        else:
            read_dense(c, layer, options, f"{at}.mlp", width=str(options.get("width", "F")))


def read_ends(c: Checkpoint, *, offset: float = 0.0) -> None:
    """Read the embedding, the last norm and the head."""
    c.put("embedding.tokens", -1, c.take("model.embed_tokens.weight"), "V", "H")
    c.put("head.norm", -1, c.take("model.norm.weight") + offset, "H")
    if not c.model.options.get("tied"):
        c.put("head.projection", -1, c.take("lm_head.weight").T, "H", "V")


def read_attention(c: Checkpoint, layer: int, options: Mapping[str, Value], *, offset: float = 0.0) -> None:
    """Read grouped-query attention: projections, their biases, norms of heads, sinks."""
    at, biases = f"model.layers.{layer}.self_attn", str(options.get("attention_bias", ""))
    for name in "qkv":
        heads = "N" if name == "q" or "G" not in c.sizes else "G"
        c.put(f"attention.{name}", layer, c.take(f"{at}.{name}_proj.weight").T, "H", heads, "D")
        if name in biases:
            c.put(f"attention.{name}_bias", layer, c.take(f"{at}.{name}_proj.bias"), heads, "D")
        if options.get("qk_norm") and name != "v":
            c.put(f"attention.{name}_norm", layer, c.take(f"{at}.{name}_norm.weight") + offset, "D")
    c.put("attention.out", layer, c.take(f"{at}.o_proj.weight").T, c.sizes["N"] * c.sizes["D"], "H")
    if "o" in biases:
        c.put("attention.out_bias", layer, c.take(f"{at}.o_proj.bias"), "H")
    if options.get("sinks"):
        c.put("attention.sinks", layer, c.take(f"{at}.sinks"), "N")


def read_dense(
    c: Checkpoint, layer: int, options: Mapping[str, Value], at: str, *, part: str = "mlp", width: str = "F"
) -> None:
    """Read a gated feed-forward network whose gate and second projection stand apart."""
    import numpy as np

    ups = [c.take(f"{at}.{name}_proj.weight").T for name in ("gate", "up")]
    c.put(f"{part}.up", layer, np.stack(ups, axis=1), "H", 2, width)
    c.put(f"{part}.down", layer, c.take(f"{at}.down_proj.weight").T, width, "H")
    if options.get("ffn_bias"):
        biases = [c.take(f"{at}.{name}_proj.bias") for name in ("gate", "up")]
        c.put(f"{part}.up_bias", layer, np.stack(biases), 2, width)
        c.put(f"{part}.down_bias", layer, c.take(f"{at}.down_proj.bias"), "H")


def read_experts(c: Checkpoint, layer: int, width: str) -> None:
    """Read the gate and the experts, stacked in two arrays or one by one."""
    import numpy as np

    at, older = f"model.layers.{layer}.mlp", f"model.layers.{layer}.block_sparse_moe"
    c.put("moe.gate", layer, c.take(f"{at}.gate.weight", f"{older}.gate.weight").T, "H", "E")
    stacked = c.has(f"{at}.experts.gate_up_proj")
    if stacked:
        ups, downs = c.take(f"{at}.experts.gate_up_proj"), c.take(f"{at}.experts.down_proj")
    for expert in range(c.sizes["E"]):
        if stacked:
            up, down = ups[expert].reshape(2, -1, c.sizes["H"]), downs[expert]
        else:
            gate, second, down = (
                c.take(f"{at}.experts.{expert}.{name}_proj.weight", f"{older}.experts.{expert}.{short}.weight")
                for name, short in (("gate", "w1"), ("up", "w3"), ("down", "w2"))
            )
            up = np.stack([gate, second])
        c.put("moe.up", layer, up.transpose(2, 0, 1), "H", 2, width, expert=expert)
        c.put("moe.down", layer, down.T, width, "H", expert=expert)
