"""What every fix promises, whatever the file: nothing readable is lost, and once is enough."""

from __future__ import annotations

from collections import Counter
from functools import partial

from dagtool.dot import DotSyntaxError, parse
from dagtool.dot.graph import DotGraph
from dagtool.dot.recover import recover
from dagtool.fixes import Mended, mend
from dagtool.report.finding import Severity
from dagtool.validators.engine import check_bytes

__all__ = ["CHECK", "hold_promises", "parses"]

CHECK = partial(check_bytes, edits=True)


def parses(data: bytes) -> bool:
    try:
        parse(data)
    except DotSyntaxError:
        return False
    return True


def graphs(data: bytes) -> list[DotGraph]:
    return parse(data) if parses(data) else recover(data).graphs


def nodes(data: bytes) -> set[str]:
    return {name for graph in graphs(data) for name in graph.node_ids}


def edges(data: bytes) -> Counter[tuple[str, str]]:
    return Counter(
        (graph.node_ids[tail], graph.node_ids[head])
        for graph in graphs(data)
        for tail, head in zip(graph.tails, graph.heads, strict=True)
    )


def errors(data: bytes) -> set[str]:
    report = check_bytes(data)
    return {found.code for found in report.findings if found.severity is Severity.ERROR}


def hold_promises(data: bytes, *, unsafe: bool) -> Mended:
    """Fix a file and compare it with what it was."""
    mended = mend(data, CHECK, unsafe=unsafe)
    said_nodes = {name for one in mended.kept for name in one.fix.removed_nodes}
    said_edges = Counter(pair for one in mended.kept for pair in one.fix.removed_edges)
    assert unsafe or not (said_nodes or said_edges)
    assert nodes(data) - nodes(mended.data) <= said_nodes
    assert edges(data) - edges(mended.data) <= said_edges
    if not unsafe:
        assert edges(data) == edges(mended.data)
        assert nodes(data) == nodes(mended.data)
    assert parses(mended.data) or not parses(data)
    before = check_bytes(data)
    asked = errors(data) | {item.code for item in before.skipped}
    assert errors(mended.data) <= asked
    again = mend(mended.data, CHECK, unsafe=unsafe)
    assert (again.data, again.kept) == (mended.data, [])
    return mended
