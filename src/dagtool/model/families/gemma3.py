"""Gemma 3, the text model: norms of heads instead of soft caps, five layers with a window to one without.

Layers with and without window have their own rotary frequencies.
"""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import read_sizes, sliding_layers, windows_and_full
from dagtool.model.families.gemma2 import gemma_options
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import Rope, scaling_of
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("gemma3_text",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    config.only("attn_logit_softcapping", None)
    sizes = read_sizes(config, head_dim=256)
    options = {**gemma_options(config, sizes, logit_softcap=0.0), "qk_norm": True}
    period = config.whole("sliding_window_pattern", default=6)
    sliding = sliding_layers(config, [(layer + 1) % period != 0 for layer in range(sizes["L"])])
    window = config.whole("sliding_window", default=4096)
    if any(sliding):
        sizes["W"] = window
    return windows_and_full(options, {kind: rope.options for kind, rope in _ropes(config).items()}, sliding), sizes


def _ropes(config: Reader) -> dict[str, Rope]:
    """The rotary positions of each kind of layer: in one table for both, or in fields of their own before."""
    outer = config.number("rope_theta", default=1e6)
    local = config.number("rope_local_base_freq", default=1e4)
    older, table = config.table("rope_scaling"), config.table("rope_parameters")
    if older and table:
        raise config.error("rope_scaling", "is given beside rope_parameters", "they name the same thing: keep one")
    if older or not table:
        full = scaling_of(config, older, older.number("rope_theta", default=outer)) if older else Rope(outer)
        return {"full": full, "window": Rope(local)}
    tables = {"full": table.table("full_attention"), "window": table.table("sliding_attention")}
    base = {"full": outer, "window": local}
    return {
        kind: scaling_of(config, one, one.number("rope_theta", default=base[kind])) if one else Rope(base[kind])
        for kind, one in tables.items()
    }


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict. Its norms multiply by 1 + weight."""
    read_decoder(c, offset=1.0)
