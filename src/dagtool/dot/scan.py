"""Tokens of the DOT language, cut as Graphviz's scanner cuts them."""

from __future__ import annotations

import re

from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.lengths import LONGEST_BYTES, SURELY_SHORT, longest_piece
from dagtool.dot.values import Html

KEYWORDS = frozenset({"strict", "graph", "digraph", "subgraph", "node", "edge"})
# Every code point above ASCII is a letter. Classes that say what is no letter compile a hundred times faster
# than classes that hold the rest of Unicode.
LETTER = r"[^\x00-@\[-^`{-\x7f]"
WORD = r"[^\x00-/:-@\[-^`{-\x7f]"
NAME = f"{LETTER}{WORD}*+"
QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'

# Kinds of token besides the keywords and the single characters, which stand for themselves.
END = ""
ATOM = "atom"
QUOTED_ATOM = "quoted"
EDGE_OPERATOR = "edge operator"

# One alternative per kind, told apart by the number of the group that matched.
_TOKEN = re.compile(
    rf"""[ \t\r\n]*+(?:
      ({NAME})
    | (-?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++))
    | ({QUOTED})
    | (->|--)
    | (//[^\n]*+ | /\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/ | \#[^\n]*+)
    | (.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NAME, _NUMBER, _QUOTED, _OPERATOR, _COMMENT = range(1, 6)

_SPACE = re.compile(r"[ \t\r\n]*+")
_ANGLE = re.compile("[<>]")
_ESCAPE = re.compile(r'\\(["\n\\])')
_LINE_DIRECTIVE = re.compile(r"#(?:line)?[ \t\r\f\v]*([+-]?[0-9]+)")
_NEAR = 40
_BREAKS = {
    "quoted text": "break it with a backslash at the end of a line: neither becomes a part of the text",
    "HTML text": "put line breaks into it",
    "comment": "put line breaks into it",
    "comment on one line": "make it several lines",
}
# The byte-order mark, as UTF-8 and as it looks when the file had to be read as Latin-1. Graphviz skips one
# that stands alone; one that touches a name is part of that name.
BYTE_ORDER_MARKS = frozenset({"\ufeff", "\xef\xbb\xbf"})


def unescape(text: str) -> str:
    r"""Content of a quoted string: ``\"`` is a quote, a backslash-newline joins lines, the rest stays."""
    if '\\"' not in text and "\\\n" not in text:
        return text
    return _ESCAPE.sub(lambda match: {'"': '"', "\n": "", "\\": "\\\\"}[match[1]], text)


class Scanner:
    """Steps through a text token by token; the attributes describe the current token."""

    __slots__ = (
        "encoding",
        "end",
        "kind",
        "last_quoted",
        "line_marks",
        "operator",
        "start",
        "text",
        "unclosed",
        "value",
    )

    def __init__(self, text: str, encoding: str = "") -> None:
        self.text = text
        self.encoding = encoding  # that of the file where tokens too long for Graphviz are refused, else empty
        self.operator = ""  # the one edge operator the graph allows
        self.kind = END
        self.value = ""
        self.start = self.end = 0
        self.unclosed = ""  # what the end of the file cut off: '"', "<" or "/*"
        self.last_quoted = (0, 0)  # span of the last quoted string in the statement
        self.line_marks: list[tuple[int, int]] = []  # (offset, line number that offset is said to be on)

    def seek(self, offset: int) -> None:
        """Make the first token at or after an offset the current one."""
        self.end = offset
        self.advance()

    def forget_string(self) -> None:
        """Begin a statement: the strings before it explain no error in it."""
        self.last_quoted = (self.start, self.end) if self.kind == QUOTED_ATOM else (0, 0)

    def advance(self) -> None:
        """Move to the next token."""
        text = self.text
        while True:
            match = _TOKEN.match(text, self.end)
            if match is None:
                self._finish(len(text), "")
                return
            group = match.lastindex or 0
            self.start, self.end = match.span(group)
            if self.end - self.start > SURELY_SHORT and self.encoding:
                self._refuse_long(*self._measured(group))
            if group == _COMMENT:
                self._comment()
            elif group != _NAME or match[group] not in BYTE_ORDER_MARKS:
                break
        self._classify(group, match[group])

    def _classify(self, group: int, lexeme: str) -> None:
        if group == _NAME:
            lowered = lexeme.lower()
            self.kind = lowered if lowered in KEYWORDS else ATOM
            self.value = lexeme
        elif group == _NUMBER:
            self.kind, self.value = ATOM, lexeme
        elif group == _QUOTED:
            self.kind, self.value = QUOTED_ATOM, unescape(lexeme[1:-1])
            self.last_quoted = (self.start, self.end)
        elif group == _OPERATOR:
            self.kind = EDGE_OPERATOR if lexeme == self.operator else "-"
            self.value = lexeme
        else:
            self._character(lexeme)

    def _character(self, lexeme: str) -> None:
        if lexeme == "<":
            self._html()
        elif lexeme == '"':
            self._finish(self.start, '"')
        elif lexeme == "/" and self.text.startswith("/*", self.start):
            self._finish(self.start, "/*")
        elif lexeme == "@":  # Graphviz's scanner uses this character as its own end mark
            self.kind, self.value = END, lexeme
        else:
            self.kind = self.value = lexeme

    def _finish(self, start: int, unclosed: str) -> None:
        self.kind, self.value, self.unclosed = END, "", unclosed
        self.start, self.end = start, len(self.text)

    def _html(self) -> None:
        depth = 0
        for match in _ANGLE.finditer(self.text, self.start):
            depth += 1 if match[0] == "<" else -1
            if not depth:
                self.kind, self.value = QUOTED_ATOM, Html(self.text[self.start + 1 : match.start()])
                self.end = match.end()
                if self.end - self.start > SURELY_SHORT and self.encoding:
                    self._refuse_long("HTML text", self.start + 1, self.end - 1)
                return
        self._finish(self.start, "<")

    def _measured(self, group: int) -> tuple[str, int, int]:
        """What the current token is called, and the part of it that is measured."""
        if group == _QUOTED:
            return "quoted text", self.start + 1, self.end - 1
        if group == _COMMENT:
            lasts = self.text.startswith("/*", self.start)
            return ("comment", self.start + 2, self.end) if lasts else ("comment on one line", self.start, self.end)
        return ("name" if group == _NAME else "number"), self.start, self.end

    def _refuse_long(self, kind: str, start: int, end: int) -> None:
        piece = longest_piece(self.text, start, end, kind, self.encoding)
        if piece.bytes_ > LONGEST_BYTES:
            raise DotSyntaxError(
                f"a {kind} of {piece.bytes_:,} bytes without a break: C Graphviz reads at most {LONGEST_BYTES:,}",
                line=self.line(piece.start),
                column=self.column(piece.start),
                near=self.text[piece.start : piece.start + _NEAR],
                hint=_BREAKS.get(kind, "shorten it"),
                offset=piece.start,
                cause="overlong-token",
            )

    def _comment(self) -> None:
        """A ``# 12 "file"`` line of the C preprocessor renumbers the lines after it."""
        text, start = self.text, self.start
        if text[start] != "#" or (start and text[start - 1] != "\n"):
            return
        directive = _LINE_DIRECTIVE.match(text, start)
        if directive and int(directive[1][:18]) > 0:
            self.line_marks.append((self.end + 1, int(directive[1][:18])))

    def line(self, offset: int) -> int:
        """Line that Graphviz gives for an offset at or before the current token."""
        for mark, number in reversed(self.line_marks):
            if mark <= offset:
                return number + self.text.count("\n", mark, offset)
            if mark == offset + 1:  # the file ends on the directive itself
                return number - 1
        return 1 + self.text.count("\n", 0, offset)

    def column(self, offset: int) -> int:
        """Column of an offset, counted from 1."""
        return offset - self.text.rfind("\n", 0, offset)
