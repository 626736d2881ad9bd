"""``dagtool report``: files, standard output, and what cannot be reported on."""

from __future__ import annotations


def test_it_goes_to_standard_output_or_a_file(dagtool, tmp_path):
    shown = dagtool("report", "pp2")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("# `pp2`\n")
    path = tmp_path / "pp2.md"
    done = dagtool("report", "pp2", "-o", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert path.read_text(encoding="utf-8") == shown.stdout


def test_several_stand_one_after_the_other(dagtool):
    found = dagtool("report", "pp2", "tp8").stdout
    assert [line for line in found.splitlines() if line.startswith("# ")] == ["# `pp2`", "# `tp8`"]


def test_settings_and_standard_input(dagtool):
    made = dagtool("gen", "pp2", "-q", "-o", "-")
    assert dagtool("report", "-", stdin=made.stdout.encode()).stdout.startswith("# `-`\n")
    assert "Get_Time(256*B,4096,16384)" in dagtool("report", "pp2", "--set", "B=B").stdout


def test_what_cannot_be_reported_on_has_status_2_and_says_why(dagtool, tmp_path):
    foreign, broken = tmp_path / "foreign.dot", tmp_path / "broken.dot"
    foreign.write_text("digraph { a -> b }")
    broken.write_text("digraph { a -> ")
    cases = [
        (("pp",), "neither a preset nor a file"),
        ((broken,), "broken.dot:1:"),
        ((foreign, "--cluster", "h100"), "time is not known"),
        (("pp2", "--cluster", "1xh100x1"), "GPU 1"),
        (("pp2", "--set", "B=B", "--cluster", "h100"), "a symbol"),
        (("pp2", "--dtype", "fp17"), "fp17"),
        (("pp2", "--templates", tmp_path / "no"), "no"),
    ]
    for arguments, says in cases:
        done = dagtool("report", *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    assert dagtool("report", foreign).returncode == 0
