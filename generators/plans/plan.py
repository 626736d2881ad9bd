"""A plan: the degrees by which engineers name a deployment, before any layout is written.

Words (``tp8_sp_pp2``) and launch lines (``vllm serve … -tp 8``) are read into the same plan, and ``document`` writes
it as a strategy document. What frameworks do differently from each other is a field here, never a special case there.

The ranks of a pipeline stage are numbered twice: by attention, ``data x context x ulysses x tensor``, and by experts,
``expert_data x expert x expert_tensor``, each with the first group outermost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Beside", "Note", "Plan", "Span"]

Span = Literal["tensor", "all", "whole"]
"""Over which ranks of a stage a weight is cut: those of a tensor group, all of them, or none."""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about a plan: what was assumed, or where a framework cuts otherwise than one would expect."""

    text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Weights that ranks keep and no node of the graph uses, so that only the ledger counts them.

    ``what``: ``embedding``, ``positions`` (a table of learned ones), ``head``, or ``prediction`` for a multi-token
    prediction layer. ``stages``: of which pipeline stages; negative numbers count from the last.
    """

    what: Literal["embedding", "positions", "head", "prediction"]
    stages: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is spread over GPUs. Degrees count ranks; 1 means that nothing is cut along the group."""

    data: int = 1
    """Groups of ranks that run attention on sequences of their own."""
    context: int = 1
    """Ranks that share a sequence and gather keys and values, or pass them round (``ring``)."""
    ulysses: int = 1
    """Ranks that share a sequence outside attention and its heads inside."""
    tensor: int = 1
    """Ranks that share the heads of attention."""
    pipeline: int = 1
    chunks: tuple[int, ...] = ()
    """Layers of each chunk in the order of the layers, a multiple of ``pipeline``; empty: as equal as can be."""
    chunk_ranks: tuple[int, ...] = ()
    """The stage of each chunk, where they do not simply take turns."""
    virtual: int = 1
    """Chunks of layers of each stage, where ``chunks`` does not list them (interleaved pipeline)."""
    replicas_first: bool = False
    """Whether each group of ``data`` numbers the GPUs of all its stages before the next group's."""
    ring: bool = False
    sequence: bool = False
    """Sequence parallelism: outside attention and MLP the tensor group cuts the tokens."""
    cache_context: int = 1
    """Ranks of a tensor group that keep the cache of different tokens (decode context parallelism)."""
    expert: int = 1
    """Ranks that hold different experts; 1: every rank holds all experts, whole or cut."""
    expert_tensor: int = 1
    """Ranks that share each expert."""
    apart: bool = False
    """Whether experts lie on ``expert x expert_tensor`` GPUs of their own."""
    redundant: int = 0
    """Further copies of experts in each layer."""
    gather_tokens: bool = False
    """Whether experts are given the tokens of all ranks, gathered, instead of those that are sent to them."""
    split_tokens: bool = False
    """Whether the ranks of a tensor group each route a part of the group's tokens."""
    dense: Span = "tensor"
    shared: Span = "tensor"
    embedding: Span = "tensor"
    head: Span = "tensor"
    split_heads: bool = False
    """Whether heads of keys and values that are fewer than ranks are cut inside; otherwise held several times."""
    vocabulary_multiple: int = 1
    """The vocabulary is padded to a multiple of it."""
    expert_block: int = 1
    """Experts are cut in whole blocks of so many columns, so that the last ranks may have fewer."""
    fully_sharded: bool = False
    """Whether parameters are stored in parts over all ranks that would hold the same (FSDP, ZeRO-3)."""
    whole_cache: bool = False
    """Whether the ranks of a context each keep the cache of all tokens."""
    replicated: int = 1
    """Groups of ``data`` that each store all parameters, where they are stored in parts (HSDP)."""
    uneven_experts: bool = False
    """Whether experts do not divide over the ranks, so that the first ranks have one more."""
    weight_dtype: str = ""
    """Data type of all weights, where it is not that of the checkpoint."""
    activation_dtype: str = ""
    """Data type of activations, and of the cache where it has none of its own; empty: 16 bits."""
    cache_dtype: str = ""
    dispatch_dtype: str = ""
    beside: tuple[Beside, ...] = ()
    notes: tuple[Note, ...] = field(default=())

    @property
    def stage_ranks(self) -> int:
        """GPUs of one pipeline stage."""
        return self.data * self.context * self.ulysses * self.tensor

    @property
    def gpus(self) -> int:
        """All GPUs."""
        return self.stage_ranks * self.pipeline + (self.expert * self.expert_tensor if self.apart else 0)

    @property
    def copies(self) -> int:
        """Groups of ``data`` that are told apart, because parameters are stored in parts inside each."""
        return self.replicated if self.fully_sharded else 1

    @property
    def expert_data(self) -> int:
        """Groups of ranks that each hold all experts."""
        return self.stage_ranks // (self.expert * self.expert_tensor)
