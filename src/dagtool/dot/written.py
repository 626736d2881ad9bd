"""A node or edge statement as it is written: where its names, its attributes and its end stand.

Read again from the text when somebody wants to change it; see ``locate`` for why places are not kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dagtool.dot.scan import ATOM, EDGE_OPERATOR, END, KEYWORDS, QUOTED_ATOM, Scanner

__all__ = ["Name", "Pair", "Written", "is_keyword", "read_list", "read_statement"]

_ATOMS = frozenset({ATOM, QUOTED_ATOM})


@dataclass(frozen=True, slots=True)
class Name:
    """An id of a node, quotes included in its place."""

    value: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Pair:
    """``key=value`` in an attribute list."""

    key: str
    value_start: int
    value_stop: int


@dataclass(slots=True)
class Written:
    """One statement, from the operand at which it was looked up to its end.

    ``names`` are those of its nodes, also between braces; ``operands`` counts the sides of its edges; ``plain`` says
    that each side is one node.
    """

    names: list[Name] = field(default_factory=list)
    operands: int = 0
    plain: bool = True
    after: int = 0
    """Where its last operand ends and an attribute list may begin."""
    pairs: list[Pair] = field(default_factory=list)
    lists: int = 0
    room: int = 0
    """Where its last list takes one more attribute: behind those it has."""
    empty: bool = True
    """Whether that list has none."""
    comma: bool = False
    """Whether a separator ends it."""
    commas: bool = False
    """Whether any separator stands in a list."""
    end: int = 0
    """Behind it and its semicolon."""

    def last(self, key: str) -> Pair | None:
        """The value that counts."""
        return next((pair for pair in reversed(self.pairs) if pair.key == key), None)


def read_statement(text: str, offset: int) -> Written:
    """The statement with an operand at ``offset``, of a text that is known to be right."""
    scanner = Scanner(text)
    scanner.seek(offset)
    made = Written()
    _operands(scanner, made)
    made.end = made.after
    while scanner.kind == "[":
        _list(scanner, made)
    if scanner.kind == ";":
        made.end = scanner.end
    return made


def read_list(text: str, bracket: int) -> list[Pair]:
    """The attributes of the list that opens at a bracket."""
    scanner = Scanner(text)
    scanner.seek(bracket)
    made = Written()
    _list(scanner, made)
    return made.pairs


def _operands(scanner: Scanner, made: Written) -> None:
    made.operands = 1
    while True:
        if scanner.kind == "subgraph":
            made.plain = False
            made.after = scanner.end
            scanner.advance()
            if scanner.kind in _ATOMS:
                made.after = _atom(scanner)[1]
        if scanner.kind == "{":
            made.plain = False
            _braces(scanner, made)
        elif scanner.kind in _ATOMS:
            start = scanner.start
            value, made.after = _atom(scanner)
            made.names.append(Name(value, start, made.after))
        while scanner.kind == ":":
            scanner.advance()
            made.after = _atom(scanner)[1]
        if scanner.kind == ",":
            made.plain = False
        elif scanner.kind == EDGE_OPERATOR or scanner.value in ("->", "--"):
            made.operands += 1
        else:
            return
        scanner.advance()


def _braces(scanner: Scanner, made: Written) -> None:
    """The nodes between braces; what is set there, and the names of subgraphs in it, are none."""
    depth = square = 0
    before = ""
    while scanner.kind != END:
        kind = scanner.kind
        if kind in _ATOMS and not square:
            start = scanner.start
            value, stop = _atom(scanner)
            if before not in (":", "=", "subgraph") and scanner.kind != "=":
                made.names.append(Name(value, start, stop))
            before = kind
            continue
        depth += {"{": 1, "}": -1}.get(kind, 0) if not square else 0
        square += {"[": 1, "]": -1}.get(kind, 0)
        before = kind
        made.after = scanner.end
        scanner.advance()
        if not depth:
            return


def _list(scanner: Scanner, made: Written) -> None:
    made.lists += 1
    made.room, made.empty, made.comma = scanner.end, True, False
    scanner.advance()
    while scanner.kind not in ("]", END):
        key, _ = _atom(scanner)
        scanner.advance()  # the equals sign
        start = scanner.start
        _, stop = _atom(scanner)
        made.pairs.append(Pair(key, start, stop))
        made.room, made.empty = stop, False
        made.comma = scanner.kind in (",", ";")
        made.commas |= made.comma
        if made.comma:
            made.room = scanner.end
            scanner.advance()
    made.end = scanner.end
    scanner.advance()


def _atom(scanner: Scanner) -> tuple[str, int]:
    """The value of a name or string, strings joined by ``+`` together, and where it ends."""
    value, stop = str.__str__(scanner.value), scanner.end
    joinable = scanner.kind == QUOTED_ATOM
    scanner.advance()
    while joinable and scanner.kind == "+":
        scanner.advance()
        value += scanner.value
        stop = scanner.end
        scanner.advance()
    return value, stop


def is_keyword(word: str) -> bool:
    """Whether a word has to be quoted to be a name."""
    return word.lower() in KEYWORDS
