"""The model of a row: its columns, completed by what is published of its family."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

from dagtool.accuracy.measured import Row, UnpredictableError
from dagtool.model.tree import Model

__all__ = ["Architecture", "architecture_of"]

_HEAD_SIZE = 128
_VOCABULARY = 51200


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a decoder. ``latent_rank`` above 0: attention over compressed keys and values (MLA)."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    ffn: int
    gated: bool
    vocab: int
    experts: int = 0
    topk: int = 0
    query_rank: int = 0
    latent_rank: int = 0
    rope_size: int = 0
    dense_layers: int = 0
    """Layers without experts, of ``dense_ffn``."""
    dense_ffn: int = 0
    shared_ffn: int = 0
    """Width of the expert that every token passes."""
    assumed: tuple[str, ...] = field(default=(), compare=False)
    """What the row does not state."""

    @property
    def model(self) -> Model:
        """The same as a tree, without what latent attention adds."""
        return Model({"ffn": "moe" if self.experts else "dense", "gated": self.gated})

    def sizes(self, tokens: float) -> dict[str, int | None]:
        """Values of the symbols of its products, ``tokens`` of them in all."""
        values = {
            "B": round(tokens), "S": 1, "H": self.hidden, "N": self.heads, "G": self.kv_heads, "D": self.head_size,
            "F": self.ffn, "V": self.vocab, "E": self.experts or 1, "K": self.topk or 1,
        }  # fmt: skip
        return dict(values)

    @property
    def kv_elements(self) -> int:
        """Elements cached for one token in one layer."""
        return self.latent_rank + self.rope_size if self.latent_rank else 2 * self.kv_heads * self.head_size


@cache
def _families() -> tuple[tuple[str, str, dict[str, int]], ...]:
    text = Path(__file__).with_name("families.toml").read_text(encoding="utf-8")
    known = {one.name for one in fields(Architecture)}
    return tuple(
        (one["model"], one["why"], {name: value for name, value in one.items() if name in known})
        for one in tomllib.loads(text)["family"]
    )


def _published(row: Row) -> tuple[dict[str, int], list[str]]:
    for pattern, why, facts in _families():
        if re.search(pattern, row.text("model"), re.IGNORECASE):
            return dict(facts), [why]
    return {}, []


def architecture_of(row: Row) -> Architecture:
    """The model of a row. Raises UnpredictableError where a size is missing that nothing else tells."""
    facts, assumed = _published(row)
    hidden, ffn, experts = row.size("hidden"), row.size("ffn"), row.count("experts")
    heads = row.count("heads")
    if not heads:
        heads = max(1, hidden // _HEAD_SIZE)
        assumed.append(f"heads not stated: hidden/{_HEAD_SIZE}")
    if row.text("kv_heads").upper() == "MLA":
        if not facts.get("latent_rank"):
            raise UnpredictableError("has compressed keys and values (MLA) of unknown rank")
        kv_heads = heads
    else:
        kv_heads = row.count("kv_heads") or heads
        for name in ("query_rank", "latent_rank", "rope_size"):
            facts.pop(name, None)
    if hidden % heads and "head_size" not in facts:
        raise UnpredictableError(f"hidden {hidden} is no multiple of its {heads} heads, and no head size is known")
    vocab = row.count("vocab")
    if not vocab:
        vocab = _VOCABULARY
        assumed.append(f"vocab not stated: {_VOCABULARY}")
    gated = bool(experts) or ffn != 4 * hidden
    assumed.append(f"{'gated' if gated else 'plain'} feed-forward: ffn is {ffn / hidden:.3g} hidden")
    return Architecture(
        hidden, row.size("layers"), heads, kv_heads, facts.pop("head_size", hidden // heads), ffn, gated, vocab,
        experts, row.size("topk") if experts else 0, **facts, assumed=tuple(assumed),
    )  # fmt: skip
