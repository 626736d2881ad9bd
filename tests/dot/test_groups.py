"""Groups as edge ends that stand for millions of edges are refused before there are any."""

import pytest

from dagtool.dot import parse
from dagtool.dot.errors import TooManyEdgesError
from dagtool.dot.recover import recover
from dagtool.validators.engine import check_bytes


def group(letter, count):
    return "{" + " ".join(f"{letter}{number}" for number in range(count)) + "}"


SUBGRAPH = "subgraph s " + group("a", 1_000) + ";"
TOO_MANY = {
    "two groups": group("a", 5_000) + " -> " + group("b", 5_000),
    "a chain": " -> ".join(group(letter, 700) for letter in "abcd"),
    "nested groups": "{{{" + group("a", 2_000) + "}}} -> {" + group("b", 2_000) + "}",
    "lists": ",".join(f"a{n}" for n in range(2_000)) + " -> " + ",".join(f"b{n}" for n in range(2_000)),
    "a group named again and again": SUBGRAPH + "subgraph s {} -> x;" * 1_500,
    "beside an empty group": SUBGRAPH + "subgraph s {} -> {};" * 1_500,
    "strict edges found again": group("a", 1_500) + " -> " + group("a", 1_500),
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", TOO_MANY)
def test_refused(kind, fast):
    for head in ("digraph", "strict digraph"):
        with pytest.raises(
            TooManyEdgesError, match=r"^line 2, column \d+: .*more than 1,000,000 are not read"
        ) as error:
            parse(f"{head} {{\n{TOO_MANY[kind]}\n}}", fast=fast)
        assert "node between the groups" in error.value.hint


def test_a_broken_file_is_refused_too():
    with pytest.raises(TooManyEdgesError):
        recover(f"digraph {{ {TOO_MANY['two groups']}")


def test_edges_one_by_one_and_small_groups_are_read():
    text = "digraph {" + "a -> b -> c;" * 10_000 + group("a", 900) + " -> " + group("b", 900) + "; a -> {b c}}"
    assert len(parse(text)[0].tails) == 20_000 + 810_000 + 2


def test_the_report_has_the_place():
    data = f"digraph {{\n  {TOO_MANY['two groups']}\n}}".encode()
    report = check_bytes(data, "a.dot")
    assert report.error.startswith("a.dot:2:3: edges between groups stand for 25,000,000 edges")
