"""The line on which a quote was forgotten, and where on it.

From there on, what stands between strings is taken for strings, and the strings for names: the grammar may fail only
much later, or at the end of the file. What gives the place away is a quote right beside a word.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.dot.looks import SWALLOWED
from dagtool.dot.scan import END, QUOTED_ATOM, WORD, Scanner
from dagtool.dot.values import Html

__all__ = ["LostQuote", "find_lost_quote", "looks_swallowed"]

_BESIDE = re.compile(WORD)
_BEHIND = re.compile(f"{WORD}|#")
_ATTRIBUTE = re.compile(r"\w++[ \t]*+=")
_MARK = re.compile(r'\\.|"')
_ID_END = re.compile(r"(?<![ \t])[ \t]*+(?:->|--|\[[ \t]*+(?:\w++[ \t]*+=|\])|;|\}|$)")
_DELIMITER = re.compile(r'->|--|\*/|[=\[\]{};,"]')
_KEY = re.compile(r"(?<!\w)\w++[ \t]*+=[ \t]*+")
_NEXT_KEY = re.compile(r"(?<!\s)([ \t]*+[,;]?[ \t]*+)(?<!\w)(\w++)[ \t]*+=(?!=)")
_LIST_CLOSES = re.compile(r"\][ \t\r]*+(?:;|\}|$)")
_LIST_SIGN = re.compile(r'"(?:\\.|[^"\\])*+"?|[\[\]]')
_BETWEEN = re.compile(r"[\s;\[\]{},]*+\n|[\s;\]]*+(?:->|--)\s*+$")


class LostQuote(NamedTuple):
    """A place where a quote lacks, in front of a word that ends with one or behind one that begins with one."""

    at: int
    """The quote that is there."""
    place: int
    """Where the other belongs; the same as ``at`` where the quote itself has no place."""
    sure: bool


def find_lost_quote(text: str, start: int, stop: int) -> LostQuote | None:
    """The first line between two offsets with an odd number of quotes, one of which stands right beside a word."""
    scanner = Scanner(text)
    scanner.seek(start)
    even = -1  # up to where the lines have been counted
    while scanner.start < stop:
        quoted = scanner.kind == QUOTED_ATOM and not isinstance(scanner.value, Html)
        if (quoted or (scanner.kind == END and scanner.unclosed == '"')) and scanner.start >= even:
            line, end = _line(text, scanner.start)
            if found := _judged(text, (line, end), scanner.start, scanner.end, closed=quoted):
                if _odd(text, line, end):
                    return found
                even = end
        # Markup that begins or ends as an arrow is none, or has taken in the strings behind it.
        arrow = scanner.kind == QUOTED_ATOM and (
            text.startswith("<-", scanner.start)
            or (text[scanner.start] == "<" and text.startswith("->", scanner.end - 2))
        )
        if arrow or (scanner.kind == END and not scanner.value):
            return None
        scanner.advance()
    return None


def looks_swallowed(words: str) -> bool:
    """Check whether a quote is misplaced: a string spans two values, or markup takes in the next statements."""
    if isinstance(words, Html):
        arrow = words.startswith("-") or words.endswith("-")
        return arrow or '"' in words or bool(SWALLOWED.search(words))
    return words.startswith(("-> ", "-- ")) or words.endswith("=") or ("\n" in words and bool(_BETWEEN.match(words)))


def _judged(text: str, place: tuple[int, int], start: int, stop: int, *, closed: bool) -> LostQuote | None:
    """Whether the quote that opens a string should have closed one, or the one that closes it have opened one."""
    line, end = place
    if start > 0 and _BESIDE.match(text, start - 1):
        return _opening(text, line, start)
    if closed:
        beside = _BEHIND.match(text, stop) and not _ATTRIBUTE.match(text, stop)
        return _closing(text, line, start, end) if beside or SWALLOWED.search(text, start, stop) else None
    if text[end:].strip():
        return _closing(text, line, start, end)
    # The last line: the file is cut off inside the string, if it does not end as a graph does.
    return _closing(text, line, start, end)._replace(sure=False) if text.rstrip().endswith("}") else None


def _line(text: str, offset: int) -> tuple[int, int]:
    end = text.find("\n", offset)
    return text.rfind("\n", 0, offset) + 1, len(text) if end < 0 else end


def _odd(text: str, line: int, end: int) -> bool:
    return sum(found[0] == '"' for found in _MARK.finditer(text, line, end)) % 2 == 1


def _opening(text: str, line: int, at: int) -> LostQuote:
    """The words before a quote begin behind an operator, or in a list behind the equals sign."""
    before = text[line:at]
    if (opened := _open_list(before)) >= 0:
        keys = list(_KEY.finditer(before, opened))
        place = keys[-1].end() if keys else opened + 1
        return LostQuote(at, line + place, sure=bool(keys) and '"' not in before[place:])
    delimiters = list(_DELIMITER.finditer(before))
    place = delimiters[-1].end() if delimiters else 0
    place += len(before[place:]) - len(before[place:].lstrip())
    sign = delimiters[-1][0] if delimiters else ""
    return LostQuote(at, line + place, sure=sign in ("", "->", "--", "=") or " " not in before[place:])


def _closing(text: str, line: int, at: int, end: int) -> LostQuote:
    """The words behind a quote end before an operator or a list, or in a list before the next attribute."""
    before, behind = text[line:at], text[at + 1 : end]
    if not before.strip() and (not behind.strip() or behind[0].isspace()):
        return LostQuote(at, at, sure=False)
    if not before.rstrip().endswith("="):
        name = behind.split('"', 1)[0].rstrip()
        found = _ID_END.search(name)
        place = found.start() if found else len(name)
        several = before.count("{") > before.count("}") and " " in name[:place]  # between braces a blank parts names
        return LostQuote(at, at + 1 + place, sure=place > 0 and not name[0].isspace() and not several)
    if _open_list(before) < 0:
        words = behind.split(";", 1)
        return LostQuote(at, at + 1 + len(words[0].rstrip()), sure=not "".join(words[1:]).strip())
    closes = _LIST_CLOSES.search(behind)
    limit = closes.start() if closes else len(behind.rstrip(" \t\r;"))
    for found in _NEXT_KEY.finditer(behind, 0, limit):
        if found[2] in GRAPHVIZ_NAMES:
            return LostQuote(at, at + 1 + found.start(), sure=bool(found[1].strip()))
    return LostQuote(at, at + 1 + limit, sure=closes is not None)


def _open_list(before: str) -> int:
    """Find the ``[`` that is still open at the end of a piece of a line, brackets in strings apart; -1 for none."""
    opened: list[int] = []
    for found in _LIST_SIGN.finditer(before):
        if found[0] == "[":
            opened.append(found.start())
        elif found[0] == "]" and opened:
            opened.pop()
    return opened[-1] if opened else -1
