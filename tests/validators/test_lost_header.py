"""Files of the dialect whose header lost a part: it is said, and as much as possible is judged all the same."""

from __future__ import annotations

import re
from functools import cache

import pytest

import dagtool
from dagtool.generators.presets import preset_names
from dagtool.report.finding import FileReport
from dagtool.validators.engine import check_bytes

MEND = {"model": r', ?model="[^"]*"|model="[^"]*",? ?', "dagtool": r"\bdagtool=1,? ?"}


@cache
def text(preset: str) -> str:
    return dagtool.generate(preset).to_dot()


def check(source: str) -> FileReport:
    return check_bytes(source.encode(), "x.dot")


def without(attribute: str, source: str) -> str:
    found = re.sub(MEND[attribute], "", source, count=1)
    assert found != source
    return found


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize(("attribute", "code"), [("model", "MOD705"), ("dagtool", "DIM225")])
def test_a_right_file_gets_one_warning_of_its_header(preset: str, attribute: str, code: str) -> None:
    report = check(without(attribute, text(preset)))
    (found,) = report.findings
    assert (found.code, found.severity) == (code, "warning")
    assert ("model=" if attribute == "model" else "graph [dagtool=1];") in found.help


def test_a_misspelt_header_is_named() -> None:
    report = check(text("tp8").replace("dagtool=1", "dagtol=1", 1))
    assert ["did you mean dagtool by 'dagtol'?" in one.message for one in report.findings] == [True]
    report = check(text("tp8").replace("model=", "modle=", 1))
    assert sorted(one.code for one in report.findings) == ["DIM224", "MOD705"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("function=gelu", "function=relu", "has function=relu"),
        ("op=activation", "op=norm", "is norm, but its like"),
        ('layer_index="1"', 'layer_index="0"', "there more than once"),
        ('layer_index="0"', "", "states no layer_index"),
        ('role="mlp.activation", gpu="1"', 'role="mlp.activation", expert="0", gpu="1"', "states expert=0"),
    ],
)
def test_ranks_that_disagree_are_found_without_a_model(old: str, new: str, said: str) -> None:
    """One node is damaged; its like on the other ranks shows it."""
    whole = without("model", text("dense_tp8_pp2"))
    line = next(one for one in whole.splitlines() if 'role="mlp.activation", gpu="1"' in one and old in one)
    found = [one.message for one in check(whole.replace(line, line.replace(old, new))).findings if one.code == "MOD706"]
    assert any(said in one for one in found), found


def test_another_file_with_op_and_output_is_not_taken_for_ours() -> None:
    """Attributes of these names alone are not the dialect: types with meshes are."""
    body = "\n".join(f'n{i} [op=linear, gpu={i}, input="[4, 8]", output="[4, 8]"]' for i in range(4))
    assert not {one.code for one in check(f"digraph {{ {body}\n n0 -> n1 -> n2 -> n3 }}").findings} & {
        "DIM225",
        "MOD705",
    }
