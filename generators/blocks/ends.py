"""Where a model begins and ends: the embedding, and the head that projects onto the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.options import option

__all__ = ["EmbeddingOptions", "HeadOptions"]

EMBEDDINGS = ("token", "token+position", "token,position", "none")


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """Options of the model that the embedding reads."""

    embedding: str = option(
        "token", "token; token+position (one node); token,position (two nodes and their sum); none: [B, S, H] goes in",
        EMBEDDINGS,
    )  # fmt: skip
    positions: str = option("S", "how many rows the table of learned positions has, a size")
    embedding_scale: str = option("", "what the rows are multiplied with, like sqrt(H); empty: 1")


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """Options of the model that the head reads."""

    tied: bool = option(False, "whether the projection onto the vocabulary is the embedding's table")
    logit_softcap: float = option(0.0, "logits become cap * tanh(logits / cap); 0: they stay")
