"""The deployments at sizes that can be run: fewer layers, experts and ranks, everything else as it is.

A row gives the keys that differ, by table. Tensors are small in any case: a proof chooses the sizes of dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["SHRUNK"]

SHRUNK: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "dsv3_decode_144": {"sizes": {"B": 72, "L": 5, "E": 16, "R": 18, "K": 4}, "degrees": {"ep": 9}},
    "dsv3_decode_320": {
        "sizes": {"B": 80, "L": 5, "E": 16, "R": 20, "K": 4},
        "groups": {"attention": ["dp=5", "tp=4"], "experts": ["ep=20"]},
    },
    "dsv3_pp16_ep64": {
        "sizes": {"B": 8, "L": 5, "E": 16, "K": 4},
        "degrees": {"dp": 2, "ep": 4, "pp": 3},
        "stages": {"layers": "2 2 1"},
    },
    "dsv3_prefill_32": {
        "sizes": {"B": 4, "L": 5, "E": 16, "R": 24, "K": 4},
        "groups": {"attention": ["dp=2", "tp=4"], "experts": ["ep=8"]},
    },
    "gptoss120b_ep8_decode": {"sizes": {"L": 4, "E": 16}},
    "gptoss120b_tp8": {"sizes": {"L": 4, "E": 8}},
    "llama405b_helix": {"sizes": {"L": 2}, "degrees": {"kvp": 2, "tpa": 4}},
    "llama405b_interleaved": {
        "sizes": {"L": 10},
        "degrees": {"dp": 2, "tp": 2, "pp": 3},
        "stages": {"layers": "1 2*4 1"},
    },
    "llama405b_tp8_dp8_pp16": {
        "sizes": {"L": 8},
        "degrees": {"dp": 2, "tp": 2, "pp": 4},
        "stages": {"layers": "1 3 3 1"},
    },
    "llama70b_cp4_tp8_gather": {"sizes": {"L": 2}, "degrees": {"cp": 4, "tp": 2}},
    "llama70b_cp4_tp8_ring": {"sizes": {"L": 2}, "degrees": {"cp": 4, "tp": 2}},
    "llama70b_fsdp64": {"sizes": {"L": 2}, "degrees": {"dp": 4}},
    "llama70b_prefill_decode": {"sizes": {"L": 2}},
    "llama70b_tp8": {"sizes": {"L": 2}},
    "llama70b_tp8_decode": {"sizes": {"L": 2}},
    "llama70b_tp8_loss": {"sizes": {"L": 2}},
    "llama70b_tp8_sp": {"sizes": {"L": 2}},
    "llama8b_draft_heads": {"sizes": {"L": 2}},
    "llama8b_layerwise": {"sizes": {"L": 4}, "degrees": {"pp": 4}},
    "llama8b_lora": {"sizes": {"L": 2}},
    "llama8b_tp1": {"sizes": {"L": 2}},
    "llama8b_ulysses8": {"sizes": {"L": 2}},
    "llama8b_zero1": {"sizes": {"L": 2}},
    "mixtral_ep8": {"sizes": {"L": 2}},
    "mixtral_m2n": {"sizes": {"L": 2}},
    "mixtral_tp2_ep4": {"sizes": {"L": 2}},
    "mixtral_tp8_ep4_etp2": {"sizes": {"L": 2}},
    "qwen3_06b_tied": {"sizes": {"L": 2}},
    "qwen3_235b_dp2_tp4_ep8": {"sizes": {"L": 2, "E": 16}},
    "qwen3_235b_tp8": {"sizes": {"L": 2, "E": 8, "K": 4}},
}
