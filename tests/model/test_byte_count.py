"""Numbers of bytes: GB and GiB are not the same, a bit is no byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.byte_count import format_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("80GiB", 80 * 2**30),
        ("80GB", 80 * 10**9),
        (" 1.5 TiB ", 3 * 2**39),
        ("189471MiB", 189471 * 2**20),
        ("24gib", None),
        ("7 B", 7),
        ("1kB", 1000),
    ],
)
def test_read(text, count):
    """Both kinds of units."""
    if count is None:
        with pytest.raises(ValueError, match="bit"):
            parse_bytes(text)
    else:
        assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["80", "80Gb", "GiB", "-1GiB", "0GiB", "80 GiB/s", "", "1e9B", "80GiBi"])
def test_refused(text):
    """No unit, a bit, nothing, a rate: the message quotes what was given."""
    with pytest.raises(ValueError, match=r"GiB|memory|bit"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (512 * 2**20, "512 MiB"), (5 * 2**28, "1.25 GiB"), (2**41, "2 TiB")],
)
def test_written(count, text):
    """The largest unit of which there is one."""
    assert format_bytes(count) == text


@given(st.integers(1, 2**50))
def test_what_is_written_is_read_nearly_as_it_was(count):
    """Within the two decimals shown."""
    assert parse_bytes(format_bytes(count).replace(",", "")) == pytest.approx(count, rel=0.005, abs=1)
