"""Real files: the facts are Graphviz's and networkx's, the known faults are found, in a screenful."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dagtool.dot import DotSyntaxError, parse
from dagtool.foreign import guess
from dagtool.report.checklist import checklist
from dagtool.report.formats import Style, renderer
from dagtool.validators.engine import check_bytes

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")


def rows() -> list[dict[str, str]]:
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "facts.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_facts(row: dict[str, str]) -> None:
    report = check_bytes((CORPUS / row["file"]).read_bytes(), row["file"])
    assert report.parses == (row["parses"] == "1")
    if report.facts is None:
        assert report.error_line == int(row["error_line"])
        return
    names = ("nodes", "edges", "directed", "acyclic", "sources", "sinks", "isolated", "components")
    assert [int(getattr(report.facts, name)) for name in names] == [int(row[name]) for name in names]
    found = {finding.code for finding in report.findings}
    assert ("GRF101" in found) == (row["acyclic"] == "0")
    if (row["sources"], row["sinks"], row["isolated"], row["components"]) == ("1", "1", "0", "1"):
        assert not found & {"GRF102", "GRF103", "GRF104", "GRF105"}


@pytest.mark.parametrize(
    ("file", "code", "count"),
    [("seed003_ep16_tp4.dot", "GRF102", 11_136), ("seed001_ma_separation.dot", "GRF104", 32)],
)
def test_known_faults(file: str, code: str, count: int) -> None:
    report = check_bytes((CORPUS / file).read_bytes(), file)
    assert [finding.count for finding in report.findings if finding.code == code] == [count]


@pytest.mark.parametrize("row", rows(), ids=lambda r: r["file"])
def test_a_screenful(row: dict[str, str]) -> None:
    """Forty lines, of which two are the summary."""
    report = check_bytes((CORPUS / row["file"]).read_bytes(), row["file"], checklist=checklist)
    text = "".join(renderer("full")([report], Style()))
    assert len(text.splitlines()) <= 38


def test_labels_are_read() -> None:
    """Every file is read; what is understood never falls below what docs/labels.md says."""
    understood, nodes = 0, 0
    for path in sorted(CORPUS.glob("*.dot")):
        try:
            graph = parse(path.read_bytes())[0]
        except DotSyntaxError:
            continue
        labels = guess(graph)
        assert len(labels.nodes) == len(graph.node_ids)
        understood += sum(bool(facts.op) and facts.placement is not None for facts in labels.nodes)
        nodes += len(labels.nodes)
    assert understood > 0.9 * nodes


@pytest.mark.parametrize(
    ("file", "code", "count"),
    [("seed000_ma_separation.dot", "COM410", 4), ("seed002_tensor_parallel.dot", "GRF122", 6)],
)
def test_known_faults_in_labels(file: str, code: str, count: int) -> None:
    report = check_bytes((CORPUS / file).read_bytes(), file)
    assert [finding.count for finding in report.findings if finding.code == code] == [count]
