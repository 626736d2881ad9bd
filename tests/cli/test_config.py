"""``dagtool config show`` and ``extend``: what holds, and where it comes from."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dagtool.cli._config import load_config
from dagtool.cli._config_reader import KEYS
from dagtool.cli._settings import Settings, settings_of
from dagtool.report.formats import schema

from .conftest import Call

BASE = 'profile = "strict"\nignore = ["STY"]\n\n[severity]\nGRF102 = "warning"\nDEV = "info"\n'
TOP = 'extend = "../base.toml"\nignore = "GRF110"\n[severity]\nGRF102 = "info"\n[per-file-ignores]\n"old/*" = "STY"\n'


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "plans").mkdir()
    path = tmp_path / "plans" / "dagtool.toml"
    path.write_text(TOP)
    return path


def test_what_is_extended_holds_where_nothing_else_is_said_and_tables_are_joined(top: Path) -> None:
    settings = settings_of(load_config(str(top)))
    assert settings.profile == "strict"
    assert settings.ignore == ("GRF110",)
    assert dict(settings.severity) == {"GRF102": "info", "DEV": "info"}
    assert settings.per_file_ignores == ((f"{top.parent}/old/*", ("STY",)),)


def test_paths_are_relative_to_the_file_they_stand_in(top: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('baseline = "known.json"\n')
    assert load_config(str(top)).baseline == str(tmp_path / "known.json")


def test_three_files_and_a_project(top: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extend = "pyproject.toml"\nfail-on = "info"\n')
    (tmp_path / "pyproject.toml").write_text('[tool.dagtool]\nfail-on = "never"\ngroup = false\n')
    found = load_config(str(top))
    assert (found.fail_on, found.group) == ("info", False)
    assert found.origins["group"].endswith("pyproject.toml:3")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ('extend = "plans/dagtool.toml"', "base.toml:1: extend comes back to a file that is extended: "),
        ('extend = "base.toml"', "base.toml:1: extend comes back to a file"),
        ('\nextend = "none.toml"', "base.toml:2: extend: there is no file "),
        ("extend = 3", "base.toml:1: extend is 3, not the name of a file"),
        ('profil = "strict"', "base.toml:1: unknown key 'profil'\nhint: did you mean 'profile'"),
        ('per-file-ignores = "GRF"', "base.toml:1: per-file-ignores is not a table"),
        ('[per-file-ignores]\n"x.dot" = "GRF1O2"', "base.toml:2: x.dot : no rule has the code 'GRF1O2'"),
        ('extend-select = "GRF1O2"', "base.toml:1: extend-select : no rule has the code 'GRF1O2'"),
    ],
)
def test_what_is_wrong_in_what_is_extended(dagtool: Call, top: Path, tmp_path: Path, base: str, message: str) -> None:
    (tmp_path / "base.toml").write_text(base)
    done = dagtool("config", "show", top.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_show_says_where_each_value_comes_from(dagtool: Call, top: Path, tmp_path: Path) -> None:
    document = json.loads(dagtool("config", "show", "--resolved", "--output-format", "json", top.parent).stdout)
    found = {record["key"]: (record["value"], record["origin"]) for record in document["values"]}
    assert document["file"] == str(top)
    assert found["profile"] == ("strict", f"{tmp_path / 'base.toml'}:1")
    assert found["ignore"] == (["GRF110"], f"{top}:2")
    assert found["severity.GRF102"] == ("info", f"{top}:4")
    assert found["fail-on"] == ("error", "default")
    without = json.loads(dagtool("config", "show", "--output-format", "json", top.parent).stdout)
    assert {record["key"] for record in without["values"]} == {
        key for key, (_, origin) in found.items() if origin != "default"
    }


def test_what_is_shown_can_be_read_again_and_means_the_same(
    dagtool: Call, top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = dagtool("config", "show", "--resolved", top.parent).stdout
    assert shown.startswith("# plans/dagtool.toml\n")
    (tmp_path / "again.toml").write_text(shown)
    assert settings_of(load_config(str(tmp_path / "again.toml"))) == settings_of(load_config(str(top)))


def test_no_configuration_is_all_defaults(dagtool: Call, tmp_path: Path) -> None:
    shown = dagtool("config", "show", "--resolved", tmp_path).stdout
    lines = [line for line in shown.splitlines() if line and not line.startswith("# no configuration")]
    assert all(line.endswith("# default") for line in lines)
    assert tomllib.loads(shown)["profile"] == Settings().profile


def test_the_schema_knows_every_key_and_no_other() -> None:
    document = json.loads(schema("config"))
    assert tuple(document["properties"]) == KEYS
    assert all("description" in value for value in document["properties"].values())
    validator = Draft202012Validator(document)
    validator.validate(tomllib.loads(BASE))
    validator.validate(tomllib.loads(TOP))
    assert not validator.is_valid({"per-file-ignores": {"x": 1}})
