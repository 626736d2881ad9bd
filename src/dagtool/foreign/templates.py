"""Labels that differ in their digits only are read once; the digits of the others are filled into what was read.

Every pattern of this package takes all digits alike (tests/foreign/test_templates.py looks at each), so two labels of
one outline, which has 0 for each digit, are taken apart at the same places. No fact is made of another fact's number:
lines that state dimensions or GPUs are read as they are, once for each text. What is only carried on (a title, a
place, text that is not understood) is cut out of the label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter

from dagtool.dag.idtemplate import outlines
from dagtool.foreign.gpus import Placement, gpus_of_line, loose_gpus_of_line, loose_gpus_of_lines
from dagtool.foreign.label import LabelFacts, join_lines, read_label
from dagtool.foreign.place import numbers_of_place, numbers_of_text, place_of_text
from dagtool.foreign.text import label_lines

__all__ = ["Gpus", "Known", "LabelTemplate", "Take", "take_all"]

_NINES = str.maketrans("012345678", "9" * 9)

Span = tuple[int, int]
Take = Callable[[str], tuple[str, ...]]
"""Takes the same pieces out of every text of one outline."""


def _take_none(text: str) -> tuple[str, ...]:
    return ()


def take_all(spans: Sequence[Span]) -> Take:
    """What takes these pieces of a text; a single one twice, for that is a tuple too."""
    slices = [slice(*span) for span in spans]
    return itemgetter(*(slices if len(slices) > 1 else slices * 2)) if slices else _take_none


@dataclass(frozen=True, slots=True)
class Gpus:
    """What the lines about GPUs say together, and the text that remains of each."""

    placement: Placement | None
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that is carried on: a part of the label, what remains of a line about GPUs, or always the same."""

    span: Span = (0, 0)
    gpu: int = -1
    text: str = ""

    def of(self, label: str, gpus: Gpus) -> str:
        """The text in one label."""
        return self.text or (gpus.rest[self.gpu] if self.gpu >= 0 else label[self.span[0] : self.span[1]])


@dataclass(frozen=True, slots=True)
class Known:
    """What labels of one outline with the same dimensions have in common, and where their texts stand."""

    facts: LabelFacts
    _title: tuple[_Piece, ...]
    _rest: tuple[_Piece, ...]
    _places: tuple[_Piece, ...]
    take_places: Take
    """Takes the numbers of title and places out of the label; those of lines about GPUs apart."""

    only_numbers: bool
    """Whether these are all that a place is made of: title and places are parts of the label."""
    _lines: tuple[Span, ...]
    """Where the lines stand, if one may call GPUs by another name."""

    def title(self, label: str, gpus: Gpus) -> str:
        """The title of one label: a line, or two joined."""
        if len(self._title) == 1:
            return self._title[0].of(label, gpus)
        return ": ".join([piece.of(label, gpus) for piece in self._title])

    def rest(self, label: str, gpus: Gpus) -> tuple[str, ...]:
        """The text of one label that was not understood."""
        return tuple([piece.of(label, gpus) for piece in self._rest]) if self._rest else ()

    def places(self, label: str, gpus: Gpus) -> tuple[str, ...]:
        """The texts of one label that may say a place, the title first."""
        return (self.title(label, gpus), *[piece.of(label, gpus) for piece in self._places])

    def loose(self, label: str) -> Placement | None:
        """The GPUs that one label calls by another name, ``rank 3``."""
        return loose_gpus_of_lines(label[start:stop] for start, stop in self._lines) if self._lines else None

    def fill(self, label: str, gpus: Gpus) -> LabelFacts:
        """The facts of one label."""
        return replace(
            self.facts, title=self.title(label, gpus), rest=self.rest(label, gpus), placement=gpus.placement,
            loose_placement=None if gpus.placement else self.loose(label),
            places=tuple(map(place_of_text, self.places(label, gpus))),
        )  # fmt: skip


class LabelTemplate:
    """How the labels of one outline are read, by their lines: about GPUs, about dimensions, or carried on."""

    def __init__(self, shape: str, label: str, spans: Sequence[Span]) -> None:
        self._shape = shape
        lines = [label[start:stop] for start, stop in spans]
        placements = list(map(gpus_of_line, lines))
        self._spans = spans
        self._loose = tuple(spans) if any(map(loose_gpus_of_line, outlines(lines))) else ()
        self._carried = [
            found is None and _says_nothing(line) for found, line in zip(placements, outlines(lines), strict=True)
        ]
        self._about_gpus = [found is not None for found in placements]
        self._take_gpus = take_all(_where(spans, self._about_gpus))
        self._take_dims = take_all([
            span for span, gpu, carried in zip(spans, self._about_gpus, self._carried, strict=True)
            if not gpu and not carried
        ])  # fmt: skip
        self._rests = outlines([found.rest for found in placements if found])
        self._gpus: dict[object, Gpus | None] = {}
        self._known: dict[object, Known | None] = {}

    @classmethod
    def of(cls, label: str, shape: str) -> LabelTemplate | None:
        """Make the template of a label; None where labels like it must be read alone."""
        if type(label) is not str or "&" in label or "0x" in outlines([label])[0]:
            return None  # digits count in HTML, in what stands for one character, and in addresses
        lines = label_lines(label, shape)
        spans: list[Span] = []
        end = 0
        for line in lines:
            start = label.find(line, end)
            found = gpus_of_line(line)
            if start < 0 or "\\" in line or (found is None and _may_name_gpus(outlines([line])[0])):
                return None
            if found and "[" in found.rest:
                return None  # it states dimensions besides
            end = start + len(line)
            spans.append((start, end))
        if _digits(label) != _digits("".join(lines)):
            return None
        return cls(shape, label, spans)

    def parts(self, label: str) -> tuple[Known, Gpus] | None:
        """What is known of a label, and its GPUs; None where it must be read alone."""
        which = self._take_gpus(label)
        if which not in self._gpus:
            self._gpus[which] = self._read_gpus(label)
        gpus = self._gpus[which]
        if gpus is None:
            return None
        dims = self._take_dims(label)
        if dims not in self._known:
            self._known[dims] = self._read(label, gpus)
        known = self._known[dims]
        return None if known is None else (known, gpus)

    def _read_gpus(self, label: str) -> Gpus | None:
        """Read the lines about GPUs; None where one does not say what was expected."""
        found: list[tuple[str, Placement]] = []
        for start, stop in _where(self._spans, self._about_gpus):
            placement = gpus_of_line(label[start:stop])
            if placement is None:
                return None
            found.append((label[start:stop], placement))
        rest = [placement.rest for _, placement in found]
        return Gpus(join_lines(found, self._shape), tuple(rest)) if outlines(rest) == self._rests else None

    def _read(self, label: str, gpus: Gpus) -> Known | None:
        """Read a label with new dimensions, and find out where its texts are from."""
        facts = read_label(label, self._shape)
        pieces: list[_Piece] = []
        lines_about_gpus = 0
        for span, gpu, carried in zip(self._spans, self._about_gpus, self._carried, strict=True):
            if gpu:
                pieces.append(_Piece(gpu=lines_about_gpus))
                lines_about_gpus += 1
            elif carried:
                pieces.append(_Piece(span))
            else:
                alone = _read_alone(label[span[0] : span[1]], "")
                if alone.placement or len(alone.places) > 1:
                    return None
                pieces.extend(_Piece(text=text) for text in (alone.title, *alone.rest) if text)
        texts = [(piece, text) for piece in pieces if (text := piece.of(label, gpus))]
        known = _match(facts, label, texts, self._loose)
        return known if known.fill(label, gpus) == facts else None


def _match(facts: LabelFacts, label: str, texts: Sequence[tuple[_Piece, str]], lines: tuple[Span, ...]) -> Known:
    """Find the pieces that title, rest and places of a label are."""
    title: list[_Piece] = []
    rest: list[_Piece] = []
    places: list[_Piece] = []
    named = ""
    for piece, text in texts:
        if not title and facts.title and facts.title.startswith(text):
            title, named = [piece], text
        elif title and named != facts.title and f"{named}: {text}" == facts.title:
            title, named = [*title, piece], facts.title
        elif len(rest) < len(facts.rest) and text == facts.rest[len(rest)]:
            rest.append(piece)
        else:
            places.append(piece)
    numbers = [span for pieces in (title, *([place] for place in places)) for span in _numbers(pieces, label)]
    plain = all(piece.gpu < 0 and not piece.text for piece in (*title, *places))
    return Known(facts, tuple(title), tuple(rest), tuple(places), take_all(numbers), plain, lines)


def _numbers(pieces: Sequence[_Piece], label: str) -> list[Span]:
    """Where the numbers stand in a label that make the place of one text."""
    numbers = numbers_of_place if len(pieces) == 1 else numbers_of_text
    texts = [(piece.span[0], label[slice(*piece.span)]) for piece in pieces]
    return [(start + first, start + last) for start, text in texts for first, last in numbers(text)]


def _where(spans: Sequence[Span], chosen: Sequence[bool]) -> list[Span]:
    return [span for span, one in zip(spans, chosen, strict=True) if one]


def _digits(text: str) -> str:
    return "".join(filter("0123456789".__contains__, text))


_read_alone = lru_cache(maxsize=1 << 12)(read_label)


@lru_cache(maxsize=1 << 12)
def _may_name_gpus(outline: str) -> bool:
    """Whether a line of an outline names GPUs where its digits are low or high."""
    return gpus_of_line(outline) is not None or gpus_of_line(outline.translate(_NINES)) is not None


def _says_nothing(outline: str) -> bool:
    """Whether lines of an outline, none of which names GPUs, state no dimensions either."""
    if "[" in outline:
        return False
    alone = _read_alone(outline, "")
    stated = alone.inputs or alone.outputs or alone.bare or alone.has_input or alone.has_output or alone.unknown
    return not stated and outline in (alone.title, *alone.rest)
