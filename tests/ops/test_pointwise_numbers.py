"""Norms, activations, biases and gates against their published formulas, one number at a time."""

from math import erf, exp, sqrt, tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ops.one_rank import run

from dagtool.ops.tokens import Tokens

RNG = np.random.default_rng(0)


# -- one element at a time ----------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [1e-5, 0.5])
def test_norms(epsilon):
    x, gain, bias = RNG.standard_normal((2, 3, 6)), RNG.standard_normal(6), RNG.standard_normal(6)
    params, held = {"epsilon": epsilon}, {"weight": gain}
    for row in np.ndindex(2, 3):
        mean = sum(x[row]) / 6
        deviation = sqrt(sum((one - mean) ** 2 for one in x[row]) / 6 + epsilon)
        layer = run("norm", {**params, "function": "layer", "bias": "yes"}, {**held, "module.node_bias": bias}, x=x)
        np.testing.assert_allclose(layer[row], (x[row] - mean) / deviation * gain + bias)
        size = sqrt(sum(one**2 for one in x[row]) / 6 + epsilon)
        np.testing.assert_allclose(run("norm", {**params, "function": "rms"}, held, x=x)[row], x[row] / size * gain)


def test_activations():
    """GELU at 1 is the share of a normal distribution below 1."""
    x = np.array([-2.0, -0.5, 0.0, 1.0, 3.0])
    expected = {
        "relu": [max(one, 0.0) for one in x],
        "silu": [one / (1 + exp(-one)) for one in x],
        "gelu_erf": [one * (1 + erf(one / sqrt(2))) / 2 for one in x],
        "gelu": [one / 2 * (1 + tanh(0.7978845608028654 * (one + 0.044715 * one**3))) for one in x],
    }
    for function, values in expected.items():
        np.testing.assert_allclose(run("activation", {"function": function}, x=x), values)
        up = RNG.standard_normal(5)
        np.testing.assert_allclose(run("gated_activation", {"function": function}, gate=x, up=up), values * up)
    assert run("activation", {"function": "gelu_erf"}, x=np.ones(1))[0] == pytest.approx(0.8413447460685429)


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(0.5, 10))
def test_clamped_swiglu(gate, up, limit):
    """gpt-oss: the gate is clamped above, the other input on both sides; alpha is 1.702."""
    (found,) = run(
        "gated_activation", {"function": "swiglu_clamped", "limit": limit}, gate=np.array([gate]), up=np.array([up])
    )
    low, middle = min(gate, limit), max(-limit, min(up, limit))
    assert found == pytest.approx(low / (1 + exp(-1.702 * low)) * (middle + 1))


def test_bias_scale_and_soft_cap():
    x, bias = 40 * RNG.standard_normal((2, 3, 4)), RNG.standard_normal((3, 4))
    np.testing.assert_allclose(run("bias", {}, {"weight": bias}, x=x), np.stack([x[0] + bias, x[1] + bias]))
    np.testing.assert_allclose(run("scale", {"factor": "0.5*sqrt(16)"}, x=x), 2 * x)
    capped = run("softcap", {"cap": 30}, x=x)
    assert [capped[at] for at in np.ndindex(2, 3, 4)] == [
        pytest.approx(30 * tanh(x[at] / 30)) for at in np.ndindex(2, 3, 4)
    ]
    assert (np.abs(capped) < 30).all()


@pytest.mark.parametrize(("op", "params"), [("scale", {"factor": 2}), ("softcap", {"cap": 1})])
def test_routed_tokens_keep_their_ids(op, params):
    from oracle.ranks import Node, mesh_of, numeric

    from dagtool.ops import OPERATORS

    tokens = Tokens(3, np.array([1, 4]), np.ones((2, 5)))
    given_params = {name: str(value) for name, value in params.items()}
    node = Node(OPERATORS[op], mesh_of(a=1), {"x": numeric((2, 5))}, given_params)
    found = node.run({0: {"x": [tokens]}})[0][0]
    assert (found.expert, list(found.ids)) == (3, [1, 4])
    np.testing.assert_allclose(found.rows, run(op, params, x=np.ones((2, 5))))


# -- the gate -----------------------------------------------------------------------------------


def chosen(logits, top, *, sigmoid=False, correction=None, groups=1, top_groups=1, best=1, normalise=True, factor=1.0):
    """The experts of one token and their weights, by sorting lists."""
    scores = [1 / (1 + exp(-one)) for one in logits]
    if not sigmoid:
        scores = [exp(one) / sum(exp(other) for other in logits) for one in logits]
    wanted = [score + (0 if correction is None else correction[expert]) for expert, score in enumerate(scores)]
    width = len(logits) // groups
    value = [sum(sorted(wanted[g * width : (g + 1) * width])[-best:]) for g in range(groups)]
    allowed = sorted(range(groups), key=lambda g: -value[g])[:top_groups]
    experts = [expert for expert in range(len(logits)) if expert // width in allowed]
    experts = sorted(experts, key=lambda expert: -wanted[expert])[:top]
    weights = [scores[expert] for expert in experts]
    return experts, [factor * one / (sum(weights) if normalise else 1) for one in weights]


GATES = [
    ({}, {}),
    ({"normalise": "no"}, {"normalise": False}),
    ({"bias": "yes"}, {}),
    ({"scores": "sigmoid", "factor": 2.5}, {"sigmoid": True, "factor": 2.5}),
    ({"groups": 4, "top_groups": 2, "normalise": "no", "factor": 16},
     {"groups": 4, "top_groups": 2, "normalise": False, "factor": 16}),
    ({"scores": "sigmoid", "correction": "yes", "groups": 4, "top_groups": 2, "group_score": "top2"},
     {"sigmoid": True, "groups": 4, "top_groups": 2, "best": 2}),
]  # fmt: skip
"""The attributes, and what they mean to the formula; the last two are DeepSeek-V2 and DeepSeek-V3."""


@pytest.mark.parametrize(("params", "formula"), GATES)
def test_gate(params, formula):
    x, matrix = RNG.standard_normal((2, 9, 5)), RNG.standard_normal((5, 8))
    bias, correction = RNG.standard_normal(8), RNG.standard_normal(8)
    held = {"weight": matrix, "module.gate_bias": bias, "module.correction": correction}
    found = run("gate", {"top_k": 3, **params}, held, x=x)
    for at in np.ndindex(2, 9):
        logits = x[at] @ matrix + (bias if "bias" in params else 0)
        given_correction = correction if "correction" in params else None
        experts, weights = chosen(list(logits), 3, correction=given_correction, **formula)
        assert list(found.experts[at]) == experts
        np.testing.assert_allclose(found.weights[at], weights)


def test_softmax_over_the_chosen_is_the_normalised_softmax_over_all():
    """gpt-oss chooses first and takes the softmax of what it has chosen."""
    x, matrix = RNG.standard_normal((1, 4, 5)), RNG.standard_normal((5, 8))
    found = run("gate", {"top_k": 3}, {"weight": matrix}, x=x)
    logits = np.take_along_axis(x @ matrix, found.experts, axis=-1)
    powers = np.exp(logits)
    np.testing.assert_allclose(found.weights, powers / powers.sum(axis=-1, keepdims=True))
