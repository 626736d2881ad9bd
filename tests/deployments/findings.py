"""What is known about a deployment: findings that are right, and checks that go wrong."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FINDINGS", "WRONG"]

FINDINGS: Mapping[str, Mapping[str, str]] = {}
"""By deployment: the codes that ``validate`` finds, each with the reason why the plan has it."""

_LATENT = "of latent attention the latent is kept, not every head's keys and values"
_WINDOW = "a layer with a window keeps no more tokens than a query sees"
_ROUND = "of keys and values that go round a ring both are kept, not the keys alone"
_TARGETS = "the targets of the loss are an input beside the tokens"
_COPIES = "an expert that is there more than once is a part of the model all the same"
_ROUTE = "what comes back from other GPUs needs its routing where it arrives, not where it leaves"

WRONG: Mapping[tuple[str, str], str] = {
    ("dsv3_decode_144", "cache"): _LATENT,
    ("dsv3_decode_144", "validate"): _COPIES,
    ("dsv3_decode_320", "cache"): _LATENT,
    ("dsv3_decode_320", "validate"): _COPIES,
    ("dsv3_pp16_ep64", "validate"): _TARGETS,
    ("dsv3_prefill_32", "cache"): _LATENT,
    ("dsv3_prefill_32", "validate"): _COPIES,
    ("gptoss120b_tp8", "cache"): _WINDOW,
    ("llama405b_interleaved", "validate"): _TARGETS,
    ("llama405b_tp8_dp8_pp16", "validate"): _TARGETS,
    ("llama70b_cp4_tp8_ring", "cache"): _ROUND,
    ("llama70b_cp4_tp8_ring", "kept_flops"): "attention in a ring says nothing of the pairs that its mask hides",
    ("llama70b_cp4_tp8_ring", "validate"): "attention in a ring does the products of scores as well",
    ("llama70b_fsdp64", "validate"): _TARGETS,
    ("llama70b_prefill_decode", "cache"): "a cache is there once, with room for T tokens, however many phases use it",
    ("llama70b_prefill_decode", "validate"): "a graph of several phases is held against each of them",
    ("llama70b_prefill_decode", "weights"): "a parameter is there once, however many phases use it",
    ("llama70b_tp8_loss", "validate"): _TARGETS,
    ("llama8b_draft_heads", "validate"): "draft heads are outputs beside that of the model",
    ("llama8b_lora", "validate"): "the second output of a fused product is a term of a sum",
    ("llama8b_zero1", "validate"): _TARGETS,
    ("mixtral_m2n", "validate"): _ROUTE,
    ("qwen3_06b_tied", "weights"): "a table that is used twice is there once",
}
"""By deployment and check: why dagtool is wrong there. A check that goes right again fails here, as it is marked."""
