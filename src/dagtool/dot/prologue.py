"""What stands before the first graph of a refused text: a stray quote, a program, or no header at all."""

from __future__ import annotations

import re

from dagtool.dot import looks
from dagtool.dot.grammar import HEADERS
from dagtool.dot.mend import Mender
from dagtool.dot.problems import LITERAL_NEWLINE, LOST_HEADER, NOT_DOT, STRAY_TOKEN
from dagtool.dot.scan import END, KEYWORDS, Scanner
from dagtool.errors import alike

_WRITTEN_BY_LINE = re.compile(r"""[^\n]*?(?:\\n)?["'][ \t]*+[),;+]""")
_HEAD = re.compile(r'([^\s{}\[\]"=;,]++)(?:[ \t]++(?:"[^"\n]*+"|\w++))?[ \t]*+\{')
_HEADER_WORDS = ("digraph", "graph")
_LIKE = 0.7
"""The least likeness, from 0 to 1, between a misspelt word and the right one."""
_ESCAPED_HEADER = re.compile(r"\\n[ \t]*+(?:strict\s++)?(?:di)?graph\b", re.IGNORECASE)


class Unreadable(Exception):  # noqa: N818 - no fault of the program
    """There is no graph in the text."""


def prologue(mender: Mender) -> None:
    """Make the draft begin with a graph. Raises Unreadable where there is nothing like one."""
    draft = mender.draft
    text = draft.text
    if other := looks.other_notation(text):
        _other_notation(mender, *other)
    scanner = Scanner(text)
    scanner.seek(0)
    if scanner.kind in HEADERS:
        return
    if scanner.kind == END and not scanner.unclosed and not scanner.value:
        _only_comments(mender)
        return
    start = scanner.start
    found = looks.HEADER_LINE.search(text) or looks.HEADER.search(text)
    if found:
        _before_header(mender, start, found.start("header"), found.end())
        return
    statements = _count(looks.STATEMENT, text)
    codes = _count(looks.CODE, text)
    bare = scanner.kind == "{" and ("->" in text or "--" in text)
    if not (statements or bare) or codes > statements:
        what = looks.language(text) if codes else "no DOT text"
        message = f"the file is {what}: it has no 'digraph name {{' line"
        hint = "run the program and check what it writes" if codes else "a DOT file begins with: digraph name {"
        mender.report(NOT_DOT, start, message, hint)
        raise Unreadable
    arrows = "->" in text or "--" not in text
    kind = "digraph" if arrows else "graph"
    word = _HEAD.match(text, start)
    head = word is not None and word[1].lower() not in KEYWORDS
    near = alike(word[1].lower(), _HEADER_WORDS, _LIKE) if word and head else []
    if word and near:
        kind = near[0][1] if "--" in text else kind
        message = f"{word[1][:40]!r} is no word that a graph begins with"
        mender.report(LOST_HEADER, start, message, f"write {kind}", width=len(word[1]), sure=False)
        draft.edit([(*word.span(1), kind)])
        return
    mender.report(
        LOST_HEADER,
        start,
        f"the header is missing: the file begins with a statement, not with '{kind} name {{'",
        "something cut off or overwrote the beginning: write the file again, or put the header back",
        width=len(text[start:].split("\n", 1)[0].rstrip()),
        sure=not head,
    )
    mender.header_added = True
    line = text.rfind("\n", 0, start) + 1
    draft.edit([(start, start, f"{kind} ") if scanner.kind == "{" else (line, line, f"{kind} {{\n")])


def _other_notation(mender: Mender, name: str, start: int) -> None:
    """The text of another program that draws graphs. Raises Unreadable: whatever could be read of it would be wrong."""
    words = mender.draft.text[start:].split("\n", 1)[0].rstrip()
    mender.report(
        NOT_DOT,
        start,
        f"the file is written for {name}, not for Graphviz",
        f"draw it with {name}, or write it as DOT: digraph name {{ a -> b; }}",
        width=len(words),
    )
    raise Unreadable


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in zip(range(1000), pattern.finditer(text), strict=False))


def _only_comments(mender: Mender) -> None:
    """Nothing to read, unless the newline that ends the first comment was escaped."""
    text = mender.draft.text
    found = _ESCAPED_HEADER.search(text)
    if not found:
        raise Unreadable
    at = found.start()
    mender.report(LITERAL_NEWLINE, at, *mender.ESCAPED, width=2)
    mender.draft.edit([(at, at + 2, "\n")])


def _before_header(mender: Mender, start: int, header: int, brace: int) -> None:
    """The words before the first header go."""
    text = mender.draft.text
    junk = text[start:header]
    seen = junk.strip()
    if start >= header:  # the scanner took the beginning of the header for the inside of a string
        return
    if seen in ('"', "'", "'\"", '"""', "'''", "`"):
        mender.report(
            STRAY_TOKEN,
            start,
            f"a stray {seen} stands before the graph",
            "remove it, and its partner at the end if any",
        )
    elif seen in ("\ufeff", "\xef\xbb\xbf"):
        mender.report(STRAY_TOKEN, start, "a byte-order mark is stuck to the first word", "save the file without one")
    elif "```" in junk:
        mender.report(
            NOT_DOT, start, "the graph stands in Markdown text", "keep only what is between the ``` fences", width=3
        )
    elif looks.CODE.search(junk) or text.rfind("\n", 0, header) < text.rfind("=", 0, header):
        mender.report(
            NOT_DOT,
            start,
            f"the file begins with {looks.language(junk)}, not with a graph",
            "this is the program that writes the graph, or a piece of it: run it and check what it writes",
            width=len(seen.split("\n", 1)[0]),
        )
        if _WRITTEN_BY_LINE.match(text, brace):
            raise Unreadable
    else:
        mender.report(
            NOT_DOT,
            start,
            "other text stands before the graph",
            "remove everything before 'digraph'",
            width=len(seen.split("\n", 1)[0]),
        )
    mender.draft.edit([(start, header, "")])
