"""Positions of keys: on random documents in every way of writing, each path tomllib reads stands where it is said."""

import json
import tomllib

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dagtool.generators.toml_positions import find_positions

NAMES = st.sampled_from(["a", "b-1", "c_2", "3", "d.e", "f g", 'h"i', "j\\k", "ä", "#", "[x]", "=", "'", "\t"])
SCALARS = st.one_of(
    st.integers(-9, 10**20).map(str),
    st.sampled_from(["true", "1979-05-27 07:32:00Z", "1e5", "inf", "07:32:00", "1_000", "0xff"]),
    st.text(max_size=8).map(json.dumps).map(lambda text: text.replace("\x7f", "")),
    st.sampled_from([
        "'it # is'", '"a \\" ] # b"', '"""x\n[a]\nb = 1 # "" \\""""', "'''y\n] } '' z'''", '"""q"""""', "''", '""""""',
    ]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


def token(name, draw):
    """A key in one of the ways it can be written."""
    ways = [json.dumps(name, ensure_ascii=draw(st.booleans()))]
    if name.isascii() and name.replace("-", "").replace("_", "").isalnum():
        ways.append(name)
    if "'" not in name and name.isprintable():
        ways.append(f"'{name}'")
    return draw(st.sampled_from(ways))


def blank(draw, *, lines):
    """Spaces; in arrays also lines and comments."""
    return draw(st.sampled_from(["", " ", "\t", *(["\n", " # ] }, x = 1\n  "] if lines else [])]))


def written(value, draw):
    """A value as TOML."""
    if isinstance(value, list):
        inner = "".join(f"{blank(draw, lines=True)}{written(one, draw)}{blank(draw, lines=True)}," for one in value)
        return f"[{inner[:-1] if draw(st.booleans()) else inner}{blank(draw, lines=True)}]"
    if isinstance(value, dict):
        pairs = (f"{token(key, draw)}{blank(draw, lines=False)}= {written(one, draw)}" for key, one in value.items())
        return "{" + blank(draw, lines=False) + ", ".join(pairs) + " }"
    return value


@st.composite
def documents(draw):
    """Headers, dotted headers, arrays of tables, dotted and quoted keys, inline tables, comments, both line ends."""
    lines = [f"{token(key, draw)} = {written(value, draw)}" for key, value in draw(TABLES).items()]
    for number in range(draw(st.integers(0, 4))):
        first = draw(st.sampled_from([f"t{number}", "array", "array", "of tables"]))
        path = [first, *draw(st.lists(NAMES, max_size=2))]
        if path[0] in {"array", "of tables"} and (len(path) == 1 or draw(st.booleans())):
            header = f"[[ {token(path[0], draw)} ]]"
        else:
            header = f"[{' . '.join(token(key, draw) for key in path)}]"
        lines.append(f"  {header} # comment")
        for key, value in draw(TABLES).items():
            dotted = f"{token(draw(NAMES), draw)} . " if draw(st.booleans()) else ""
            lines.append(f"{blank(draw, lines=False)}{dotted}{token(key, draw)} = {written(value, draw)} # = [")
        lines.append(draw(st.sampled_from(["", "# [no]", "\t"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


def paths(value, path=()):
    """Every path of a document."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from paths(one, (*path, key))


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_path_stands_where_it_is_said(text):
    """Exactly the paths that tomllib reads, each at a token that reads as its key; keys of elements at the element."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)  # the random document gives a key twice
    found = find_positions(text)
    expected = set(paths(document))
    assert set(found.paths()) == expected
    lines = text.replace("\r\n", "\n").split("\n")
    for path in expected:
        line, column = found.at(path)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        if isinstance(path[-1], str):
            end = next(end for end in range(1, len(rest) + 1) if reads_as(rest[:end], path[-1], rest[end : end + 1]))
            assert end
        else:
            assert rest[0] not in " \t\n,#]"


def reads_as(token_text, key, behind):
    """Whether a text is a complete token of a key."""
    if token_text[0] not in "\"'" and (behind.isalnum() or behind in {"-", "_"}):
        return False
    try:
        return tomllib.loads(f"{token_text} = 1") == {key: 1}
    except tomllib.TOMLDecodeError:
        return False


TEXT = """\
name = "x"  # first
[sizes]
B = 8
"S" = 16

[regions]
  attention = "all N/tp"
[layout]
"layers.*.mlp" = "F/tp"
attention.core = "N/tp"
[stated]
"000" = [
    ["a", "b # c", "d"],
    [
        "e"],
]
[[differences]]
document = "1"
[[differences]]
document = "2"
table = {a = 1, b.c = [2]}
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("name",), (1, 1)),
        (("sizes",), (2, 2)),
        (("sizes", "B"), (3, 1)),
        (("sizes", "S"), (4, 1)),
        (("sizes", "H"), (2, 2)),
        (("regions", "attention"), (7, 3)),
        (("layout", "layers.*.mlp"), (9, 1)),
        (("layout", "attention", "core"), (10, 11)),
        (("stated", "000", 0), (13, 5)),
        (("stated", "000", 0, 2), (13, 20)),
        (("stated", "000", 1), (14, 5)),
        (("stated", "000", 1, 0), (15, 9)),
        (("differences", 1, "document"), (20, 1)),
        (("differences", 0), (17, 3)),
        (("differences", 1, "table", "b", "c", 0), (21, 24)),
        (("nothing",), None),
    ],
)
def test_lines_and_columns(path, expected):
    """Counted from 1; what is absent is said to stand in the table that is there."""
    assert find_positions(TEXT).at(path) == expected


def test_deep_nesting_needs_no_stack():
    """As deep as tomllib can read."""
    depth = 300
    text = "a = " + "[" * depth + "]" * depth
    assert len(find_positions(text).paths()) == depth
