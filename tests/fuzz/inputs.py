"""Texts to try a DOT reader with: random bytes, generated DOT, damaged files. The same for the same seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["KINDS", "make", "samples"]

LONGEST = 6000
"""Bytes of a file that are damaged: a window of larger ones, so that a hundred thousand inputs take minutes."""

_TOKEN = re.compile(rb'"(?:\\.|[^"\\])*"|<[^<>]*>|->|--|[\w.]+|//[^\n]*|/\*.*?\*/|\s+|.', re.DOTALL)
_STRING = re.compile(rb'"[^"\\\n]*"')
_NASTY = (
    b'"', b"\\", b"<", b">", b"{", b"}", b"[", b"]", b"=", b";", b",", b":", b"+", b"->", b"--", b"/*", b"*/", b"//",
    b"#", b"\n", b"\r", b"\r\n", b"\0", b"\t", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"\\\n", b'\\"', b"<!--", b"-->",
    b"&amp;", b"1.", b".5", b"-.", b"1e5", b"0x1", b"node", b"edge", b"graph", b"digraph", b"subgraph", b"strict",
    b"STRICT", b"@", b"'", b"`", b"|", b"%s", b"\x1a", b"\x0b", b"\x0c", b"\xc2\xa0", b"key=1", b"#line 5", b"\n#",
)  # fmt: skip
_IDS = (b"a", b"b", b"c1", b'"d e"', b"<f>", b"-1.5", b"_g", b'"h" + "i"', b"\xc3\xa9", b'""', b'"\\n"', b"n0de")
_KEYS = (b"label", b"shape", b"x", b"gpu", b"input", b"style", b'"k l"')
_VALUES = (b"v", b'"Linear\\nGPU: 0\\nInput: [a=1, 2]"', b"<<b>x</b>>", b"1", b'""', b"box", b'"[B, S] @m"', b"dashed")


def samples(folders: Sequence[Path]) -> list[bytes]:
    """The DOT files of some folders and everything below them, in the order of their names."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".dot", ".gv")]
    return [path.read_bytes() for path in paths]


def make(seed: int, number: int, files: Sequence[bytes]) -> tuple[str, bytes]:
    """The kind of input ``number``, and its bytes."""
    dice = random.Random(f"{seed} {number}")
    kind = dice.choice(tuple(KINDS))
    return kind, KINDS[kind](dice, files)


def _noise(dice: random.Random, _: Sequence[bytes]) -> bytes:
    """Bytes of any kind, or pieces that mean something, with or without a header."""
    length = dice.choice((0, 1, 3, 10, 40, 200))
    if dice.random() < 0.3:
        inner = dice.randbytes(length)
    else:
        inner = b" ".join(dice.choice((*_NASTY, *_IDS)) for _ in range(length))
    head, tail = dice.choice(((b"", b""), (b"digraph {", b"}"), (b"graph G {", b"}"), (b"strict digraph {\n", b"")))
    return head + inner + tail


def _grammar(dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A text that follows the grammar, more or less oddly spaced."""
    operator = dice.choice((b"->", b"--"))
    head = (b"strict " if dice.random() < 0.2 else b"") + (b"digraph" if operator == b"->" else b"graph")
    if dice.random() < 0.03:
        operator = b"->" if operator == b"--" else b"--"
    name = dice.choice((b"", b" G", b' "a b"'))
    return head + name + b" {" + _statements(dice, operator, 3) + b"}" + dice.choice((b"", b"\n", b"\n// end"))


def _statements(dice: random.Random, operator: bytes, depth: int) -> bytes:
    return b"".join(
        _statement(dice, operator, depth) + dice.choice((b";", b"\n", b" ", b" ;\n")) for _ in range(dice.randrange(6))
    )


def _statement(dice: random.Random, operator: bytes, depth: int) -> bytes:
    kind = dice.randrange(8)
    if kind == 0:
        return dice.choice((b"node", b"edge", b"graph", b"Node")) + _attributes(dice)
    if kind == 1:
        return dice.choice(_KEYS) + b"=" + dice.choice(_VALUES)
    ends = [_end(dice, operator, depth) for _ in range(1 if kind < 4 else dice.randrange(2, 4))]
    return (b" " + operator + b" ").join(ends) + (_attributes(dice) if dice.random() < 0.5 else b"")


def _end(dice: random.Random, operator: bytes, depth: int) -> bytes:
    if depth and dice.random() < 0.15:
        head = dice.choice((b"", b"subgraph ", b"subgraph cluster_1 ", b"Subgraph <s> "))
        return head + b"{" + _statements(dice, operator, depth - 1) + b"}"
    port = dice.choice((b"", b"", b"", b":p", b":ne", b':"p q":s'))
    return dice.choice(_IDS) + port + (b", " + dice.choice(_IDS) if dice.random() < 0.05 else b"")


def _attributes(dice: random.Random) -> bytes:
    pairs = [
        dice.choice(_KEYS) + dice.choice((b"=", b" = ")) + dice.choice(_VALUES) + dice.choice((b"", b",", b";"))
        for _ in range(dice.randrange(4))
    ]
    return b" [" + b" ".join(pairs) + b"]"


def _window(dice: random.Random, files: Sequence[bytes]) -> bytes:
    """A file, or a piece of a large one that keeps its head and its last brace."""
    data = dice.choice(files)
    if len(data) <= LONGEST:
        return data
    start = dice.randrange(len(data))
    lines = data[start : start + LONGEST].split(b"\n")[1:-1]
    return data[: data.find(b"{") + 1] + b"\n" + b"\n".join(lines) + b"\n}\n"


def _flipped(dice: random.Random, files: Sequence[bytes]) -> bytes:
    data = bytearray(_window(dice, files))
    for _ in range(dice.choice((1, 1, 2, 8))):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def _inserted(dice: random.Random, files: Sequence[bytes]) -> bytes:
    data = _window(dice, files)
    for _ in range(dice.choice((1, 1, 2, 4))):
        place = dice.randrange(len(data) + 1)
        data = data[:place] + dice.choice(_NASTY) + data[place + dice.choice((0, 0, 1, 5)) :]
    return data


def _cut(dice: random.Random, files: Sequence[bytes]) -> bytes:
    data = _window(dice, files)
    first, second = sorted(dice.randrange(len(data) + 1) for _ in range(2))
    return dice.choice((data[:first], data[first:], data[:first] + data[second:]))


def _spliced(dice: random.Random, files: Sequence[bytes]) -> bytes:
    one, other = _window(dice, files), _window(dice, files)
    return one[: dice.randrange(len(one) + 1)] + other[dice.randrange(len(other) + 1) :]


def _swapped(dice: random.Random, files: Sequence[bytes]) -> bytes:
    """Tokens exchanged, doubled or left out."""
    tokens = _TOKEN.findall(_window(dice, files))
    for _ in range(dice.choice((1, 1, 2, 6)) if tokens else 0):
        one, other = dice.randrange(len(tokens)), dice.randrange(len(tokens))
        how = dice.randrange(3)
        if how == 0:
            tokens[one], tokens[other] = tokens[other], tokens[one]
        else:
            tokens[one] = tokens[one] * 2 if how == 1 else b""
    return b"".join(tokens)


def _declared(dice: random.Random, files: Sequence[bytes]) -> bytes:
    """A file of our dialect with changes inside its strings, where types, meshes and numbers are written."""
    ours = [data for data in files if b"dagtool=" in data]
    data = _window(dice, ours or files)
    strings = [match for match in _STRING.finditer(data) if match.end() - match.start() > 2]
    for match in dice.sample(strings, min(len(strings), dice.choice((1, 1, 2, 3)))):
        place = dice.randrange(match.start() + 1, match.end() - 1)
        if place >= len(data):
            continue
        piece = dice.choice(
            (b"", data[place : place + 1] * 2, b" ", b"0", b"-1", b"=", b",", b"@", b"9" * 30, b"[", b"x")
        )
        data = data[:place] + piece + data[place + dice.choice((0, 1, 1, 4)) :]
    return data


KINDS: dict[str, Callable[[random.Random, Sequence[bytes]], bytes]] = {
    function.__name__.strip("_"): function
    for function in (_noise, _grammar, _flipped, _inserted, _cut, _spliced, _swapped, _declared)
}
