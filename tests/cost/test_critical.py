"""The critical path: against networkx, and the factored sum against the plain one."""

import re

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.cost.critical import critical_path, expression
from dagtool.cost.work import kind_works, matmuls_of, role_flops
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators import generate
from dagtool.generators.products import products
from dagtool.model.tree import parse_model


def expand(text):
    """``2*(a+3*b)`` written out: a b b b a b b b."""
    names, stack, number = [], [], 1
    for token in re.findall(r"\d+\*|\(|\)|\+|[a-z]", text):
        if token.endswith("*"):
            number = int(token[:-1])
        elif token == "(":
            stack.append((names, number))
            names, number = [], 1
        elif token == ")":
            outer, times = stack.pop()
            names = outer + names * times
        elif token != "+":
            names, number = names + [token] * number, 1
    return names


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_factored_sum_expands_to_the_terms_in_order(terms):
    """Factoring loses nothing, not even the order."""
    assert expand(expression(terms)) == terms


@given(st.lists(st.sampled_from("abcde"), min_size=2, max_size=8, unique=True), st.integers(2, 64))
def test_layers_factor_out(layer, times):
    """A repeated layer is one product."""
    assert expression([*layer * times, "z"]) == f"{times}*({'+'.join(layer)})+z"


@pytest.mark.parametrize("name", ["ma_separation", "dense_tp8_pp2", "ep16"])
def test_heaviest_as_networkx_finds_it(name):
    """networkx weighs edges; with the head's work on each edge its longest path has the same FLOPs."""
    dag = generate(name)
    products = [matmuls_of(work, dag) for work in kind_works(dag)]
    work = [sum(one.flops.value for one in products[kind]) for kind in dag.kind_of]
    graph = nx.DiGraph()
    graph.add_weighted_edges_from((t, h, work[h]) for t, h in zip(dag.tails, dag.heads, strict=True))
    longest = nx.dag_longest_path_length(graph)
    path = critical_path(dag)
    assert sum(work[node] for node in path.nodes) == longest
    edges = set(zip(dag.tails, dag.heads, strict=True))
    assert all(pair in edges for pair in zip(path.nodes, path.nodes[1:], strict=False))


def test_ties_go_to_gpu_0():
    """Every node of the path runs on the first GPU of its mesh."""
    dag = generate("ep16_tp4", {"L": "3"})
    assert all(0 in dag.gpus(node) for node in critical_path(dag).nodes)


def test_path_of_a_file_is_the_path_of_its_dag():
    """Writing and reading changes nothing."""
    dag = generate("ma_separation", {"B": "B"})
    again = to_dag(parse(dag.to_dot().encode())[0])
    assert critical_path(again) == critical_path(dag)


def test_cycle_has_no_path():
    """A cyclic graph is refused."""
    dag = generate("pp2")
    dag.tails.append(dag.heads[-1])
    dag.heads.append(0)
    with pytest.raises(ValueError, match="cycle"):
        critical_path(dag)


@pytest.mark.parametrize("name", ["ma_separation", "tp8", "pp2", "dense_tp8_pp2", "ep16_tp4", "moe_tp8_pp2", "ep16"])
def test_flops_conserved_by_an_independent_sum(name):
    """All GPUs together do the unsharded model's FLOPs, counted here from the definition of a transformer."""
    dag = generate(name)
    s = dag.sizes
    tokens = s["B"] * s["S"]
    layer = 2 * tokens * s["H"] * 3 * s["N"] * s["D"] + 4 * tokens * s["S"] * s["N"] * s["D"]
    layer += 2 * tokens * s["N"] * s["D"] * s["H"]
    layer += 4 * tokens * s["H"] * s["F"] * s.get("K", 1) + 2 * tokens * s["H"] * s.get("E", 0)
    total = s["L"] * layer + 2 * tokens * s["H"] * s["V"]
    assert sum(row.distinct.value for row in role_flops(dag)) == total
    reference = sum(part.flops.bind(s).value * part.layers for part in products(parse_model(dag.facts["model"]), s))
    assert reference == total
