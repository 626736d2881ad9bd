"""The tokens of one statement, for who looks back at what was read."""

from __future__ import annotations

from typing import NamedTuple

from dagtool.dot.scan import END, Scanner

__all__ = ["Token", "tokens_of"]


class Token(NamedTuple):
    """A token and its place."""

    kind: str
    start: int
    stop: int


def tokens_of(text: str, start: int, stop: int | None = None) -> list[Token]:
    """The tokens from one offset up to another, or up to the end."""
    scanner = Scanner(text)
    scanner.seek(start)
    found: list[Token] = []
    end = len(text) if stop is None else stop
    while scanner.kind != END and scanner.start < end:
        found.append(Token(scanner.kind, scanner.start, scanner.end))
        scanner.advance()
    return found
