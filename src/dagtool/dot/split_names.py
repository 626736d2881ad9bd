"""Names and signs of a text that is DOT, but means another graph than it seems to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.dot.scan import ATOM, END, LETTER, QUOTED_ATOM, WORD, Scanner

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph

__all__ = ["ARROW", "QUOTES", "SPLIT", "Misread", "misread"]

SPLIT, ARROW, QUOTES = "split", "arrow", "quotes"

_NUMBER = re.compile(r"-?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)")
_BESIDE = re.compile(rf"{WORD}|\.")
_BEHIND = re.compile(rf"{LETTER}|[.-][0-9]")
_LINE = re.compile(r"[→⟶⇒⟹➔➜–—―−‐‑‒]++")
_INNER = re.compile(r"[→⟶⇒⟹➔➜]")
_OPENING, _CLOSING = "“”„‟«‘‚", "“”‟»’"
_QUOTED_VALUE = re.compile(rf"=[ \t]*+[{_OPENING}]")


@dataclass(frozen=True, slots=True)
class Misread:
    """Words that Graphviz reads in another way than a reader does, and what would be read as it looks."""

    kind: str
    start: int
    stop: int
    parts: tuple[str, ...]
    """The names that Graphviz reads."""
    meant: str
    """Empty where nobody can know."""


def misread(graph: DotGraph) -> list[Misread]:
    """The misread places of a graph, in the order of its text."""
    if not (_has_split(graph) or _has_sign(graph)):
        return []
    return list(_found(graph))


def _has_split(graph: DotGraph) -> bool:
    """Whether a number that is a node stands right beside another word."""
    text = graph.text
    for name, offset in zip(graph.node_ids, graph.node_offsets, strict=True):
        if name[-1:].isdigit() or name[-1:] == ".":
            stop = offset + len(name)
            if not _NUMBER.fullmatch(name) or not text.startswith(name, offset):
                continue
            if _BESIDE.match(text, offset - 1) or _BEHIND.match(text, stop):
                return True
    return False


def _has_sign(graph: DotGraph) -> bool:
    """Whether a bare name has an arrow, a dash or quotes in it, or a bare value begins with quotes."""
    text = graph.text
    if text.isascii():
        return False
    for name, offset in zip(graph.node_ids, graph.node_offsets, strict=True):
        looks = not name.isascii() and (_is_line(name) or _INNER.search(name) or _is_quoted(name))
        if looks and text.startswith(name, offset):
            return True
    return bool(_QUOTED_VALUE.search(text))


def _found(graph: DotGraph) -> Iterator[Misread]:
    """Read the tokens of the graph again."""
    scanner = Scanner(graph.text)
    scanner.operator = "->" if graph.directed else "--"
    scanner.seek(graph.offset)
    run: list[tuple[int, int]] = []
    before, depth, lists = "", 0, 0
    while scanner.kind != END:
        bare = scanner.kind == ATOM
        if run and (not bare or scanner.start > run[-1][1]):
            yield from _judged(graph, scanner, run, before, in_list=lists > 0)
            before, run = ATOM, []
        if bare:
            run.append((scanner.start, scanner.end))
        else:
            depth += {"{": 1, "}": -1}.get(scanner.kind, 0)
            lists += {"[": 1, "]": -1}.get(scanner.kind, 0)
            before = scanner.kind
            if scanner.kind == "}" and depth == 0:
                return
        scanner.advance()


def _judged(
    graph: DotGraph, scanner: Scanner, run: list[tuple[int, int]], before: str, *, in_list: bool
) -> Iterator[Misread]:
    """What a run of words without blanks is, between the token before it and the one the scanner is at."""
    start, stop = run[0][0], run[-1][1]
    words = graph.text[start:stop]
    if len(run) > 1:
        if not in_list and before != "=" and scanner.kind != "=":
            yield Misread(SPLIT, start, stop, tuple(graph.text[at:end] for at, end in run), f'"{words}"')
        return
    if words.isascii():
        return
    if _is_quoted(words):
        yield Misread(QUOTES, start, stop, (words,), f'"{words[1:-1]}"')
    elif not in_list and _is_line(words):
        alone = before in (ATOM, QUOTED_ATOM) and scanner.kind in (ATOM, QUOTED_ATOM)
        yield Misread(
            ARROW, start, stop, (words,), scanner.operator if alone and _on_a_line(graph, scanner, start) else ""
        )
    elif not in_list and before != "=" and scanner.kind != "=" and (arrow := _INNER.search(words)):
        tail, head = words[: arrow.start()], words[arrow.end() :]
        plain = bool(tail and head) and not _INNER.search(head) and before != ":" and scanner.kind != ":"
        yield Misread(ARROW, start, stop, (words,), f"{tail} {scanner.operator} {head}" if plain else "")


def _on_a_line(graph: DotGraph, scanner: Scanner, start: int) -> bool:
    """Whether words stand before and behind the sign in its line."""
    line = graph.text[graph.text.rfind("\n", 0, start) + 1 : start]
    return bool(line.strip()) and "\n" not in graph.text[start : scanner.start]


def _is_line(words: str) -> bool:
    return bool(_LINE.fullmatch(words))


def _is_quoted(words: str) -> bool:
    return len(words) > 2 and words[0] in _OPENING and words[-1] in _CLOSING
