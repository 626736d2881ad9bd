"""DeepSeek-V3 and Kimi K2: V2 with a sigmoid gate, a correction of the choice, and groups by their best two experts."""

from __future__ import annotations

from dagtool.model.families.deepseek_v2 import checkpoint, read_latent
from dagtool.model.families.reader import Reader
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("deepseek_v3", "kimi_k2")


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    config.only("scoring_func", "sigmoid")
    config.only("topk_method", "noaux_tc")
    pairs = "interleaved" if config.flag("rope_interleave", default=True) else "half"
    normalise = config.flag("norm_topk_prob", default=True)
    moe: dict[str, Value] = {"gate": "sigmoid", "normalise": normalise, "correction": True, "group_score": "top2"}
    return read_latent(config, moe, grouped=True, dense=3, pairs=pairs)
