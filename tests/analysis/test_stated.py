"""Every number that a document states stands beside one that is worked out."""

from __future__ import annotations

import re

import pytest

from dagtool.analysis.quantities import NotDerivableError, derive, quantities
from dagtool.analysis.said import AGREES, DIFFERS, UNKNOWN, compared
from dagtool.analysis.subject import Subject
from dagtool.cost.critical import Term
from dagtool.cost.work import matmuls_of
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.errors import DagtoolError
from dagtool.generators import find_strategy
from dagtool.generators.presets import preset_names

ROWS = [(name, row) for name in preset_names() for row in find_strategy(name).stated]
NEEDS_CLUSTER = {"makespan", "overlap", "tokens_per_ms", "tokens_per_s"}


@pytest.mark.parametrize("name", preset_names())
def test_every_statement_is_held_against_something_computed(name, subject):
    """Only what a document sets itself, and seconds without a cluster, have no value."""
    rows = compared(subject(name))
    assert len(rows) >= 20
    for row in rows:
        used = {call.split()[0] for call in row.statement.derived.split(";")}
        assert used <= set(quantities())
        assert (row.verdict == UNKNOWN) == bool(used & {"not_derivable", *NEEDS_CLUSTER}), row


@pytest.mark.parametrize("name", preset_names())
def test_what_differs_says_why(name, subject):
    assert [row for row in compared(subject(name)) if row.verdict == DIFFERS and not row.why] == []


@pytest.mark.parametrize("name", preset_names())
def test_on_a_cluster_seconds_are_derived_too(name, priced):
    for row in compared(priced(name)):
        assert (row.verdict == UNKNOWN) == row.statement.derived.startswith("not_derivable")


@pytest.mark.parametrize("name", preset_names())
def test_terms_in_the_table_of_differences_are_those_of_the_dag(name, subject):
    """What stands there in fact is prose, but its Get_Time terms are not made up."""
    one = subject(name)
    there = {str(Term(p.m, p.k, p.n)) for work in one.works for p in matmuls_of(work, one.dag)}
    named = {term for row in find_strategy(name).differences for term in re.findall(r"Get_Time\([^)]*\)", row.in_fact)}
    assert named <= there


def test_a_changed_size_changes_what_is_derived(subject):
    """Nothing is copied from the preset."""
    assert derive(subject("tp8"), "product moe.up; size N/tp") == "Get_Time(262144,4096,16384); 4"
    assert derive(subject("tp8", B="512", tp="4"), "product moe.up; size N/tp") == "Get_Time(131072,4096,16384); 8"
    assert derive(subject("tp8", B="B"), "product moe.up") == "Get_Time(256*B,4096,16384)"
    changed = {row.statement.what: row.verdict for row in compared(subject("tp8", tp="4"))}
    assert changed["GPUs"] == DIFFERS
    assert changed["hidden dimension"] == AGREES


def test_every_quantity_is_used_by_a_preset():
    used = {call.split()[0] for _, row in ROWS for call in row.derived.split(";")}
    tried = {"edges", "isolated", "nodes_per_layer", "overlap", "gpu_numbers", "groups", "nodes", "further_layers"}
    assert set(quantities()) - used <= tried


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("prodct moe.up", "did you mean 'product'"),
        ("product", "takes 1 to 1 words, not 0"),
        ("size", "takes 1 to 1 words, not 0"),
        ("nodes_per_layer a b", "takes 1 to 1 words, not 2"),
    ],
)
def test_a_misspelt_quantity_is_refused(call, says, subject):
    with pytest.raises(DagtoolError) as error:
        derive(subject("pp2"), call)
    assert says in f"{error.value.message} {error.value.hint}"
    assert not isinstance(error.value, NotDerivableError)


@pytest.mark.parametrize(
    "call",
    ["product moe.nothing", "input_shape input zz", "gpus_of_stage 9", "makespan", "gpus no.role", "memory_share 64GB"],
)
def test_what_does_not_follow_says_what_is_missing(call, subject):
    with pytest.raises(NotDerivableError) as error:
        derive(subject("pp2", B="B"), call)
    assert error.value.message


def test_quantities_of_the_structure(subject):
    one = subject("pp2")
    calls = {
        "nodes": "250",
        "nodes all_reduce": "0",
        "edges": f"{len(one.dag.tails):,}",
        "isolated": "0",
        "ends": "single source to single sink",
        "connected": "connected DAG",
        "cycles": "no cycles",
        "typed": "all nodes",
        "nodes_per_layer moe.up": "16",
        "further_layers": "1-3",
        "gpu_numbers": "0-1",
        "groups pipeline.send_recv": "1",
        "walk pp_input pp_embed": "pp_input → pp_embed",
        "walk pp_input pp_output": "0 of 1 steps are edges; not pp_input → pp_output",
    }
    assert {call: derive(one, call) for call in calls} == calls


def test_quantities_of_a_graph_in_pieces():
    one = Subject("x", to_dag(parse(b"digraph { a -> b; c; d -> e; e -> d }")[0]))
    said = {"ends": "2 sources, 2 sinks", "connected": "3 unconnected parts", "cycles": "cycles", "isolated": "1"}
    assert {call: derive(one, call) for call in said} == said
    assert derive(one, "typed") == "0 of 5 nodes"
