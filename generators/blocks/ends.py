"""The first and last parts of a model: the embedding, and the head that projects onto the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagtool.generators.blocks.common import LayerOptions, linear, norm
from dagtool.generators.blocks.options import option
from dagtool.generators.phase import chooses_token
from dagtool.generators.program import Builder, Ref
from dagtool.model.roles import INPUT, NEXT_TOKEN

__all__ = ["EmbeddingOptions", "HeadOptions", "build_embedding", "build_head"]

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
    draft_heads: int = option(0, "further heads that propose the tokens after the next one (Medusa)")


def build_embedding(b: Builder, options: EmbeddingOptions) -> Ref:
    """Input and embedding: ids [B, S] -> [B, S, H]; a model without embedding takes [B, S, H].

    The ids are the graph's input, or what the phase before has chosen.
    """
    how, tokens = options.embedding, b.phase.tokens
    if how == "none":
        return b.place(b.source(INPUT, "input", b.lying("input", "B", tokens, "H")), "stream")
    chosen = b.entry(INPUT)
    ids = b.source(INPUT, "input", b.lying("input", "B", tokens)) if chosen is None else chosen
    ids = b.place(ids, "embedding")
    x = _table(b, "embedding.tokens", ids, "token" if how == "token,position" else how, options)
    if options.embedding_scale:
        x = b.add("embedding.scale", "scale", {"x": x}, params={"factor": options.embedding_scale})
    if how != "token,position":
        return b.place(x, "stream")
    positions = _table(b, "embedding.positions", ids, "position", options)
    if b.type_of(x) == b.type_of(positions):  # one conversion of the sum instead of one of each term
        return b.place(b.add("embedding.add", "add", {"x": x, "y": positions}), "stream")
    return b.add("embedding.add", "add", {"x": b.place(x, "stream"), "y": b.place(positions, "stream")})


def _table(b: Builder, role: str, ids: Ref, tables: str, options: EmbeddingOptions) -> Ref:
    params = {"tables": tables}
    rows = options.positions if tables == "position" else "V"
    if "position" in tables:
        params |= {"past": b.phase.past, "positions": options.positions if options.positions != "S" else ""}
    return b.add(role, "embedding", {"x": ids}, weight=b.weight("embedding", rows, "H"), params=params)


def build_head(b: Builder, x: Ref, options: HeadOptions, layer: LayerOptions, embedding: EmbeddingOptions) -> Ref:
    """Final norm, projection onto the vocabulary, output; the next token where another phase follows that takes it."""
    x = b.place(x, "stream")
    chooses = chooses_token(b.phase, b.strategy.sizes, from_vocabulary=embedding.embedding != "none")
    if b.phase.last_only:
        kept = {"tokens": b.phase.next_tokens} if chooses else {}
        x = b.place(b.add("head.last_token", "last_token", {"x": x}, params=kept), "stream")
    h = b.place(norm(b, "head.norm", x, layer), "head")
    for number in range(options.draft_heads):
        _draft(b, h, number)
    logits = _project(b, h, options)
    if chooses:
        b.results[INPUT] = _choose(b, logits)
    return _finish(b, logits)


def _choose(b: Builder, logits: Ref) -> Ref:
    """The id of the largest logit of each token: [B, Q, V] -> [B, Q]."""
    logits, op, over = _over_vocabulary(b, logits, "argmax")
    return b.add(NEXT_TOKEN, op, {"x": logits}, params=over)


def _over_vocabulary(b: Builder, logits: Ref, op: str) -> tuple[Ref, str, dict[str, str]]:
    """Sum up logits for an operator over the vocabulary; return them, its form (parallel over a cut one), its axes."""
    logits = b.convert(logits, b.summed(logits))
    axes = b.type_of(logits).dims[-1].axes
    return logits, f"parallel_{op}" if axes else op, {"over": ",".join(axes)}


def _project(b: Builder, h: Ref, options: HeadOptions) -> Ref:
    """Logits [B, S, V]."""
    params = {"parameter": "embedding.tokens"} if options.tied else {}
    logits = b.add("head.projection", "linear", {"x": h}, weight=b.weight("head", "H", "V"), params=params)
    if options.logit_softcap:
        logits = b.convert(logits, b.summed(logits))
        logits = b.add("head.softcap", "softcap", {"x": logits}, params={"cap": repr(options.logit_softcap)})
    return logits


def _draft(b: Builder, h: Ref, number: int) -> Ref:
    """Draw a draft head: the logits of h + silu(h W) (Medusa, arXiv:2401.10774)."""
    module = f"draft{number}"
    x = linear(b, f"{module}.linear", h, "head.draft", "H", "H")
    x = b.add(f"{module}.activation", "activation", {"x": b.place(x, "head")}, params={"function": "silu"})
    x = b.add(f"{module}.residual", "add", {"x": h, "y": x})
    logits = b.add(f"{module}.projection", "linear", {"x": x}, weight=b.weight("head", "H", "V"))
    return b.add(f"{module}.output", "output", {"x": b.place(logits, "output")})


def _finish(b: Builder, logits: Ref) -> Ref:
    """The logits as the graph's output, or where the phase has a loss that of each token."""
    if not b.phase.loss:
        return b.add("output", "output", {"x": b.place(logits, "output")})
    logits, op, over = _over_vocabulary(b, logits, "cross_entropy")
    held = b.type_of(logits)
    targets = b.source("head.targets", "input", replace(held, dims=held.dims[:-1]))
    loss = b.add("head.loss", op, {"logits": logits, "targets": targets}, params=over)
    return b.add("output", "output", {"x": loss})
