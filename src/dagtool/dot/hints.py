"""Say why Graphviz refuses a text, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.scan import EDGE_OPERATOR, END, KEYWORDS, QUOTED_ATOM, Scanner

_EXPECTED = {
    "header": "expected 'digraph' or 'graph'",
    "after graph": "expected the end of the file, or another graph",
    "statement": "expected a statement",
    "edge end": "expected a node or subgraph after the edge operator",
    "name": "expected a name, number or string",
    "attribute": "expected the name of an attribute, or ']'",
    "value": "expected the value of the attribute",
    "string": "expected a quoted string after '+'",
}
_UNCLOSED = {'"': "quoted string", "<": "HTML-like string", "/*": "comment"}
_NEAR = 40  # code points of the offending token that a message shows


def syntax_error(scanner: Scanner, wanted: str, braces: list[int]) -> DotSyntaxError:
    """The error at the current token, where ``wanted`` should be; ``braces`` are those open there."""
    if scanner.kind == END and not scanner.value:
        return _cut_off(scanner, braces)
    near = scanner.text[scanner.start : scanner.end][:_NEAR]
    return DotSyntaxError(
        f"syntax error near {near!r}: {_EXPECTED.get(wanted, f'expected {wanted!r}')}",
        line=scanner.line(scanner.end),
        column=scanner.column(scanner.start),
        near=near,
        hint=next(filter(None, (rule(scanner, wanted, near) for rule in _RULES)), ""),
        offset=scanner.start,
    )


def _cut_off(scanner: Scanner, braces: list[int]) -> DotSyntaxError:
    """The file ends inside something."""
    end = len(scanner.text)
    line, column = scanner.line(end), scanner.column(end)
    if not scanner.unclosed and not braces:
        return DotSyntaxError("the file ends before the graph's '{'", line=line, column=column, offset=end)
    what = _UNCLOSED.get(scanner.unclosed) or ("subgraph" if len(braces) > 1 else "graph")
    opened_line = scanner.line(scanner.start if scanner.unclosed else braces[-1])
    return DotSyntaxError(
        f"the {what} opened at line {opened_line} is never closed; the file ends inside it",
        line=line,
        column=column,
        hint=_remedy(scanner, f"close the {what} of line {opened_line}"),
        opened_line=opened_line,
        offset=end,
    )


def _remedy(scanner: Scanner, closing: str) -> str:
    """Whether the end of the file, or a forgotten mark, is to blame."""
    start, end = scanner.last_quoted
    if scanner.unclosed == '"' and "\n" in scanner.text[start:end]:
        return f"a quote is missing here, or in the string opened at line {scanner.line(start)}"
    return closing if scanner.text.rstrip().endswith("}") else "it looks cut off"


Rule = Callable[[Scanner, str, str], str]
_SOURCE_CODE = re.compile(r"(?:import|from|def|class|for|if|print|return|const|let|var|function|package)$")
_UNQUOTED_LIST = re.compile(r"(?<!\w)(\w++)\s*+=\s*+(\w++(?:\s*+,\s*+\w++)*+)\s*+$")
_WORDS = re.compile(r"[\w\s]*+")
_MORE_WORDS = re.compile(r"(?:\s*,\s*\w++(?!\s*=))++")


def _encoding(scanner: Scanner, wanted: str, near: str) -> str:
    if wanted == "header" and near.startswith(("\ufeff", "\xef\xbb\xbf")):
        return "a byte-order mark is stuck to the first word: save the file without one"
    return ""


def _header(scanner: Scanner, wanted: str, near: str) -> str:
    if wanted != "header":
        return ""
    if scanner.kind == QUOTED_ATOM and "graph" in scanner.value:
        return "remove the stray quote before the first word"
    if near == "`":
        return "remove the Markdown fence around the graph"
    if _SOURCE_CODE.match(near):
        return "this looks like the program that writes the graph, not like the graph"
    return 'the header is missing: begin with "digraph name {"'


def _after_graph(scanner: Scanner, wanted: str, near: str) -> str:
    if wanted != "after graph":
        return ""
    return "the graph is closed above: remove a '}' there, or this text"


def _open_string(scanner: Scanner, wanted: str, near: str) -> str:
    """A forgotten closing quote swallows the text up to the next quote: the error comes right after it."""
    start, end = scanner.last_quoted
    lines = scanner.text.count("\n", start, end)
    if not lines or scanner.kind == ";" or not _WORDS.fullmatch(scanner.text, end, scanner.start):
        return ""
    return f"the string opened at line {scanner.line(start)} runs on to here: is its closing quote missing?"


def _escaped_newline(scanner: Scanner, wanted: str, near: str) -> str:
    if near != "\\":
        return ""
    return (
        r"a backslash may stand only inside quotes; "
        r"if the file shows \n between statements, its text was escaped once too often"
    )


def _edge_operator(scanner: Scanner, wanted: str, near: str) -> str:
    if near not in ("->", "--") or scanner.kind == EDGE_OPERATOR:
        return ""
    kind = "digraph" if scanner.operator == "->" else "graph"
    return f"the edges of a {kind} are written with {scanner.operator!r}"


def _keyword(scanner: Scanner, wanted: str, near: str) -> str:
    if scanner.kind not in KEYWORDS:
        return ""
    return f"{near!r} is a keyword: quote it to use it as a name"


def _angle_bracket(scanner: Scanner, wanted: str, near: str) -> str:
    return "inside an HTML-like string write &lt; and &gt; for bare angle brackets" if near == ">" else ""


def unquoted_list(scanner: Scanner, wanted: str, near: str) -> tuple[str, str, int, int] | None:
    """``style=rounded,filled`` around the current token: its key, its value, and where that begins and ends."""
    if wanted != "=" and near != ",":
        return None
    before = _UNQUOTED_LIST.search(scanner.text, max(0, scanner.start - 200), scanner.start)
    if not before:
        return None
    after = _MORE_WORDS.match(scanner.text, scanner.start)
    value = f"{before[2]}{after[0]}" if after else before[2]
    return (before[1], value, before.start(2), after.end() if after else before.end(2)) if "," in value else None


def _comma_value(scanner: Scanner, wanted: str, near: str) -> str:
    """``style=rounded,filled`` without quotes, in an attribute list or as a statement."""
    if found := unquoted_list(scanner, wanted, near):
        return f'a value with a comma needs quotes: {found[0]}="{found[1]}"'
    return "every attribute is written key=value" if wanted == "=" else ""


def _unquoted(scanner: Scanner, wanted: str, near: str) -> str:
    if wanted == "value":
        return f"quote a value that contains {near!r}"
    if near == ";":
        return "one ';' ends a statement: remove this one"
    if near == "}":
        return "something is missing before the brace"
    if near in ("[", "]"):
        return "quote a value that contains a bracket, and close every list once"
    if not near[:1].isalnum() and near[:1] not in ('"', "{", "=", ":", ",", "+"):
        return f"quote a name or value that contains {near!r}"
    return ""


_RULES: tuple[Rule, ...] = (
    _encoding,
    _header,
    _after_graph,
    _open_string,
    _escaped_newline,
    _edge_operator,
    _keyword,
    _angle_bracket,
    _comma_value,
    _unquoted,
)
