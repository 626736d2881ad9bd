"""``dagtool compare``: each format, and what cannot be compared."""

from __future__ import annotations

import json


def test_each_format(dagtool):
    text = dagtool("compare", "moe_tp8_pp2", "ep16", "--cluster", "2xh100x8")
    assert (text.returncode, text.stderr) == (0, "")
    assert " wins by " in text.stdout
    marked = dagtool("compare", "tp8", "pp2", "--output-format", "markdown").stdout
    assert marked.startswith("# `tp8`, `pp2`\n\n|")
    found = json.loads(dagtool("compare", "tp8", "pp2", "--output-format", "json").stdout)
    assert [one["cluster"] for one in found["strategies"]] == [None, None]


def test_files_are_compared_with_presets(dagtool, tmp_path):
    path = tmp_path / "half.dot"
    assert dagtool("gen", "tp8", "--set", "B=512", "-q", "-o", path).returncode == 0
    found = dagtool("compare", "tp8", path, "--cluster", "h100")
    assert f"{path} wins by" in found.stdout
    assert "not the same model (B differ)" in found.stdout


def test_what_cannot_be_compared_has_status_2(dagtool, tmp_path):
    foreign = tmp_path / "foreign.dot"
    foreign.write_text("digraph { a -> b }")
    for arguments in (("tp8",), ("tp8", foreign), ("tp8", "nothing"), ("tp8", "pp2", "--set", "Q=1")):
        done = dagtool("compare", *arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("error: ")
