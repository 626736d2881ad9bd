"""What is known about a deployment: findings that are right, and checks that go wrong."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FINDINGS", "WRONG"]

FINDINGS: Mapping[str, Mapping[str, str]] = {}
"""By deployment: the codes that ``validate`` finds, each with the reason why the plan has it."""

_TRAINING = "training keeps no keys and values for a later token"

WRONG: Mapping[tuple[str, str], str] = {
    ("dsv3_pp16_ep64", "cache"): _TRAINING,
    ("llama405b_interleaved", "cache"): _TRAINING,
    ("llama405b_tp8_dp8_pp16", "cache"): _TRAINING,
    ("llama70b_fsdp64", "cache"): _TRAINING,
    ("llama70b_prefill_decode", "cache"): "a cache that is handed over is kept where it arrives as well",
    ("llama70b_prefill_decode", "order"): "a decode step waits for the token that the step before has chosen",
    ("llama70b_tp8_loss", "cache"): _TRAINING,
    ("llama8b_lora", "cache"): _TRAINING,
    ("llama8b_zero1", "cache"): _TRAINING,
}
"""By deployment and check: why dagtool is wrong there. A check that goes right again fails here, as it is marked."""
