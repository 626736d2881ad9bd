"""What may be wrong in one statement, each with the change that keeps what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.dot import looks
from dagtool.dot.draft import Edit
from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.dot.hints import unquoted_list
from dagtool.dot.problems import LITERAL_NEWLINE, NOT_DOT, STRAY_TOKEN, UNBALANCED_BRACE, UNQUOTED_LIST
from dagtool.dot.scan import EDGE_OPERATOR, KEYWORDS, QUOTED, Scanner
from dagtool.dot.tokens import tokens_of

if TYPE_CHECKING:
    from dagtool.dot.mend import Mender

__all__ = ["REMEDIES", "Case", "arrow", "hash_value", "swallowing_markup"]

_WINDOW = 200
_NEAR = 2_000
_FEW_LINES = 2  # of a file whose line breaks are all escaped
_FAR = 10_000  # code points in which the beginning of a statement is looked at again
_ESCAPED_PIECE = re.compile(rf"{QUOTED}?|(?P<comment>//(?:(?!\\n)[^\n])*+)|(?P<newline>\\[nrt])", re.DOTALL)
_SEMICOLON = re.compile(r"[ \t]*+;")
_HTML_END = re.compile(r">(?=[ \t]*+(?:[\],;]|\w++[ \t]*+=))")
_OPERAND = r'(?:"[^"\n]*+"|(?<![\w.])[\w.]++)'
_OPERAND_BEFORE = re.compile(rf"{_OPERAND}[ \t]*+\Z")
_OPERAND_AFTER = re.compile(rf"[ \t]*+({_OPERAND})")
_RUN_BEFORE = re.compile(r"""[^\s\[\]{};,="<>:]++\Z""")
_RUN_AFTER = re.compile(r"""(?:(?!->|--)[^\s\[\]{};,="<>:])++""")
_COLONS_BEFORE = re.compile(r"""[^\s\[\]{};,="<>]++\Z""")
_COLONS_AFTER = re.compile(r"""(?:(?!->|--)[^\s\[\]{};,="<>])++""")
_BRACKETED = re.compile(r"""\[[^\[\]"\n]*+\][^\s\[\]{};,="<>]*+""")
_WORD_BEFORE = re.compile(r"(?<!\w)(\w++)\s*+$")
_OPERATOR_BEFORE = re.compile(r"(->|--)\s*+$")


@dataclass(frozen=True, slots=True)
class Case:
    """An error in a statement."""

    at: int
    near: str
    start: int
    wanted: str
    scanner: Scanner
    text: str
    pair: int
    """Where the attribute begins, if the error is in one."""
    braces: int
    """How many braces are open."""

    @property
    def line(self) -> tuple[int, int]:
        """Where the line of the error begins and ends; of a very long one only what is near."""
        first, last = max(0, self.at - _NEAR), min(len(self.text), self.at + _NEAR)
        start, stop = self.text.rfind("\n", first, self.at), self.text.find("\n", self.at, last)
        return first if start < 0 else start + 1, last if stop < 0 else stop

    @property
    def in_list(self) -> bool:
        """Whether the error is between square brackets."""
        return self.wanted in ("attribute", "value", "=") and "[" in self.text[self.start : self.at]


def _escaped(mender: Mender, case: Case) -> list[Edit]:
    r"""``\n`` and ``\"`` outside strings."""
    text, at = case.text, case.at
    if case.near != "\\":
        return []
    word = _ESCAPE_IN_WORD.search(text, max(case.pair, at - _WINDOW), case.line[1]) if case.in_list else None
    if word and word.start(1) <= at < word.end(1):
        return _quoted(mender, case, *word.span(1), escapes=True)
    if quotes := _ESCAPED_QUOTE.match(text, at):
        mender.report(
            LITERAL_NEWLINE,
            at,
            f"quotes are written as {quotes[0]} outside strings",
            mender.ESCAPED[1],
            width=len(quotes[0]),
            kind='"',
        )
        return [(*found.span(), '"') for found in _ESCAPED_QUOTE.finditer(text, at)]
    if text[at + 1 : at + 2] not in ("n", "r", "t"):
        return []
    inside = bool(re.match(r"\w", text[at - 1]) and re.match(r"\w", text[at + 2 : at + 3]))
    few = mender.draft.original.count("\n") <= _FEW_LINES
    mender.report(LITERAL_NEWLINE, at, *mender.ESCAPED, width=2, sure=few or not inside)
    stop = text.find("\n", at)
    # The strings of such a line may themselves hold newlines: go on to the end of the last that begins in it.
    stop = len(text) if stop < 0 else stop
    edits: list[Edit] = []
    for found in _ESCAPED_PIECE.finditer(text, at):
        if found.start() >= stop:
            break
        if found.lastgroup == "newline":
            edits.append((*found.span(), "\n" if found[0] == r"\n" else " "))
    return edits


_ESCAPED_QUOTE = re.compile(r'(?<!\\)\\++"')
_ESCAPE_IN_WORD = re.compile(r"=[ \t]*+((?:\w++\\[nlr](?=\w))++\w++)(?=[ \t]*+[\],;\n]|[ \t]++\w++[ \t]*+=)")


def _swallowed(mender: Mender, case: Case) -> list[Edit]:
    return mender.swallowed(case.start, case.scanner.end)


def _code(mender: Mender, case: Case) -> list[Edit]:
    """A line of the program that writes the graph."""
    text = case.text
    for offset in (case.start, case.at):
        line = text.rfind("\n", 0, offset) + 1
        stop = text.find("\n", offset)
        stop = len(text) if stop < 0 else stop
        words = text[line:stop]
        if not looks.CODE.match(words):
            continue
        place = line + len(words) - len(words.lstrip())
        mender.report(
            NOT_DOT,
            place,
            f"{looks.language(words)} stands in the graph",
            "a piece of the program that writes the graph was not run but copied: write the file again",
            width=len(words.strip()),
            kind="inside",
        )
        begin = max(case.start, line) if text[case.start : line].strip() else place
        brace = "{" if words.rstrip().endswith("{") else ""
        return [(begin, stop, brace or " ")] if (begin, brace) != (stop, "") else []
    return []


def _list(mender: Mender, case: Case) -> list[Edit]:
    """``style=rounded,filled`` without quotes."""
    found = unquoted_list(case.scanner, case.wanted, case.near)
    if found is None:
        return []
    key, value, start, stop = found
    if case.text[stop : stop + 1].strip(" \t\r\n],;}"):  # the last word goes on with a sign
        return []
    if "\n" in case.text[start:stop]:  # the next statement
        return []
    place = case.text.rfind(key, 0, start)
    mender.report(
        UNQUOTED_LIST,
        place,
        f"the value of {key} has a comma and no quotes",
        f'write {key}="{value}"',
        width=stop - place,
        sure=key in _LISTS and not any(_begins_attribute(word) for word in value.split(",")[1:]),
    )
    return [(start, stop, f'"{value}"')]


_LABELS = ("label", "xlabel", "headlabel", "taillabel", "tooltip", "comment")
_LISTS = (*_LABELS, "style", "size", "pos", "class", "color", "fillcolor", "ratio", "layers", "pad", "page", "viewport")


def _begins_attribute(word: str) -> bool:
    """Whether the equals sign may be missing in a word: ``stylefilled``."""
    word = word.strip()
    return any(word.startswith(name) for name in _ASSIGNED)


_ASSIGNED = ("label", "xlabel", "style", "color", "fillcolor", "fontcolor", "fontsize", "fontname", "shape", "penwidth",
             "width", "height", "weight", "rank")  # fmt: skip


def _operator(mender: Mender, case: Case) -> list[Edit]:
    """``--`` in a digraph, ``->`` in a graph."""
    if case.near not in ("->", "--") or case.scanner.kind == EDGE_OPERATOR or case.in_list:
        return []
    if case.text.startswith(">", case.at + 2):  # -->
        return []
    right = case.scanner.operator
    kind = "digraph" if right == "->" else "graph"
    header = mender.graph_word() if kind == "graph" and not _has_undirected_edge(case.text) else -1
    mender.report(
        STRAY_TOKEN,
        case.at,
        f"{case.near!r} in a {kind}",
        "begin with 'digraph': all edges of the file are directed"
        if header >= 0
        else f"the edges of a {kind} are written with {right!r}",
        width=2,
        kind=case.near,
        sure=False,
    )
    if header >= 0:
        mender.again = True
        return [(header, header + len("graph"), "digraph")]
    tail = (
        _OPERAND_BEFORE.search(case.text[max(0, case.at - _WINDOW) : case.at]) if case.wanted == "statement" else None
    )
    if tail:  # it was read as a statement of its own
        return [(case.at - len(tail[0]), case.at + 2, tail[0] + right)]
    return [(case.at, case.at + 2, right)]


def _has_undirected_edge(text: str) -> bool:
    return any(found["here"] for found in _UNDIRECTED_EDGE.finditer(text))


_UNDIRECTED_EDGE = re.compile(rf"{QUOTED}?|//[^\n]*+|(?P<here>(?<!-)--(?![->]))", re.DOTALL)
_WRONG_ARROW = re.compile(r"[-=~<>]*+[→⟶⇒➔➜–—−]?+[-=~<>]*+")


def arrow(mender: Mender, case: Case) -> list[Edit]:
    """``=>``, ``-->``, ``>``, ``<-`` for an edge."""
    text, at = case.text, case.at
    if case.in_list or not text[at : at + 1] or text[at] not in "-=~<>":
        return []
    start = at - len(text[max(0, at - 4) : at]) + len(text[max(0, at - 4) : at].rstrip("-=~<>–—−→"))
    found = _WRONG_ARROW.match(text, start)
    assert found
    run, stop = found[0], found.end()
    tail = _OPERAND_BEFORE.search(text[max(case.line[0], start - _WINDOW) : start])
    head = _OPERAND_AFTER.match(text, stop)
    group = re.search(r"\}[ \t]*+\Z", text[max(case.line[0], start - _WINDOW) : start])
    backwards = run.startswith("<") and not run.endswith(">")
    if (
        run in ("=", case.scanner.operator)
        or len(run) > 6
        or not (tail or group)
        or not (head or _GROUP.match(text, stop))
    ):
        return []
    if backwards and not (tail and head):
        return []
    if run == "-" and not (text[start - 1].isspace() and text[stop].isspace()):
        return []
    right = case.scanner.operator
    mender.report(
        STRAY_TOKEN,
        start,
        f"{run!r} is no edge",
        f"edges are written with {right!r}",
        width=len(run),
        kind=f"arrow {run}",
        sure=False,
    )
    if tail is None:
        return [(start, stop, right)]
    begin = start - len(tail[0])
    if backwards and head:
        return [(begin, head.end(), f"{head[1]} {right} {tail[0].rstrip()}")]
    return [(begin, stop, f"{tail[0].rstrip()} {right}")]


_GROUP = re.compile(r"[ \t]*+\{")


def _dangling(mender: Mender, case: Case) -> list[Edit]:
    """An edge operator with nothing behind it, or nothing before it."""
    text, at = case.text, case.at
    if case.wanted == "edge end" and case.near[:1] in ";}],=[-":
        found = _OPERATOR_BEFORE.search(text[max(case.start, at - _WINDOW) : at])
        if found is None:
            return []
        place = max(case.start, at - _WINDOW) + found.start()
        mender.report(
            STRAY_TOKEN,
            place,
            f"{found[1]!r} leads to no node",
            "name the node behind it, or remove it",
            width=2,
            kind="no head",
            sure=False,
        )
        return [(place, place + 2, "")]
    if case.wanted != "statement" or case.scanner.kind != EDGE_OPERATOR or at > case.start:
        return []
    line = text[case.line[0] : at]
    if declared := _DECLARED_BEFORE.search(line):
        mender.report(
            STRAY_TOKEN,
            at,
            "an attribute list stands before the edge operator",
            f"attributes of an edge stand behind its last node; write: {declared[1][:40]}; {declared[2]} {case.near} …",
            width=2,
            kind="list before",
            sure=False,
        )
        return [(at - len(line) + declared.start(1), at, f"{declared[1]}; {declared[2]} ")]
    if given := _PAIR_BEFORE.search(line):
        return _quoted(mender, case, at - len(given[0]), at - len(given[0]) + len(given[0].rstrip()), sure=False)
    mender.report(
        STRAY_TOKEN,
        at,
        f"{case.near!r} leaves no node",
        "name the node before it, or remove it",
        width=2,
        kind="no tail",
        sure=False,
    )
    return [(at, at + 2, " ")]


_DECLARED_BEFORE = re.compile(rf"(?:^|[;{{])[ \t]*+(({_OPERAND})[ \t]*+\[[^\[\]\n]*+\])[ \t]*+\Z")
_PAIR_BEFORE = re.compile(r"(?<![\w.-])[\w.-]++[ \t]*+=[ \t]*+[\w.]++[ \t]*+\Z")


def _hanging(mender: Mender, case: Case) -> list[Edit]:
    """A comma, colon or equals sign with nothing behind it."""
    if case.wanted != "name" or case.near[:1] not in ";}]):,[->":
        return []
    begin = max(case.start, case.at - _WINDOW)
    found = _SIGN_BEFORE.search(case.text[begin : case.at])
    if not found:
        return []
    mender.report(
        STRAY_TOKEN,
        begin + found.start() + len(found[0].rstrip()) - 1,
        f"nothing stands behind {found[0].rstrip()[-1]!r}",
        "add what is missing, or remove it",
        kind=f"hanging {found[0].rstrip()[-1]}",
        sure=False,
    )
    return [(begin + found.start(), case.at, "\n" * found[0].count("\n") or " ")]


_SIGN_BEFORE = re.compile(r'(?:(?:(?<!\w)\w++|"[^"\n]*+")[ \t]*+=|[:,])\s*+$')


def _subgraph(mender: Mender, case: Case) -> list[Edit]:
    """``subgraph cluster_0 a -> b }``: the opening brace is missing."""
    if case.wanted != "{" or not (case.near[0].isalnum() or case.near[0] in '_"'):
        return []
    before, after = _RUN_BEFORE.search(case.text, case.start, case.at), _RUN_AFTER.match(case.text, case.at)
    if before and after:  # 0name is read as a number and a name
        return _quoted(mender, case, before.start(), after.end())
    mender.report(
        UNBALANCED_BRACE, case.at, "the '{' of the subgraph is missing", "add it before the first statement",
        width=len(case.near.split("\n", 1)[0]), kind="subgraph", sure=False,
    )  # fmt: skip
    return [(case.at, case.at, "{ ")]


def _equals(mender: Mender, case: Case) -> list[Edit]:
    """``a -> b=c``: a name with an equals sign."""
    if case.wanted != "statement" or case.near != "=":
        return []
    before = re.search(r"(?<!\w)\w++[ \t]*+\Z", case.text[case.line[0] : case.at])
    after = re.match(r"=[ \t]*+\w++", case.text[case.at : case.line[1]])
    if not before or not after:
        return []
    return _quoted(mender, case, case.at - len(before[0]), case.at + after.end(), sure=False)


def _quoted(
    mender: Mender, case: Case, start: int, stop: int, *, at: int = -1, sure: bool = True, escapes: bool = False
) -> list[Edit]:
    """Quote a name or value; ``escapes``: its backslashes stay."""
    words = case.text[start:stop]
    if '"' in case.text[max(0, start - 1) : stop + 1]:  # a quote is lost somewhere else
        return []
    bare = words if escapes else _NO_ESCAPE.sub("", words)
    mender.report(
        STRAY_TOKEN,
        start if at < 0 else at,
        f"{words[:40]!r} needs quotes",
        f'quote it: "{bare[:40]}"',
        width=len(words) if at < 0 else 1,
        kind="name",
        sure=sure and not _may_be_edge(case, start),
    )
    return [(start, stop, f'"{bare}"')]


def _may_be_edge(case: Case, start: int) -> bool:
    """Whether an equals sign before a place, outside a list, gives no attribute of Graphviz: an edge may be meant."""
    before = case.text[max(0, start - _WINDOW) : start].rstrip()
    if case.in_list or not before.endswith("="):
        return False
    key = _WORD_BEFORE.search(before[:-1])
    return key is None or key[1] not in GRAPHVIZ_NAMES


_NO_ESCAPE = re.compile(r"\\(?![nlrGNEHTL])")


def _keyword_and_more(mender: Mender, case: Case) -> list[Edit]:
    """``node-1``: a keyword right before a sign that joins words."""
    for place in (case.at, case.start):
        if found := _KEYWORD_AND_MORE.match(case.text, place):
            return _quoted(mender, case, *found.span())
    return []


_KEYWORD_AND_MORE = re.compile(r"(?i:node|edge|graph|digraph|subgraph|strict)(?:[-.](?=\w)\w++)++")


def _keyword(mender: Mender, case: Case) -> list[Edit]:
    """A keyword as the name of a node or attribute, or as a value."""
    text = case.text
    place, sure = _keyword_place(case)
    found = _WORD.match(text, place) if place >= 0 else None
    if found is None or found[0].lower() not in KEYWORDS:
        return []
    if case.wanted == "attribute" and not _EQUALS.match(text, found.end()):
        return []
    word, edits = found[0], [(*found.span(), f'"{found[0]}"')]
    default = _DEFAULT_STATEMENT.match(text, case.start)
    if case.wanted in ("attribute", "value", "="):
        if default and default[1] != default[1].lower() and case.start < place:
            mender.names.add(default[1])
            sure = bool(_operand_uses(default[1]).search(text))
            edits.insert(0, (*default.span(1), f'"{default[1]}"'))
    elif word not in mender.names and _declared_as_node(text, word):
        mender.names.add(word)
        mender.again = True
        sure = sure and word != word.lower()
    mender.report(
        STRAY_TOKEN,
        place,
        f"{word!r} is a keyword of DOT, in small and in capital letters",
        f'quote it: "{word}"',
        width=len(word),
        kind=f"keyword {word}",
        sure=sure,
    )
    return edits


def _keyword_place(case: Case) -> tuple[int, bool]:
    """Where a keyword stands that is to be a name, -1 for nowhere; and whether it can be nothing else."""
    if case.scanner.kind in KEYWORDS and case.wanted in _NAME_WANTED:
        return case.at, True
    if case.wanted in ("[", "=") and _ALONE.match(case.text, case.start):
        return case.start, False
    if case.wanted not in ("[", "{") or case.near[:1] not in "-:;},[=":
        return -1, False
    begin = max(case.start, case.at - _WINDOW)
    before = _WORD_BEFORE.search(case.text[begin : case.at])
    place = begin + before.start() if before else -1
    head = before is not None and bool(_OPERATOR_BEFORE.search(case.text, begin, place))
    return place, head or case.near in ("->", "--", ":", ",")


_NAME_WANTED = frozenset({"attribute", "value", "edge end", "name", "statement", "string", "{", "a node's name"})
_WORD = re.compile(r"\w++")
_EQUALS = re.compile(r"\s*+=")
_ALONE = re.compile(r"(?i:node|edge|graph)[ \t]*+\n")
"""A keyword that begins a statement and has the rest of its line to itself."""
_DEFAULT_STATEMENT = re.compile(r"((?i:node|edge|graph))\s*+\[")


def _operand_uses(word: str) -> re.Pattern[str]:
    """A word at an end of an edge."""
    return re.compile(rf"(?:->|--)\s*+{word}\b|(?<!\w){word}\s*+(?:->|--)")


def _declared_as_node(text: str, word: str) -> bool:
    """Whether default statements with this spelling of a keyword are about a node of that name.

    Capital letters say so, or a label, which no default has.
    """
    passed = rf"{QUOTED}|//[^\n]*+|/\*.*?\*/|(?<!\w){word}\s*+\[(?P<list>(?:{QUOTED}|[^\]\"])*+)"
    lists = [found["list"] for found in re.finditer(passed, text, re.DOTALL) if found["list"] is not None]
    return bool(lists) and (word != word.lower() or any("label" in one for one in lists))


def _next_graph(mender: Mender, case: Case) -> list[Edit]:
    """Another graph begins before this one is closed."""
    if case.wanted not in ("statement", "[", "=") or not looks.HEADER_LINE.match(case.text, case.start):
        return []
    mender.report(
        UNBALANCED_BRACE,
        case.start,
        "a graph begins here before the one above is closed",
        "add the missing '}' before it",
        kind="next",
        sure=False,
    )
    return [(case.start, case.start, "}" * case.braces + "\n")]


def _other_quotes(mender: Mender, case: Case) -> list[Edit]:
    """Single or typographic quotes."""
    begin, stop = case.line
    for found in _OTHER_QUOTES.finditer(case.text, max(begin, case.start), stop):
        if found.start() <= case.at <= found.end():
            mark, inside = found[0][0], found[0][1:-1]
            mender.report(
                STRAY_TOKEN,
                found.start(),
                f"{mark} is no quote in DOT",
                f'write "{inside[:40]}"',
                width=len(found[0]),
                kind=f"quote {mark}",
            )
            return [(*found.span(), f'"{inside}"')]
    return []


_OTHER_QUOTES = re.compile(
    r"""[“”„‟«»][^“”„‟«»"\n]++[“”„‟«»]|(?<!\w)'[^'"\n]++'(?!\w)|(?<!\w)[‘’‚`][^‘’‚`"\n]++[‘’´`](?!\w)"""
)


def hash_value(mender: Mender, case: Case) -> list[Edit]:
    """``color=#ff0000``: the sign begins a comment."""
    if case.wanted not in ("value", "attribute", "=", "name", "statement"):
        return []
    begin = max(case.start, case.at - _FAR)
    for found in _HASH_VALUE.finditer(case.text, begin, case.at):
        if found[1]:
            quote = _HASH_STRING.match(case.text, found.start(1))
            if quote and quote.end() > found.end():
                return mender.open_quote(found.start(1), quote.end() - 1, sure=False)
            mender.report(
                STRAY_TOKEN,
                found.start(1),
                "'#' begins a comment",
                f'quote the colour: "{found[2]}"',
                width=len(found[1]),
                kind="#",
            )
            return [(*found.span(1), f'"{found[2]}"')]
    return []


_HASH_STRING = re.compile(r'#[^"=\n]*+(?<![\s,;\[])"(?=[ \t]*+(?:[\],;]|\w++[ \t]*+=|$))', re.MULTILINE)
"""A string that lost its opening quote. A second attribute in it says that another quote is missing."""
_HASH_VALUE = re.compile(rf"{QUOTED}?|//[^\n]*+|=[ \t]*+([“”„«‘’'`]?+(#[0-9A-Za-z]++)[“”»‘’'`\"]?+)", re.DOTALL)


def _inner_quotes(mender: Mender, case: Case) -> list[Edit]:
    r"""``label="say "hi" there"``: quotes inside a value without a backslash."""
    if not case.in_list:
        return []
    starts = [found.end() for found in _VALUE.finditer(case.text, max(case.line[0], case.start), case.pair)]
    closing = _VALUE_END.search(case.text, case.at, case.line[1]) if starts else None
    if closing is None:
        return []
    value = case.text[starts[-1] : closing.start()]
    inner = [starts[-1] + quote.start() for quote in re.finditer(r'(?<!\\)"', value)]
    if not inner or len(inner) % 2 or case.text[inner[0] + 1].isspace() or case.text[inner[-1] - 1].isspace():
        return []
    mender.report(
        STRAY_TOKEN,
        inner[0],
        "a quote inside the value ends it",
        r"write \" there",
        kind="inner quote",
        sure=not _BETWEEN_STATEMENTS.search(value),
    )
    return [(place, place + 1, '\\"') for place in inner]


_BETWEEN_STATEMENTS = re.compile(r"[\[\]{};]|->|--")
_VALUE = re.compile(r'=[ \t]*+"')
_VALUE_END = re.compile(r'"(?=[ \t]*+(?:\]|[,;]?[ \t]*+\w++[ \t]*+=))')


def _assignment(mender: Mender, case: Case) -> list[Edit]:
    """``label: "x"`` or ``label "x"`` for ``label="x"``."""
    if not case.in_list or case.wanted != "=" or case.pair >= case.at:
        return []
    text, at = case.text, case.at
    key = text[case.pair : at].strip()
    colon = case.near == ":"
    known = key in GRAPHVIZ_NAMES
    value = _ASSIGNED_VALUE.match(text, at)
    if not value or not (colon or known) or not (colon or case.near[0] == '"' or case.near[0].isalnum()):
        return []
    mender.report(
        STRAY_TOKEN,
        at,
        f"an attribute and its value have no '=' between them: {key}",
        f"write {key}={value[1][:40]}",
        kind="no =",
        sure=known,
    )
    return [(case.pair + len(key), value.start(1), "=")]


_ASSIGNED_VALUE = re.compile(r'[:= \t]*+("[^"\n]*+"|[\w.]++)')


def _missing_equals(mender: Mender, case: Case) -> list[Edit]:
    """``penwidth2.5`` for ``penwidth=2.5``, ``label!"x"`` for ``label="x"``."""
    found = _KEY_AND_VALUE.match(case.text, case.pair) if case.in_list and case.wanted in ("=", "attribute") else None
    if not found or case.pair >= case.at or _EQUALS.match(case.text, found.end()):
        return []
    key = max((name for name in _ASSIGNED if found[1].startswith(name)), key=len, default="")
    sign = found[2]
    value = found[3] if found[1] == key else case.text[case.pair + len(key) : found.end()]
    if not key or not value or (sign and found[1] != key):
        return []
    mender.report(
        STRAY_TOKEN,
        case.pair,
        f"an attribute and its value have no '=' between them: {found[0][:40]}",
        f"write {key}={value[:40]}",
        width=len(found[0]),
        kind="no =",
        sure=False,
    )
    return [(case.pair, found.end(), f"{key}={value}")]


_KEY_AND_VALUE = re.compile(r'([A-Za-z_]++)([^\w\s\[\]"=,;]*+)("[^"\n]*+"|[\w.]*+)')


def _words(mender: Mender, case: Case) -> list[Edit]:
    """``label=Two words`` without quotes."""
    if not case.in_list or case.wanted != "=":
        return []
    for found in _SEVERAL_WORDS.finditer(case.text, max(case.line[0], case.start), case.line[1]):
        if found.start(2) < case.pair <= case.at <= found.end():
            return _quoted(mender, case, *found.span(2), sure=found[1] in _LABELS)
    return []


_SEVERAL_WORDS = re.compile(
    r"(?<!\w)(\w++)[ \t]*+=[ \t]*+([\w.]++(?:[ \t]++[\w.]++(?![ \t]*+=))++)(?=[ \t]*+(?:[\],;]|$))"
)


def _square(mender: Mender, case: Case) -> list[Edit]:
    """``a -> [b, c]`` for ``a -> {b, c}``."""
    found = _NODES_IN_BRACKETS.match(case.text, case.at) if case.wanted == "edge end" else None
    if not found:
        return []
    mender.report(
        STRAY_TOKEN,
        case.at,
        "several nodes stand in square brackets",
        f"write {{{found[1][:40]}}}",
        width=len(found[0]),
        kind="square",
        sure=False,
    )
    return [(*found.span(), f"{{{found[1]}}}")]


_NODES_IN_BRACKETS = re.compile(r"\[(?=[^\[\]=\n]*?\w)([^\[\]=\n]++)\]")


def _parentheses(mender: Mender, case: Case) -> list[Edit]:
    """``a (label="x")`` for ``a [label="x"]``."""
    if case.near != "(":
        return []
    found = _LIST_IN_PARENTHESES.match(case.text, case.at)
    name = _OPERAND_BEFORE.search(case.text[case.line[0] : case.at])
    if not found or not name:
        return []
    mender.report(
        STRAY_TOKEN,
        case.at,
        "attributes stand in parentheses",
        f"write [{found[1][:40]}]",
        width=len(found[0]),
        kind="(",
        sure=False,
    )
    return [(case.at - len(name[0]), found.end(), f"{name[0].rstrip()} [{found[1]}]")]


_LIST_IN_PARENTHESES = re.compile(r'\(([ \t]*+\w++[ \t]*+=(?:"[^"\n]*+"|[^()"\n])*+)\)')


def _bare_default(mender: Mender, case: Case) -> list[Edit]:
    """``node shape=box`` for ``node [shape=box]``."""
    found = _DEFAULT_WITHOUT_LIST.match(case.text, case.start) if case.wanted == "[" else None
    if not found:
        return []
    mender.report(
        STRAY_TOKEN,
        found.start(1),
        "the attributes of a default stand without brackets",
        f"write [{found[1][:40]}]",
        width=len(found[1]),
        kind="default",
        sure=False,
    )
    return [(*found.span(1), f"[{found[1]}]")]


_DEFAULT_WITHOUT_LIST = re.compile(
    r'(?i:node|edge|graph)[ \t]++(\w++[ \t]*+=[ \t]*+(?:"[^"\n]*+"|[\w.]++)'
    r'(?:[ \t,]++\w++[ \t]*+=[ \t]*+(?:"[^"\n]*+"|[\w.]++))*+)'
)


def _colon(mender: Mender, case: Case) -> list[Edit]:
    """A value with a colon, or a name with more than a port and a compass point."""
    text, at = case.text, case.at
    after = _COLONS_AFTER.match(text, at) if case.near == ":" else None
    if not after or case.wanted not in ("attribute", "=", "statement", "name"):
        return []
    begin = max(case.line[0], at - _WINDOW)
    before = _COLONS_BEFORE.search(text[begin:at])
    words = (before[0] if before else "").rsplit("--", 1)[-1] + after[0]
    if not before or not re.search(r"\w:+\w", words) or words.endswith(":"):
        return []
    doubled = case.wanted == "name"  # std::vector, which nobody takes for a port
    if doubled and "::" not in words:
        return []
    return _quoted(
        mender,
        case,
        after.end() - len(words),
        after.end(),
        at=at,
        sure=not doubled or bool(_QUALIFIED.fullmatch(words)),
    )


_QUALIFIED = re.compile(r"\w++(?:::\w++)++")


def swallowing_markup(mender: Mender, case: Case) -> list[Edit]:
    """An HTML-like string that took the next statements in."""
    for found in re.finditer(r"=\s*+<", case.text[case.start : case.at + 1]) if case.in_list else ():
        begin = case.start + found.end()
        swallowed = looks.SWALLOWED.search(case.text, begin, case.scanner.end)
        if swallowed or _ends_with_arrow(case.text, begin - 1, case.scanner.end):
            return mender.close(begin - 1, "<")
    return []


def _ends_with_arrow(text: str, start: int, stop: int) -> bool:
    """Whether an HTML-like string goes beyond the list it is in, up to the ``>`` of an edge."""
    tokens = tokens_of(text, start, min(stop, start + 1))
    if not tokens or not text.startswith("->", tokens[0].stop - 2):
        return False
    return bool(_LIST_CLOSES.search(text, start, tokens[0].stop))


def _html(mender: Mender, case: Case) -> list[Edit]:
    """A bare arrow inside an HTML-like string, or one with no signs around it."""
    if not case.in_list:
        return []
    text = case.text
    starts = [found.start(1) for found in _MARKUP.finditer(text, max(case.line[0], case.start), case.at)]
    closing = _MARKUP_END.search(text, starts[-1], case.line[1]) if starts else None
    if closing and case.at <= closing.end():
        words = text[starts[-1] : closing.end()]
        mender.report(
            STRAY_TOKEN,
            starts[-1],
            "an HTML-like value begins with its first tag",
            "put one more '<' before it and one more '>' behind it",
            width=len(words),
            kind="markup",
        )
        return [(starts[-1], closing.end(), f"<{words}>")]
    for found in re.finditer(r"=\s*+<", text[case.start : case.at + 1]):
        begin = case.start + found.end()
        stop = text.find("\n", case.at)
        stop = len(text) if stop < 0 else stop
        closing = _HTML_END.search(text, begin, stop)
        if closing and closing.end() < case.at:
            continue
        stop = closing.start() if closing else stop
        if _LIST_CLOSES.search(text, begin, stop):
            return mender.close(begin - 1, "<")
        arrows = [(m.start() + begin, m.end() + begin, "-&gt;") for m in re.finditer("->", text[begin:stop])]
        if arrows:
            mender.report(
                STRAY_TOKEN, arrows[0][0], "a bare '->' inside an HTML-like string ends it", "write -&gt; there",
                width=2, kind="html",
            )  # fmt: skip
            return arrows
    return []


_MARKUP = re.compile(r"=[ \t]*+(<(?i:b|i|u|o|s|sub|sup|font|table|br|hr|img)\b)")
_LIST_CLOSES = re.compile(r"\][ \t]*+(?:;|$)", re.MULTILINE)
_MARKUP_END = re.compile(r">(?=[ \t]*+(?:\]|[,;]?[ \t]*+\w++[ \t]*+=))")


def _bracket(mender: Mender, case: Case) -> list[Edit]:
    """``dims=[B=1]`` without quotes."""
    if case.wanted != "value" or case.near != "[":
        return []
    found = _BRACKETED.match(case.text, case.at)
    if not found:
        return []
    mender.report(
        STRAY_TOKEN, case.at, "a value begins with '['", f'quote it: "{found[0][:40]}"', width=len(found[0]), kind="["
    )
    words = found[0].replace("\\", "")
    return [(*found.span(), f'"{words}"')]


def _list_end(mender: Mender, case: Case) -> list[Edit]:
    """An attribute list that should have ended before this statement."""
    if not case.in_list or case.wanted == "value":
        return []
    at = _end_of_list(case)
    opened = case.text.rfind("[", case.start, at) if at >= 0 else -1
    if opened < 0:
        return []
    mender.report(
        UNBALANCED_BRACE,
        opened,
        f"the attribute list opened at line {mender.line(opened)} is never closed",
        "add the closing ']'",
        kind="[",
        sure="\n" in case.text[at : case.at] and not _comment_closes(case.text, opened, at),
    )
    return [(at, at, "]")]


def _comment_closes(text: str, start: int, stop: int) -> bool:
    """Whether a comment of a line, between two offsets, took in the end of a list, and what follows was meant apart."""
    comments = (found["comment"] for found in _LINE_COMMENT.finditer(text, start, stop))
    return any(comment and "]" in comment for comment in comments)


_LINE_COMMENT = re.compile(rf"{QUOTED}?|(?P<comment>(?://|#)[^\n]*+)", re.DOTALL)


def _end_of_list(case: Case) -> int:
    """Where a list ends if a statement begins at the error or right before it; -1 if none does."""
    text = case.text
    alone = _stands_alone(case)
    line = text.rfind("\n", max(case.start, case.at - _FAR), case.pair if alone else case.at) + 1
    above = _end_of_words(text, case.start, line) if line > case.start else -1
    fresh = not text[line : case.at].strip() or re.fullmatch(r'\s*(?:\w+|"[^"\n]*")\s*', text[line : case.at])
    if above > case.start and (
        alone or (fresh and (looks.STATEMENT.match(text, line) or _OPENS.match(text, line) or case.near == "}"))
    ):
        return above - 1 if text[above - 1] in ";," else above
    operator = case.near in ("->", "--", "[") or _PORT_THEN_EDGE.match(text, case.at)
    place = case.pair if case.wanted == "=" and operator else case.at
    before = text[max(case.start, place - _WINDOW) : place].rstrip()
    stop = max(case.start, place - _WINDOW) + len(before)
    if before.endswith(";") and (place < case.at or case.near in ("}", "{")):
        return stop - 1
    return stop if before.endswith("[") and case.near in (";", "}") else -1


def _stands_alone(case: Case) -> bool:
    """Whether a word has a line to itself where an attribute should be, and the list is not closed behind it."""
    begin = case.text.rfind("\n", case.start, case.pair)
    if case.wanted != "=" or begin < 0 or case.text[begin : case.pair].strip():
        return False
    rest = case.text[case.pair : case.at]
    if not _LONE_WORD.fullmatch(rest) or not (case.near == ";" or "\n" in rest):
        return False
    bracket = next((one["here"] for one in _NEXT_BRACKET.finditer(case.text, case.at) if one["here"]), "")
    return bracket != "]"


def _end_of_words(text: str, start: int, stop: int) -> int:
    """Where what stands between two offsets ends, without the blanks and the comments of a line behind it."""
    tokens = tokens_of(text, start, stop) if stop - start <= _FAR else []
    last = tokens[-1].stop if tokens else stop
    # A comment of several lines may have taken in statements.
    return last if last < stop and "/*" not in text[last:stop] else start + len(text[start:stop].rstrip())


_LONE_WORD = re.compile(r'(?:\w++|"[^"\n]*+")\s*+')
_NEXT_BRACKET = re.compile(rf"{QUOTED}?|//[^\n]*+|(?P<here>[\[\]])", re.DOTALL)
_PORT_THEN_EDGE = re.compile(r":\w++(?::\w++)?+[ \t]*+(?:->|--)")
_OPENS = re.compile(r"[ \t]*+(?:subgraph\b[^={\n]*+\{|\{|(?:node|edge|graph)[ \t]*+\[)")


def _badly_delimited(mender: Mender, case: Case) -> list[Edit]:
    """``label=4x4``: a number that ends where the word goes on."""
    if not case.in_list or case.wanted != "=" or not re.match(r"[\w.]", case.text[case.pair - 1]):
        return []
    found = next(
        (one for one in _NUMBER_WORD.finditer(case.text, *case.line) if one.start(1) < case.pair < one.end(1)), None
    )
    return _quoted(mender, case, *found.span(1)) if found else []


_NUMBER_WORD = re.compile(r"=[ \t]*+([-\w.]++)")


def _semicolon(mender: Mender, case: Case) -> list[Edit]:
    if case.near != ";" or case.in_list:
        return []
    if case.wanted == "name":  # a:; or a,;
        return []
    message = "a ';' too many" if case.wanted == "statement" else "a ';' has no place here"
    mender.report(STRAY_TOKEN, case.at, message, "one ';' ends a statement: remove this one", kind=";")
    return [(case.at, case.at + 1, " ")]


def _name(mender: Mender, case: Case) -> list[Edit]:
    """A name or value with characters that need quotes, or punctuation from nowhere."""
    text, at = case.text, case.at
    after = _RUN_AFTER.match(text, at)
    before = _RUN_BEFORE.search(text[max(0, at - _WINDOW) : at])
    if not after or case.near[:1].isalnum() or case.near[:1] in ("_", '"') or (case.near[:1] == "+" and not before):
        return []
    start, stop = at - (len(before[0]) if before else 0), after.end()
    words = text[start:stop]
    if (
        case.in_list
        and case.wanted in ("=", "attribute")
        and not _in_value(case, start)
        and not _EQUALS.match(text, stop)
    ):
        return []
    if not re.search(r"\w", words) or (re.search(r"^\W+$", text[start : at + 1]) and before):
        return _stray(mender, case, stop)
    return _quoted(mender, case, start, stop, sure=words.count("(") == words.count(")") and "@" not in words)


def _in_value(case: Case, start: int) -> bool:
    """Whether an equals sign stands before some words."""
    return case.text[max(case.start, start - _WINDOW) : start].rstrip().endswith("=")


def _stray(mender: Mender, case: Case, stop: int) -> list[Edit]:
    """Remove punctuation from nowhere. It may have joined two names; dots stand for what somebody left out."""
    text, at = case.text, case.at
    joins = _JOINED_BEFORE.search(text[case.line[0] : at]) and _JOINED_AFTER.match(text, stop)
    ends = not text[stop:].strip()
    mender.report(
        STRAY_TOKEN,
        at,
        f"a stray {text[at:stop][:40]!r}",
        "remove it",
        width=stop - at,
        kind=f"stray {text[at:stop][:3]}",
        sure="..." not in text[at:stop] and not joins and not ends,
    )
    semicolon = _SEMICOLON.match(text, stop)  # it ended what stands before
    return [(at, semicolon.end() if semicolon else stop, " ")]


_JOINED_BEFORE = re.compile(r'[\w"}](?<![ \t])[ \t]*+\Z')
_JOINED_AFTER = re.compile(r'[ \t]*+[\w"{]')
REMEDIES: tuple[Callable[[Mender, Case], list[Edit]], ...] = (
    swallowing_markup,
    _escaped,
    _next_graph,
    _other_quotes,
    hash_value,
    _swallowed,
    _list_end,
    _badly_delimited,
    _code,
    _inner_quotes,
    _list,
    _operator,
    _square,
    arrow,
    _dangling,
    _keyword_and_more,
    _keyword,
    _bare_default,
    _html,
    _bracket,
    _assignment,
    _missing_equals,
    _words,
    _equals,
    _colon,
    _hanging,
    _subgraph,
    _parentheses,
    _semicolon,
    _name,
)
