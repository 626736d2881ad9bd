"""The page: one file that asks for nothing, the same bytes every time, small and soon written."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import time

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.render.html import Overlays, Run, viewer_page


def _page(text: str) -> str:
    return viewer_page(to_dag(parse(text.encode())[0]))


def test_nothing_is_asked_of_anybody():
    page = viewer_page(generate("tp8"))
    assert not re.search(r"""(?:src|href|action|srcset)\s*=\s*["']""", page)
    assert not re.search(r"@import|url\(", page)
    assert not re.search(
        r"\b(?:fetch|XMLHttpRequest|WebSocket|sendBeacon|importScripts|eval|innerHTML|outerHTML)\b", page
    )


def test_the_policy_names_exactly_the_scripts_and_the_style():
    page = viewer_page(generate("tp8"))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    allowed = dict(part.split(" ", 1) for part in policy[1].split("; "))
    assert allowed["default-src"] == "'none'"
    for tag, key in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        assert allowed[key].split() == [f"'sha256-{one}'" for one in hashes]


def test_the_title_is_text():
    page = _page('digraph "</title><script>alert(1)</script>" {a}')
    assert "<script>alert" not in page
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in page


def test_the_name_of_the_file_stands_in_for_a_missing_name():
    dag = to_dag(parse(b"digraph {a}")[0])
    assert "<title>plan: deployment DAG" in viewer_page(dag, title="plan")


def test_the_licence_of_the_library_is_in_every_copy():
    assert "Copyright (c) 2022, Vladimir Agafonkin" in viewer_page(generate("tp8"))


def test_same_bytes_whatever_the_hash_seed():
    code = (
        "from dagtool.generators import generate; from dagtool.render.html import viewer_page; import hashlib;"
        "print(hashlib.sha256(viewer_page(generate('ma_separation')).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "271828")
    }
    assert len(found) == 1


def test_ep16_tp4_is_small_and_soon_written():
    dag = generate("ep16_tp4")
    times, size = [], 0
    for _ in range(3):
        started = time.perf_counter()
        size = len(viewer_page(dag).encode())
        times.append(time.perf_counter() - started)
    assert min(times) < 2
    assert size < 1_500_000


@pytest.mark.parametrize(
    "text",
    [
        "digraph {a -> a}",
        "digraph {a -> b -> a; c}",
        "graph {a -- b -- c -- a}",
        'digraph {"" -> "\\n"}',
        "digraph {subgraph cluster_0 {a b} a -> b; a -> b; a -> b}",
        "digraph {a [label=\"GPU: 99999999\"]; b [label=\"GPU: 0-70000\"]; c [label=\"all GPUs\"]}",
        'digraph {graph [dagtool=1]; a [op=nonsense, gpu="x", layer_index="-3", input="]["]}',
        'digraph {layer_999999_x -> layer_0_y -> layer_5_z}',
    ],
)  # fmt: skip
def test_any_graph_has_a_page(text):
    assert "deployment DAG</title>" in _page(text)


def test_no_nodes_is_an_error():
    with pytest.raises(DagtoolError, match="no nodes"):
        _page("digraph {}")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run(2, 0.0, 1.0), "there are times of node 2, but only 2 nodes"),
        (Run(0, 2.0, 1.0), "ends before it starts"),
        (Run(0, 0.0, float("nan")), "are no times"),
    ],
)
def test_times_that_make_no_sense_are_an_error(run, said):
    with pytest.raises(DagtoolError, match=said):
        viewer_page(to_dag(parse(b"digraph {a -> b}")[0]), overlays=Overlays(runs=[run]))


def test_a_script_that_closes_its_element_is_an_error(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "main.js").write_text("var x = '</script>';")
    with pytest.raises(DagtoolError, match="closes its own element"):
        viewer_page(generate("tp8"), templates=str(tmp_path))
