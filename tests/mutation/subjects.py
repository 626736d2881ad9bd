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

_LATENT_SIZES = {
    "B": 4, "S": 8, "H": 32, "N": 4, "D": 6, "Dr": 4, "Dv": 8, "Rq": 12, "Rkv": 10, "F": 24, "Fe": 12, "Fs": 20,
    "V": 64, "E": 4, "K": 2, "L": 2,
}  # fmt: skip
_LATENT: dict[str, object] = {
    "attention": "mla", "mask": "causal", "norm": "rms", "gated": True, "activation": "silu", "rope": "interleaved",
    "layers": "dense, moe", "dense": {"ffn": "dense"},
    "moe": {"ffn": "moe", "width": "Fe", "shared": "Fs", "gate": "sigmoid", "correction": True, "routed_scale": 2.5},
}  # fmt: skip
_WINDOW_SIZES = {"B": 4, "S": 8, "H": 32, "N": 8, "G": 4, "D": 8, "F": 24, "V": 64, "W": 3, "L": 2}
_WINDOWS: dict[str, object] = {
    "mask": "causal", "norm": "rms", "gated": True, "activation": "silu", "rope": "half", "attention_bias": "qkv",
    "sinks": True, "layers": "window, full", "window": {"window": "W", "rope_theta": 1000.0}, "full": {},
}  # fmt: skip

SHAPES: dict[str, dict[str, object]] = {
    "latent_prefill": {
        "phase": "prefill",
        "sizes": _LATENT_SIZES,
        "model": _LATENT,
        "degrees": {"tp": 2},
        "regions": {
            "stream": "all S/tp",
            "attention": "all N/tp",
            "mlp": "all F/tp",
            "experts": "all Fe/tp",
            "shared": "all Fs/tp",
            "router": "all",
            "head": "all V/tp",
            "output": "all V/tp",
        },
    },
    "latent_decode": {
        "phase": "decode",
        "sizes": {**_LATENT_SIZES, "S": 1, "T": 12},
        "model": _LATENT,
        "degrees": {"ep": 2},
        "regions": {
            "stream": "all B/ep",
            "experts": "all E/ep",
            "input": "all B/ep",
            "output": "all B/ep",
        },
    },
    "windows": {
        "sizes": _WINDOW_SIZES,
        "model": _WINDOWS,
        "degrees": {"tp": 2},
        "regions": {"stream": "all", "attention": "all G/tp", "mlp": "all F/tp", "head": "all V/tp"},
    },
    "windows_context_parallel": {
        "sizes": _WINDOW_SIZES,
        "model": _WINDOWS,
        "degrees": {"cp": 2},
        "regions": {"stream": "all S/cp", "attention.keys": "all", "input": "all S/cp", "output": "all S/cp"},
    },
    "windows_decode": {
        "phase": "decode",
        "sizes": {**_WINDOW_SIZES, "S": 1, "T": 12},
        "model": _WINDOWS,
        "degrees": {"cp": 2},
        "regions": {
            "stream": "all B/cp",
            "attention.core": "all",
            "attention.keys": "all T/cp",
            "input": "all B/cp",
            "output": "all B/cp",
        },
    },
    "uneven_stages": {
        "sizes": {"B": 4, "S": 8, "H": 32, "N": 4, "D": 8, "F": 24, "V": 64, "E": 4, "K": 2, "L": 3},
        "model": {"norm": "rms", "layers": "dense*1, moe*", "dense": {"ffn": "dense"}, "moe": {"ffn": "moe"}},
        "degrees": {"ep": 2, "pp": 2},
        "mesh": {"stage": ["ep"]},
        "stages": {"layers": [2, 1]},
        "regions": {"stream": "stage B/ep", "experts": "stage E/ep"},
    },
    "prefill_and_two_steps": {
        "phase": "prefill decode*2",
        "sizes": {"B": 4, "S": 8, "Q": 1, "T": 12, "H": 32, "N": 4, "G": 2, "D": 8, "F": 24, "V": 64, "L": 2},
        "model": {"mask": "causal", "norm": "rms", "rope": "half"},
        "degrees": {"tp": 2},
        "regions": {"stream": "all", "attention": "all G/tp", "mlp": "all F/tp", "head": "all V/tp"},
    },
}
"""Strategy files that say all their sizes: kinds of layer, latent attention, windows, caches, several phases."""

SUBJECTS = (*PRESETS, *STRATEGIES, *SHAPES)


@cache
def subject(name: str) -> str:
    """The DOT text of one of them."""
    if name in PRESETS:
        settings = dict(one.split("=") for one in PRESETS[name].split())
        return generate(name.split(maxsplit=1)[0], settings).to_dot()
    if name in SHAPES:
        return partition(apply_settings(name, SHAPES[name], {})).to_dot()
    document = dict(STRATEGIES[name])
    document["sizes"] = {**_SIZES, **document.get("sizes", {})}  # type: ignore[dict-item]
    return partition(apply_settings(name, fitting(document), {})).to_dot()
