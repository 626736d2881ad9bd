"""Several files in the formats for people: order, headings, verdicts, widths, and what is kept of each."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from dagtool.report.finding import Excerpt, Facts, FileReport, Finding, Outline, Severity
from dagtool.report.formats import Style, renderer
from dagtool.report.verdict import Verdict, verdict_of

FACTS = Facts(2, 1, True, True, 1, 1, 0, 1)
LONG = "a message of a good many words that no terminal of eighty columns can show on one line beside a name"


def finding(severity: Severity, line: int = 1, code: str = "GRF101", message: str = "m", path: str = "p") -> Finding:
    return Finding(code, "name", severity, message, path, line, 1)


def report(path: str, *findings: Finding, dot: bool = True, error: str | None = None) -> FileReport:
    return FileReport(path, FACTS if dot and error is None else None, error, findings=list(findings), nodes=2, edges=1)


ERROR, WARNING, INFO = Severity
FILES = [
    report("plans/b_fit.dot"),
    report("plans/a_fit.dot", finding(INFO)),
    report("plans/warned.dot", finding(INFO), finding(WARNING, 9, "STY901", "the first warning"), finding(WARNING, 10)),
    report("plans/cut.dot", finding(ERROR, code="DOT003", message=LONG), dot=False),
    report("plans/wrong.dot", finding(WARNING), finding(ERROR, 8, "GRF102", "the first error"), finding(ERROR, 9)),
    report("plans/gone.dot", error="cannot read plans/gone.dot: No such file or directory"),
]


def render(name: str, files: list[FileReport], style: Style | None = None) -> str:
    return "".join(renderer(name)(iter(files), style or Style()))


def test_the_verdict_is_the_worst_that_was_found() -> None:
    assert [verdict_of(file) for file in FILES] == [
        Verdict.FIT,
        Verdict.FIT,
        Verdict.WARNINGS,
        Verdict.NOT_DOT,
        Verdict.ERRORS,
        Verdict.NOT_READ,
    ]
    assert [verdict.rank for verdict in Verdict] == [0, 1, 2, 3, 4, 5]


def test_summary_sorts_by_verdict_then_by_name() -> None:
    assert render("summary", FILES) == (
        "verdict   errors  warnings  infos  nodes  edges  file in plans\n"
        "not read       0         0      0      -      -  gone.dot: cannot read plans/gone.dot: "
        "No such file or directory\n"
        f"not DOT        1         0      0      -      -  cut.dot: DOT003 {LONG}\n"
        "errors         2         1      0      2      1  wrong.dot: GRF102 the first error\n"
        "warnings       0         2      1      2      1  warned.dot: STY901 the first warning\n"
        "fit            0         0      1      2      1  a_fit.dot\n"
        "fit            0         0      0      2      1  b_fit.dot\n"
        "total          3         3      2      8      4  6 files: 2 fit, 1 with warnings, 1 with errors, "
        "1 not DOT, 1 not read\n"
    )


def test_summary_of_one_file_has_no_total_and_of_none_no_line() -> None:
    assert render("summary", FILES[:1]).splitlines() == [
        "verdict  errors  warnings  infos  nodes  edges  file",
        "fit           0         0      0      2      1  plans/b_fit.dot",
    ]
    assert render("summary", []) == ""


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132])
@pytest.mark.parametrize("unicode", [True, False])
def test_summary_shortens_the_reason_and_never_the_name(width: int, unicode: bool) -> None:
    lines = render("summary", FILES, Style(width=width, terminal=True, unicode=unicode)).splitlines()[1:-1]
    for line, name in zip(lines, ("gone", "cut", "wrong", "warned", "a_fit", "b_fit"), strict=True):
        head = line.index(f"{name}.dot") + len(f"{name}.dot")
        assert len(line) <= max(width, head + len(": DOT003"))
    cut = lines[1]
    assert ": DOT003" in cut
    assert cut.endswith(("…" if unicode else "...", "DOT003"))


def test_summary_colors_the_verdict_alone() -> None:
    plain, colored = (render("summary", FILES, Style(color=color)) for color in (False, True))
    assert "\x1b" not in plain
    assert "\n\x1b[1;31merrors\x1b[0m   " in colored
    assert "\n\x1b[32mfit\x1b[0m   " in colored


def test_summary_names_files_of_several_folders_in_full() -> None:
    text = render("summary", [report("a/x.dot"), report("b/x.dot"), report("/c/x.dot")])
    assert text.splitlines()[0].endswith("  file")
    assert [line.split()[-1] for line in text.splitlines()[1:-1]] == ["/c/x.dot", "a/x.dot", "b/x.dot"]


def test_summary_keeps_a_line_of_each_file_and_not_its_report() -> None:
    def reports(count: int) -> Iterator[FileReport]:
        for number in range(count):
            yield report(f"{number}.dot", *(finding(INFO, line, message="x" * 2_000 + str(line)) for line in range(50)))

    tracemalloc.start()
    try:
        lines = sum(1 for _ in renderer("summary")(reports(1_000), Style()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == 1_002
    assert peak < 5_000_000  # the findings of all files are 100 MB


def test_full_begins_each_of_several_files_with_its_verdict() -> None:
    text = render("full", FILES)
    assert [line for line in text.splitlines() if line.startswith("──")] == [
        "── plans/b_fit.dot ── fit",
        "── plans/a_fit.dot ── fit, 1 info",
        "── plans/warned.dot ── 2 warnings, 1 info",
        "── plans/cut.dot ── not DOT: 1 error",
        "── plans/wrong.dot ── 2 errors, 1 warning",
        "── plans/gone.dot ── not read: cannot read plans/gone.dot: No such file or directory",
    ]
    assert all(block for block in text.split("\n\n")[:-1])  # one empty line between blocks, and one at the end
    assert "\n\n\n" not in text
    assert "──" not in render("full", FILES[:1])
    assert "--" in render("full", FILES[:2], Style(unicode=False)).splitlines()[0]


def test_full_has_errors_first_then_the_order_of_the_file() -> None:
    mixed = [finding(INFO, 1), finding(ERROR, 7), finding(WARNING, 2), finding(ERROR, 3), finding(WARNING, 5)]
    text = render("full", [report("p", *sorted(mixed, key=lambda found: found.sort_key))])
    heads = [line.partition("[")[0] for line in text.splitlines() if "]: m" in line]
    places = [int(line.split(":")[1]) for line in text.splitlines() if line.startswith(" --> p:")]
    assert heads == ["error", "error", "warning", "warning", "info"]
    assert places == [3, 7, 2, 5, 1]


def test_what_is_no_deployment_is_a_block_of_facts_below_its_heading() -> None:
    machine = report("machine.dot")
    machine.outline, machine.evidence = Outline(1), "no node names a GPU"
    heading, facts, other, *_ = render("full", [machine, FILES[0]]).split("\n\n")
    assert heading == "── machine.dot ── no deployment"
    assert facts.startswith("machine.dot is a directed graph, not a deployment of a model: 2 nodes, 1 edge, ")
    assert other == "── plans/b_fit.dot ── fit"
    table = render("summary", [FILES[0], machine]).splitlines()
    assert [line.split("  ")[0] for line in table[1:3]] == ["no deployment", "fit"]
    assert table[-1].endswith("2 files: 1 fit, 1 no deployment")
    narrow = render("full", [machine], Style(width=40)).splitlines()
    begin = next(number for number, line in enumerate(narrow) if line.startswith("  (no node"))
    assert all(line.startswith("  ") for line in narrow[begin:] if line)
    assert render("full", [machine], Style(quiet=True)) == ""


def test_other_formats_keep_the_order_of_the_file() -> None:
    mixed = [finding(INFO, 1), finding(WARNING, 2), finding(ERROR, 3)]
    lines = render("concise", [report("p", *mixed)]).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3"]


def test_quiet_is_findings_alone() -> None:
    text = render("full", FILES, Style(quiet=True))
    assert "──" not in text
    assert "Checklist" not in text
    assert text.startswith("info[GRF101]: m\n")


def test_full_streams_after_the_second_file() -> None:
    seen: list[str] = []

    def reports() -> Iterator[FileReport]:
        for file in FILES:
            seen.append(file.path)
            yield file

    next(renderer("full")(reports(), Style()))
    assert len(seen) == 2


@pytest.mark.parametrize("start", [0, 5, 60, 150, 395])
def test_a_long_source_line_is_cut_around_its_carets_on_a_terminal(start: int) -> None:
    source = "".join(chr(ord("a") + number % 26) for number in range(400))
    found = Finding("C", "n", ERROR, "m", "p", 3, start + 1, excerpt=Excerpt(source, start, 5, ""))
    lines = render("full", [report("p", found)], Style(width=80, terminal=True)).splitlines()
    text, carets = lines[3], lines[4]
    assert max(len(text), len(carets)) <= 80
    assert text[carets.index("^") : carets.index("^") + 5] == source[start : start + 5]
    whole = render("full", [report("p", found)], Style(width=80)).splitlines()
    assert source in whole[3]
