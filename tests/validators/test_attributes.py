"""DIM224 and DIM207 on the attributes of nodes: nothing that nobody reads goes unsaid, and nothing else is said."""

from __future__ import annotations

import pytest

from dagtool.report.finding import Finding, Severity
from dagtool.validators.engine import check_bytes

HEAD = 'graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]'


def findings(body: str, code: str = "DIM224", head: str = HEAD) -> list[Finding]:
    report = check_bytes(f"digraph {{\n{head}\n{body}\n}}".encode(), "x.dot")
    assert report.parses
    return [finding for finding in report.findings if finding.code == code]


@pytest.mark.parametrize(
    ("body", "message", "help"),
    [
        ("x [op=all_reduce over=tp along=1]", "x has 'along', which all_reduce does not read", "or correct op"),
        ("x [op=concat along=0 top_k=K]", "x has 'top_k', which concat does not read", "gate would read it"),
        ("x [op=linear fuse=3]", "x has an attribute 'fuse', which nobody reads", "did you mean 'fused'?"),
        ("x [op=route ower=tp]", "x has an attribute 'ower', which nobody reads", "did you mean 'owner'?"),
        ("x [op=all_reduce OVER=tp]", "x has an attribute 'OVER', which nobody reads", "did you mean 'over'?"),
        ('x [op=copy gpus="0-1"]', "x has an attribute 'gpus', which nobody reads", "did you mean 'gpu'?"),
        ("x [op=strange inputs=y]", "x has an attribute 'inputs', which nobody reads", "did you mean 'input'?"),
    ],
)  # fmt: skip
def test_what_is_meant_is_said_where_it_stands(body: str, message: str, help: str) -> None:
    (found,) = findings(body)
    assert (found.severity, found.message) == (Severity.WARNING, message)
    assert help in found.help
    name = message.split("'")[1]
    assert (found.line, found.column) == (3, body.index(f"{name}=") + 1)


def test_a_name_unlike_any_other_is_a_note() -> None:
    (found,) = findings("x [op=copy team=red]\ny [op=norm team=blue]")
    assert found.severity is Severity.INFO
    assert found.message == "2 of 2 nodes have an attribute 'team', which nobody reads"
    assert found.help == "no operator has it, and Graphviz has not either"


def test_a_name_means_another_attribute_on_another_operator() -> None:
    found = findings("x [op=linear fuse=3]\ny [op=norm fuse=3]")
    assert [(one.severity, one.node) for one in found] == [(Severity.WARNING, "x"), (Severity.INFO, "y")]


@pytest.mark.parametrize(
    "body",
    [
        'x [op=norm function=rms label="x" shape=box xlabel=y URL="z" color=red pos="1,2" width=1]',
        "x [op=norm along=\"\" lint_ignore=\"DIM206 fed from elsewhere\"]",
        "node [style=filled]\nx [op=all_reduce over=tp]",
    ],
)  # fmt: skip
def test_what_somebody_reads_is_right(body: str) -> None:
    assert findings(body) == []


def test_a_foreign_file_may_have_any_attributes() -> None:
    assert findings("x [op=linear fuse=3 along=1]", head="") == []


def test_a_default_reaches_every_node() -> None:
    (found,) = findings("node [over=tp]\nx [op=all_reduce]\ny [op=norm]\nz [op=norm]")
    assert found.message == "2 of 3 nodes have 'over', which norm does not read"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x [op=all_reduce over=ep]", "x uses axis ep, which is not declared"),
        ("x [op=route owner=ep experts=8]", "x uses axis ep, which is not declared"),
        ("x [op=route owner=tp experts=E]", "x uses size E, which is not declared"),
        ("x [op=send to=n]", "x uses mesh n, which is not declared"),
    ],
)
def test_names_in_attributes_are_declared_ones(body: str, message: str) -> None:
    assert message in [one.message for one in findings(body, "DIM207")]
