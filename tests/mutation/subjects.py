"""The correct DAGs that are damaged: every preset, small, and strategies that no preset has."""

from __future__ import annotations

from functools import cache

from helpers.strategies import fitting

from dagtool.generators import generate
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

PRESETS = {
    "ma_separation": "L=2 tp=4 ep=4 E=8",
    "ma_separation B=B": "L=2 tp=2 ep=2 E=4 B=B",
    "tp8": "L=2 tp=4 E=8",
    "pp2": "L=2 E=4",
    "dense_tp8_pp2": "L=2 tp=4",
    "ep16_tp4": "L=2 ep=4 E=8 tp=2",
    "moe_tp8_pp2": "L=2 tp=4 E=8",
    "ep16": "L=2 ep=4 E=8",
}

_SIZES = {"B": 16, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 2, "E": 8, "K": 2}

STRATEGIES: dict[str, dict[str, object]] = {
    "sequence_parallel": {
        "model": {"ffn": "dense", "gated": True, "activation": "silu", "norm": "rms"},
        "degrees": {"tp": 4},
        "regions": {
            "input": "all",
            "stream": "all S/tp",
            "embedding": "all V/tp",
            "attention": "all N/tp",
            "mlp": "all F/tp",
            "head": "all V/tp",
            "output": "all",
        },
    },
    "dp2_tp2_three_layers": {
        "sizes": {"L": 3},
        "model": {"ffn": "dense", "embedding": "token,position"},
        "degrees": {"dp": 2, "tp": 2},
        "regions": {
            "input": "all",
            "stream": "all B/dp",
            "embedding": "all B/dp H/tp",
            "attention": "all B/dp N/tp",
            "mlp": "all B/dp F/tp",
            "head": "all B/dp H/tp",
            "output": "all",
        },
        "operators": {"qkv": "separate", "merge_heads": "yes"},
    },
    "dp2_ep2_tp2_gated": {
        "model": {"ffn": "moe", "gated": True, "activation": "silu"},
        "degrees": {"dp": 2, "ep": 2, "tp": 2},
        "regions": {
            "input": "all",
            "stream": "all B/dp/ep",
            "embedding": "all B/dp/ep V/tp",
            "attention": "all B/dp/ep N/tp",
            "experts": "all E/ep F/tp",
            "head": "all B/dp/ep V/tp",
            "output": "all",
        },
        "operators": {"heads": "outer", "copies": "yes"},
    },
    "pp2_dp2_ep2_send": {
        "sizes": {"E": 4},
        "model": {"ffn": "moe"},
        "degrees": {"dp": 2, "ep": 2, "pp": 2},
        "mesh": {"stage": ["dp", "ep"]},
        "regions": {
            "input": "stage",
            "stream": "stage B/dp/ep",
            "attention": "stage B/dp/ep",
            "experts": "stage E/ep",
            "head": "stage B/dp/ep",
            "output": "stage",
        },
        "operators": {"qkv": "separate", "transfer": "send_and_recv"},
    },
    "pools_with_dispatch": {
        "sizes": {"E": 4},
        "model": {"ffn": "moe"},
        "degrees": {"tp": 2, "ep": 4},
        "mesh": {"attn": ["tp"], "moe": ["ep"]},
        "regions": {
            "stream": "attn",
            "attention": "attn N/tp",
            "ffn": "moe B/ep",
            "experts": "moe E/ep",
            "head": "attn V/tp",
        },
    },
    "grouped_queries": {
        "sizes": {"G": 4},
        "model": {"ffn": "dense", "gated": True, "activation": "silu", "norm": "rms"},
        "degrees": {"dp": 2, "tp": 2},
        "regions": {
            "stream": "all B/dp",
            "attention": "all B/dp G/tp",
            "mlp": "all B/dp F/tp",
            "head": "all B/dp V/tp",
            "output": "all",
        },
    },
    "cut_along_two_axes": {
        "model": {"ffn": "dense"},
        "degrees": {"node": 2, "tp": 2},
        "regions": {
            "stream": "all",
            "embedding": "all V/node/tp",
            "attention": "all N/node/tp",
            "mlp": "all F/node/tp",
            "head": "all H/node/tp",
        },
    },
    "attention_by_batch": {
        "model": {"ffn": "dense"},
        "degrees": {"cp": 4},
        "regions": {
            "input": "all",
            "stream": "all S/cp",
            "attention": "all B/cp",
            "mlp": "all S/cp",
            "head": "all S/cp",
            "output": "all",
        },
    },
}
"""Strategy files as documents; sizes not given here are the common ones."""

SUBJECTS = (*PRESETS, *STRATEGIES)


@cache
def subject(name: str) -> str:
    """The DOT text of one of them."""
    if name in PRESETS:
        settings = dict(one.split("=") for one in PRESETS[name].split())
        return generate(name.split(maxsplit=1)[0], settings).to_dot()
    document = dict(STRATEGIES[name])
    document["sizes"] = {**_SIZES, **document.get("sizes", {})}  # type: ignore[dict-item]
    return partition(apply_settings(name, fitting(document), {})).to_dot()
