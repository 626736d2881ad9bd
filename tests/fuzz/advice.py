"""Valid graphs damaged as people damage them, and whether following the advice makes a file better.

Every input is a valid text and a damage at known places. What stands outside these places must be there, and mean what
it meant, after the safe fixes; every word that an unsafe fix drops must be named; what a help text says to write must
be what the fix writes; C Graphviz must accept what comes out; and a second call must change nothing.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dagtool.dot import DotGraph, DotSyntaxError, parse
from dagtool.dot.locate import statement_end
from dagtool.fixes import Mended, mend
from dagtool.fixes.edits import applied
from dagtool.report.finding import FileReport
from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.rule import LoadedRule

__all__ = ["SLIPS", "Damaged", "check", "damaged", "fault"]

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A valid text, the same with a damage, and the places of the valid one that the damage is about."""

    slip: str
    valid: str
    text: str
    touched: tuple[Span, ...]
    elsewhere: bool = True
    """Whether what stands outside these places still means the same."""


# Valid graphs

_WORDS = (
    "Linear",
    "softmax",
    "attn out",
    "GPU: 0",
    "Input: [a=1, b=2]",
    "all-reduce",
    "x",
    "it's",
    "a -> b",
    "k; v",
    "{0}",
)
_COLORS = ("red", '"#c0ffee"', "blue", "gray80")


def drawn(dice: random.Random) -> str:
    """A graph as people and their scripts write it."""
    kind = dice.choice(("digraph", "digraph", "digraph", "graph"))
    operator = "->" if kind == "digraph" else "--"
    names = _names(dice)
    style = _Style(dice)
    lines = [f"{style.strict}{kind} {dice.choice(('', 'G ', 'plan '))}{{", *_defaults(dice, style)]
    lines += _declarations(dice, style, names if dice.random() < 0.7 else [])
    for _ in range(dice.randrange(1, 9)):
        chain = [_end(dice, names) for _ in range(dice.choice((2, 2, 2, 3)))]
        lines.append(style.line(f" {operator} ".join(chain) + (_list(dice) if dice.random() < 0.3 else "")))
        if dice.random() < 0.08:
            lines.append(style.indent(dice.choice(("// edges -> all", "/* the { rest */", "# a comment"))))
    return style.joined([*lines, "}"])


def _defaults(dice: random.Random, style: _Style) -> Iterator[str]:
    if dice.random() < 0.5:
        yield style.line(dice.choice(("rankdir=LR", "rankdir = TB", 'label="a graph"')))
    if dice.random() < 0.5:
        yield style.line(f"node [shape=box{dice.choice(('', ', style=filled', ' color=red'))}]")
    if dice.random() < 0.2:
        yield style.line("edge [style=dashed]")


def _declarations(dice: random.Random, style: _Style, names: Sequence[str]) -> Iterator[str]:
    """A statement for each node, some of them in clusters."""
    inside = 0
    for number, name in enumerate(names):
        if not inside and dice.random() < 0.12:
            yield style.indent(f"subgraph cluster_{number} {{")
            inside, style.depth = dice.randrange(1, 4), 2
            if dice.random() < 0.4:
                yield style.line(dice.choice(('label="part"', "color=blue", "node [fontsize=9]")))
        yield style.line(name + _list(dice))
        if inside and (inside == 1 or name == names[-1]):
            style.depth = 1
            yield style.indent("}")
        inside = max(0, inside - 1)


class _Style:
    """How somebody lays out a file."""

    def __init__(self, dice: random.Random) -> None:
        self.strict = "strict " if dice.random() < 0.08 else ""
        self.semicolon = dice.choice((";", ";", ""))
        self.step = dice.choice(("  ", "    ", "\t", " "))
        self.depth = 1
        self.one_line = self.semicolon == ";" and dice.random() < 0.08
        self.end = dice.choice(("\n", "\n", "\n", ""))

    def line(self, statement: str) -> str:
        return self.indent(statement + self.semicolon)

    def indent(self, words: str) -> str:
        return self.step * self.depth + words

    def joined(self, lines: list[str]) -> str:
        if self.one_line:
            return " ".join(line.strip() for line in lines if not re.match(r"\s*(//|#)", line)) + self.end
        return "\n".join(lines) + self.end


def _names(dice: random.Random) -> list[str]:
    count = dice.randrange(2, 9)
    kind = dice.randrange(5)
    if kind == 0:
        return [f"l{n // 3}_{('qkv', 'attn', 'mlp')[n % 3]}" for n in range(count)]
    if kind == 1:
        return list("abcdefghij"[:count])
    if kind == 2:
        return [f'"layer-{n}"' for n in range(count)]
    if kind == 3:
        return [str(n) for n in range(count)]
    return ["input", *(f'"block {n}"' for n in range(count)), "out"]


def _end(dice: random.Random, names: Sequence[str]) -> str:
    if dice.random() < 0.05:
        return "{" + " ".join(dice.sample(names, 2)) + "}"
    return dice.choice(names) + (dice.choice((":n", ":p0")) if dice.random() < 0.05 else "")


def _list(dice: random.Random) -> str:
    pairs = []
    if dice.random() < 0.7:
        words = r"\n".join(dice.choice(_WORDS) for _ in range(dice.randrange(1, 4)))
        pairs.append(f'label="{words}"' if dice.random() < 0.85 else "label=<<b>x</b><br/>y>")
    if dice.random() < 0.4:
        pairs.append(f"color={dice.choice(_COLORS)}")
    if dice.random() < 0.2:
        pairs.append(dice.choice(("penwidth=2.5", "style=dashed", "shape=ellipse", "weight=3")))
    return f" [{dice.choice((', ', ', ', ' ', ';')).join(pairs)}]" if pairs else dice.choice(("", "", " []"))


# Damages

Slip = Callable[[random.Random, str], Damaged | None]


def _changed(slip: str, valid: str, start: int, stop: int, words: str, *, elsewhere: bool = True) -> Damaged:
    return Damaged(slip, valid, valid[:start] + words + valid[stop:], ((start, stop),), elsewhere)


def _without(sign: str) -> Slip:
    """One of these signs is forgotten."""

    def slip(dice: random.Random, valid: str) -> Damaged | None:
        places = [found.start() for found in re.finditer(re.escape(sign), valid)]
        if not places:
            return None
        at = dice.choice(places)
        return _changed(f"without {sign}", valid, at, at + len(sign), "", elsewhere=sign not in "{}")

    return slip


def _with(*words: str) -> Slip:
    """Some words come in somewhere between statements or inside one."""

    def slip(dice: random.Random, valid: str) -> Damaged | None:
        at = dice.randrange(valid.find("{") + 1, len(valid) + 1)
        return _changed("with", valid, at, at, dice.choice(words), elsewhere=False)

    return slip


def _cut(dice: random.Random, valid: str) -> Damaged | None:
    at = dice.randrange(valid.find("{") + 1, len(valid) + 1)
    return _changed("cut", valid, at, len(valid), "")


def _cut_tail(dice: random.Random, valid: str) -> Damaged | None:
    """Only the brace lacks, or little more."""
    at = valid.rstrip().rfind("}")
    at = len(valid[:at].rstrip()) if dice.random() < 0.5 else at
    return _changed("cut tail", valid, at - dice.choice((0, 0, 1)), len(valid), "")


def _renamed(slip: str, make: Callable[[random.Random, str], str]) -> Slip:
    """A name is written, wherever it stands, with something that needs quotes."""

    def change(dice: random.Random, valid: str) -> Damaged | None:
        names = sorted({found[1] for found in _NAME.finditer(valid)})
        if not names:
            return None
        old = dice.choice(names)
        new = make(dice, old.strip('"'))
        pattern = re.compile(rf'{_SKIPPED}|(?P<here>(?<![\w"]){re.escape(old)}(?![\w"]))', re.DOTALL)
        pieces: list[str] = []
        touched: list[Span] = []
        done = 0
        for found in pattern.finditer(valid):
            if found["here"] and not re.match(r"\s*=", valid[found.end() :]):
                pieces += (valid[done : found.start()], new)
                touched.append(found.span())
                done = found.end()
        elsewhere = new not in ("node", "edge", "graph")  # a default statement may be about the node of this name
        return Damaged(slip, valid, "".join([*pieces, valid[done:]]), tuple(touched), elsewhere) if touched else None

    return change


_SKIPPED = r'\[(?:"(?:\\.|[^"\\])*"|[^\]"])*\]|//[^\n]*|/\*.*?\*/|\#[^\n]*|(?:di)?graph[^{]*\{|subgraph \w+'
_NAME = re.compile(r'(?:^|[;{\s])("[^"\n]+"|[a-z0-9]\w*)(?=\s*(?:->|--|\[|;|\n|\}))(?<!node)(?<!edge)')


def _strings(valid: str) -> list[re.Match[str]]:
    """The quoted strings of a line without a backslash."""
    return [
        found for found in re.finditer(r'"((?:\\.|[^"\\])*)"', valid) if found[1] and not set("\n\\") & set(found[1])
    ]


def _unquoted(dice: random.Random, valid: str) -> Damaged | None:
    """The quotes of one value or name are left out."""
    places = _strings(valid)
    if not places:
        return None
    found = dice.choice(places)
    return _changed("unquoted", valid, *found.span(), found[1])


def _operator(dice: random.Random, valid: str) -> Damaged | None:
    places = list(re.finditer(r"(?<=[\w\"}]) (->|--) ", valid))
    if not places:
        return None
    found = dice.choice(places)
    new = dice.choice(("--", "->", "=>", "-->", ">", "-", "<-", "–", "–>", "→", "- >", "=", "->->", "~>"))
    return _changed("operator", valid, *found.span(1), new)


def _all_operators(dice: random.Random, valid: str) -> Damaged | None:
    places = [found.span(1) for found in re.finditer(r"(?<=[\w\"}]) (->|--) ", valid)]
    words = {"->": "--", "--": "->"}
    text = re.sub(r"(?<=[\w\"}]) (->|--) ", lambda found: f" {words[found[1]]} ", valid)
    return Damaged("all operators", valid, text, tuple(places))


def _smart(dice: random.Random, valid: str) -> Damaged | None:
    places = _strings(valid)
    if not places:
        return None
    found = dice.choice(places)
    left, right = dice.choice(("“”", "‘’", "''", "``", "«»", "„“"))
    return _changed("smart quotes", valid, *found.span(), f"{left}{found[1]}{right}")


_UNQUOTED_VALUES = (
    "A:B", "a/b", "rounded,filled", "two words", "1.2.3", "#ff0000", "a-b", "50%", "[1,2]", "f(x)", "x->y", "Node",
    "a|b", "4x4", "a=b", "$x", "x;y", "", "node", "a\\nb", "{a}", 'say "hi"',
)  # fmt: skip


def _value(dice: random.Random, valid: str) -> Damaged | None:
    """A value is given without its quotes, with something in it that needs them."""
    places = list(re.finditer(r'=("[^"\n\\]*"|\w+)(?=[\],; ])', valid))
    if not places:
        return None
    found = dice.choice(places)
    return _changed("value", valid, *found.span(1), dice.choice(_UNQUOTED_VALUES))


def _html(dice: random.Random, valid: str) -> Damaged | None:
    places = list(re.finditer(r"<<b>x</b><br/>y>", valid))
    if not places:
        return None
    found = dice.choice(places)
    new = dice.choice(
        ("<b>x</b>", "<<b>x</b><br/>y", "<<b>x -> y</b>>", "<b>x</b><br/>y>", "<x<y>", "<a > b>", "<<b>x<b>")
    )
    return _changed("html", valid, *found.span(), new)


def _fenced(dice: random.Random, valid: str) -> Damaged | None:
    fence = dice.choice(("```", "~~~", "```dot", "```graphviz"))
    before, after = dice.choice((("", ""), ("Here is the graph:\n\n", "\nIt has edges a -> b.\n"), ("# Plan\n", "")))
    text = f"{before}{fence}\n{valid.rstrip()}\n{fence[:3]}\n{after}"
    return Damaged("fenced", valid, text, ())


def _stuck(dice: random.Random, valid: str) -> Damaged | None:
    """Something before the header."""
    before = dice.choice(
        ("\ufeff", '"', "'", "x", "dot = ", "> ", "\u200b", "$ cat x.dot\n", "<pre>", "}\n", "// a\n\ufeff")
    )
    return Damaged("stuck", valid, before + valid, ())


def _literal_newlines(dice: random.Random, valid: str) -> Damaged | None:
    if "#" in valid or "//" in valid:
        return None
    return Damaged("literal newlines", valid, valid.replace("\n", r"\n"), ())


def _escaped_quotes(dice: random.Random, valid: str) -> Damaged | None:
    return Damaged("escaped quotes", valid, re.sub(r'(?<!\\)"', r"\\\"", valid), ())


def _header(dice: random.Random, valid: str) -> Damaged | None:
    brace = valid.find("{")
    new = dice.choice(
        ("", "digraph", "digraph my-graph {", "digraph two words {", "digrph {", "{", "Digraph 1.2.3 {", "graph: {")
    )
    kind = "--" if valid[:brace].split()[-1:] != ["digraph"] and "digraph" not in valid[:brace] else "->"
    return _changed("header", valid, 0, brace + 1, new, elsewhere=kind == "->" and not valid.startswith("strict"))


def _bytes(dice: random.Random, valid: str) -> Damaged | None:
    at = dice.randrange(len(valid))
    new = dice.choice("\"\\<>{}[]=;,:+-/*#\n\t@'`|%$&!~^()?.aZ0 é\u00a0")
    stop = at + dice.choice((0, 1))
    return _changed("bytes", valid, at, stop, new, elsewhere=False)


def _doubled(dice: random.Random, valid: str) -> Damaged | None:
    signs = [found.start() for found in re.finditer(r"[;,\[\]{}=]", valid)]
    at = dice.choice(signs)
    return _changed("doubled", valid, at, at + 1, valid[at] * 2, elsewhere=valid[at] not in "{}")


def _list_sign(dice: random.Random, valid: str) -> Damaged | None:
    places = list(re.finditer(r"(?<=\w)=(?=[\w\"])", valid))
    if not places:
        return None
    found = dice.choice(places)
    return _changed("list sign", valid, *found.span(), dice.choice((":", " ", ": ", "==", ":=", "=>")))


def _foreign(dice: random.Random, valid: str) -> Damaged | None:
    text = dice.choice(
        ("graph TD\n  a --> b\n", "graph TD; a --> b", "flowchart LR\n a[x] --> b{y}\n", "@startuml\na -> b\n@enduml\n",
         "sequenceDiagram\n a->>b: x\n", "```mermaid\ngraph LR\n a --> b\n```\n", "graph [ node [ id 1 ] ]\n",
         "import graphviz\ng = graphviz.Digraph()\ng.edge('a', 'b')\n", '<?xml version="1.0"?><graphml/>', "a,b\nc,d\n")
    )  # fmt: skip
    return Damaged("foreign", valid, text, ((0, len(valid)),), elsewhere=False)


def _keyword_name(dice: random.Random, _: str) -> str:
    return dice.choice(
        ("Node", "node", "Edge", "edge", "Graph", "graph", "strict", "digraph", "subgraph", "Strict", "NODE")
    )


def _joined_name(dice: random.Random, name: str) -> str:
    sign = dice.choice(
        (".", "/", "-", ":", "@", "%", "$", "=", "+", "|", "&", "!", "~", "(", "é.", "*", "::", "--x", "\\n")
    )
    return f"{name.replace(' ', '_')}{sign}{dice.choice(('x', '1', 'attn', 'v2'))}"


SLIPS: dict[str, Slip] = {
    **{
        f"without {sign}": _without(sign)
        for sign in ('"', "{", "}", "[", "]", ";", ",", "=", "->", "--", "<", ">", "\n")
    },
    "with": _with(
        "...", "\n```\n", "//", "/*", "*/", "#", " x -> ", "'", '"', ";;", "<", ">", "\\n", "import os\n", " node "
    ),
    "cut": _cut,
    "cut tail": _cut_tail,
    "keyword": _renamed("keyword", _keyword_name),
    "name": _renamed("name", _joined_name),
    "unquoted": _unquoted,
    "operator": _operator,
    "all operators": _all_operators,
    "smart quotes": _smart,
    "value": _value,
    "html": _html,
    "fenced": _fenced,
    "stuck": _stuck,
    "literal newlines": _literal_newlines,
    "escaped quotes": _escaped_quotes,
    "header": _header,
    "bytes": _bytes,
    "doubled": _doubled,
    "list sign": _list_sign,
    "foreign": _foreign,
}


def damaged(seed: int, number: int) -> Damaged:
    """Input ``number`` of a seed."""
    dice = random.Random(f"advice {seed} {number}")
    while True:
        slip = dice.choice(tuple(SLIPS))
        if found := SLIPS[slip](dice, drawn(dice)):
            return found


# What must hold

_SYNTAX: list[LoadedRule] = []


@lru_cache(maxsize=8)
def check(data: bytes) -> FileReport:
    """The findings on syntax, with their fixes."""
    if not _SYNTAX:
        _SYNTAX.extend(one for one in all_rules() if one.rule.code.startswith("DOT"))
    return check_bytes(data, "input.dot", _SYNTAX, edits=True)


def fault(given: Damaged, accepts: Callable[[bytes], bool] | None, counts: Counter[str]) -> str:
    """What is wrong with the advice on an input, empty where nothing is."""
    data = given.text.encode()
    before = check(data)
    counts["refused" if not before.parses else "accepted"] += 1
    if wrong := _helps(data, before):
        return wrong
    safe = loose = mend(data, check)
    if any(finding.fix and not finding.fix.safe for finding in safe.report.findings):
        loose = mend(data, check, unsafe=True)
    for name, mended in (("safe", safe), ("unsafe", loose)):
        if not mended.kept or (name == "unsafe" and mended is safe):
            continue
        counts[f"{name} fixes"] += len(mended.kept)
        counts[f"made valid by {name} fixes"] += mended.report.parses and not before.parses
        if wrong := _again(mended, unsafe=name == "unsafe") or _judged(mended, accepts):
            return f"{name}: {wrong}"
    if safe.kept and safe.report.parses and (wrong := _lost(given, safe)):
        return f"safe: {wrong}"
    return _unsaid(data, loose)


_ADVISED = re.compile(r'(?:quote it: |write |quote the colour: )(".*"|\w+=".*"|->|--|-&gt;)(?= there|$)')


def _helps(data: bytes, report: FileReport) -> str:
    """Whether a help text that says what to write says what the fix writes."""
    for finding in report.findings:
        found = _ADVISED.match(finding.help)
        if not found or finding.fix is None or len(found[1]) > 40:
            continue
        if " ".join(found[1].split()) not in " ".join(applied(data, [finding.fix]).decode().split()):
            return f"the help says {found[1]!r}, the fix writes {finding.fix.title!r}"
    return ""


def _again(mended: Mended, *, unsafe: bool) -> str:
    again = mend(mended.data, check, unsafe=unsafe)
    return f"a second call changes it: {[one.fix.title for one in again.kept]}" if again.data != mended.data else ""


def _judged(mended: Mended, accepts: Callable[[bytes], bool] | None) -> str:
    if accepts is None or not mended.kept or not mended.report.parses:
        return ""
    return "" if accepts(mended.data) else "C Graphviz refuses what comes out"


def _lost(given: Damaged, mended: Mended) -> str:
    """What stood outside the damage and is not what it was."""
    try:
        (old,) = parse(given.valid)
        graphs = parse(mended.data)
    except (DotSyntaxError, ValueError):
        return ""
    if not graphs:
        return "no graph is left"
    new = graphs[0]
    nodes, edges = _untouched(old, given.touched)
    titles = [one.fix.title for one in mended.kept]
    same = given.elsewhere and not any(_is_default(given.valid, start) for start, _ in given.touched)
    for node in nodes:
        name = old.node_ids[node]
        if name not in new.index:
            return f"the node {name} is lost by {titles}"
        if same and old.declared[node] and new.node_attributes[new.index[name]] != old.node_attributes[node]:
            return f"the attributes of the node {name} change by {titles}"
    pairs = Counter((new.node_ids[tail], new.node_ids[head]) for tail, head in zip(new.tails, new.heads, strict=True))
    wanted = Counter((old.node_ids[old.tails[edge]], old.node_ids[old.heads[edge]]) for edge in edges)
    for pair in wanted - pairs:
        return f"the edge {pair[0]} -> {pair[1]} is lost by {titles}"
    return ""


def _is_default(text: str, offset: int) -> bool:
    """Whether a place is in a statement that says something of all nodes or edges to come."""
    before = re.split(r"[;\n{}]", text[:offset])[-1]
    return bool(re.match(r"\s*(node|edge)\b", before) or re.match(r"\s*(node|edge)\b", text[offset:]))


def _untouched(graph: DotGraph, touched: Sequence[Span]) -> tuple[list[int], list[int]]:
    """The nodes and edges whose statements lie outside some places."""

    def free(start: int) -> bool:
        stop = _end_of(graph, start)
        return all(stop < first or start > last for first, last in touched)

    edges = [edge for edge, start in enumerate(graph.edge_offsets) if free(start)]
    nodes = [node for node, start in enumerate(graph.node_offsets) if free(start)]
    return nodes, edges


def _end_of(graph: DotGraph, start: int) -> int:
    """Where the statement is over: at its list, or at the end of its line."""
    closed = statement_end(graph.text, start)
    line = graph.text.find("\n", closed)
    return max(closed, line if line >= 0 else len(graph.text))


def _unsaid(data: bytes, mended: Mended) -> str:
    """A word that the fixes drop and none of them names."""
    words = Counter(re.findall(rb"\w+", data)) - Counter(re.findall(rb"\w+", mended.data))
    said = " ".join(f"{one.code} {one.fix.title}" for one in mended.kept)
    for word in (found.decode(errors="replace") for found in words):
        broken = rf"\{word}".encode() in data and word[1:].encode() in mended.data  # an escape stood before it
        if len(word) > 2 and word not in said and "…" not in said and word.encode() not in mended.data and not broken:
            return f"{word!r} goes and no fix says so: {said[:200]}"
    return ""
