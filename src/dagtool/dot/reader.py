"""The entry point: bytes or text in, graphs out."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.grammar import Parser
from dagtool.dot.graph import DotGraph

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse(data: bytes | str, *, fast: bool = True, any_length: bool = False) -> list[DotGraph]:
    """Read every graph of a DOT file.

    Accepts what Graphviz accepts, with the same nodes and edges. A file with no graph in it (empty, or only
    comments) is no error to Graphviz: it gives an empty list. ``fast=False`` reads every statement with the
    full grammar, with the same result; ``any_length=True`` reads tokens that are too long for Graphviz.

    Raises
    ------
    DotSyntaxError
        If Graphviz would reject any part of the file.
    TooManyEdgesError
        If groups as edge ends stand for more edges than are read from groups.
    """
    text = data if isinstance(data, str) else decode(data)
    # A text of n code points is one of n bytes in Latin-1 alone, or where it is ASCII, which is the same.
    encoding = "latin-1" if len(data) == len(text) and isinstance(data, bytes) else "utf-8"
    with _collector_paused():
        return Parser(without_nul(text), fast=fast, encoding="" if any_length else encoding).graphs()


def decode(data: bytes) -> str:
    """Text of a DOT file: UTF-8, or Latin-1 if it is not that.

    Graphviz works on bytes and takes each one above 127 for a letter, so that either reading splits into the
    same tokens.
    """
    if data.startswith(_UTF16_MARKS):
        raise DotSyntaxError("the file is UTF-16", line=1, column=1, hint="save it as UTF-8, which Graphviz expects")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def without_nul(text: str) -> str:
    """What is left of a text with NULs: Graphviz reads it line by line as C strings.

    A NUL ends its line, and the newline is lost with the rest; a line that begins with one ends the file.
    """
    if "\0" not in text:
        return text
    end = re.search("^\0", text, re.MULTILINE)
    return re.sub("\0[^\n]*\n?", "", text[: end.start()] if end else text)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A graph is built of millions of objects and no cycles: collecting garbage meanwhile only costs time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
