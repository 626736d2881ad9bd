"""Seconds in words: three digits, the unit that suits them."""

import pytest

from dagtool.model.duration import time_words


@pytest.mark.parametrize(
    ("seconds_", "words"),
    [
        (0, "0 s"),
        (1, "1.00 s"),
        (1234.5, "1,234 s"),
        (0.0123, "12.3 ms"),
        (0.9999, "1.00 s"),
        (4.56e-5, "45.6 µs"),
        (1e-9, "1.00 ns"),
        (1e-12, "0.00100 ns"),
        (float("inf"), "inf s"),
        (float("nan"), "nan s"),
    ],
)
def test_seconds_in_words(seconds_, words):
    assert time_words(seconds_) == words
