"""Read what can be read of a text that Graphviz refuses, and say everything that is wrong with it.

The grammar reads a copy of the text; where it stops, the cause is looked for, noted, and mended in the copy with
the smallest change that lets the grammar go on. What the strict reader then makes of the copy is what could be
read. The verdict on the file is not touched: ``recover`` is asked only after ``parse`` has refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from dagtool.dot.builder import Operand
from dagtool.dot.draft import Draft, Edit, OriginalLines
from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.fast import PlainStatements
from dagtool.dot.grammar import HEADERS, Parser
from dagtool.dot.graph import DotGraph
from dagtool.dot.lost_quotes import looks_swallowed
from dagtool.dot.mend import Mender
from dagtool.dot.problems import Problem
from dagtool.dot.prologue import Unreadable, prologue
from dagtool.dot.reader import decode, parse, without_nul
from dagtool.dot.scan import END
from dagtool.dot.values import Html

_WORK = 200_000_000  # code points that all repairs together may copy
_FEWEST, _MOST = 40, 1_000  # repairs
_PASSES = 3


@dataclass(slots=True)
class Recovered:
    """The graphs that could be read, with the positions of the file, and what is wrong with it, worst first."""

    graphs: list[DotGraph]
    problems: list[Problem]


def recover(data: bytes | str) -> Recovered:
    """What is wrong with a text, all of it, and what can be read nevertheless. Raises TooManyEdgesError alone."""
    try:
        text = without_nul(data if isinstance(data, str) else decode(data))
    except DotSyntaxError:  # UTF-16: the error says all there is to say
        return Recovered([], [])
    with suppress(DotSyntaxError):
        if graphs := parse(text, any_length=True):
            return Recovered(graphs, [])
    draft = Draft(text)
    mender = Mender(draft)
    try:
        prologue(mender)
    except Unreadable:
        return Recovered([], mender.problems)
    graphs = []
    limit = max(_FEWEST, min(_MOST, _WORK // (len(text) + 1)))
    for _ in range(_PASSES):
        _Survey(mender, limit).graphs()
        try:
            graphs = parse(draft.text, any_length=True)
            break
        except DotSyntaxError:
            mender.silent = True
    if graphs:
        if any(looks_swallowed(name) for graph in graphs for name in _names(graph)):
            mender.doubt()
        mender.attribute_changes(lost=any(graph.ignored_offset is not None for graph in graphs))
        if _half_is_enough(text, mender.problems):
            mender.doubt()
    for graph in graphs:
        graph.lines = OriginalLines(draft)
    return Recovered(graphs, mender.problems)


def _half_is_enough(text: str, problems: list[Problem]) -> bool:
    """Check whether the safe changes alone make a text valid: it is then read differently than with all of them."""
    sure = sorted(edit for problem in problems if problem.safe for edit in problem.edits)
    if not sure or all(problem.safe for problem in problems if problem.edits):
        return False
    draft = Draft(text)
    draft.edit(sure)
    with suppress(DotSyntaxError):
        return bool(parse(draft.text, any_length=True))
    return False


def _names(graph: DotGraph) -> Iterator[str]:
    """What stands where a name does: those of nodes, subgraphs and ports; which of these were markup is not known."""
    yield from graph.node_ids
    yield from (subgraph.name for subgraph in graph.subgraphs if subgraph.name)
    for attributes in graph.edge_attributes:
        yield from (Html(attributes[end]) for end in ("tailport", "headport") if end in attributes)


class _ReadAgainError(Exception):
    """Something above was changed."""


class _Survey(Parser):
    """The grammar, going on after an error."""

    def __init__(self, mender: Mender, limit: int) -> None:
        super().__init__(mender.draft.text, fast=True)
        self.mender = mender
        self.wanted = ""
        self.pair = 0  # the attribute read last
        self.repairs = limit
        self._plain: PlainStatements | None = None

    def graphs(self) -> list[DotGraph]:
        """Step through the whole text; the graphs themselves are read anew once it is mended."""
        scanner = self.scanner
        scanner.seek(0)
        some = False
        while scanner.kind != END:
            start = scanner.start
            try:
                if scanner.kind in HEADERS or not some:
                    some = True
                    self._graph()
                else:
                    self._after(start)
            except _ReadAgainError:
                self.mender.again = some = False
                self.open.clear()
                scanner.seek(0)
            except DotSyntaxError as error:
                self.open.clear()
                some = False
                if not self._spend() or not self._load(self.mender.header(error, start), start):
                    self.mender.cut(start)
                    return []
        return []

    def _after(self, start: int) -> None:
        """Text after a graph."""
        scanner = self.scanner
        try:
            self._trailing(DotGraph(None, False, False, self.text, self.lines))
            return
        except DotSyntaxError:
            if not self._spend():
                self.mender.cut(start)
                scanner.seek(len(self.text))
                return
        edits, again = self.mender.after_graph(self.closed_at, start)
        self.mender.draft.edit(edits)
        self._reload()
        scanner.seek(0 if again else min(start, len(self.text)))

    def _body(self) -> None:
        scanner = self.scanner
        self._plain = None
        self.mender.new_graph(self.open[-1][1])
        waiting: tuple[list[Operand], int] | None = None  # a statement that went on after a closing brace
        while True:
            start = scanner.start
            try:
                if waiting is not None:
                    chain, kept = waiting
                    del chain[kept:]
                    self._rest(chain)
                    waiting = None
                    continue
                start = self._skip_plain()
                scanner.forget_string()
                if scanner.kind == "}":
                    chain, offset = self.open.pop()
                    self.mender.closed(offset, scanner.start)
                    if not self.open:
                        break
                    scanner.advance()
                    chain.append(Operand(offset, [], self.builder.close()))
                    waiting = chain, len(chain)
                elif scanner.kind in ("graph", "node", "edge"):
                    self._default_statement()
                else:
                    self._statement()
            except DotSyntaxError as error:
                if self._spend():
                    edits = self.mender.statement(
                        error, start, self.wanted, scanner, [at for _, at in self.open], pair=self.pair
                    )
                else:
                    edits = self.mender.give_up(start, len(self.open))
                    waiting = None
                if edits and edits[0][0] < start:
                    waiting = None
                self._load(edits, start)
                if self.mender.again:
                    raise _ReadAgainError from error
        self.closed_at = scanner.start
        scanner.advance()

    def _skip_plain(self) -> int:
        """Read over plain statements."""
        scanner = self.scanner
        if self.fast and scanner.kind not in ("}", END):
            if self._plain is None:
                self._plain = PlainStatements(self.text, self.builder)
            scanner.seek(self._plain.read(scanner.start))
        return scanner.start

    def _spend(self) -> bool:
        self.repairs -= 1
        return self.repairs >= 0

    def _load(self, edits: list[Edit], start: int) -> bool:
        """Change the text and read on from the first change, or from ``start``."""
        if not edits:
            return False
        self.mender.draft.edit(edits)
        self._reload()
        self.scanner.seek(min(start, edits[0][0]))
        return True

    def _reload(self) -> None:
        self.text = self.scanner.text = self.mender.draft.text
        self.scanner.unclosed = ""
        self._plain = None

    def _default_statement(self) -> None:
        scanner = self.scanner
        if scanner.text[scanner.start : scanner.end] in self.mender.names:
            self._fail("a node's name")
        super()._default_statement()

    def _atom(self, wanted: str = "name") -> str:
        if wanted == "attribute":
            self.pair = self.scanner.start
        return super()._atom(wanted)

    def _fail(self, wanted: str) -> NoReturn:
        self.wanted = wanted
        self.scanner.line_marks.clear()
        super()._fail(wanted)
