"""A slice of the fuzz run, and that it would see what it looks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fuzz import advice
from fuzz import run as fuzz
from fuzz.graphviz import Library
from fuzz.inputs import KINDS, make

from dagtool.fixes import Mended

COUNT = 300


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return fuzz.own_files()


@pytest.fixture
def library() -> Iterator[Library]:
    pytest.importorskip("pygraphviz")
    library = Library()
    yield library
    library.close()


def test_nothing_crashes_hangs_or_is_read_otherwise_than_by_graphviz(files: list[bytes]) -> None:
    compare = bool(pytest.importorskip("pygraphviz"))
    total = fuzz.run(7, COUNT, files, compare=compare)
    assert [(one.number, one.what, one.data) for one in total.failures] == []
    assert set(total.kinds) == set(KINDS)
    assert min(total.counts["accepted"], total.counts["rejected"]) > COUNT // 10


def test_inputs_depend_on_the_seed_and_the_number_only(files: list[bytes]) -> None:
    assert [make(1, number, files) for number in range(50)] == [make(1, number, files) for number in range(50)]
    assert make(1, 3, files) != make(2, 3, files)


def test_another_reading_is_seen(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"digraph { a -> b }"
    assert fuzz.disagreement(data, library, fuzz.Tally().counts) == ""
    monkeypatch.setattr(fuzz, "first_graph", lambda _: (True, False, 2, 0))
    assert "the C library's (True, False, 2, 1)" in fuzz.disagreement(data, library, fuzz.Tally().counts)


def test_a_crash_and_a_hang_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(fuzz, "check_bytes", broken)
    assert fuzz.attempt(1, b"digraph { }", None, fuzz.Tally()) == "RecursionError: too deep"

    def endless(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(fuzz, "check_bytes", endless)
    monkeypatch.setattr(fuzz, "LIMIT_S", 0.05)
    assert fuzz.attempt(1, b"digraph { }", None, fuzz.Tally()) == "slower than 0.05 s"


@pytest.mark.parametrize(("data", "parses"), [(b"digraph { a -> b }", True), (b"digraph {", False)])
def test_the_status_of_the_command_is_held_against_the_reading(data: bytes, parses: bool) -> None:
    assert fuzz.command_fault(data, parses=parses) == ""
    assert "the command's status is" in fuzz.command_fault(data, parses=not parses)


def test_following_the_advice_makes_damaged_graphs_better() -> None:
    compare = bool(pytest.importorskip("pygraphviz"))
    total = fuzz.run_advice(7, COUNT, compare=compare)
    assert [(one.number, one.kind, one.what) for one in total.failures] == []
    assert set(total.kinds) == set(advice.SLIPS)
    assert total.counts["made valid by safe fixes"] > COUNT // 4
    assert total.counts["made valid by unsafe fixes"] > COUNT // 8


VALID = "digraph {\n  a [color=red];\n  a -> b;\n  b -> c;\n}\n"


def _given(text: str, touched: tuple[int, int] = (0, 0)) -> advice.Damaged:
    return advice.Damaged("by hand", VALID, text, (touched,))


@pytest.mark.parametrize(
    ("becomes", "said"),
    [
        (VALID.replace("  b -> c;\n", ""), "the node c is lost"),
        (VALID.replace("b -> c", "c -> b"), "the edge b -> c is lost"),
        (VALID.replace("red", "blue"), "the attributes of the node a change"),
        ("", "no graph is left"),
    ],
)
def test_a_fix_that_loses_something_is_seen(becomes: str, said: str) -> None:
    mended = Mended(becomes.encode(), advice.check(becomes.encode()))
    assert said in advice._lost(_given("digraph {"), mended)
    assert advice._lost(_given("digraph {"), Mended(VALID.encode(), advice.check(VALID.encode()))) == ""


def test_a_word_that_goes_without_a_word_is_seen() -> None:
    data = b"digraph { alpha -> beta; gamma }"
    assert "'gamma' goes" in advice._unsaid(data, Mended(b"digraph { alpha -> beta; }", advice.check(data)))


def test_another_help_than_fix_is_seen() -> None:
    data = b"digraph { a.b -> c }"
    report = advice.check(data)
    assert advice._helps(data, report) == ""
    (finding, *_) = report.findings
    report.findings[0] = replace(finding, help='quote it: "x.y"')
    assert advice._helps(data, report).startswith("the help says")
    advice.check.cache_clear()


def test_what_fails_is_made_small() -> None:
    assert fuzz.shrunk(b"some bytes with an X in them", lambda data: b"X" in data) == b"X"
