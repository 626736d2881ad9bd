"""What a user is told about a broken file."""

import pytest

from dagtool.dot import DotSyntaxError, parse


def error(text):
    with pytest.raises(DotSyntaxError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "near"),
    [
        ("digraph{\n  a [x=1,,y=2]\n}", 2, 10, ","),
        ("digraph{\n\ta -- b\n}", 2, 4, "--"),
        ('digraph{\n"é" ]\n}', 2, 5, "]"),
        ('digraph{\n"a\n\nb"\n]', 5, 1, "]"),
        ("digraph{/*\n*/\n]", 3, 1, "]"),
        ("digraph{a[x=<\n<\n>>] ]", 3, 5, "]"),
        ('# 10 "x.gv"\ndigraph{\n]', 11, 1, "]"),
        ("#line 7\ndigraph{ # 3\n#x\n]", 9, 1, "]"),
        ("#line -7\ndigraph{]", 2, 9, "]"),
        ("digraph{\n# 40", 39, 5, ""),
        ("digraph", 1, 8, ""),
        ("digraph{a}\n\nfoo", 3, 1, "foo"),
    ],
)
def test_place(text, line, column, near):
    found = error(text)
    assert (found.line, found.column, found.near) == (line, column, near)
    assert text[found.offset :].startswith(near)


@pytest.mark.parametrize(
    ("text", "opened", "words"),
    [
        ('digraph{\na [label="cut', 2, "quoted string opened at line 2"),
        ("digraph{\na [label=<cut<b>", 2, "HTML-like string opened at line 2"),
        ("digraph{\n/* cut\n\n", 2, "comment opened at line 2"),
        ("digraph{\na -> b;\n", 1, "graph opened at line 1"),
        ("digraph{\n\nsubgraph s {\na\n", 3, "subgraph opened at line 3"),
        ("digraph\n{\nsubgraph s {a}\n a -> ", 2, "graph opened at line 2"),
    ],
)
def test_something_is_never_closed(text, opened, words):
    found = error(text)
    assert found.opened_line == opened
    assert words in found.message
    assert found.near == ""
    assert found.hint == "it looks cut off"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("digraph{\nsubgraph s{ a\n}\n", "close the graph of line 1"),
        ('digraph{\na[label="x]\n}\n', "close the quoted string of line 2"),
        ("digraph{\na /* x\n}\n", "close the comment of line 2"),
    ],
)
def test_a_forgotten_mark_is_no_cut(text, hint):
    assert error(text).hint == hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    a [x=1]\n}", 'begin with "digraph name {"'),
        ('"digraph G { a [x="1"] }', "stray quote"),
        ("```dot\ndigraph{}\n```", "Markdown"),
        ("import os\n", "program"),
        ("\ufeffdigraph{}", "byte-order mark"),
        ("digraph{a}\n}", "closed above"),
        (r"digraph G {\n a;\n}", "escaped once too often"),
        ("digraph{a--b}", "'->'"),
        ("graph{a->b}", "'--'"),
        ("digraph{a[node=1]}", "keyword"),
        ("digraph{a[style=rounded,filled]}", 'style="rounded,filled"'),
        ("digraph{a[style=rounded,filled,x=1]}", 'style="rounded,filled"'),
        ("digraph{style=rounded, filled;}", 'style="rounded, filled"'),
        ("digraph{a[bold x=1]}", "key=value"),
        ("digraph{a[INPUT=[B=1]]}", "contains '['"),
        ("digraph{a-b}", "contains '-'"),
        ("digraph{$a}", "contains '$'"),
        ("digraph{a;;}", "one ';'"),
        ("digraph{a->}", "before the brace"),
        ("digraph{a[x=<a->b>]}", "&lt;"),
        ('digraph{\na[label="x]\nb[label="y"]\n}', "the string opened at line 2"),
        ('digraph{\na[label="x]\nb[label="y z"]\n}', "string opened at line 2 runs on"),
        (b"\xff\xfed\0i\0".decode("latin-1").encode("latin-1"), "UTF-8"),
    ],
)
def test_hint(text, words):
    assert words in error(text).hint


def test_text_of_the_error():
    assert str(error("digraph{a--b}")) == (
        "line 1, column 10: syntax error near '--': expected a statement (the edges of a digraph are written with '->')"
    )
    assert str(error("digraph")) == "line 1, column 8: the file ends before the graph's '{'"


def test_a_long_token_is_shortened():
    assert len(error(f'"{"x" * 1000}"').near) == 40
