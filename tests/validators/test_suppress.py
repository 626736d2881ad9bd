"""Suppression in the file: where it acts, and what is of no use."""

from __future__ import annotations

import pytest
from helpers.deployment import check_deployment
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.validators.catalogue import select_rules


def found(text: str, select: tuple[str, ...] = ("GRF102", "GRF190"), group: bool = True) -> list[tuple[str, int]]:
    report = check_deployment(text.encode(), "x.dot", select_rules(select), group=group)
    assert report.parses
    return [(finding.code, finding.line or 0) for finding in report.findings]


@pytest.mark.parametrize(
    "text",
    [
        "digraph { i -> o\n x // dagtool: ignore[GRF102] why\n}",
        "digraph { i -> o\n // dagtool: ignore[GRF102] why\n x\n}",
        "digraph { i -> o\n // dagtool: ignore[GRF102]\n\n // more words\n /* and\n more */\n x\n}",
        "digraph { i -> o\n/* dagtool: ignore[DEV501, GRF102]: why */ x }",
        "digraph { i -> o\n# dagtool: ignore[GRF1] why\nx }",
        "// dagtool: file-ignore[GRF102] why\ndigraph { i -> o; x }",
        "digraph { i -> o; x }\n/* dagtool: file-ignore[grf102] why */",
        "digraph { i -> o; x [lint_ignore=GRF102] }",
        'digraph { i -> o; x [lint_ignore="GRF102: why"] }',
        'digraph { graph [lint_ignore="GRF102"] i -> o; x }',
        "digraph { i -> o\n // dagtool: ignore[GRF102] why\n x [\n label=x\n]\n}",
        "digraph { i -> o\n // dagtool: disable[GRF102] why\n x\n y\n // dagtool: enable[GRF102]\n}",
        "digraph { i -> o\n x // dagtool: disable[GRF102] why\n y // dagtool: enable[GRF102]\n}",
        "digraph { i -> o\n // dagtool: disable[GRF, DEV] why\n x\n // dagtool: enable\n}",
        "// dagtool: disable[GRF102] to the end\ndigraph { i -> o\n x\n}",
    ],
)
def test_hidden(text: str) -> None:
    assert [item for item in found(text) if item[0] == "GRF102"] == []
    assert [item for item in found(text, ("GRF102",), group=False) if item[0] == "GRF102"] == []


def test_all_used_is_nothing_to_report() -> None:
    text = 'digraph { i -> o; x [lint_ignore="GRF102: why"] y // dagtool: ignore[GRF102] legend\n}'
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        'digraph { i -> o\n x [label="// dagtool: ignore[GRF102] why"]\n}',
        'digraph { i -> o\n a -> b [label="\n// dagtool: file-ignore[GRF102]\n"] x\n}',
        'digraph { i -> o\n x [label="a\\"b // dagtool: ignore[GRF102]"]\n}',
        "digraph { i -> o\n x [label=<<b>// dagtool: ignore[GRF102]</b>>]\n}",
        "digraph { i -> o\n x // see dagtool: ignore[GRF102]\n}",
    ],
)
def test_only_a_comment_of_its_own_counts(text: str) -> None:
    assert found(text) == [("GRF102", text[: text.index(" x")].count("\n") + 1)]


def test_one_of_a_group_is_taken_out_of_it() -> None:
    text = "digraph { i -> o\n x1\n x2 // dagtool: ignore[GRF102] why\n x3 }"
    report = check_deployment(text.encode(), "x.dot", select_rules(["GRF102"]))
    assert [(f.count, f.line) for f in report.findings] == [(2, 2)]


def test_edges() -> None:
    rules = ("GRF107", "GRF190")
    text = "digraph {{ i -> o\n i -> o {}\n}}"
    assert found(text.format(""), rules) == [("GRF107", 2)]
    assert found(text.format("// dagtool: ignore[GRF107] why"), rules) == []
    assert found(text.format("[lint_ignore=GRF107]"), rules) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("// dagtool: ignore[GRF102] why", "unused suppression: GRF102 finds nothing here"),
        ("// dagtool: file-ignore[GRF102] why", "unused suppression: GRF102 finds nothing here"),
        ("i [lint_ignore=GRF102]", "unused suppression: GRF102 finds nothing here"),
        ("// dagtool: ignore[GRF1O2] why", "suppression of 'GRF1O2', which is no rule"),
        ("// dagtool: disable[GRF102] why", "unused suppression: GRF102 finds nothing here"),
        ("// dagtool: enable[GRF102]", "enable[GRF102] ends nothing: no disable[GRF102] runs"),
        ("// dagtool: enable", "enable ends nothing: no disable runs"),
        ("// dagtool: disable why", "suppression not understood: names no rule: write disable[CODE] and why"),
        ("// dagtool: ignore why", "suppression not understood: names no rule: write ignore[CODE] and why"),
        (
            "// dagtool: ingore[GRF102]",
            "'ingore' is none of ignore, file-ignore, disable, enable; did you mean 'ignore'",
        ),
    ],
)
def test_of_no_use(text: str, message: str) -> None:
    report = check_deployment(f"digraph {{ i -> o\n {text}\n}}".encode(), "x.dot", select_rules(["GRF102", "GRF190"]))
    (finding,) = report.findings
    assert (finding.code, finding.line) == ("GRF190", 2)
    assert message in finding.message
    assert finding.excerpt is not None


def test_a_rule_that_was_not_asked_may_stay_suppressed() -> None:
    assert found("digraph { i -> o } // dagtool: file-ignore[GRF102] why", ("GRF101", "GRF190")) == []


def test_several_graphs_share_the_comments() -> None:
    text = "// dagtool: file-ignore[GRF102] why\ndigraph { i -> o }\ndigraph { i -> o; x }"
    assert found(text) == []


def test_nothing_is_heeded_on_request() -> None:
    text = b"digraph { i -> o; x // dagtool: ignore[GRF102] why\n}"
    report = check_deployment(text, "x.dot", select_rules(["GRF"]), suppress=False)
    assert [finding.code for finding in report.findings] == ["GRF102"]


def test_a_reason_is_required_in_strict() -> None:
    for text, codes in {"ignore[GRF102]": ["GRF191"], "ignore[GRF102] -- legend": []}.items():
        data = f"digraph {{ i -> o; x // dagtool: {text}\n}}".encode()
        report = check_deployment(data, "x.dot", select_rules(["GRF"], profile="strict"))
        assert [finding.code for finding in report.findings] == codes
        assert check_deployment(data, "x.dot", select_rules(["GRF"])).findings == []


def test_severity_override() -> None:
    report = check_deployment(b"digraph { i -> o; x }", "x.dot", severity=dict.fromkeys(["GRF102"], "info"))  # type: ignore[arg-type]
    assert {f.code: f.severity for f in report.findings}["GRF102"] == "info"


RANGES = """digraph { i -> o
  w
  // dagtool: disable[GRF102,GRF107] spare parts
  x
  // dagtool: enable[GRF102]
  y
  i -> o
}"""


def test_what_stands_outside_a_range_is_told() -> None:
    assert found(RANGES, ("GRF102", "GRF107", "GRF190"), group=False) == [("GRF102", 2), ("GRF102", 6)]


def test_each_code_of_a_range_must_be_of_use() -> None:
    text = RANGES.replace("  i -> o\n", "")
    assert found(text, ("GRF102", "GRF107", "GRF190"), group=False) == [("GRF102", 2), ("GRF190", 3), ("GRF102", 6)]


def test_a_range_that_was_ended_is_not_ended_again() -> None:
    again = "  // dagtool: enable[GRF102]\n}"
    assert ("GRF190", 8) in found(RANGES.replace("\n}", f"\n{again}"))
    assert found(RANGES.replace("[GRF102]", "[GRF1]"), ("GRF190",)) == [("GRF190", 5)]


def test_a_range_in_a_label_is_none() -> None:
    text = 'digraph { i -> o\n a -> i [label="\n// dagtool: disable[GRF102]\n"]\n x\n}'
    assert found(text) == [("GRF102", 5)]


@given(st.lists(st.sampled_from(["x", "disable[GRF102] why", "enable[GRF102]"]), max_size=12))
@settings(max_examples=60, deadline=None)
def test_ranges_are_what_reading_line_by_line_gives(lines: list[str]) -> None:
    # The oracle: a switch that the comments turn; both lines of a range belong to it.
    expected, hidden = [], False
    text = ["digraph { i -> o"]
    for number, line in enumerate(lines, 2):
        is_node = line == "x"
        text.append(f"n{number}" if is_node else f"// dagtool: {line}")
        hidden = hidden if is_node else line.startswith("disable")
        expected += [number] if is_node and not hidden else []
    told = found("\n".join([*text, "}"]), ("GRF102",), group=False)
    assert [line for _, line in told] == expected
