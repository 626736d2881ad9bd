"""A text under repair, every place of which still knows where it stands in the original."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from dagtool.dot.position import LineTable, Position

Edit = tuple[int, int, str]
"""Replace the text from one offset to another."""


class Draft:
    """The repaired text, and the way back from its offsets."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.text = text
        self.cause = -1
        """Number of the problem that the next changes mend; -1 for none that is known."""
        self._log: list[tuple[int, int, int]] = []  # from where to where in the original, and for which problem
        # Pieces: where each begins here, where it begins in the original, and whether it is copied from there
        # (1) or was put in (0).
        self._pieces: list[tuple[int, int, int]] = [(0, 0, 1)]

    def origin(self, offset: int) -> int:
        """Where the text at an offset comes from."""
        begin, source, step = self._pieces[bisect_right(self._pieces, (offset, len(self.original) + 1, 1)) - 1]
        return min(source + step * (offset - begin), len(self.original))

    def edit(self, edits: list[Edit]) -> None:
        """Make changes, given in the order of the text, that do not touch each other."""
        kept: list[str] = []
        added: list[tuple[int, int, int]] = []
        done = shift = 0
        for start, stop, words in edits:
            self._log.append((self.origin(start), self.origin(stop), self.cause))
            kept += (self.text[done:start], words)
            added += [*self._between(done, start, shift), (start + shift, self.origin(start), 0)]
            shift += len(words) - (stop - start)
            done = stop
            added.append((stop + shift, self.origin(stop), self._step(stop)))
        kept.append(self.text[done:])
        added += self._between(done, len(self.text) + 1, shift)
        self.text = "".join(kept)
        self._pieces = [
            piece for piece, after in zip(added, [*added[1:], None], strict=True) if not after or after[0] != piece[0]
        ]

    def changes(self) -> list[tuple[Edit, set[int]]]:
        """What makes the text of the original, in its order, each with the problems that it mends."""
        edits: list[Edit] = []
        place, words = 0, ""
        ends = [*(piece[0] for piece in self._pieces[1:]), len(self.text)]
        for (begin, source, copied), end in zip(self._pieces, ends, strict=True):
            if not copied:
                words += self.text[begin:end]
                continue
            if source > place or words:
                edits.append((place, source, words))
            place, words = min(source + end - begin, len(self.original)), ""
        if place < len(self.original) or words:
            edits.append((place, len(self.original), words))
        causes: list[set[int]] = [set() for _ in edits]
        stops = [stop for _, stop, _ in edits]
        for start, stop, cause in self._log:
            for number in range(bisect_left(stops, start), len(edits)):
                if edits[number][0] > stop:
                    break
                causes[number].add(cause)
        return list(zip(edits, causes, strict=True))

    def _step(self, offset: int) -> int:
        return self._pieces[bisect_right(self._pieces, (offset, len(self.original) + 1, 1)) - 1][2]

    def _between(self, start: int, stop: int, shift: int) -> list[tuple[int, int, int]]:
        """The pieces that begin in a stretch of the old text, moved."""
        first = bisect_right(self._pieces, (start - (start == 0), -1, -1))
        found = []
        for begin, source, step in self._pieces[first:]:
            if begin >= stop:
                break
            if begin > start or start == 0:
                found.append((begin + shift, source, step))
        return found


class OriginalLines(LineTable):
    """Lines of the original for offsets into the repaired text."""

    __slots__ = ("_draft",)

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.original)
        self._draft = draft

    def position(self, offset: int) -> Position:
        """Line and column, in the original, of an offset in the repaired text."""
        return super().position(self._draft.origin(offset))
