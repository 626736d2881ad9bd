"""What counts as the same number."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.analysis import said
from dagtool.analysis.said import AGREES, DIFFERS, UNKNOWN, compare_statement
from dagtool.generators.strategy import Statement


def verdict(subject, says, derived):
    return compare_statement(subject, Statement("x", "what", says, derived)).verdict


@pytest.mark.parametrize(
    ("says", "derived", "expected"),
    [
        ("4 heads per GPU", "size N/tp", AGREES),
        ("32 heads", "size N/tp", DIFFERS),
        ("2,048", "size S", AGREES),
        ("2048 tokens", "size S", AGREES),
        ("20480", "size S", DIFFERS),
        ("1024*2048", "size B*S", AGREES),
        ("B×2048", "size B*S", AGREES),
        ("[1024*2048, 4096] × [4096, 512]", "shapes attention.q", AGREES),
        ("Get_Time(B*2048, 4096, 512)", "product attention.q", AGREES),
        ("Get_Time(B*2048,4096,511)", "product attention.q", DIFFERS),
        ("Get_Time(4096, B*2048, 512)", "product attention.q", DIFFERS),
        ("1/8th", "share_of_gpu attention.q N", AGREES),
        ("0-7", "gpu_numbers", AGREES),
        ("No cycles", "cycles", AGREES),
        ("cycles", "cycles", DIFFERS),
        ("0.1 s", "makespan", UNKNOWN),
    ],
)
def test_numbers_are_compared_and_not_their_spelling(says, derived, expected, subject):
    assert verdict(subject("tp8"), says, derived) == expected


def test_a_symbol_is_no_number(subject):
    one = subject("tp8", B="B")
    assert verdict(one, "Get_Time(B*2048, 4096, 512)", "product attention.q") == AGREES
    assert verdict(one, "Get_Time(2097152, 4096, 512)", "product attention.q") == DIFFERS


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=6), st.booleans())
def test_numbers_are_found_however_they_are_set_apart(numbers, commas):
    text = ", ".join(f"{one:,}" if commas else str(one) for one in numbers)
    assert said._numbers(f"[{text}] and so on", {}) == numbers
    assert said._numbers(f"Get_Time({'; '.join(map(str, numbers))})GB", {}) == numbers
