"""Nodes declared more than once: contradictions are found with both places, ordinary DOT is let be."""

from __future__ import annotations

import pytest

from dagtool.report.finding import Finding
from dagtool.validators.engine import check_bytes


def found(body: str, header: str = "digraph {") -> list[Finding]:
    report = check_bytes(f"{header}\n{body}\n}}".encode(), "x.dot")
    return [one for one in report.findings if one.code == "GRF111"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            'q [label="Linear"]\nq [label="Softmax"]',
            "q is declared twice: label 'Linear' at 2:10 and 'Softmax' at 3:10",
        ),
        ("q [gpu=0]\nq [gpu=1]", "q is declared twice: gpu '0' at 2:8 and '1' at 3:8"),
        ("q [op=matmul];q [color=red]; q [op=softmax]", "op 'matmul' at 2:7 and 'softmax' at 2:36"),
        ('q [shape_in="4,8" layer=0]\nq [shape_in="4,4" layer=1]', "layer '0' at 2:25 and '1' at 3:25"),
        ("q [gpu=0]\nsubgraph s { q [gpu=1] }\nq [gpu=0]", "gpu '1' at 3:21 and '0' at 4:8"),
        ("q [label=<A<br/>GPU: 0>]\nq [label=<A<br/>GPU: 1>]", "label '<A<br/>GPU: 0>' at 2:10"),
    ],
)
def test_contradictions_are_found_with_both_places(body: str, said: str) -> None:
    (finding,) = found(body)
    assert said in finding.message
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "body",
    [
        "a [color=red]\na [color=blue, shape=box, tooltip=x]",
        "a [label=A]\na [gpu=1]",
        "a [gpu=1]\na [gpu=1]\na",
        'a [label="Linear"]\na [label="Linear\\nGPU: 0"]',
        'a [label="Linear\\nGPU: 0"]\na [label=""]',
        "node [gpu=0]\na\nnode [gpu=1]\na\nb [gpu=2]",
        "a [gpu=0]\nsubgraph cluster_0 { node [gpu=1 label=X]; a; b }",
        'a [gpu=0]\na -> b [label="x"]\na -> b [label="y" gpu=1]',
        'a [shape_in="4, 8"]\na [shape_in="4,  8"]',
    ],
)
def test_ordinary_statements_are_let_be(body: str) -> None:
    assert found(body) == []


def test_many_nodes_are_one_finding() -> None:
    """A script that forgets the layer: every GPU's node is declared once for each layer."""
    body = "\n".join(f'gpu{g}_q [label="Layer {layer} GPU: {g}"]' for layer in range(3) for g in range(8))
    (finding,) = found(body)
    assert finding.count == 8
    assert finding.message.endswith("(first of 8)")


def test_facts_of_the_dialect_are_an_error() -> None:
    """What is declared there decides what is computed."""
    header = 'digraph { graph [dagtool=1 sizes="B=8 H=4" meshes="m: gpus=0-1"]'
    (finding,) = found('x [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]\nx [gpu=1]', header)
    assert finding.severity == "error"
    (finding,) = found('x [op=norm label=A gpu=0 input="[B, H] @m" output="[B, H] @m"]\nx [label=B]', header)
    assert finding.severity == "warning"


def test_a_graph_that_is_no_deployment_is_asked_too() -> None:
    """Two states of one name are a fault of any drawing."""
    (finding,) = found('idle [label="Idle"]\nbusy [label="Busy"]\nidle -> busy -> idle\nidle [label="Stopped"]')
    assert "'Idle' at 2:13 and 'Stopped' at 5:13" in finding.message
