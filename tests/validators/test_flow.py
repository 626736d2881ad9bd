"""How two stated shapes go together, and which edges are held against it."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.foreign import guess
from dagtool.foreign.dims import parse_shapes
from dagtool.validators.flow import Fit, Flow, fit


@pytest.mark.parametrize(
    ("given", "taken", "expected"),
    [
        ("[8,64]", "[8,64]", Fit.EQUAL),
        ("[b=8,heads=4,d_k=16]", "[b=8,hidden=64]", Fit.RESHAPE),
        ("[8,16]", "4×[8,16]", Fit.EQUAL),
        ("[8,16]", "[8,64]", Fit.GATHER),
        ("[8,64]", "[8,16]", Fit.SPLIT),
        ("[8,64]", "[8,48]", Fit.MISMATCH),
        ("4×[8,16]", "[8,64]", Fit.RESHAPE),
        ("[B,64]", "[B,16]", Fit.SPLIT),
        ("[B,64]", "[tokens,16]", Fit.UNKNOWN),
        ("[B,?]", "[B,16]", Fit.UNKNOWN),
        ("[8,64]", "[16]", Fit.UNKNOWN),
        ("[0,64]", "[0,16]", Fit.UNKNOWN),
        ("[8,s=4,2,heads=4]", "[8,s=4,heads=4]", Fit.RESHAPE),
        ("[8,s=4,hidden=4]", "[8,s=1,hidden=4]", Fit.RESHAPE),
        ("[8,s=4,heads=2]", "[8,s=4]", Fit.SPLIT),
        ("[batch=4,64]", "[b=2,64]", Fit.SPLIT),
        ("[b=4,64]", "[b=8,64]", Fit.GATHER),
        ("[b=4,s=128,h=512]", "[b=2,s=64,h=999]", Fit.MISMATCH),
        ("[b=4,s=128,h=512]", "[b=2,s=128,heads=8,d_k=64]", Fit.SPLIT),
        ("[b=4,s=128]", "[b=8,s=64]", Fit.RESHAPE),
        ("[b=4,64]", "[2,64]", Fit.UNKNOWN),
        ("[b=4,64]", "[tokens=2,64]", Fit.UNKNOWN),
    ],
)
def test_fit(given: str, taken: str, expected: Fit) -> None:
    assert fit(parse_shapes(given)[0][0], parse_shapes(taken)[0][0]) is expected


def faults(text: str) -> list[tuple[str, Fit]]:
    graph = parse(f"digraph {{ {text} }}")[0]
    found = Flow(to_dag(graph), guess(graph)).faults
    return [
        (f"{graph.node_ids[graph.tails[fault.edge]]} {graph.node_ids[graph.heads[fault.edge]]}", fault.fit)
        for fault in found
    ]


def node(name: str, title: str, taken: str, given: str) -> str:
    return rf'{name} [label="{title}\nInput: {taken}\nOutput: {given}"]; '


A = node("a", "Q Projection", "[8,64]", "[8,64]")
NARROW = node("b", "Q Projection", "[8,16]", "[8,16]")


def test_a_missing_split_is_found_once() -> None:
    assert faults(A + NARROW + "a -> b") == [("a b", Fit.SPLIT)]


@pytest.mark.parametrize("title", ["Token Split", "TP All-Gather", "Expert Gate", "Add & LayerNorm", "Layer 0"])
def test_what_changes_sizes_or_is_unknown_is_let_pass(title: str) -> None:
    assert faults(A + node("b", title, "[8,16]", "[8,16]") + "a -> b") == []


def test_one_parent_that_fits_excuses_the_others() -> None:
    assert faults(A + node("c", "V Projection", "[8,16]", "[8,16]") + NARROW + "a -> b; c -> b") == []


def test_parts_that_sum_up_are_a_concatenation() -> None:
    parts = node("c", "Q Projection", "[8,16]", "[8,16]") + node("d", "Q Projection", "[8,48]", "[8,48]")
    assert faults(parts + node("e", "Output Projection", "[8,64]", "[8,64]") + "c -> e; d -> e") == []


def test_queries_keys_and_values_as_one_are_taken_apart() -> None:
    assert faults(node("a", "QKV Projection", "[8,16]", "[8,48]") + NARROW + "a -> b") == []


WIDE = "[b=4, s=128, h=12288]"
SENT = node("a", "Output Projection", "[b=4, s=128, h=512]", WIDE)
TAKEN = node("b", "LayerNorm", "[b=4, s=128, h=8192]", "[b=4, s=128, h=8192]")


@pytest.mark.parametrize(
    "carrier",
    [
        node("c", "Pipeline Send", WIDE, WIDE),
        node("c", "Recv", WIDE, WIDE),
        node("c", "Transfer to GPU 1", WIDE, WIDE),
        node("c", "TP All-Reduce", WIDE, WIDE),
        rf'c [label="Send\n{WIDE}"]; ',
    ],
)
def test_a_carrier_passes_on_what_it_states(carrier: str) -> None:
    assert faults(SENT + carrier + TAKEN + "a -> c -> b") == [("c b", Fit.MISMATCH)]


def test_a_carrier_that_states_another_size_is_found_before_it() -> None:
    narrow = "[b=4, s=128, h=8192]"
    assert faults(SENT + node("c", "Pipeline Send", narrow, narrow) + TAKEN + "a -> c -> b") == [("a c", Fit.MISMATCH)]


@pytest.mark.parametrize(
    "between",
    [
        node("c", "Hidden Split", WIDE, "[b=4, s=128, h=8192]"),
        node("c", "Reduce-Scatter", WIDE, "[b=4, s=128, h=8192]"),
        node("c", "Concat", WIDE, WIDE),
        'c [label="Send"]; ',
    ],
)
def test_what_changes_sizes_or_states_none_is_let_be(between: str) -> None:
    assert faults(SENT + between + TAKEN + "a -> c -> b") == []


@pytest.mark.parametrize("title", ["Softmax", "Attention Scores", "QKV Projection"])
def test_another_batch_is_found_whatever_the_operand(title: str) -> None:
    given = node("a", title, "[b=4, heads=8, s=128, 128]", "[b=4, heads=8, s=128, 128]")
    assert faults(given + node("b", "Output Projection", "[b=2, s=128, h=512]", "[b=2, s=128, h=512]") + "a -> b")
    assert not faults(given + node("b", "Output Projection", "[b=4, s=128, h=777]", "[b=4, s=128, h=777]") + "a -> b")
