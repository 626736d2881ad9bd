"""The statements that make up nearly all of a large file, read by one regular expression each.

A statement of the shape ``a [k=v, ...]``, ``a -> b`` or ``a -> b [k=v, ...]`` with plain names and strings is
matched as a whole; anything else, errors included, is left to the grammar. What is matched here means exactly
what the grammar would make of it: ``parse(..., fast=False)`` gives the same graph.
"""

from __future__ import annotations

import re
from functools import cache

from dagtool.dot.builder import Attributes, Builder
from dagtool.dot.lengths import SURELY_SHORT
from dagtool.dot.scan import BYTE_ORDER_MARKS, KEYWORDS, LETTER, NAME, QUOTED, WORD, unescape

_SPACE = r"[ \t\r\n]*+"
# A number that Graphviz would cut in two (``1a``, ``1.2.3``) is left to the grammar.
_NUMBER = rf"-?[0-9]++(?:\.[0-9]++)?+(?!{LETTER}|\.)"
_KEYWORD = rf"(?i:strict|graph|digraph|subgraph|node|edge)(?!{WORD})"
_ID = rf'(?!{_KEYWORD}){NAME}|{_NUMBER}|"[^"\\]*+"(?!{_SPACE}[+])'
_VALUE = rf"{QUOTED}|{NAME}|{_NUMBER}"
_LIST = rf"\[{_SPACE}((?:{NAME}{_SPACE}={_SPACE}(?:{_VALUE}){_SPACE}[,;]?+{_SPACE})*+)\]"
# Without a semicolon a statement is over where another one, or a brace, can begin.
_OVER = rf'{_SPACE}(?:;|(?=[}}{{"A-Za-z_0-9]))'
_PAIR = re.compile(rf"(?<!{WORD})({NAME}){_SPACE}={_SPACE}({_VALUE})")

_LONGEST_SHARED = 32  # code points: longer values are seldom repeated
_MOST_SHARED = 1 << 16


@cache
def _statement(operator: str) -> re.Pattern[str]:
    return re.compile(rf"{_SPACE}({_ID}){_SPACE}(?:{operator}{_SPACE}({_ID}){_SPACE})?+(?:{_LIST})?+{_OVER}")


class _KeywordFoundError(Exception):
    """A keyword where a name or value should be: the grammar will report it."""


class _Values(dict[str, str]):
    """From the text of a name, number or quoted string to its value; equal short values are one object."""

    def __missing__(self, lexeme: str) -> str:
        value = lexeme
        if lexeme[0] == '"':
            value = lexeme[1:-1]
            if "\\" in value:
                value = unescape(value)
        elif lexeme.lower() in KEYWORDS:
            raise _KeywordFoundError
        if len(lexeme) <= _LONGEST_SHARED and len(self) < _MOST_SHARED:
            self[lexeme] = value
        return value


class PlainStatements:
    """Reads runs of plain statements of one graph."""

    __slots__ = ("_builder", "_match", "_text", "_values")

    def __init__(self, text: str, builder: Builder) -> None:
        self._text = text
        self._builder = builder
        self._match = _statement("->" if builder.graph.directed else "--").match
        self._values = _Values()

    @staticmethod
    def suits(text: str) -> bool:
        """Whether the patterns hold for a text: a byte-order mark inside it looks like a name to them."""
        return not any(mark in text for mark in BYTE_ORDER_MARKS)

    def read(self, position: int) -> int:
        """Add the plain statements from a position on; return where the first other one begins."""
        text, match, pairs, values = self._text, self._match, _PAIR.findall, self._values
        node_statement, edge_statement = self._builder.node_statement, self._builder.edge_statement
        while found := match(text, position):
            if found.end() - position > SURELY_SHORT:  # left to the grammar, which measures
                return position
            tail, head = found.group(1, 2)
            own: Attributes = {}
            if found.lastindex == 3:
                try:
                    own = {values[key]: values[value] for key, value in pairs(text, *found.span(3))}
                except _KeywordFoundError:
                    return position
            if tail[0] == '"':
                tail = tail[1:-1]
            if head is None:
                node_statement(tail, found.start(1), own)
            else:
                if head[0] == '"':
                    head = head[1:-1]
                edge_statement(tail, found.start(1), head, found.start(2), own)
            position = found.end()
        return position


def plain_pairs(text: str, offset: int) -> list[tuple[str, int, int]] | None:
    """Read name, start and end of each value of the plain node statement that begins there; None for any other."""
    found = _statement("->").match(text, offset)
    if found is None or found.start(1) != offset or found.group(2) is not None:
        return None
    if found.lastindex != 3:
        return []
    return [(pair[1], *pair.span(2)) for pair in _PAIR.finditer(text, *found.span(3))]
