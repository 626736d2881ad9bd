"""Tables and code spans that nothing breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.analysis.table import Table, as_columns, as_markdown
from dagtool.escape import code

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_columns_stand_below_each_other_whatever_is_in_them(pairs):
    rows = [[code(one), code(other)] for one, other in pairs]
    lines = as_markdown(Table(("a", "b"), rows, frozenset({1}))).split("\n")
    assert len({len(line) for line in lines}) == 1  # the last column is of numbers
    assert len(lines) == 2 + len(pairs)
    assert all(line.count("|") - line.count("\\|") == 3 for line in lines)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXT)
def test_a_code_span_is_closed_by_nothing_inside_it(text):
    span = code(text)
    if not span.startswith("`"):
        return
    fence = span[: len(span) - len(span.lstrip("`"))]
    inside = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert fence not in inside


def test_plain_columns():
    table = Table(("what", "n"), [["one", "1"], ["three", "300"]], frozenset({1}))
    assert as_columns(table) == ["what     n", "one      1", "three  300"]
