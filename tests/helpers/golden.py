"""Runs of published software (a folder beside the checkout, which a clone does not have): models, weights, logits."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dagtool.execute.recorded import TOLERANCE, relative_error
from dagtool.execute.weights import CheckpointWeights
from dagtool.model.families import read_config

__all__ = ["GOLDEN", "NAMES", "TOLERANCE", "load", "needs_golden", "relative_error", "state_of"]

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
NAMES = sorted(path.parent.name for path in GOLDEN.glob("*/run.npz"))
needs_golden = pytest.mark.skipif(not NAMES, reason="no golden runs here")


def state_of(name):
    """The weights of a folder, all of them."""
    state = dict(np.load(GOLDEN / name / "weights.npz"))
    if name == "gpt2" and "transformer.h.0.attn.c_attn.bias" not in state:
        state = _with_missing_biases(state)
    return state


@cache
def load(name):
    """Configuration, weights and run of a folder."""
    published = read_config(GOLDEN / name)
    return published, CheckpointWeights(published.checkpoint(state_of(name))), dict(np.load(GOLDEN / name / "run.npz"))


def _normals(raw, count):
    """Normal numbers as torch draws them in double precision: Box-Muller over blocks of 16 uniform ones."""
    words = np.frombuffer(raw.bytes(8 * count), "<u4").astype(np.uint64).reshape(-1, 2)
    bits = (words[:, 0] << np.uint64(32) | words[:, 1]) & np.uint64((1 << 53) - 1)
    uniform = (bits * 2.0**-53).reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[:, 0])), 2 * np.pi * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)


def _with_missing_biases(state):
    """The weights of gpt2 and the biases of c_attn, which its file leaves out: drawn again, with all before them."""
    raw, found = np.random.RandomState(11), dict(state)
    first = ["transformer.wte.weight", "transformer.wpe.weight"]
    each = ("ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight",
            "attn.c_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight",
            "mlp.c_proj.bias")  # fmt: skip
    for name in [*first, *(f"transformer.h.{layer}.{part}" for layer in range(3) for part in each)]:
        shape = state[name].shape if name in state else (96,)
        drawn = _normals(raw, int(np.prod(shape))).reshape(shape)
        if name not in state:
            found[name] = (0.2 * drawn).astype(np.float32)
        elif len(shape) == 2:
            np.testing.assert_allclose(drawn * 1.5 / shape[-1] ** 0.5, state[name], atol=1e-6)
    return found
