"""What is too long for C Graphviz is refused to the byte, with its place, and read by nobody else's limit."""

import pytest

from dagtool.dot import DotSyntaxError, parse
from dagtool.dot.recover import recover
from dagtool.validators.engine import check_bytes

TOKENS = {
    "id": lambda n: f'digraph {{ "{"a" * n}" }}',
    "label": lambda n: f'digraph {{ x [label="{"a" * n}"]; x -> y }}',
    "label after an escape": lambda n: rf'digraph {{ x [label="b\n{"a" * (n - 1)}"] }}',
    "label before an escape": lambda n: 'digraph { x [label="' + "a" * n + r'\n"] }',
    "label after a quote": lambda n: rf'digraph {{ x [label="b\"{"a" * n}"] }}',
    "label after two backslashes": lambda n: rf'digraph {{ x [label="b\\{"a" * n}"] }}',
    "label after a joined line": lambda n: 'digraph { x [label="b\\\n' + "a" * n + '"] }',
    "label after a line": lambda n: 'digraph { x [label="b\n' + "a" * n + '"] }',
    "label with a return": lambda n: 'digraph { x [label="' + "a" * (n - 2) + '\rb"] }',
    "letters of two bytes": lambda n: f'digraph {{ x [label="{"é" * (n // 2)}{"a" * (n % 2)}"] }}',
    "letters of four bytes": lambda n: f'digraph {{ x [label="{"🙂" * (n // 4)}{"a" * (n % 4)}"] }}',
    "Latin-1": lambda n: b'digraph { x [label="' + b"\xe9" * n + b'"] }',
    "the second part of a sum": lambda n: f'digraph {{ "a" + "{"a" * n}" }}',
    "value of the graph": lambda n: f'digraph {{ label="{"a" * n}" }}',
    "name": lambda n: f"digraph {{ {'a' * n} -> b }}",
    "name of the graph": lambda n: f"digraph {'a' * n} {{ a }}",
    "name of a value": lambda n: f"digraph {{ a [label={'a' * n}] }}",
    "number": lambda n: f"digraph {{ {'1' * n} }}",
    "number with a dot": lambda n: f"digraph {{ -1.{'1' * (n - 3)} }}",
    "HTML": lambda n: f"digraph {{ x [label=<{'a' * n}>] }}",
    "HTML after a tag": lambda n: f"digraph {{ x [label=<<b>{'a' * n}</b>>] }}",
    "HTML in a tag": lambda n: f"digraph {{ x [label=<<{'b' * n}></b>>] }}",
    "HTML after a line": lambda n: f"digraph {{ x [label=<b\n{'a' * n}>] }}",
    "comment": lambda n: f"digraph {{ x /*{'a' * n}*/ }}",
    "comment after a star": lambda n: f"digraph {{ x /*b *{'a' * (n - 1)}*/ }}",
    "comment of stars": lambda n: f"digraph {{ x /*b{'*' * n}/ }}",
    "comment of stars and a letter": lambda n: f"digraph {{ x /*b{'*' * (n - 1)}b*/ }}",
    "comment on a line": lambda n: f"digraph {{ x //{'a' * (n - 2)}\n }}",
    "comment after a hash": lambda n: f"digraph {{ x \n#{'a' * (n - 1)}\n }}",
    "comment before the graph": lambda n: f"//{'a' * (n - 2)}\ndigraph {{ x }}",
    "comment of lines before the graph": lambda n: f"/*\n{'a' * n}\n*/ digraph {{ x }}",
    "hash before the graph": lambda n: f"#{'a' * (n - 1)}\ndigraph {{ x }}",
}
LIMIT = 16_381


def data(kind, length):
    made = TOKENS[kind](length)
    return made if isinstance(made, bytes) else made.encode()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", TOKENS)
def test_the_limit_to_the_byte(kind, fast):
    assert parse(data(kind, LIMIT), fast=fast)
    with pytest.raises(DotSyntaxError, match=r"16,382 bytes without a break") as error:
        parse(data(kind, LIMIT + 1), fast=fast)
    assert error.value.cause == "overlong-token"
    assert error.value.hint


@pytest.mark.parametrize("kind", TOKENS)
def test_the_limit_is_that_of_the_c_library(kind, c_graphviz):
    assert c_graphviz.read(data(kind, LIMIT)) is not None
    assert c_graphviz.read(data(kind, LIMIT + 1)) is None


@pytest.mark.parametrize("kind", TOKENS)
def test_what_else_is_in_the_file_is_read(kind):
    text = data(kind, LIMIT + 1)
    assert recover(text).graphs
    report = check_bytes(text, "a.dot")
    assert [found.code for found in report.findings][:1] == ["DOT010"]
    assert not report.parses


def test_breaks_make_any_length_readable(c_graphviz):
    joined, lines, html = ("a" * 10_000 + "\\\n") * 5, "b\n" * 30_000, ("c" * 9_000 + "\n") * 3
    text = f'/* {lines} */ digraph {{ x [label="{joined}"]; y [label=<{html}>] }}'.encode()
    assert len(parse(text)[0].node_attributes[0]["label"]) == 50_000
    assert c_graphviz.read(text) is not None


def test_the_place_is_that_of_the_piece():
    with pytest.raises(DotSyntaxError) as error:
        parse(f'digraph {{\n  x [label="b\nc\\"{"a" * 20_000}"]\n}}')
    assert (error.value.line, error.value.column) == (3, 4)
