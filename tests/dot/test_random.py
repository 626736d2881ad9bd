"""Random DOT, valid and damaged, read by this package and by the C library: same verdict, same graph."""

from itertools import pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dagtool.dot import DotSyntaxError, parse

EXAMPLES = settings(
    max_examples=400,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Few ids, so that statements meet the same nodes again.
IDS = (
    *(
        "a",
        "b",
        "c",
        "d",
        '"a"',
        '"b c"',
        "<a>",
        "<x<y>z>",
        "1",
        "-2.5",
        ".5",
        "7.",
        '"q\\"z\\\\"',
        '"a" + "b"',
    ),
    *("é", '"two\nlines"', '"joined \\\nline"', "nodes", '"node"', '""', '"a\\nb"', "_9", "edge1"),
)
KEYS = ("x", "y", "label", "color", "headport", '"x"', "<y>", "key")
VALUES = ("v", '"w w"', "<b <i>i</i>>", '""', "1", '"1"', "-.5", '"a\\nb\\l"', '"x" + "y"', '"\\""')
SPACES = (" ", "\n", "\t", "\r\n", " /* } */ ", " // ]\n", "\n# {\n")
PUNCTUATION = frozenset("[]{}=,;")

ids = st.sampled_from(IDS)


@st.composite
def attribute_lists(draw, least=0):
    tokens = []
    for _ in range(draw(st.integers(least, 2))):
        tokens.append("[")
        for key, value, separator in draw(
            st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES), st.sampled_from(",; ")), max_size=3)
        ):
            tokens += [key, "=", value, separator.strip()]
        tokens.append("]")
    return tokens


@st.composite
def nodes(draw):
    tokens = []
    for index in range(draw(st.integers(1, 2))):
        tokens += [","] * bool(index) + [draw(ids)]
        for port in draw(st.lists(st.sampled_from(("p", "ne", '"q r"', "<s>")), max_size=2)):
            tokens += [":", port]
    return tokens


@st.composite
def subgraphs(draw, depth, operator):
    head = draw(st.sampled_from(([], ["subgraph"], ["subgraph", "s"], ["SubGraph", '"t"'], ["subgraph", "<s>"])))
    return [*head, "{", *draw(statements(depth - 1, operator)), "}"]


@st.composite
def compounds(draw, depth, operator):
    tokens = []
    for index in range(draw(st.integers(1, 3))):
        inside = depth > 0 and draw(st.integers(0, 3)) == 0
        tokens += [operator] * bool(index) + draw(subgraphs(depth, operator) if inside else nodes())
    return tokens + draw(attribute_lists())


@st.composite
def defaults(draw):
    if draw(st.booleans()):
        return [draw(st.sampled_from(KEYS)), "=", draw(st.sampled_from(VALUES))]
    return [draw(st.sampled_from(("graph", "node", "edge", "NODE"))), *draw(attribute_lists(1))]


@st.composite
def plain(draw, operator):
    """The shapes that the fast path reads."""
    tail, head = draw(ids), draw(ids)
    edge = [tail, operator, head] if draw(st.booleans()) else [tail]
    return edge + draw(attribute_lists())


@st.composite
def statements(draw, depth, operator):
    tokens = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.integers(0, 5))
        shape = defaults() if kind == 0 else plain(operator) if kind < 4 else compounds(depth, operator)
        tokens += draw(shape) + draw(st.sampled_from(([], [";"])))
    return tokens


@st.composite
def texts(draw):
    kind, operator = draw(st.sampled_from((("digraph", "->"), ("graph", "--"), ("DiGraph", "->"))))
    strict = draw(st.sampled_from(([], ["strict"])))
    name = draw(st.sampled_from(([], ["G"], ['"a b"'])))
    tokens = [*strict, kind, *name, "{", *draw(statements(3, operator)), "}"]
    # With keys a strict graph can have two edges between two nodes. Which of them a third statement means is to
    # the C library a matter of memory addresses.
    assume(not strict or "key" not in tokens)
    text = tokens[0]
    for before, token in pairwise(tokens):
        tight = before in PUNCTUATION or token in PUNCTUATION
        text += ("" if tight and draw(st.booleans()) else draw(st.sampled_from(SPACES))) + token
    return text


@st.composite
def damaged(draw):
    text = draw(texts())
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        inserted = draw(st.sampled_from(("", *'{}[]<>"\\;,:=+-/*#@\n\0a1. ', "\ufeff", "->", "--", "node", "/*", "é")))
        text = text[:place] + inserted + text[place + cut :]
    return text


def first_graph(text):
    """The first graph of a text; None where there is no graph or an error."""
    try:
        graphs = parse(text.encode())
    except DotSyntaxError as error:
        # The C library leaves what follows the first graph for the next call.
        assume("the end of the file" not in error.message)
        return None
    return graphs[0] if graphs else None


@EXAMPLES
@given(text=texts())
def test_random_text_gives_the_graph_of_the_c_library(c_graphviz, described, canonical, text):
    assert canonical(described(first_graph(text))) == canonical(c_graphviz.read(text.encode()))


@EXAMPLES
@given(text=damaged())
def test_damaged_text_gets_the_verdict_of_the_c_library(c_graphviz, described, canonical, text):
    assert canonical(described(first_graph(text))) == canonical(c_graphviz.read(text.encode()))


@EXAMPLES
@given(text=st.one_of(texts(), damaged()))
def test_fast_path_and_grammar_agree(text):
    outcomes = []
    for fast in (True, False):
        try:
            outcomes.append([everything(graph) for graph in parse(text, fast=fast)])
        except DotSyntaxError as error:
            outcomes.append([vars(error)])
    assert outcomes[0] == outcomes[1]


def everything(graph):
    return {name: getattr(graph, name) for name in graph.__slots__ if name != "lines"}
