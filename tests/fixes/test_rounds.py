"""Which fixes are applied, in which order, and which are refused and why."""

from __future__ import annotations

import pytest
from helpers.promises import CHECK

from dagtool.fixes import mend
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.fix import Applicability, Edit, Fix

GRAPH = b"digraph { a -> b; b -> c }"


def edit(start: int, stop: int, text: str) -> Edit:
    return Edit(start, stop, text, 1, start + 1, 1, stop + 1)


def fix(*edits: Edit, safe: bool = True, **more: object) -> Fix:
    kind = Applicability.SAFE if safe else Applicability.UNSAFE
    return Fix("a fix", kind, edits, **more)  # type: ignore[arg-type]


def offering(*fixes: Fix, errors_after: int = 0) -> object:
    """A check that offers these fixes for the graph as it is, and afterwards finds so many errors."""

    def check(data: bytes) -> FileReport:
        fresh = data == GRAPH
        offers = fixes if fresh else ()
        findings = [Finding(f"ABC{n:03}", "x", Severity.WARNING, "m", fix=one) for n, one in enumerate(offers)]
        findings += [Finding("ABC900", "y", Severity.ERROR, "worse")] * (0 if fresh else errors_after)
        return FileReport("x", findings=findings)

    return check


def mended(*fixes: Fix, unsafe: bool = False, errors_after: int = 0) -> tuple[bytes, list[str]]:
    done = mend(GRAPH, offering(*fixes, errors_after=errors_after), unsafe=unsafe)  # type: ignore[arg-type]
    return done.data, [one.why for one in done.refused]


def test_edits_are_made_and_other_bytes_stay() -> None:
    assert mended(fix(edit(9, 9, " "), edit(26, 26, "\n"))) == (b"digraph {  a -> b; b -> c }\n", [])


def test_a_fix_that_loses_an_edge_is_refused() -> None:
    assert mended(fix(edit(10, 17, ""))) == (GRAPH, ["the node a would be lost"])
    assert mended(fix(edit(15, 16, "c"))) == (GRAPH, ["the edge a -> b would be lost"])


def test_an_unsafe_fix_loses_what_it_says() -> None:
    one = fix(edit(10, 17, ""), safe=False, removed_nodes=frozenset("a"), removed_edges=(("a", "b"),))
    assert mended(one) == (GRAPH, [])
    assert mended(one, unsafe=True) == (b"digraph {  b -> c }", [])


def test_a_fix_that_breaks_the_file_is_refused() -> None:
    assert mended(fix(edit(25, 26, ""))) == (GRAPH, ["the file could no longer be read"])


def test_a_fix_that_changes_an_attribute_unasked_is_refused() -> None:
    one = edit(16, 16, " [color=red]")
    assert mended(fix(one)) == (GRAPH, ["color of the edge a -> … would change"])
    assert mended(fix(one, changes=frozenset({"color"})))[1] == []
    assert mended(fix(edit(9, 9, " x=1 "))) == (GRAPH, ["the graph itself would become another"])
    assert mended(fix(edit(9, 9, " d; "))) == (GRAPH, ["other nodes and edges would be read"])


def test_a_fix_that_makes_an_error_is_refused() -> None:
    assert mended(fix(edit(9, 9, " ")), errors_after=1) == (GRAPH, ["there would be a new ABC900: worse"])


def test_one_bad_fix_does_not_stop_the_others() -> None:
    good = [fix(edit(place, place, " ")) for place in (9, 18, 24)]
    data, _ = mended(good[0], fix(edit(10, 17, "")), *good[1:])
    assert data == b"digraph {  a -> b;  b -> c  }"


def test_fixes_that_touch_are_not_both_applied() -> None:
    assert mended(fix(edit(9, 10, "  ")), fix(edit(9, 9, "\n"))) == (b"digraph {  a -> b; b -> c }", [])


def test_a_fix_without_effect_is_refused() -> None:
    assert mended(fix(edit(10, 11, "a"))) == (GRAPH, ["it changes nothing"])


def test_there_is_an_end_to_it() -> None:
    def check(data: bytes) -> FileReport:
        return FileReport("x", findings=[Finding("ABC001", "x", Severity.INFO, "m", fix=fix(edit(9, 9, " ")))])

    assert len(mend(GRAPH, check).kept) == 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf digraph {\r\n a [shape=bx]\r\n}\r\n", b"\xef\xbb\xbf digraph {\r\n a [shape=box]\r\n}\r\n"),
        (b'digraph {a [label="\xe9" shape=elipse]}', b'digraph {a [label="\xe9" shape=ellipse]}'),
        ('digraph {"é→" [shape=elipse]}'.encode(), 'digraph {"é→" [shape=ellipse]}'.encode()),
        (b"digraph {\r\n a [style=x,y]\r\n a -> b;", b'digraph {\r\n a [style="x,y"]\r\n a -> b;\r\n}\r\n'),
        (b"digraph {\n node [shape=paralelogram]\n a -> b\n}", b"digraph {\n node [shape=parallelogram]\n a -> b\n}"),
    ],
)
def test_encoding_and_line_ends_stay(before: bytes, after: bytes) -> None:
    assert mend(before, CHECK).data == after


def test_what_stands_in_a_label_is_no_default() -> None:
    data = b'digraph { a [shape=bx]; b [label="a node [shape=bx]"]; a -> b /* node [shape=bx] */; node [shape="bx"] }'
    rest = b'; b [label="a node [shape=bx]"]; a -> b /* node [shape=bx] */; node [shape=box] }'
    assert mend(data, CHECK).data == b"digraph { a [shape=box]" + rest
