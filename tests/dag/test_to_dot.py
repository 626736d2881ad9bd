"""What ``Dag.to_dot`` gives back of graphs that the dialect cannot express."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import dagtool
from dagtool.errors import DagtoolError


@pytest.mark.parametrize(
    "text",
    [
        "digraph { a -> b }",
        "graph { a -- b }",
        "digraph { dagtool=1; a; b }",
        'digraph { a [label="Softmax\\nGPU: 3"] }',
    ],
)
def test_a_foreign_graph_is_given_back_as_its_file_has_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.dot"
    path.write_text(text)
    assert dagtool.read(str(path)).to_dot() == text


def test_without_a_file_it_is_an_error_that_says_what_lacks(tmp_path: Path) -> None:
    path = tmp_path / "plan.dot"
    path.write_text("digraph { a -> b }")
    with pytest.raises(DagtoolError, match="not every node states an operator and GPUs"):
        replace(dagtool.read(str(path)), source=None).to_dot()
