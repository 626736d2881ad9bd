"""Byte-range edits: those of several fixes chosen so that none touches another, and made in one go."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.dot.encoded import encoding
from dagtool.report.fix import Fix

__all__ = ["apart", "applied"]


def applied(data: bytes, fixes: Sequence[Fix]) -> bytes:
    """The bytes with all edits made; every other byte stays. The edits must be ``apart``.

    A letter that a Latin-1 file does not have is written as an HTML entity, which Graphviz reads in labels.
    """
    written_in = encoding(data)
    pieces, done = list[bytes](), len(data)
    for edit in sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: -edit.start):
        pieces += (data[edit.stop : done], edit.text.encode(written_in, "xmlcharrefreplace"))
        done = edit.start
    pieces.append(data[:done])
    return b"".join(reversed(pieces))


def apart(fixes: Sequence[Fix]) -> list[Fix]:
    """Those fixes, the earlier before the later, of which no edit touches one of another."""
    dropped = set[int]()
    while True:
        edits = sorted(
            (edit.start, edit.stop, number)
            for number, fix in enumerate(fixes)
            if number not in dropped
            for edit in fix.edits
        )
        clashing = _clashing(edits)
        if not clashing:
            return [fix for number, fix in enumerate(fixes) if number not in dropped]
        dropped |= clashing


def _clashing(edits: Sequence[tuple[int, int, int]]) -> set[int]:
    """Of fixes with touching edits the later ones; each pair counts once, so that the first always stays."""
    clashing = set[int]()
    last = -1
    stop = begun = -1
    for start, end, number in edits:
        if number in clashing:
            continue
        if start < stop or start == begun:
            loser = max(number, last)
            clashing.add(loser)
            if loser == number:
                continue
        begun, stop, last = start, max(stop, end) if last == number else end, number
    return clashing
