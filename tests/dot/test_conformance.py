"""Real files: the verdicts and counts of Graphviz, in full."""

import csv

import pytest

from dagtool.dot import DotSyntaxError, parse


def outcome(path, *, fast):
    """Status, number of graphs, facts of the first one, error line."""
    try:
        graphs = parse(path.read_bytes(), fast=fast)
    except DotSyntaxError as error:
        return "syntax-error", "0", "", "", "", "", str(error.line)
    if not graphs:
        return "empty", "0", "", "", "", "", ""
    first = graphs[0]
    counts = len(graphs), len(first.node_ids), len(first.tails), int(first.directed), int(first.strict)
    return ("ok", *map(str, counts), "")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("fast", [True, False])
def test_conformance_files(shared, fast):
    folder = shared / "dot-conformance"
    columns = ("status", "graphs", "nodes", "edges", "directed", "strict", "err_line")
    expected = {row["file"]: tuple(row[column] for column in columns) for row in rows(folder / "expected.csv")}
    assert {file: outcome(folder / file, fast=fast) for file in expected} == expected


@pytest.mark.parametrize("fast", [True, False])
def test_corpus(shared, fast):
    folder = shared / "corpus"
    facts = rows(folder / "facts.csv")
    expected = {row["file"]: (row["nodes"], row["edges"], row["directed"], row["error_line"]) for row in facts}
    found = {}
    for file in expected:
        _, _, nodes, edges, directed, _, line = outcome(folder / file, fast=fast)
        found[file] = (nodes, edges, directed, line)
    assert found == expected


def sample_files(shared):
    return [*sorted(shared.glob("dot-conformance/*/*")), *sorted(shared.glob("corpus/*.dot"))]


def test_fast_path_and_grammar_agree_on_real_files(shared):
    for path in sample_files(shared):
        try:
            quick = parse(path.read_bytes())
        except DotSyntaxError:
            continue
        slow = parse(path.read_bytes(), fast=False)
        for one, other in zip(quick, slow, strict=True):
            for name in one.__slots__:
                if name != "lines":
                    assert getattr(one, name) == getattr(other, name), (path.name, name)


def test_gc_counts_the_same(shared, gc_counts):
    for path in sample_files(shared):
        try:
            graphs = parse(path.read_bytes())
        except DotSyntaxError:
            counts = None
        else:
            counts = [(len(graph.node_ids), len(graph.tails)) for graph in graphs]
        assert counts == gc_counts(path), path.name


def test_whole_content_is_that_of_the_c_library(shared, c_graphviz, canonical, described):
    for path in sample_files(shared):
        data = path.read_bytes()
        try:
            data.decode()
            graphs = parse(data)
        except (UnicodeDecodeError, DotSyntaxError):
            continue
        expected = canonical(c_graphviz.read(data))
        assert canonical(described(graphs[0] if graphs else None)) == expected, path.name
