"""From a syntax error to its cause, and to the smallest change that lets the grammar read on."""

from __future__ import annotations

import re

from dagtool.dot import looks
from dagtool.dot.draft import Draft, Edit
from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.lost_quotes import find_lost_quote
from dagtool.dot.position import LineTable
from dagtool.dot.problems import (
    LITERAL_NEWLINE,
    NOT_DOT,
    STRAY_TOKEN,
    UNBALANCED_BRACE,
    UNCLOSED_STRING,
    Problem,
    described,
    keeps_brackets,
    keeps_words,
)
from dagtool.dot.remedies import REMEDIES, Case, arrow, hash_value, swallowing_markup
from dagtool.dot.scan import END, QUOTED, Scanner
from dagtool.dot.tokens import Token, tokens_of

_QUOTED = re.compile(f"{QUOTED}?", re.DOTALL)
_INNER_KEY = re.compile(r"[ \t>,;](?:label|shape|style|color|fillcolor|fontsize|fontname|penwidth|weight)=[^=]")
_NEXT_ATTRIBUTE = re.compile(
    r"[,;]\s*+(?:label|shape|style|color|fillcolor|fontsize|fontname|fontcolor|penwidth|width|height|weight|xlabel|op|gpu)\s*+="
)
_ATTRIBUTE_BEFORE = re.compile(r"(?<!\w)(\w++)\s*+=\s*+$")
_HEADER_WORD = re.compile(r"(?:strict\s++)?+(?:di)?graph\b", re.IGNORECASE)
# An unclosed string matches too: to try again at its every quote would cost the square of its length.
_REST = re.compile(r'(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?|[^;\n{}])*+;?')
_LAST_WORD = re.compile(r"(?:\\[nlr]|(?<!\w))(\w++)\Z")
_LIST_CLOSES = re.compile(r"\][ \t\r]*+(?:;|\}|$)")
_MOST_UNCLOSED = 50  # things open to the end of the file: to look for the end of each reads the rest of it
_GENERAL = (NOT_DOT, "lost-header", LITERAL_NEWLINE)
_WINDOW = 200
_FAR = 2_000


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
        self.names: set[str] = set()
        """Spellings of keywords that are names in this text."""
        self.again = False
        """Whether a change stands above what was read: all of it is to be read once more."""
        self.restarts = 0
        self._lines = LineTable(draft.original)
        self._found: dict[tuple[str, str], Problem] = {}
        self._last = -1  # the statement mended last, as an offset in the original
        self._changes: set[tuple[Edit, ...]] = set()
        self._cut = False
        self._cut_cause = -1
        self._unclosed = self._lost_quotes = self._quotes_right_to = 0
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
        self._found[cause, kind] = Problem(cause, *place, message, hint, max(1, width), line, notes, sure=sure)

    def doubt(self) -> None:
        """Mark every change unsafe: some name took in other statements, so where these end is not known."""
        for problem in self._found.values():
            problem.sure = False

    def attribute_changes(self, *, lost: bool = False) -> None:
        """Give every problem the changes that mend it; those that mend several together go to the first.

        ``lost``: what comes out has text behind the end of a graph, which nobody reads, so none of them is sure.
        """
        found = list(self._found.values())
        if not found:
            return
        for edits, causes in _apart(self.draft.changes()):
            first = found[max(0, min(causes))]
            known = [found[cause] for cause in causes if cause >= 0]
            first.edits = sorted([*first.edits, *edits])
            original = self.draft.original
            escapes = any(problem.cause == LITERAL_NEWLINE for problem in known)
            first.drops |= not all(
                keeps_words(original[start:stop], words, escapes=escapes) for start, stop, words in edits
            )
            quotes = any(problem.cause in (UNCLOSED_STRING, LITERAL_NEWLINE) for problem in found)
            first.sure &= not quotes or all(keeps_brackets(original[start:stop], words) for start, stop, words in edits)
            first.change = described(original, first.edits)
            first.sure = (
                not (lost or any(_follows_swallowed(original, start) for start, _, _ in edits))
                and -1 not in causes
                and all(problem.sure for problem in [first, *known])
            )

    def line(self, offset: int) -> int:
        """Line of the file for an offset in the draft."""
        return self._lines.position(self.draft.origin(offset)).line

    # Around the graphs

    def new_graph(self, offset: int) -> None:
        """A graph begins at this brace."""
        self._graph_at = self._quotes_right_to = offset
        self._suspect = None

    def graph_word(self) -> int:
        """Where the word ``graph`` of the header stands that belongs to the brace of the graph; -1 for nowhere."""
        begin = max(0, self._graph_at - _WINDOW)
        found = _GRAPH_WORD.search(self.draft.text[begin : self._graph_at])
        return begin + found.start(1) if found else -1

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
        if _STATEMENT_SIGN.search(name):
            return self._missing_brace(start, word.end(), stop)
        quoted = name if _WORD.fullmatch(name) or not name else '"' + name.replace("\\", "").replace('"', "") + '"'
        if brace >= 0:
            message = f"the name of the graph is not one word: {name[:40]!r}"
            self.report(STRAY_TOKEN, error.offset, message, f"quote it: {quoted[:60]}", width=len(error.near))
            return [(word.end(), brace, f" {quoted} ")]
        self.report(UNBALANCED_BRACE, start, "the '{' of the graph is missing", "begin with: digraph name {")
        return [(word.end(), stop, f" {quoted} {{" if quoted else " {")]

    def _missing_brace(self, start: int, begin: int, stop: int) -> list[Edit]:
        """Statements follow the header, or its name, without a brace before them."""
        text = self.draft.text
        found = _NAME_THEN_STATEMENT.match(text, begin, stop)
        place = found.end(1) if found else begin
        self.report(
            UNBALANCED_BRACE, start, "the '{' of the graph is missing", "begin with: digraph name {", sure=False
        )
        return [(place, place, " {")]

    def after_graph(self, closed: int, start: int) -> tuple[list[Edit], bool]:
        """Text after the brace that closed a graph: what to change, and whether to read all of it again."""
        text = self.draft.text
        rest = text[start : start + _WINDOW]
        if rest[0] == "}":
            ignored = bool(text[closed + 1 : start].strip())  # it would stay behind the graph, unread
            message = "a '}' too many: the graph is closed above"
            self.report(STRAY_TOKEN, start, message, "remove it", kind="}", sure=not ignored)
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
        self, error: DotSyntaxError, start: int, wanted: str, scanner: Scanner, braces: list[int], *, pair: int
    ) -> list[Edit]:
        """What to change for an error in the statement that begins at ``start``, in the attribute at ``pair``."""
        again = self._last == self.draft.origin(start)
        self._last = self.draft.origin(start)
        if edits := self._lost_quote(start, scanner):
            return edits
        begin = min(start, error.offset)
        case = Case(error.offset, error.near, begin, wanted, scanner, self.draft.text, max(pair, begin), len(braces))
        if scanner.kind == END and not scanner.value:
            edits = swallowing_markup(self, case) if scanner.unclosed != "<" else []
            return edits or self._at_end(start, wanted, scanner, braces)
        for remedy in REMEDIES:
            if edits := remedy(self, case):
                if self._tried(edits):
                    break
                return edits
        return self._drop(case, error, quiet=again)

    def _tried(self, edits: list[Edit]) -> bool:
        """Check whether the same change was made before and did not help."""
        changes = tuple((self.draft.origin(start), self.draft.origin(stop), words) for start, stop, words in edits)
        known = changes in self._changes
        self._changes.add(changes)
        return known

    def _lost_quote(self, start: int, scanner: Scanner) -> list[Edit]:
        """A quote that lacks on a line up to here: all from that line on was read as something else."""
        text = self.draft.text
        line = text.find("\n", scanner.end, scanner.end + _FAR)
        stop = line if line >= 0 else min(len(text), scanner.end + _FAR)
        found = find_lost_quote(text, max(self._graph_at, self._quotes_right_to), stop)
        self._quotes_right_to = start
        if found is None or self._lost_quotes >= _MOST_LOST:
            return []
        self._lost_quotes += 1
        self.again = found.at < start
        if found.at == found.place:
            self.report(STRAY_TOKEN, found.at, "a quote stands alone", "remove it", kind="lone", sure=False)
            return [(found.at, found.at + 1, " ")]
        if found.place > found.at:
            self._never_closed(found.at, '"', found.place - found.at, sure=found.sure)
        else:
            return self.open_quote(found.place, found.at, sure=found.sure)
        return [(found.place, found.place, '"')]

    def open_quote(self, start: int, stop: int, *, sure: bool) -> list[Edit]:
        """Add the quote that is missing before some words; another stands behind them."""
        words = self.draft.text[start:stop]
        self.report(
            UNCLOSED_STRING,
            start,
            f"a quote is missing before {words[:40]}",
            f'write "{words[:40]}"' if sure and '"' not in words else "add it",
            width=len(words),
            kind="opening",
            sure=sure,
        )
        return [(start, start, '"')]

    def _at_end(self, start: int, wanted: str, scanner: Scanner, braces: list[int]) -> list[Edit]:
        """The text ends inside the statement, or before the last brace."""
        text = self.draft.text
        end = len(text)
        if scanner.unclosed:
            return self._unclosed_mark(start, scanner, braces)
        if text[start:].strip():  # in the middle of a statement
            if edits := hash_value(self, Case(end, "", start, wanted, scanner, text, start, len(braces))):
                return edits
            edits = _finished(text, start, wanted)
            begun = f"the statement begun at line {self.line(start)} is not finished"
            sure = all(begin == stop for begin, stop, _ in edits) and not _ends_in_comment(text)
            self._report_cut(start, start, begun, braces, sure=sure)
            return edits
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
                sure=what == "graph" and not _ends_in_comment(text),
            )
        else:
            self._report_cut(where, opened, begun, braces[:-1])
        return [(end, end, _on_a_line(text, "}" * len(braces)))]

    def _statement_start(self, brace: int) -> int:
        """The first word of the line a brace stands in."""
        line = self.draft.text.rfind("\n", 0, brace) + 1
        words = self.draft.text[line:brace]
        return line + len(words) - len(words.lstrip()) if len(words) < _WINDOW and ";" not in words else brace

    def _report_cut(
        self, place: int, at: int, begun: str, also: list[int], *, cause: str = UNBALANCED_BRACE, sure: bool = True
    ) -> None:
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
            sure=sure,
        )
        self._cut_cause = self.draft.cause
        word = _LAST_WORD.search(text, max(0, len(text) - _WINDOW))
        if word and not self.silent:
            self._found[cause, "cut"].notes.append(f"the last word, {word[1][:40]!r}, may be only a part of one")

    def _unclosed_mark(self, start: int, scanner: Scanner, braces: list[int]) -> list[Edit]:
        """A string or comment that runs to the end of the file."""
        text = self.draft.text
        mark, at, end = scanner.unclosed, scanner.start, len(text)
        self._unclosed += 1
        if self._unclosed > _MOST_UNCLOSED:
            return self.give_up(start, len(braces))
        if mark == "<":
            case = Case(at, "<", start, "statement", scanner, text, start, len(braces))
            if edits := arrow(self, case):
                return edits
        if mark == '"' and (edits := self.swallowed(start, at)):
            return edits
        tail = looks.SWALLOWED.search(text, at) if mark == '"' else None
        closes = text.rstrip().endswith("}")
        if tail or (closes and mark != '"'):
            return self.close(at, mark)
        what = self._opened(at, mark)
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
        word = re.match(r"[\w.]++(?=\s*+(?:->|--|\[\s*+\w))", line) if not name else None
        closed = _LIST_CLOSES.search(line)
        found = _NEXT_ATTRIBUTE.search(line[: closed.start()] if closed and mark == "<" else line)
        body = (line[: closed.start()] if closed else line.removesuffix(";")).rstrip()
        # Markup may hold brackets of its own: as many are closed as it leaves open.
        angles = ">" * max(1, 1 + body.count("<") - body.count(">"))
        closing = {'"': '"', "/*": "*/", "<": angles}[mark]
        offset = len(line) if mark == "/*" else word.end() if word else found.start() if found else len(body)
        if mark == '"' and line[:offset].endswith("\\"):
            closing = ' "'
        sure = mark == '"' or (mark == "<" and name is not None)  # markup is a value; as a name it is no accident
        self._never_closed(at, mark, len(mark) + offset, sure=sure and not _INNER_KEY.search(line, 0, offset))
        place = at + len(mark) + offset
        return [(place, place, closing)]

    def _never_closed(self, at: int, mark: str, width: int, *, sure: bool) -> None:
        """Note a string or comment that was to end on its line."""
        sign = {'"': "quote", "<": "'>'", "/*": "'*/'"}[mark]
        self.report(
            UNCLOSED_STRING,
            at,
            f"the {self._opened(at, mark)} opened at line {self.line(at)} is never closed",
            f"add the closing {sign} on that line",
            width=width,
            kind=mark,
            sure=sure,
        )

    def _opened(self, at: int, mark: str) -> str:
        """Return what begins at a mark: the attribute whose value it is, or a string or comment."""
        name = _ATTRIBUTE_BEFORE.search(self.draft.text[max(0, at - _WINDOW) : at])
        what = {'"': "quoted string", "<": "HTML-like string", "/*": "comment"}[mark]
        return name[1] if name and mark != "/*" else what

    def _drop(self, case: Case, error: DotSyntaxError, *, quiet: bool) -> list[Edit]:
        """Nothing better is known: leave out what cannot be read, and no more of the statement than that."""
        text, start = case.text, case.start
        if not quiet:
            first = text.rfind("\n", 0, case.at) + 1 > start
            message = f"{error.near[:40]!r} has no place here" + (
                f", in the statement that begins at line {self.line(start)}" if first else ""
            )
            width = max(1, len(case.near.split("\n", 1)[0]))
            self.report(STRAY_TOKEN, case.at, message, error.hint, width=width, kind=case.near[:1] + case.wanted)
        elif self.draft.cause >= 0:
            list(self._found.values())[self.draft.cause].hint = ""  # what it advised did not mend the statement
        begin, stop = _unreadable(case)
        kept = "\n" * text.count("\n", begin, stop)
        return [(begin, stop, kept or " ")]


def _unreadable(case: Case) -> tuple[int, int]:
    """The part of a statement that cannot be kept: an attribute, a sign, or all of it."""
    text, at = case.text, case.at
    if case.in_list:
        if case.near == "]":
            return case.pair, max(at, case.pair + 1)
        found = _REST_OF_PAIR.match(text, at)
        return case.pair, max(found.end() if found else at, at + 1)
    if case.near in _SIGNS and case.at > case.start:
        return at, at + len(case.near)
    found = _REST.match(text, at)
    stop = max(found.end() if found else at, at)
    return case.start, max(stop, case.start + 1)


def _finished(text: str, start: int, wanted: str) -> list[Edit]:
    """The statement that the end of the file cut in two, without what cannot be finished."""
    tokens = tokens_of(text, start)
    last = tokens[-1]
    closing = _CLOSINGS.get(wanted, "")
    dropped: list[Token] = tokens[len(tokens) - _unfinished(tokens, wanted) :]
    if not dropped:
        return [(last.stop, last.stop, closing)] if closing else [(start, len(text), "")]
    begin = dropped[0].start
    if wanted in ("=", "value") and len(tokens) > len(dropped) and tokens[-len(dropped) - 1].kind in (",", ";"):
        begin = tokens[-len(dropped) - 1].start
    return [(begin, last.stop, closing)]


def _unfinished(tokens: list[Token], wanted: str) -> int:
    """How many of the last tokens lead nowhere."""
    if wanted == "name":  # behind a colon or comma, or behind ``key =``
        return min(len(tokens), 2 if tokens[-1].kind == "=" else 1)
    return min(len(tokens), {"edge end": 1, "string": 1, "=": 1, "value": 2}.get(wanted, 0))


def _ends_in_comment(text: str) -> bool:
    """Check whether the last line ends in a comment that took in statements and the missing brace with them."""
    line = text.rstrip().rpartition("\n")[2]
    found = next((one for one in _COMMENT.finditer(line) if one["comment"]), None)
    return found is not None and "}" in found["comment"] and bool(re.search(r"[;\]\"]|->|--", found["comment"]))


def _follows_swallowed(text: str, at: int) -> bool:
    """Check whether a comment that took in statements ends at a place."""
    end = len(text[max(0, at - _WINDOW) : at].rstrip()) + max(0, at - _WINDOW)
    if not text.endswith("*/", 0, end):
        return False
    before = max(0, end - _FAR, text.rfind("*/", 0, end - 2))
    start = text.find("/*", before, end)
    return start >= 0 and bool(looks.SWALLOWED.search(text, start, end))


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


_COMMENT = re.compile(f"{QUOTED}?|(?P<comment>(?://|#).*+)")
_WORD = re.compile(r"[^\W\d]\w*+")
_STATEMENT_SIGN = re.compile(r'[;=\[]|->|--|"[^"]*+"\s*+[^\s"]|\b(?:subgraph|node|edge)\b')
_NAME_THEN_STATEMENT = re.compile(r'[ \t]*+([^\W\d]\w*+|"[^"\n]*+")(?=[ \t]++(?:\w|"|\{))')
_MOST_LOST = 20  # quotes: after each the graph is read again
_PREMATURE = 3  # graphs closed too early, in one file
_CLOSINGS = {"attribute": "]", "=": "]", "value": "]", "{": " {}", "[": " []"}
_GRAPH_WORD = re.compile(r"(?<!\w)(graph)\b[^{}]*+$", re.IGNORECASE)
_SIGNS = frozenset("]),:=+>|/&-") | {"->", "--"}
_REST_OF_PAIR = re.compile(r'(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?|[^\],;\n{}])*+[,;]?')
