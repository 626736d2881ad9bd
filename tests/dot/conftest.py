"""What the tests of the DOT reader share: two versions of Graphviz to compare with, and real files."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


class CGraphviz:
    """The C library inside pygraphviz, asked over a pipe and started again should it crash."""

    def __init__(self):
        self.worker = None

    def read(self, data):
        """A description of the first graph of a text; None if it is rejected, or there is no graph."""
        if self.worker is None or self.worker.poll() is not None:
            self.worker = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("pygraphviz_worker.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        self.worker.stdin.write(b"%d\n" % len(data) + data)
        self.worker.stdin.flush()
        return json.loads(self.worker.stdout.readline())

    def close(self):
        if self.worker is not None:
            self.worker.stdin.close()
            self.worker.stdout.close()
            self.worker.wait()


@pytest.fixture(scope="session")
def c_graphviz():
    pytest.importorskip("pygraphviz")
    library = CGraphviz()
    yield library
    library.close()


@pytest.fixture(scope="session")
def gc_counts():
    """Nodes and edges of each graph of a file according to the ``gc`` program; None if it prints an error."""
    program = shutil.which("gc")
    if program is None:
        pytest.skip("Graphviz is not installed")

    def counts(path):
        done = subprocess.run([program, "-n", "-e", str(path)], capture_output=True, check=False)
        if b"rror:" in done.stderr:
            return None
        found = re.findall(rb"^ +([0-9]+) +([0-9]+) (?!total)", done.stdout, re.MULTILINE)
        return [(int(nodes), int(edges)) for nodes, edges in found]

    return counts


@pytest.fixture(scope="session")
def shared():
    """The folder of sample files beside the project; a checkout of the project alone has none."""
    if not SHARED.is_dir():
        pytest.skip("no sample files")
    return SHARED


@pytest.fixture(scope="session")
def described():
    return describe


@pytest.fixture(scope="session")
def canonical():
    return sort


def describe(graph):
    """A graph in the terms of the C library's description; an empty value is to it the same as none."""
    if graph is None:
        return None

    def shown(attributes):
        return {key: str.__str__(value) for key, value in attributes.items() if value}

    names = [str.__str__(name) for name in graph.node_ids]
    ends = zip(graph.tails, graph.heads, graph.edge_attributes, strict=True)
    subgraphs = [
        {
            "name": None if subgraph.name is None else str.__str__(subgraph.name),
            "nodes": [names[node] for node in subgraph.nodes],
            "attributes": shown(subgraph.attributes),
            "subgraphs": [],
        }
        for subgraph in graph.subgraphs
    ]
    for subgraph, description in zip(graph.subgraphs, subgraphs, strict=True):
        if subgraph.parent >= 0:
            subgraphs[subgraph.parent]["subgraphs"].append(description)
    return {
        "name": None if graph.name is None else str.__str__(graph.name),
        "directed": graph.directed,
        "strict": graph.strict,
        "attributes": shown(graph.attributes),
        "nodes": [[name, shown(own)] for name, own in zip(names, graph.node_attributes, strict=True)],
        "edges": [[names[tail], names[head], shown(own)] for tail, head, own in ends],
        "subgraphs": [
            inside for subgraph, inside in zip(graph.subgraphs, subgraphs, strict=True) if subgraph.parent < 0
        ],
    }


def sort(description):
    """The same with edges and subgraphs, which the C library lists in an order of its own, sorted."""
    if description is None:
        return None
    sorted_lists = {"subgraphs": by_content(map(sort, description["subgraphs"]))}
    if "edges" in description:
        sorted_lists["edges"] = by_content(description["edges"])
    return {**description, **sorted_lists}


def by_content(things):
    return sorted(things, key=lambda thing: json.dumps(thing, sort_keys=True))
