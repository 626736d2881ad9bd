"""The grammar of DOT: from tokens to the builder's calls, without recursion however deep the braces nest."""

from __future__ import annotations

from typing import NoReturn

from dagtool.dot.builder import Attributes, Builder, End, Operand
from dagtool.dot.fast import PlainStatements
from dagtool.dot.graph import DotGraph
from dagtool.dot.hints import syntax_error
from dagtool.dot.position import LineTable
from dagtool.dot.scan import ATOM, EDGE_OPERATOR, END, QUOTED_ATOM, Scanner

_ATOMS = frozenset({ATOM, QUOTED_ATOM})
HEADERS = frozenset({"strict", "graph", "digraph"})


class Parser:
    """Reads all graphs of one text."""

    def __init__(self, text: str, *, fast: bool, encoding: str = "") -> None:
        self.text = text
        self.fast = fast and PlainStatements.suits(text)
        self.scanner = Scanner(text, encoding)
        self.lines = LineTable(text)
        self.builder: Builder
        # The statements that wait for a closing brace, innermost last: operands so far, and start.
        self.open: list[tuple[list[Operand], int]] = []
        self.closed_at = 0

    def graphs(self) -> list[DotGraph]:
        """Every graph up to the end of the file."""
        scanner = self.scanner
        scanner.seek(0)
        graphs: list[DotGraph] = []
        while scanner.kind != END:
            if scanner.kind in HEADERS or not graphs:
                graphs.append(self._graph())
            else:
                self._trailing(graphs[-1])
        return graphs

    def _graph(self) -> DotGraph:
        scanner = self.scanner
        start = scanner.start
        strict = scanner.kind == "strict"
        if strict:
            scanner.advance()
        if scanner.kind not in ("graph", "digraph"):
            self._fail("header")
        directed = scanner.kind == "digraph"
        scanner.operator = "->" if directed else "--"
        scanner.advance()
        name = self._atom() if scanner.kind in _ATOMS else None
        graph = DotGraph(name, directed, strict, self.text, self.lines, start)
        self.builder = Builder(graph)
        self._open_brace([], scanner.start)
        self._body()
        return graph

    def _trailing(self, graph: DotGraph) -> None:
        """Text after a graph: Graphviz drops the rest of the line, and wants another graph after that."""
        scanner = self.scanner
        closed = self.closed_at
        line_end = self.text.find("\n", closed)
        if -1 < line_end < scanner.start:
            self._fail("after graph")
        if graph.ignored_offset is None:
            graph.ignored_offset = scanner.start
        scanner.seek(len(self.text) if line_end < 0 else line_end)

    def _body(self) -> None:
        """Statements until the brace that closes the graph."""
        scanner = self.scanner
        plain = PlainStatements(self.text, self.builder) if self.fast else None
        while True:
            if plain is not None:
                scanner.seek(plain.read(scanner.start))
            scanner.forget_string()
            if scanner.kind == "}":
                chain, offset = self.open.pop()
                if not self.open:
                    break
                self._close_brace(chain, offset)
            elif scanner.kind in ("graph", "node", "edge"):
                self._default_statement()
            else:
                self._statement()
        self.closed_at = scanner.start
        scanner.advance()

    def _open_brace(self, chain: list[Operand], offset: int) -> None:
        if self.scanner.kind != "{":
            self._fail("{")
        self.open.append((chain, offset))
        self.scanner.advance()

    def _close_brace(self, chain: list[Operand], offset: int) -> None:
        """The end of a subgraph: back to the statement it is a part of."""
        self.scanner.advance()
        chain.append(Operand(offset, [], self.builder.close()))
        self._rest(chain)

    def _default_statement(self) -> None:
        """``node [...]``, ``edge [...]`` or ``graph [...]``."""
        scanner = self.scanner
        kind = scanner.kind
        scanner.advance()
        if scanner.kind in _ATOMS:  # ``node name = [...]``: a macro, which Graphviz reads and ignores
            self._atom()
            self._expect("=")
        if scanner.kind != "[":
            self._fail("[")
        self.builder.set_defaults(kind, self._attribute_lists())
        self._semicolon()

    def _statement(self) -> None:
        """A node, edge or subgraph statement, or ``name = value`` for the graph around it."""
        scanner = self.scanner
        chain: list[Operand] = []
        if scanner.kind not in _ATOMS:
            if self._operand(chain):
                self._rest(chain)
            return
        start = scanner.start
        name = self._atom()
        if scanner.kind == "=":
            scanner.advance()
            self.builder.set_defaults("graph", {_plain(name): self._atom()})
            self._semicolon()
        else:
            chain.append(self._node_list(name, start))
            self._rest(chain)

    def _rest(self, chain: list[Operand]) -> None:
        """What follows the first operand of a statement."""
        scanner = self.scanner
        while scanner.kind == EDGE_OPERATOR:
            scanner.advance()
            if not self._operand(chain):
                return
        values = self._attribute_lists()
        if len(chain) > 1:
            self.builder.connect(chain, values)
        else:
            for end in chain[0].ends:
                self.builder.declare(end.node, end.offset, values)
        self._semicolon()

    def _operand(self, chain: list[Operand]) -> bool:
        """Add a node list to the chain; or open a subgraph, which adds itself when it closes: then False."""
        scanner = self.scanner
        start = scanner.start
        if scanner.kind in _ATOMS:
            chain.append(self._node_list(self._atom(), start))
            return True
        name = None
        if scanner.kind == "subgraph":
            scanner.advance()
            if scanner.kind in _ATOMS:
                name = self._atom()
        elif scanner.kind != "{":
            self._fail("statement" if not chain else "edge end")
        self._open_brace(chain, start)
        self.builder.open(name, start)
        return False

    def _node_list(self, name: str, start: int) -> Operand:
        """``a``, ``a:port``, ``a:port:compass`` or several of them between commas."""
        scanner = self.scanner
        first = start
        ends = []
        while True:
            ports: list[str] = []
            while scanner.kind == ":" and len(ports) < 2:
                scanner.advance()
                ports.append(self._atom())
            ends.append(End(self.builder.node(name, start), ":".join(ports) if ports else None, start))
            if scanner.kind != ",":
                return Operand(first, ends)
            scanner.advance()
            start = scanner.start
            name = self._atom()

    def _attribute_lists(self) -> Attributes:
        """Any number of ``[key=value, ...]``, the later values first served."""
        scanner = self.scanner
        values: Attributes = {}
        while scanner.kind == "[":
            scanner.advance()
            while scanner.kind != "]":
                key = _plain(self._atom("attribute"))
                self._expect("=")
                values[key] = self._atom("value")
                if scanner.kind in (",", ";"):
                    scanner.advance()
            scanner.advance()
        return values

    def _atom(self, wanted: str = "name") -> str:
        """A name, number or string; quoted strings may be joined by plus signs."""
        scanner = self.scanner
        if scanner.kind not in _ATOMS:
            self._fail(wanted)
        value = scanner.value
        quoted = scanner.kind == QUOTED_ATOM
        scanner.advance()
        if quoted and scanner.kind == "+":
            parts = [value]
            while scanner.kind == "+":
                scanner.advance()
                if scanner.kind != QUOTED_ATOM:
                    self._fail("string")
                parts.append(scanner.value)
                scanner.advance()
            return "".join(parts)
        return value

    def _expect(self, kind: str) -> None:
        if self.scanner.kind != kind:
            self._fail(kind)
        self.scanner.advance()

    def _semicolon(self) -> None:
        if self.scanner.kind == ";":
            self.scanner.advance()

    def _fail(self, wanted: str) -> NoReturn:
        raise syntax_error(self.scanner, wanted, [start for _, start in self.open])


def _plain(name: str) -> str:
    """An attribute's name: Graphviz takes ``<x>`` and ``x`` for the same."""
    return str.__str__(name)
