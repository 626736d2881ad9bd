"""A diff says what changed: applied to the old file it gives the new one."""

from __future__ import annotations

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.fixes.diff import unified

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")
lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"d\r", b"\n", b"\xff\n"]), max_size=30)


def patched(old: bytes, diff: list[bytes]) -> bytes:
    """The old file with the hunks applied, every line that they name compared."""
    source = re.findall(rb"[^\n]*\n|[^\n]+", old)
    made: list[bytes] = []
    done = 0
    for line in diff[2:]:
        if hunk := HUNK.fullmatch(line):
            start = int(hunk[1]) - (hunk[2] != b"0")
            made += source[done:start]
            done = start
            continue
        text = line[1:].removesuffix(b"\n\\ No newline at end of file\n")
        if line[:1] in b" -":
            assert source[done] == text
            done += 1
        if line[:1] in b" +":
            made.append(text)
    return b"".join([*made, *source[done:]])


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(old=lines, new=lines, end=st.sampled_from([b"", b"x"]))
def test_it_makes_the_new_of_the_old(old: list[bytes], new: list[bytes], end: bytes) -> None:
    before, after = b"".join(old) + end, b"".join(new)
    diff = list(unified(before, after, "x.dot"))
    assert patched(before, diff) == after
    assert bool(diff) == (before != after)


def test_its_form() -> None:
    old = b"1\n2\n3\n4\n5\n6\n7\n8\n9"
    shown = b"".join(unified(old, old.replace(b"5", b"x").replace(b"9", b"y"), "p q.dot"))
    assert shown == (
        b"--- p q.dot\n+++ p q.dot\n@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"
        b"-9\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n"
    )


def test_time_is_in_proportion() -> None:
    old = b"".join(b"line %d\n" % number for number in range(200_000))
    new = re.sub(rb"([13579])\n", rb"\1 changed\n", old)
    started = time.perf_counter()
    assert sum(1 for line in unified(old, new, "x") if line.startswith(b"+line")) == 100_000
    assert time.perf_counter() - started < 10  # measured: below 1 s
