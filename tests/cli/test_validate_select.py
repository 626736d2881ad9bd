"""Which rules are asked of which file: --extend-select, --per-file-ignores, --stdin-filename."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagtool.cli._patterns import anchored, fits, unanchored
from dagtool.validators.catalogue import all_rules, select_rules

from .conftest import Call, treat_as_deployments

ISOLATED = "digraph { input -> output; x }"
UNREASONED = "digraph { input -> output; x // dagtool: ignore[GRF102]\n}"


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


def codes(select: tuple[str, ...] = (), **more: object) -> set[str]:
    return {loaded.rule.code for loaded in select_rules(select, **more)}  # type: ignore[arg-type]


def test_extend_adds_to_a_profile_whatever_the_tier_and_ignore_still_takes_out() -> None:
    minimal = codes(profile="minimal")
    every = {loaded.rule.code for loaded in all_rules()}
    added = {code for code in every if code.startswith("GRF19")}
    assert codes(profile="minimal", extend=["GRF19"]) == minimal | added > minimal
    assert codes(("DEV501",), extend=["GRF19"]) == {"DEV501"} | added
    assert codes(("DEV501",), extend=["GRF19"], ignore=["GRF191"]) == {"DEV501"} | added - {"GRF191"}


def test_extend_select(dagtool: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.dot"
    path.write_text(UNREASONED)
    assert dagtool("validate", path).returncode == 0
    assert "GRF191" in dagtool("validate", "--extend-select", "GRF191", path).stdout
    (tmp_path / "dagtool.toml").write_text('extend-select = "GRF191"\n')
    assert "GRF191" in dagtool("validate", "--profile", "minimal", path).stdout


@pytest.mark.parametrize(
    ("pattern", "path", "fit"),
    [
        ("x.dot", "/plans/old/x.dot", True),
        ("*.dot", "/elsewhere/x.dot", True),
        ("old/*.dot", "/plans/old/x.dot", True),
        ("old/*", "/plans/old/deep/x.dot", True),
        ("old/*.dot", "/plans/x.dot", False),
        ("old/*.dot", "/other/old/x.dot", False),
        ("./x.dot", "/plans/x.dot", True),
        ("./x.dot", "/plans/old/x.dot", False),
        ("../new/*.dot", "/new/x.dot", True),
        ("/new/*.dot", "/new/x.dot", True),
        ("X.dot", "/plans/x.dot", False),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="absolute paths begin otherwise there")
def test_patterns(pattern: str, path: str, fit: bool) -> None:
    assert fits(path, anchored(pattern, "/plans")) is fit


def test_a_folder_with_signs_of_patterns_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "a[1]*"
    assert fits(str(folder / "old" / "x.dot"), anchored("old/*", str(folder)))
    assert not fits(str(tmp_path / "a1" / "old" / "x.dot"), anchored("old/*", str(folder)))


def test_a_pattern_written_again_means_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for pattern in ("x.dot", "old/*.dot", "./x.dot"):
        assert anchored(unanchored(anchored(pattern, ".")), ".") == anchored(pattern, ".")


def test_per_file_ignores(dagtool: Call, tmp_path: Path) -> None:
    for name in ("old/x.dot", "new/x.dot"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(ISOLATED)
    told = dagtool("validate", "--output-format", "concise", f"--per-file-ignores={tmp_path}/old/*:GRF102", tmp_path)
    assert [line.partition(":")[0] for line in told.stdout.splitlines()] == [str(tmp_path / "new" / "x.dot")]
    (tmp_path / "dagtool.toml").write_text('[per-file-ignores]\n"old/*" = ["GRF102"]\n"new/*.gv" = "GRF"\n')
    again = dagtool("validate", "--output-format", "concise", tmp_path)
    assert again.stdout == told.stdout
    both = dagtool("validate", f"--per-file-ignores={tmp_path}/new/*:GRF1", "--jobs", "2", tmp_path)
    assert both.returncode == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--per-file-ignores", "x.dot"], "'x.dot' is not PATTERN:CODES"),
        (["--per-file-ignores", "x.dot:"], "is not PATTERN:CODES"),
        (["--per-file-ignores", "x.dot:GRF1O2"], "no rule has the code 'GRF1O2'"),
        (["--extend-select", "GRF1O2"], "did you mean 'GRF102'"),
        (["--stdin-filename", "y.dot"], "- is none of the files"),
    ],
)
def test_wrong_options(dagtool: Call, option: list[str], message: str) -> None:
    done = dagtool("validate", *option, "x.dot")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_standard_input_has_a_name_and_the_configuration_of_its_folder(dagtool: Call, tmp_path: Path) -> None:
    name = tmp_path / "plans" / "x.dot"
    options = ("--output-format", "concise", "--stdin-filename", name)
    done = dagtool("validate", *options, "-", stdin=ISOLATED.encode())
    assert done.stdout.startswith(f"{name}:1:28: error GRF102")
    (tmp_path / "dagtool.toml").write_text('[per-file-ignores]\n"plans/x.dot" = "GRF102"\n')
    assert dagtool("validate", *options, "-", stdin=ISOLATED.encode()).returncode == 0
