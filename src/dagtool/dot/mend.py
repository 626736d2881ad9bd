"""From a syntax error to its cause, and to the smallest change that lets the grammar read on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dagtool.dot import looks
from dagtool.dot.draft import Draft, Edit
from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.hints import unquoted_list
from dagtool.dot.position import LineTable
from dagtool.dot.problems import (
    LITERAL_NEWLINE,
    NOT_DOT,
    STRAY_TOKEN,
    UNBALANCED_BRACE,
    UNCLOSED_STRING,
    UNQUOTED_LIST,
    Problem,
)
from dagtool.dot.scan import EDGE_OPERATOR, END, KEYWORDS, QUOTED, Scanner

_QUOTED = re.compile(f"{QUOTED}?", re.DOTALL)
_ESCAPED_PIECE = re.compile(rf"{QUOTED}?|(?P<comment>//(?:(?!\\n)[^\n])*+)|(?P<newline>\\[nrt])", re.DOTALL)
_NEXT_ATTRIBUTE = re.compile(
    r",\s*+(?:label|shape|style|color|fillcolor|fontsize|fontname|fontcolor|penwidth|width|height|weight|xlabel|op|gpu)\s*+="
)
_ATTRIBUTE_BEFORE = re.compile(r"(?<!\w)(\w++)\s*+=\s*+$")
_HEADER_WORD = re.compile(r"(?:strict\s++)?+(?:di)?graph\b", re.IGNORECASE)
_SEMICOLON = re.compile(r"[ \t]*+;")
_HTML_END = re.compile(r">(?=[ \t]*+[\],;])")
_OPERAND_BEFORE = re.compile(r"""(?:"[^"]*+"|(?<![\w.])[\w.]++)\s*+$""")
_RUN_BEFORE = re.compile(r"""[^\s\[\]{};,="<>:]++$""")
_RUN_AFTER = re.compile(r"""(?:(?!->|--)[^\s\[\]{};,="<>:])++""")
_BRACKETED = re.compile(r"""\[[^\[\]"\n]*+\][^\s\[\]{};,="<>]*+""")
# An unclosed string matches too: to try again at its every quote would cost the square of its length.
_REST = re.compile(r'(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?|[^;\n{}])*+;?')
_HALF_A_NAME = re.compile(r"(?:(?:->|--)\s*+|(?<=[\s;{}]))\w{1,200}\Z")  # where the file is cut off
_MOST_UNCLOSED = 50  # things open to the end of the file: to look for the end of each reads the rest of it
_GENERAL = (NOT_DOT, "lost-header", LITERAL_NEWLINE)
_WINDOW = 200


class Mender:
    """Notes the problems of one draft and says how to change it."""

    ESCAPED = (
        r"newlines are written as \n between the statements",
        "the text was escaped once too often: write the file again without repr() or json.dumps()",
    )

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.silent = False
        self.header_added = False
        self.restarts = 0
        self._lines = LineTable(draft.original)
        self._found: dict[tuple[str, str], Problem] = {}
        self._last = -1  # the statement mended last, as an offset in the original
        self._cut = False
        self._cut_cause = -1
        self._unclosed = 0
        self._suspect: int | None = None  # a brace that seems to be closed by its parent's
        self._graph_at = 0

    @property
    def problems(self) -> list[Problem]:
        """What was found: first what is wrong with the file as a whole, then in the order of the errors."""
        return sorted(self._found.values(), key=lambda found: found.cause not in _GENERAL)

    def report(
        self,
        cause: str,
        offset: int,
        message: str,
        hint: str = "",
        *,
        width: int = 1,
        kind: str = "",
        note: str = "",
        sure: bool = True,
        unfinished: bool = False,
    ) -> None:
        """Note a problem, which the next changes mend; one of a cause and ``kind`` met before is only counted.

        Of one that is not ``sure`` the change is a guess.
        """
        if self.silent:
            self.draft.cause = -1
            return
        place = self._lines.position(self.draft.origin(offset))
        known = self._found.get((cause, kind))
        if known is not None:
            known.more.append(place.line)
            known.sure &= sure
            self.draft.cause = list(self._found).index((cause, kind))
            return
        line = self._lines.line_text(place.line)
        notes = [note] if note else []
        self.draft.cause = len(self._found)
        self._found[cause, kind] = Problem(
            cause, *place, message, hint, max(1, width), line, notes, sure=sure, unfinished=unfinished
        )

    def attribute_changes(self) -> None:
        """Give every problem the changes that mend it; those that mend several together go to the first."""
        found = list(self._found.values())
        if not found:
            return
        for edits, causes in _apart(self.draft.changes()):
            first = found[max(0, min(causes))]
            known = [found[cause] for cause in causes if cause >= 0]
            first.edits = sorted([*first.edits, *edits])
            original = self.draft.original
            first.drops |= not all(_keeps_words(original[start:stop], words, known) for start, stop, words in edits)
            first.sure = -1 not in causes and all(problem.sure for problem in [first, *known])

    def line(self, offset: int) -> int:
        """Line of the file for an offset in the draft."""
        return self._lines.position(self.draft.origin(offset)).line

    # Around the graphs

    def new_graph(self, offset: int) -> None:
        """A graph begins at this brace."""
        self._graph_at = offset
        self._suspect = None

    def cut(self, start: int) -> None:
        """Forget the text from an offset on."""
        self.draft.cause = -1
        self.draft.edit([(start, len(self.draft.text), "")])

    def give_up(self, start: int, braces: int) -> list[Edit]:
        """Too much is wrong: what follows is not read."""
        self.report(STRAY_TOKEN, start, "too much is wrong with the file: it is not read from here on", kind="give up")
        return [(start, len(self.draft.text), "}" * braces)]

    def header(self, error: DotSyntaxError, start: int) -> list[Edit]:
        """``digraph`` and then something else than a name and a brace."""
        text = self.draft.text
        word = _HEADER_WORD.match(text, start)
        if not word or not error.near:
            return []
        stop = text.find("\n", word.end())
        stop = len(text) if stop < 0 else stop
        brace = text.find("{", word.end(), stop)
        name = text[word.end() : brace if brace >= 0 else stop].strip()
        quoted = '"' + name.replace("\\", "").replace('"', "") + '"'
        if brace >= 0:
            message = f"the name of the graph is not one word: {name[:40]!r}"
            self.report(STRAY_TOKEN, error.offset, message, f"quote it: {quoted[:60]}", width=len(error.near))
            return [(word.end(), brace, f" {quoted} ")]
        self.report(UNBALANCED_BRACE, start, "the '{' of the graph is missing", "begin with: digraph name {")
        return [(word.end(), stop, f" {quoted} {{")]

    def after_graph(self, closed: int, start: int) -> tuple[list[Edit], bool]:
        """Text after the brace that closed a graph: what to change, and whether to read all of it again."""
        text = self.draft.text
        rest = text[start : start + _WINDOW]
        if rest[0] == "}":
            self.report(STRAY_TOKEN, start, "a '}' too many: the graph is closed above", "remove it", kind="}")
            return [(start, start + 1, " ")], False
        line = text.rfind("\n", 0, start) + 1
        if self.restarts < _PREMATURE and looks.STATEMENT.match(text, line) and not looks.CODE.match(text, line):
            self.restarts += 1
            self.report(
                UNBALANCED_BRACE,
                closed,
                f"this '}}' closes the graph, but the graph goes on at line {self.line(start)}",
                "a '}' too many stands here or above: remove it",
                kind="early",
                sure=False,
            )
            return [(closed, closed + 1, " ")], True
        found = looks.HEADER_LINE.search(text, start)
        stop = found.start("header") if found else len(text)
        if not rest.startswith(('"', "'", "`")) or len(rest.strip("\"'`").strip()) > 0:
            fence = rest.startswith("```")
            what = looks.language(text[start:stop]) if looks.CODE.search(text, line, stop) else "other text"
            message = "the graph stands in Markdown text" if fence else f"{what} follows the graph"
            hint = "keep only what is between the ``` fences" if fence else "remove what is not the graph"
            width = len(rest.split("\n", 1)[0].rstrip())
            self.report(NOT_DOT, start, message, hint, width=width, kind="" if fence else "after")
        elif not self._found:
            self.report(STRAY_TOKEN, start, f"a stray {rest.strip()[:3]} stands after the graph", "remove it")
        return [(start, stop, "")], False

    # In a graph

    def closed(self, opened: int, closing: int) -> None:
        """A brace closes another: by the look of it, the right one?"""
        text = self.draft.text
        if self._suspect is not None or opened < self._graph_at:
            return
        line = text.rfind("\n", max(0, closing - _WINDOW), closing) + 1
        head = text.rfind("\n", max(0, opened - _WINDOW), opened) + 1
        if not line or (not head and opened > _WINDOW) or line <= head or text[line:closing].strip():
            return
        indent = len(text[head:opened]) - len(text[head:opened].lstrip())
        if closing - line < indent:
            self._suspect = opened

    def statement(
        self, error: DotSyntaxError, start: int, wanted: str, scanner: Scanner, braces: list[int]
    ) -> list[Edit]:
        """What to change for an error in the statement that begins at ``start``."""
        again = self._last == self.draft.origin(start)
        self._last = self.draft.origin(start)
        if scanner.kind == END and not scanner.value:
            return self._at_end(start, wanted, scanner, braces)
        case = _Case(error.offset, error.near, min(start, error.offset), wanted, scanner, self.draft.text)
        for remedy in _REMEDIES:
            if edits := remedy(self, case):
                return edits
        return self._drop(case, error, quiet=again)

    def _at_end(self, start: int, wanted: str, scanner: Scanner, braces: list[int]) -> list[Edit]:
        """The text ends inside the statement, or before the last brace."""
        text = self.draft.text
        end = len(text)
        if scanner.unclosed:
            return self._unclosed_mark(start, scanner, braces)
        if text[start:].strip():  # in the middle of a statement
            self._report_cut(start, start, f"the statement begun at line {self.line(start)} is not finished", braces)
            unfinished = looks.UNFINISHED.get(wanted)
            found = unfinished.search(text, max(start, end - _WINDOW)) if unfinished else None
            if wanted == "edge end" and found:
                return [(found.start(), end, "")]
            if wanted in ("attribute", "value", "="):
                return [(found.start() if found else end, end, "]")]
            return [(start, end, "")]
        if self.header_added and len(braces) == 1:
            return [(end, end, _on_a_line(text, "}"))]
        opened = braces[-1] if self._suspect is None else self._suspect
        what = "subgraph" if self._suspect is not None or len(braces) > 1 else "graph"
        where = self._statement_start(opened)
        begun = f"the {what} opened at line {self.line(opened)} is never closed"
        if text.rstrip().endswith("}") and not self._cut:
            message = begun if self._suspect is not None else f"{begun}; the file ends inside it"
            self.report(
                UNBALANCED_BRACE,
                where,
                message,
                "add the missing '}'",
                kind="open",
                width=opened + 1 - where,
                sure=what == "graph",
            )
        else:
            self._report_cut(where, opened, begun, braces[:-1])
        half = _HALF_A_NAME.search(text, max(0, end - _WINDOW)) if self._cut else None
        place = half.start() if half else end
        return [(place, end, _on_a_line(text[:place], "}" * len(braces)))]

    def _statement_start(self, brace: int) -> int:
        """The first word of the line a brace stands in."""
        line = self.draft.text.rfind("\n", 0, brace) + 1
        words = self.draft.text[line:brace]
        return line + len(words) - len(words.lstrip()) if len(words) < _WINDOW and ";" not in words else brace

    def _report_cut(self, place: int, at: int, begun: str, also: list[int], *, cause: str = UNBALANCED_BRACE) -> None:
        """The file is cut off: said once, however much is open there."""
        if self._cut:
            self.draft.cause = self._cut_cause
            return
        self._cut = True
        text = self.draft.text
        last = self.line(max(0, len(text.rstrip()) - 1))
        names = [
            f"the {'subgraph' if brace != self._graph_at else 'graph'} of line {self.line(brace)}"
            for brace in also[-4:]
        ]
        stop = text.find("\n", at)
        self.report(
            cause,
            place,
            f"{begun}; the file ends inside it (line {last}): it looks cut off",
            "write the file again, whole: an output limit or a full disk may have stopped it",
            width=len(text[place : stop if stop >= 0 else len(text)].rstrip()),
            kind="cut",
            note=f"also open there: {', '.join(names)}" if names else "",
            unfinished=True,
        )
        self._cut_cause = self.draft.cause

    def _unclosed_mark(self, start: int, scanner: Scanner, braces: list[int]) -> list[Edit]:
        """A string or comment that runs to the end of the file."""
        text = self.draft.text
        mark, at, end = scanner.unclosed, scanner.start, len(text)
        self._unclosed += 1
        if self._unclosed > _MOST_UNCLOSED:
            return self.give_up(start, len(braces))
        if mark == '"' and (edits := self.swallowed(start, at)):
            return edits
        tail = looks.SWALLOWED.search(text, at) if mark == '"' else None
        closes = text.rstrip().endswith("}")
        if tail or (closes and mark != '"'):
            return self.close(at, mark)
        name = _ATTRIBUTE_BEFORE.search(text[max(0, at - _WINDOW) : at])
        what = {'"': "quoted string", "<": "HTML-like string", "/*": "comment"}[mark]
        what = name[1] if name and mark != "/*" else what
        self._report_cut(
            at, at, f"the {what} opened at line {self.line(at)} is never closed", braces, cause=UNCLOSED_STRING
        )
        if mark == '"':
            return [(end, end, ' "' if text.endswith("\\") else '"')]
        depth = text.count("<", at) - text.count(">", at)
        return [(end, end, ">" * max(1, depth) if mark == "<" else "*/")]

    def swallowed(self, start: int, stop: int) -> list[Edit]:
        """A string of the statement that took the next statements in: it was to end on its line."""
        for found in _QUOTED.finditer(self.draft.text, start, stop):
            if "\n" in found[0] and looks.SWALLOWED.search(found[0]):
                return self.close(found.start(), '"')
        return []

    def close(self, at: int, mark: str) -> list[Edit]:
        """Close a string or comment at the end of its line."""
        text = self.draft.text
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line = text[at + len(mark) : stop]
        name = _ATTRIBUTE_BEFORE.search(text[max(0, at - _WINDOW) : at])
        what = {'"': "quoted string", "<": "HTML-like string", "/*": "comment"}[mark]
        what = name[1] if name and mark != "/*" else what
        word = re.match(r"[\w.]++(?=\s*+(?:->|--|\[\s*+\w))", line) if not name else None
        found = _NEXT_ATTRIBUTE.search(line)
        body = line.rstrip().removesuffix(";").rstrip().removesuffix("]").rstrip()
        # Markup may hold brackets of its own: as many are closed as the line leaves open.
        angles = ">" * max(1, 1 + line.count("<") - line.count(">"))
        closing = {'"': '"', "/*": "*/", "<": angles}[mark]
        offset = len(line) if mark == "/*" else word.end() if word else found.start() if found else len(body)
        if mark == '"' and line[:offset].endswith("\\"):
            closing = ' "'
        sign = {'"': "quote", "<": "'>'", "/*": "'*/'"}[mark]
        self.report(
            UNCLOSED_STRING,
            at,
            f"the {what} opened at line {self.line(at)} is never closed",
            f"add the closing {sign} on that line",
            width=len(mark) + offset,
            kind=mark,
            sure=mark != "/*",
        )
        place = at + len(mark) + offset
        return [(place, place, closing)]

    def _drop(self, case: _Case, error: DotSyntaxError, *, quiet: bool) -> list[Edit]:
        """Nothing better is known: leave the statement out."""
        text, start = case.text, case.start
        if not quiet:
            first = text.rfind("\n", 0, case.at) + 1 > start
            message = f"{error.near[:40]!r} has no place here" + (
                f", in the statement that begins at line {self.line(start)}" if first else ""
            )
            width = max(1, len(case.near.split("\n", 1)[0]))
            self.report(STRAY_TOKEN, case.at, message, error.hint, width=width, kind=case.near[:1] + case.wanted)
        stop = case.at
        found = _REST.match(text, stop)
        stop = max(found.end() if found else stop, stop)
        if stop == start:
            stop += 1
        kept = "\n" * text.count("\n", start, stop)
        return [(start, stop, kept or " ")]


@dataclass(frozen=True, slots=True)
class _Case:
    """An error in a statement."""

    at: int
    near: str
    start: int
    wanted: str
    scanner: Scanner
    text: str

    @property
    def in_list(self) -> bool:
        """Whether the error is between square brackets."""
        return self.wanted in ("attribute", "value", "=") and "[" in self.text[self.start : self.at]


def _escaped(mender: Mender, case: _Case) -> list[Edit]:
    r"""``\n`` and ``\"`` outside strings."""
    text, at = case.text, case.at
    if case.near != "\\":
        return []
    follows = text[at + 1 : at + 2]
    if follows == '"':
        mender.report(
            LITERAL_NEWLINE, at, 'quotes are written as \\" outside strings', mender.ESCAPED[1], width=2, kind='"'
        )
        return [(found.start() + at, found.end() + at, '"') for found in re.finditer(r'\\"', text[at:])]
    if not follows or follows not in "nrt":
        return []
    mender.report(LITERAL_NEWLINE, at, *mender.ESCAPED, width=2)
    stop = text.find("\n", at)
    # The strings of such a line may themselves hold newlines: go on to the end of the last that begins in it.
    stop = len(text) if stop < 0 else stop
    edits: list[Edit] = []
    for found in _ESCAPED_PIECE.finditer(text, at):
        if found.start() >= stop:
            break
        if found.lastgroup == "newline":
            edits.append((*found.span(), "\n" if found[0] == r"\n" else " "))
    return edits


def _swallowed(mender: Mender, case: _Case) -> list[Edit]:
    return mender.swallowed(case.start, case.scanner.end)


def _code(mender: Mender, case: _Case) -> list[Edit]:
    """A line of the program that writes the graph."""
    text = case.text
    for offset in (case.start, case.at):
        line = text.rfind("\n", 0, offset) + 1
        stop = text.find("\n", offset)
        stop = len(text) if stop < 0 else stop
        words = text[line:stop]
        if not looks.CODE.match(words):
            continue
        place = line + len(words) - len(words.lstrip())
        mender.report(
            NOT_DOT,
            place,
            f"{looks.language(words)} stands in the graph",
            "a piece of the program that writes the graph was not run but copied: write the file again",
            width=len(words.strip()),
            kind="inside",
        )
        begin = max(case.start, line) if text[case.start : line].strip() else place
        brace = "{" if words.rstrip().endswith("{") else ""
        return [(begin, stop, brace or " ")] if (begin, brace) != (stop, "") else []
    return []


def _list(mender: Mender, case: _Case) -> list[Edit]:
    """``style=rounded,filled`` without quotes."""
    found = unquoted_list(case.scanner, case.wanted, case.near)
    if found is None:
        return []
    key, value, start, stop = found
    place = case.text.rfind(key, 0, start)
    mender.report(
        UNQUOTED_LIST,
        place,
        f"the value of {key} has a comma and no quotes",
        f'write {key}="{value}"',
        width=stop - place,
    )
    return [(start, stop, f'"{value}"')]


def _operator(mender: Mender, case: _Case) -> list[Edit]:
    """``--`` in a digraph."""
    if case.near not in ("->", "--") or case.scanner.kind == EDGE_OPERATOR or case.in_list:
        return []
    right = case.scanner.operator
    kind = "digraph" if right == "->" else "graph"
    mender.report(
        STRAY_TOKEN,
        case.at,
        f"{case.near!r} in a {kind}",
        f"the edges of a {kind} are written with {right!r}",
        width=2,
        kind=case.near,
        sure=False,
    )
    tail = (
        _OPERAND_BEFORE.search(case.text[max(0, case.at - _WINDOW) : case.at]) if case.wanted == "statement" else None
    )
    if tail:  # it was read as a statement of its own
        return [(case.at - len(tail[0]), case.at + 2, tail[0] + right)]
    return [(case.at, case.at + 2, right)]


def _keyword(mender: Mender, case: _Case) -> list[Edit]:
    if case.scanner.kind not in KEYWORDS or case.wanted not in ("attribute", "value", "edge end", "name"):
        return []
    mender.report(
        STRAY_TOKEN, case.at, f"{case.near!r} is a keyword", f'write "{case.near}" to use it as a name',
        width=len(case.near), kind="keyword",
    )  # fmt: skip
    return [(case.at, case.scanner.end, f'"{case.near}"')]


def _html(mender: Mender, case: _Case) -> list[Edit]:
    """A bare arrow inside an HTML-like string, or one that took the next statements in."""
    if not case.in_list:
        return []
    text = case.text
    for found in re.finditer(r"=\s*+<", text[case.start : case.at + 1]):
        begin = case.start + found.end()
        if looks.SWALLOWED.search(text, begin, case.scanner.end):
            return mender.close(begin - 1, "<")
        stop = text.find("\n", case.at)
        stop = len(text) if stop < 0 else stop
        closing = _HTML_END.search(text, begin, stop)
        stop = closing.start() if closing else stop
        arrows = [(m.start() + begin, m.end() + begin, "-&gt;") for m in re.finditer("->", text[begin:stop])]
        if arrows:
            mender.report(
                STRAY_TOKEN, arrows[0][0], "a bare '->' inside an HTML-like string ends it", "write -&gt; there",
                width=2, kind="html",
            )  # fmt: skip
            return arrows
    return []


def _bracket(mender: Mender, case: _Case) -> list[Edit]:
    """``dims=[B=1]`` without quotes."""
    if case.wanted != "value" or case.near != "[":
        return []
    found = _BRACKETED.match(case.text, case.at)
    if not found:
        return []
    mender.report(
        STRAY_TOKEN, case.at, "a value begins with '['", f'quote it: "{found[0][:40]}"', width=len(found[0]), kind="["
    )
    words = found[0].replace("\\", "")
    return [(*found.span(), f'"{words}"')]


def _list_end(mender: Mender, case: _Case) -> list[Edit]:
    """An attribute list that should have ended on the line above."""
    if not case.in_list or case.wanted == "value":
        return []
    text = case.text
    line = text.rfind("\n", 0, case.at) + 1
    above = text[:line].rstrip() if line - case.start < 10_000 else ""
    fresh = not text[line : case.at].strip() or re.fullmatch(r'\s*(?:\w+|"[^"\n]*")\s*', text[line : case.at])
    if not fresh or len(above) <= case.start or not (looks.STATEMENT.match(text, line) or case.near == "}"):
        return []
    opened = text.rfind("[", case.start, len(above))
    mender.report(
        UNBALANCED_BRACE,
        opened,
        f"the attribute list opened at line {mender.line(opened)} is never closed",
        "add the closing ']'",
        kind="[",
    )
    at = len(above.rstrip(";")) if above.endswith(";") else len(above)
    return [(at, at, "]")] if at > opened else []


def _semicolon(mender: Mender, case: _Case) -> list[Edit]:
    if case.near != ";":
        return []
    message = "a ';' too many" if case.wanted == "statement" else "a ';' has no place here"
    mender.report(STRAY_TOKEN, case.at, message, "one ';' ends a statement: remove this one", kind=";")
    return [(case.at, case.at + 1, " ")]


def _name(mender: Mender, case: _Case) -> list[Edit]:
    """A name or value with characters that need quotes, or punctuation from nowhere."""
    text, at = case.text, case.at
    after = _RUN_AFTER.match(text, at)
    if not after or case.near[:1].isalnum() or case.near[:1] in ("_", '"', "+"):
        return []
    before = _RUN_BEFORE.search(text[max(0, at - _WINDOW) : at])
    start, stop = at - (len(before[0]) if before else 0), after.end()
    words = text[start:stop]
    if not re.search(r"\w", words) or (re.search(r"^\W+$", text[start : at + 1]) and before):
        mender.report(
            STRAY_TOKEN,
            at,
            f"a stray {text[at:stop][:40]!r}",
            "remove it",
            width=stop - at,
            kind=f"stray {text[at:stop][:3]}",
            sure="..." not in text[at:stop],  # it stands for nodes that somebody has to write
        )
        semicolon = _SEMICOLON.match(text, stop)  # it ended what stands before
        return [(at, semicolon.end() if semicolon else stop, " ")]
    mender.report(
        STRAY_TOKEN,
        start,
        f"{words[:40]!r} is no name without quotes",
        f'write "{words[:40]}"',
        width=len(words),
        kind="name",
    )
    return [(start, stop, '"' + words.replace("\\", "") + '"')]


def _on_a_line(text: str, words: str) -> str:
    """The words as a line of their own behind a text."""
    return f"{words}\n" if text.endswith("\n") else f"\n{words}\n"


def _apart(changes: list[tuple[Edit, set[int]]]) -> list[tuple[list[Edit], frozenset[int]]]:
    """The changes by the problems they mend; problems that share a change stay together."""
    together: dict[int, frozenset[int]] = {}
    for causes in {frozenset(causes or {-1}) for _, causes in changes}:
        joined = causes.union(*(together.get(cause, frozenset()) for cause in causes))
        together.update(dict.fromkeys(joined, joined))
    groups: dict[frozenset[int], list[Edit]] = {}
    for edit, mended in changes:
        groups.setdefault(together[min(mended or {-1})], []).append(edit)
    return [(edits, causes) for causes, edits in groups.items()]


def _keeps_words(there: str, words: str, mended: list[Problem]) -> bool:
    """Whether a change drops nothing but punctuation, the escapes it was about, or the unfinished end of the file."""
    if any(problem.cause == LITERAL_NEWLINE for problem in mended):
        there = re.sub(r"\\[nrt]", "", there)
    if any(problem.unfinished for problem in mended):
        return True
    return _LETTERS.sub("", there) in _LETTERS.sub("", words)


_LETTERS = re.compile(r"\W+")
_PREMATURE = 3  # graphs closed too early, in one file
_REMEDIES: tuple[Callable[[Mender, _Case], list[Edit]], ...] = (
    _escaped,
    _swallowed,
    _code,
    _list,
    _operator,
    _keyword,
    _html,
    _bracket,
    _list_end,
    _semicolon,
    _name,
)
