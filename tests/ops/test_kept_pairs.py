"""The share of pairs of query and key that a mask keeps, against counting them one by one."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.amount import parse_amount
from dagtool.model.size import Size, parse_size
from dagtool.model.tensor import parse_type
from dagtool.ops import OPERATORS
from dagtool.ops.base import KeptPairs


def kept(queries, keys, past, window, causal):
    """Query i at position past + i sees key j; counted."""
    pairs = ((past + i, j) for i in range(queries) for j in range(keys))
    return sum((not causal or j <= p) and (window is None or j > p - window) for p, j in pairs)


@given(st.integers(1, 9), st.integers(1, 12), st.integers(-3, 14), st.none() | st.integers(1, 14), st.booleans())
def test_share_is_that_of_counting(queries, keys, past, window, causal):
    size = None if window is None else Size(window)
    found = KeptPairs(Size(queries), Size(keys), parse_amount(str(past)), size, causal=causal).share({})
    assert found == Fraction(kept(queries, keys, past, window, causal), queries * keys)


@pytest.mark.parametrize(
    ("past", "window", "sizes", "share"),
    [
        ("0", None, {"S": 4, "T": 4}, Fraction(10, 16)),
        ("T-S", None, {"S": 1, "T": 8192}, Fraction(1)),
        ("T-S", None, {"S": 2, "T": 4}, Fraction(7, 8)),
        ("T-S", "W", {"S": 1, "T": 8192, "W": 128}, Fraction(1, 64)),
        ("T-S", None, {"S": 4, "T": None}, Fraction(1)),
        ("T-S", None, {"T": 4}, Fraction(1)),
        ("P", None, {"S": 4, "T": 4}, Fraction(1)),
        ("0", "W", {"S": 4, "T": 4, "W": None}, Fraction(1)),
    ],
)
def test_share_of_sizes(past, window, sizes, share):
    pairs = KeptPairs(parse_size("S"), parse_size("T"), parse_amount(past), window and parse_size(window))
    assert pairs.share(sizes) == share


def test_a_cut_does_not_change_the_share_of_all_pairs():
    """The ranks have equal numbers of pairs, and together the share of the whole."""
    operator = OPERATORS["scores"]
    sizes = {"S": 8, "T": 16, "B": 2, "N": 2, "D": 4}
    shares = set()
    for queries, keys, offsets in [("S", "T", {}), ("S/a", "T", {"offset": "a"}), ("S", "T/a", {"key_offset": "a"})]:
        types = {"q": parse_type(f"[B, {queries}, N, D] @m"), "k": parse_type(f"[B, {keys}, N, D] @m")}
        params = {"mask": "causal", "past": "T-S", **offsets}
        shares.add(operator.work(types, operator.infer(types, params), params, {"a": 4}).kept.share(sizes))
    assert shares == {Fraction(100, 128)}


@pytest.mark.parametrize(("params", "window"), [({"mask": "causal"}, None), ({"window": "3"}, 3)])
def test_around_a_ring_the_mask_keeps_the_same_pairs(params, window):
    types, params = dict.fromkeys("qkv", parse_type("[B, S/a, N, D] @m")), {"over": "a", "offset": "a", **params}
    operator = OPERATORS["ring_attention"]
    found = operator.work(types, operator.infer(types, params), params, {"a": 4}).kept.share({"S": 8})
    assert found * 64 == kept(8, 8, 0, window, "mask" in params)


def test_without_a_mask_nothing_is_hidden():
    types = {slot: parse_type("[B, S, N, D] @m") for slot in "qk"}
    operator = OPERATORS["scores"]
    assert operator.work(types, operator.infer(types, {}), {}, {}).kept is None
