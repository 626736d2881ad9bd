"""The share of pairs of query and key that a mask keeps, against counting them one by one."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.amount import parse_amount
from dagtool.model.pairs import KeptPairs
from dagtool.model.size import Size, parse_size
from dagtool.model.tensor import parse_type
from dagtool.ops import OPERATORS


def kept(queries, keys, past, window, causal):
    """Query i at position past + i sees key j; counted."""
    pairs = ((past + i, j) for i in range(queries) for j in range(keys))
    return sum((not causal or j <= p) and (window is None or j > p - window) for p, j in pairs)


@given(st.integers(1, 9), st.integers(1, 12), st.integers(-3, 14), st.none() | st.integers(1, 14), st.booleans())
def test_share_is_that_of_counting(queries, keys, past, window, causal):
    size = None if window is None else Size(window)
    mask = KeptPairs(Size(queries), Size(keys), parse_amount(str(past)), size, causal=causal)
    assert mask.share({}) == Fraction(kept(queries, keys, past, window, causal), queries * keys)


def seen(rows, columns, past, window, causal):
    """The pairs of some queries and keys, and the keys that some of these queries see; counted."""
    pairs = [(i, j) for i in rows for j in columns if not causal or j <= past + i]
    pairs = [(i, j) for i, j in pairs if window is None or j > past + i - window]
    return len(pairs), len({j for _, j in pairs})


@given(st.data())
def test_what_is_seen_on_one_rank_is_that_of_counting(data):
    """Parts of the queries, parts of the keys; the parts of all ranks add up to the whole."""
    queries_in, keys_in = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    past, window = data.draw(st.integers(-3, 14)), data.draw(st.none() | st.integers(1, 14))
    causal = data.draw(st.booleans())
    whole = Size(rows * queries_in), Size(columns * keys_in)
    mask = KeptPairs(*whole, parse_amount(str(past)), window and Size(window), causal=causal)
    total = 0
    for at, keys_at in product(range(queries_in), range(keys_in)):
        found = mask.seen({}, (at, queries_in), (keys_at, keys_in))
        own = range(at * rows, (at + 1) * rows), range(keys_at * columns, (keys_at + 1) * columns)
        assert (found.pairs, found.keys) == seen(*own, past, window, causal)
        assert (found.of_pairs, found.of_keys) == (rows * columns, columns)
        total += found.pairs
    assert total == mask.seen({}).pairs


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
    keys = parse_size("T")
    pairs = KeptPairs(parse_size("S"), keys, parse_amount(past), window and parse_size(window))
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
    mask = operator.work(types, operator.infer(types, params), params, {"a": 4}).kept
    assert mask.share({"S": 8}) * 64 == kept(8, 8, 0, window, "mask" in params)
    assert (mask.query_axes, mask.key_axes) == (("a",), ())


def test_without_a_mask_nothing_is_hidden():
    types = {slot: parse_type("[B, S, N, D] @m") for slot in "qk"}
    operator = OPERATORS["scores"]
    assert operator.work(types, operator.infer(types, {}), {}, {}).kept is None
