"""Find where a statement sets an attribute by reading the statement again.

Keeping the place of every attribute would double the memory of a large graph; a reader who wants one place
gets it for the price of one statement.
"""

from __future__ import annotations

from dagtool.dot.scan import ATOM, EDGE_OPERATOR, END, QUOTED_ATOM, Scanner

_ATOMS = frozenset({ATOM, QUOTED_ATOM})


def attribute_offset(text: str, statement: int, key: str) -> int | None:
    """Offset of the last ``key`` in the attribute lists of the node or edge statement that starts there."""
    scanner = Scanner(text)
    scanner.seek(statement)
    _skip_operands(scanner)
    found = None
    while scanner.kind == "[":
        scanner.advance()
        while scanner.kind not in ("]", END):
            start = scanner.start
            if _take_atom(scanner) == key:
                found = start
            scanner.advance()  # the equals sign
            _take_atom(scanner)
            if scanner.kind in (",", ";"):
                scanner.advance()
        scanner.advance()
    return found


def statement_end(text: str, statement: int) -> int:
    """Offset of the bracket that closes the statement's last attribute list; of the statement if it has none."""
    scanner = Scanner(text)
    scanner.seek(statement)
    _skip_operands(scanner)
    end = statement
    while scanner.kind == "[":
        while scanner.kind not in ("]", END):
            scanner.advance()
        end = scanner.start
        scanner.advance()
    return end


def _skip_operands(scanner: Scanner) -> None:
    """Stop after the nodes, ports and subgraphs of the statement, where its attribute lists would begin."""
    while True:
        if scanner.kind == "subgraph":
            scanner.advance()
            if scanner.kind in _ATOMS:
                _take_atom(scanner)
        if scanner.kind == "{":
            _skip_braces(scanner)
        else:
            _take_atom(scanner)
        # Either edge operator will do: the text is known to be right.
        if scanner.kind not in (",", ":", EDGE_OPERATOR) and scanner.value not in ("->", "--"):
            return
        scanner.advance()


def _skip_braces(scanner: Scanner) -> None:
    depth = 0
    while scanner.kind != END:
        depth += {"{": 1, "}": -1}.get(scanner.kind, 0)
        scanner.advance()
        if not depth:
            return


def _take_atom(scanner: Scanner) -> str:
    value = str.__str__(scanner.value)
    quoted = scanner.kind == QUOTED_ATOM
    scanner.advance()
    while quoted and scanner.kind == "+":
        scanner.advance()
        value += scanner.value
        scanner.advance()
    return value
