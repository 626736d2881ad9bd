"""Sizes: arithmetic, text form, binding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.size import Size, SizeError, parse_size, product

SYMBOLS = ["B", "S", "H", "N", "D", "E", "K", "Xy_2"]
sizes = st.builds(
    lambda above, below, n, d: product(map(Size.of, [*above, n])) / product(map(Size.of, [*below, d])),
    st.lists(st.sampled_from(SYMBOLS), max_size=4),
    st.lists(st.sampled_from(SYMBOLS), max_size=3),
    st.integers(1, 500),
    st.integers(1, 12),
)


@given(sizes)
def test_text_reads_back(size):
    """What is written is what is read."""
    assert parse_size(str(size)) == size


@given(sizes, sizes)
def test_division_undoes_multiplication(one, other):
    """(a*b)/b is a, and the order of factors does not matter."""
    assert one * other / other == one
    assert one * other == other * one


@given(sizes, st.integers(1, 64))
def test_binding_is_evaluation(size, value):
    """Binding all symbols at once or one after the other gives the same number."""
    everything = dict.fromkeys(SYMBOLS, value)
    bound = size.bind(everything)
    assert not bound.symbols
    step = size
    for symbol in SYMBOLS:
        step = step.bind({symbol: value})
    assert step == bound


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("B*S*K/E", "B*S*K/E"),
        ("B/16", "B/16"),
        ("3*N*D", "3*N*D"),
        ("K*B", "B*K"),
        (" 4096 ", "4096"),
        ("6*B/4", "3*B/2"),
    ],
)
def test_writing_order(text, written):
    """Coefficient first, symbols in the field's order, divisors last."""
    assert str(parse_size(text)) == written


@pytest.mark.parametrize("text", ["", "B*", "*B", "B S", "b", "B/0", "B+1", "B//2", "-3"])
def test_refused(text):
    """Anything else is an error, never a guess."""
    with pytest.raises(SizeError):
        parse_size(text)


def test_symbol_stays_symbol():
    """A symbol without a value survives binding; a fraction is recognised only once symbols allow it."""
    assert str(parse_size("B*S*K/E").bind({"S": 2048, "K": 2, "E": 16})) == "256*B"
    assert parse_size("N/7").bind({"N": 64}).is_fraction
    assert not parse_size("B/16").bind({}).value
