"""The eight documented systems: paths, matmuls, structure, bytes."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import networkx as nx
import pytest
from helpers.documents import GPUS, LAYERS, PATHS, TERMS

from dagtool.cost.critical import critical_path
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators import find_strategy
from dagtool.generators.presets import preset_names
from dagtool.ops import OPERATORS


def node(dag, name):
    """The node a document means: the id itself, or that of GPU 0 where we have one node per GPU."""
    index = {one: number for number, one in enumerate(dag.ids)}
    for candidate in (name, f"{name}_gpu0", f"{name}_gpu8"):
        if candidate in index:
            return index[candidate]
    raise AssertionError(f"no node {name}")


@pytest.mark.parametrize("name", PATHS)
def test_documented_path_is_walkable(name, load):
    """Each consecutive pair is an edge, or the table of differences says why not."""
    dag = load(name)
    edges = set(zip(dag.tails, dag.heads, strict=True))
    said = canonical(" ".join(one.says for one in find_strategy(name).differences))
    for one, other in pairwise(PATHS[name]):
        explained = canonical(f"{one} → {other}") in said
        assert explained or (node(dag, one), node(dag, other)) in edges, (one, other)


def canonical(text):
    """What is said of one layer or stage is said of all."""
    return re.sub(r"(layer|stage)\d+", r"\1", text)


def test_terms_are_the_documents(documented):
    """Every Get_Time term of the path, in order, and the factored sum."""
    name, dag = documented
    per_layer, last = TERMS[name]
    layers = LAYERS.get(name, 4)
    path = critical_path(dag)
    found = [f"{one.m},{one.k},{one.n}" for _, one in path.products]
    assert found == per_layer.split() * layers + [last]
    assert path.expression.startswith(f"{layers}*(Get_Time({per_layer.split()[0]})+")
    assert path.expression.endswith(f")+Get_Time({last})")


def test_structure(documented):
    """Acyclic, one component, one source, one sink, as networkx sees it; as many GPUs as documented."""
    name, dag = documented
    graph = dag.graph
    assert nx.is_directed_acyclic_graph(graph)
    assert nx.number_weakly_connected_components(graph) == 1
    sources = [n for n, degree in graph.in_degree() if not degree]
    sinks = [n for n, degree in graph.out_degree() if not degree]
    assert [graph.nodes[n]["op"] for n in sources + sinks] == ["input", "output"]
    assert {gpu for n in graph for gpu in graph.nodes[n]["gpus"]} == set(range(GPUS[name.split()[0]]))


def test_validates_clean_and_reads_back(documented):
    """What is written reads back as the same graph, and no rule finds anything."""
    _, dag = documented
    again = to_dag(parse(dag.to_dot().encode())[0])
    assert (again.ids, again.tails, again.heads) == (dag.ids, dag.tails, dag.heads)
    assert [again.kind(n) for n in range(0, len(dag.ids), 7)] == [
        normal(dag.kind(n)) for n in range(0, len(dag.ids), 7)
    ]
    assert [again.gpus(n) for n in range(len(dag.ids))] == [dag.gpus(n) for n in range(len(dag.ids))]
    assert again.layer_of == dag.layer_of
    assert again.expert_of == dag.expert_of
    assert again.validate() == []


def normal(kind):
    """A kind with its parameters in the order of the reader."""
    from dataclasses import replace

    order = [attribute.name for attribute in OPERATORS[kind.op].attributes]
    return replace(kind, params=tuple(sorted(kind.params, key=lambda pair: order.index(pair[0]))))


@pytest.mark.skipif(shutil.which("gc") is None, reason="the C programs of Graphviz are not installed")
def test_c_graphviz_agrees(documented, tmp_path):
    """Counts by gc, acyclicity by acyclic, components by ccomps."""
    _, dag = documented
    file = tmp_path / "x.dot"
    file.write_text(dag.to_dot())
    counts = subprocess.run(["gc", "-n", "-e", file], capture_output=True, text=True, check=True).stdout.split()
    assert list(map(int, counts[:2])) == [len(dag.ids), len(dag.tails)]
    assert subprocess.run(["acyclic", "-n", file], capture_output=True, check=False).returncode == 0
    assert subprocess.run(["gc", "-c", file], capture_output=True, text=True, check=False).stdout.split()[0] == "1"


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_same_bytes_whatever_the_hash_seed(seed, load):
    """The generator and the writer never iterate over a set."""
    code = "import sys, dagtool; sys.stdout.write(dagtool.generate('ep16_tp4', L=2).to_dot())"
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, check=True).stdout
    assert hashlib.sha256(text).digest() == hashlib.sha256(load("ep16_tp4 L=2").to_dot().encode()).digest()


def test_every_preset_has_a_table_of_differences():
    """Name, document, summary, and where the document is wrong."""
    assert len(preset_names()) == 7
    for name in preset_names():
        strategy = find_strategy(name)
        assert strategy.name == name
        assert strategy.summary
        assert strategy.document
        assert all(one.says and one.in_fact and one.reason for one in strategy.differences)
        assert len(strategy.differences) >= 5
        assert strategy.assumed == (() if name == "ep16_tp4" else ("V",))


def test_expert_weights_of_document_004():
    """2 * 4096 * 32768 * 2 bytes = 512 MiB per expert."""
    sizes = find_strategy("ep16").sizes
    assert 2 * sizes["H"] * sizes["F"] * 2 == 512 * 2**20
