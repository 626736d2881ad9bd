"""Small inputs after public bug reports: what is refused says why, and the figures of strategies are right."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagtool.dot import parse

Call = Callable[..., "subprocess.CompletedProcess[str]"]
CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
GIB = 2**30
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def case(number: int) -> Path:
    (path,) = CASES.glob(f"{number:02}-*")
    return path


def run_json(dagtool: Call, *arguments: object) -> Any:
    done = dagtool(*arguments, "--output-format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def find_errors(dagtool: Call, number: int) -> list[dict[str, Any]]:
    done = dagtool("validate", case(number), "--output-format", "json")
    assert done.returncode == 2
    found: list[dict[str, Any]] = json.loads(done.stdout)["files"][0]["findings"]
    return found


def fix(dagtool: Call, number: int, folder: Path) -> str:
    copy = folder / "copy.gv"
    copy.write_bytes(case(number).read_bytes())
    dagtool("validate", "--fix", copy)
    return copy.read_text()


def test_a_colon_in_a_value_is_to_be_quoted(dagtool: Call) -> None:
    (found,) = find_errors(dagtool, 3)
    assert found["code"] != "GRF109"
    assert (found["line"], found["column"]) == (2, 16)
    assert '"A:B"' in found["help"]


def test_a_keyword_as_a_name_relabels_no_other_node(dagtool: Call, tmp_path: Path) -> None:
    (found,) = find_errors(dagtool, 5)
    assert "keyword" in found["message"]
    graph = parse(fix(dagtool, 5, tmp_path))[0]
    labels = dict(zip(graph.node_ids, (one.get("label") for one in graph.node_attributes), strict=True))
    assert labels == {"Node": "Node", "a": None}


def test_names_with_dots_are_quoted(dagtool: Call, tmp_path: Path) -> None:
    (found,) = find_errors(dagtool, 7)
    assert '"model.layers.0.attn"' in found["help"]
    graph = parse(fix(dagtool, 7, tmp_path))[0]
    assert graph.node_ids == ["model.layers.0.attn", "baz"]
    assert len(graph.tails) == 1


def test_utf_16_is_named(dagtool: Call) -> None:
    (found,) = find_errors(dagtool, 19)
    assert "UTF-16" in found["message"]
    assert "UTF-8" in found["help"]


def test_a_text_that_graphviz_cannot_read_is_refused_with_its_size(dagtool: Call) -> None:
    (found,) = find_errors(dagtool, 49)
    assert "16,390 bytes" in found["message"]
    assert "16,381" in found["message"]
    assert (found["line"], found["column"]) == (1, 23)


def weights(dagtool: Call, number: int) -> dict[str, int]:
    (group,) = run_json(dagtool, "memory", case(number))["groups"]
    found = {one["role"]: one["bytes"] for one in group["weights"]}
    assert sum(found.values()) == group["weights_bytes"]
    return found


def test_a_gated_mlp_has_three_matrices(dagtool: Call) -> None:
    hidden, inner, layers, vocabulary = 8192, 24576, 80, 152064
    matrices = 2 * (layers * (4 * hidden * hidden + 3 * hidden * inner) + 2 * vocabulary * hidden)
    norms = 2 * (2 * layers + 1) * hidden  # on each of the two GPUs
    found = weights(dagtool, 51)
    assert sum(found.values()) == matrices // 2 + norms
    assert found["mlp.up"] + found["mlp.down"] == layers * 3 * hidden * inner
    assert (matrices + norms) / GIB == pytest.approx(134.643, abs=0.0005)


def test_the_size_of_a_head_is_its_own(dagtool: Call) -> None:
    """64 heads of 64 in a model of 2880: scores multiply 64, not 2880 / 64."""
    assert sum(weights(dagtool, 53).values()) / GIB == pytest.approx(38.944, abs=0.001)
    assert "Get_Time(262144,64,4096)" in dagtool("path", case(53)).stdout


def test_a_group_of_one_has_no_collective(dagtool: Call, tmp_path: Path) -> None:
    output = tmp_path / "out.dot"
    assert dagtool("gen", case(55), "-o", output).returncode == 0
    graph = parse(output.read_bytes())[0]
    operators = {attributes["op"] for attributes in graph.node_attributes}
    assert operators
    assert not operators & {
        "all_reduce",
        "all_gather",
        "reduce_scatter",
        "all_to_all",
        "dispatch",
        "combine",
        "send_recv",
    }


@pytest.mark.parametrize(("dtype", "expected"), [("bf16", 1.25), ("fp8", 0.625)])
def test_the_cache_holds_the_heads_of_keys(dagtool: Call, dtype: str, expected: float) -> None:
    (group,) = run_json(dagtool, "memory", case(57), "--kv-dtype", dtype)["groups"]
    assert group["kv_cache_bytes"] / GIB == expected


@pytest.mark.parametrize("discipline", ["gpipe", "1f1b"])
def test_the_bubble_is_that_of_the_formula(dagtool: Call, discipline: str) -> None:
    """Three idle steps for eight micro-batches; transfers and unequal stages make the rest."""
    options = ("--microbatches", 8, "--discipline", discipline, "--cluster", "1xh100x8")
    found = run_json(dagtool, "schedule", case(59), *options)
    assert found["stages"] == 4
    assert found["bubble"] == pytest.approx(3 / 8, abs=0.03)


def test_each_rank_sends_the_tokens_of_other_ranks(dagtool: Call) -> None:
    """256 tokens, 2 experts each, 512 values of 2 bytes; three quarters of the experts are elsewhere."""
    found = run_json(dagtool, "ledger", case(61))["collectives"]
    sent = {one["op"]: one["sent_bytes"] for one in found if one["axes"] == ["ep"]}
    assert sent == {"dispatch": 393_216, "combine": 393_216}


@pytest.mark.parametrize("command", ["gen", "memory", "path", "ledger"])
def test_experts_that_ranks_do_not_divide_are_refused(dagtool: Call, command: str) -> None:
    done = dagtool(command, case(63))
    assert done.returncode == 2
    assert "ep=4 does not divide experts E=6" in done.stderr
    assert "hint: " in done.stderr


def test_tied_tables_are_stored_once(dagtool: Call) -> None:
    found = weights(dagtool, 64)
    assert sum(found.values()) / GIB == pytest.approx(7.492, abs=0.001)
    assert [role for role in found if role in ("embedding.tokens", "head.projection")] == ["embedding.tokens"]
