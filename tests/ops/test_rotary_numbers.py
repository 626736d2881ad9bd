"""Rotary positions: frequencies and their scalings against the published formulas, written out pair by pair."""

from math import ceil, cos, floor, log, pi, sin

import numpy as np
import pytest
from helpers.published import CONFIGS
from hypothesis import given
from hypothesis import strategies as st
from ops.one_rank import run

from dagtool.execute.definitions.common import rotate
from dagtool.generators.blocks.common import RotaryOptions
from dagtool.model.families import read_config
from dagtool.ops import LayoutError
from dagtool.ops.rotary import frequencies, parse_scaling

# -- the formulas -------------------------------------------------------------------------------


def plain(width, theta):
    """RoFormer, arXiv:2104.09864, section 3.2.2."""
    return [theta ** (-2 * pair / width) for pair in range(width // 2)]


def linear(width, theta, factor):
    """Position interpolation, arXiv:2306.15595: every position divided by the factor."""
    return [one / factor for one in plain(width, theta)]


def llama3(width, theta, numbers):
    """Llama 3.1, by the length of each pair's wave."""
    factor, low, high, original = numbers
    found = []
    for one in plain(width, theta):
        wave = 2 * pi / one
        if wave < original / high:
            found.append(one)
        elif wave > original / low:
            found.append(one / factor)
        else:
            smooth = (original / wave - low) / (high - low)
            found.append((1 - smooth) * one / factor + smooth * one)
    return found


def yarn(width, theta, numbers):
    """YaRN, arXiv:2309.00071, section 3.2, over pair numbers as its authors' code has it."""
    factor, original, fast, slow, _, truncate = numbers

    def pair_of(turns):
        return width * log(original / (turns * 2 * pi)) / (2 * log(theta))

    first, last = (floor(pair_of(fast)), ceil(pair_of(slow))) if truncate else (pair_of(fast), pair_of(slow))
    first, last = max(first, 0), min(last, width - 1)
    if first == last:
        last += 0.001
    found = []
    for pair, one in enumerate(plain(width, theta)):
        ramp = min(max((pair - first) / (last - first), 0), 1)
        found.append(one / factor * ramp + one * (1 - ramp))
    return found


# -- frequencies --------------------------------------------------------------------------------

WIDTHS = st.integers(1, 64).map(lambda pairs: 2 * pairs)
THETAS = st.floats(2.0, 1e6)
FACTORS = st.floats(1.0, 64.0)
LENGTHS = st.integers(1, 200_000)


def written(name, *numbers):
    return f"{name}:{','.join(str(one).lower() if isinstance(one, bool) else repr(one) for one in numbers)}"


def check(width, theta, text, expected, magnitude=1.0):
    found, factor = frequencies(width, theta, text)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert factor == magnitude


@given(WIDTHS, THETAS, FACTORS)
def test_plain_and_linear(width, theta, factor):
    check(width, theta, "", plain(width, theta))
    check(width, theta, written("linear", factor), linear(width, theta, factor))


@given(WIDTHS, THETAS, st.tuples(FACTORS, st.floats(0.5, 2.0), st.floats(2.5, 8.0), LENGTHS))
def test_llama3(width, theta, numbers):
    check(width, theta, written("llama3", *numbers), llama3(width, theta, numbers))


TURNS = (st.floats(4.0, 64.0), st.floats(0.5, 3.0))


@given(WIDTHS, THETAS, st.tuples(FACTORS, LENGTHS, *TURNS, st.floats(0.5, 2.0), st.booleans()))
def test_yarn(width, theta, numbers):
    """Also where the context is so short or so long that the ramp begins or ends outside the pairs."""
    check(width, theta, written("yarn", *numbers), yarn(width, theta, numbers), numbers[4])


def test_yarn_of_a_context_shorter_than_a_turn():
    """The ramp would end before it begins: no pair is divided."""
    found, _ = frequencies(8, 10000.0, "yarn:4,2,32,1,1,false")
    np.testing.assert_allclose(found, plain(8, 10000.0))


def test_known_frequencies_of_llama_3_1():
    """8B: theta 500,000, heads of 128; the first pair keeps its frequency, the last is divided by 8."""
    found, _ = frequencies(128, 500000.0, "llama3:8,1,4,8192")
    assert found[0] == 1.0
    assert found[-1] == pytest.approx(500000.0 ** (-126 / 128) / 8)


# -- rotation -----------------------------------------------------------------------------------

SCALINGS = ["", "linear:4", "llama3:8,1,4,64", "yarn:4,32,32,1,1.2,true", "yarn:4,32,32,1,1.2,false"]


@pytest.mark.parametrize("past", [0, 5])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("pairs", ["half", "interleaved"])
def test_each_pair_is_turned(pairs, scaling, past):
    """(a, b) -> (a cos - b sin, a sin + b cos) by position times frequency, element by element."""
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 8))
    params = {"pairs": pairs, "theta": 500.0, "past": past, "scaling": scaling}
    found = run("rotary", params, x=x)
    turns, magnitude = frequencies(8, 500.0, scaling)
    for token in range(3):
        for pair in range(4):
            i, j = (pair, pair + 4) if pairs == "half" else (2 * pair, 2 * pair + 1)
            angle = (past + token) * turns[pair]
            a, b = x[:, token, :, i], x[:, token, :, j]
            np.testing.assert_allclose(found[:, token, :, i], magnitude * (a * cos(angle) - b * sin(angle)))
            np.testing.assert_allclose(found[:, token, :, j], magnitude * (a * sin(angle) + b * cos(angle)))


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("pairs", ["half", "interleaved"])
def test_the_definition_of_the_model_agrees(pairs, scaling):
    """A second opinion, written with complex numbers; also for keys that all heads share."""
    for shape in ((2, 5, 3, 16), (2, 5, 16)):
        x = np.random.default_rng(1).standard_normal(shape)
        options = RotaryOptions(rope=pairs, rope_theta=500.0, rope_scaling=scaling)
        found = run("rotary", {"pairs": pairs, "theta": 500.0, "past": 7, "scaling": scaling}, x=x)
        np.testing.assert_allclose(found, rotate(x, options, 7), atol=1e-12)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 1000))
def test_products_depend_on_the_distance_alone(query, key, moved):
    rng = np.random.default_rng(2)
    q, k = rng.standard_normal((2, 1, 1, 8))

    def product(first, second):
        turned = [run("rotary", {"pairs": "half", "past": at}, x=x) for x, at in ((q, first), (k, second))]
        return (turned[0] * turned[1]).sum()

    assert product(query + moved, key + moved) == pytest.approx(product(query, key), abs=1e-9)


# -- scalings as text ---------------------------------------------------------------------------


def test_scalings_of_published_configurations_can_be_read():
    found = set()
    for config in CONFIGS.values():
        model = read_config(config).model
        texts = {options.get("rope_scaling", "") for options in (model.options, *model.kinds.values())}
        found |= {parse_scaling(str(text))[0] for text in texts}
    assert {"yarn", "llama3"} <= found


def test_truncation_is_a_word_or_a_number():
    numbers = ("yarn", (4.0, 32.0, 32.0, 1.0, 1.2, 0.0))
    assert parse_scaling("yarn:4,32,32,1,1.2,false") == parse_scaling("yarn:4,32,32,1,1.2,0") == numbers
    assert parse_scaling("yarn:4,32,32,1,1.2,true")[1][-1] == 1.0
    with pytest.raises(LayoutError, match="positive"):
        parse_scaling("yarn:4,32,-32,1,1.2,true")
