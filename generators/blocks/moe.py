"""A mixture of E experts, of which each token takes K, and shared ones that every token takes."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.dense import FeedForwardOptions
from dagtool.generators.blocks.options import option

__all__ = ["PREFIX", "SLOT", "Options"]

SLOT = "ffn"
PREFIX = "moe"


@dataclass(frozen=True, slots=True)
class Options(FeedForwardOptions):
    """Options of the model that a mixture of experts reads. ``width`` is that of one expert."""

    gate: str = option("softmax", "what turns logits of the gate into scores", ("softmax", "sigmoid"))
    normalise: bool = option(True, "whether the weights of a token's K experts are made to sum to 1")
    routed_scale: float = option(1.0, "what the weights are multiplied with afterwards")
    gate_bias: bool = option(False, "whether the gate adds a bias [E] to its logits")
    correction: bool = option(
        False, "whether a bias [E] is added to the scores for the choice only, not for the weights"
    )
    groups: int = option(1, "groups of consecutive experts, of which a token uses only the best top_groups")
    top_groups: int = option(1, "how many groups a token uses")
    group_score: str = option(
        "max", "the score of a group: that of its best expert, or the sum of its best two", ("max", "top2")
    )
    shared: str = option("", "the width of the shared experts together, a size like Fs; empty: there are none")
