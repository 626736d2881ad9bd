"""Profiles, severities, and configuration files: what holds, and every promised error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dagtool.errors import DagtoolError
from dagtool.validators.catalogue import all_options, all_rules, select_rules, severities
from dagtool.validators.rule import PROFILES

from .conftest import Call, treat_as_deployments

Put = Callable[..., Path]
ISOLATED = "digraph { input -> output; x }"


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def make(name: str, text: str = ISOLATED) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return make


def test_profiles_contain_each_other() -> None:
    minimal, standard, strict = (set(select_rules(profile=profile)) for profile in PROFILES)
    on_request = {loaded for loaded in all_rules() if loaded.rule.on_request}
    assert minimal < standard < strict == set(all_rules()) - on_request
    assert {loaded.rule.code for loaded in on_request} == {"GRF192"}
    assert {loaded.rule.tier for loaded in all_rules()} == set(PROFILES)
    assert set(select_rules()) == standard


def test_a_rule_named_in_full_is_asked_whatever_the_profile() -> None:
    assert [c.rule.code for c in select_rules(["GRF191"], profile="minimal")] == ["GRF191"]
    assert "GRF191" not in [c.rule.code for c in select_rules(["GRF19"])]


def test_the_longer_code_has_the_last_word_on_severity() -> None:
    found = severities(["GRF102=info", "GRF=warning,DEV=info"])
    assert (found["GRF102"], found["GRF101"], found["DEV501"]) == ("info", "warning", "info")
    assert "COM401" not in found


@pytest.mark.parametrize(
    ("text", "message"),
    [("GRF102", "is not CODE=LEVEL"), ("GRF102=eror", "no severity 'eror'"), ("GRF1O2=info", "no rule has the code")],
)
def test_what_is_no_severity(text: str, message: str) -> None:
    with pytest.raises(DagtoolError, match=message):
        severities([text])


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (["--profile", "minimal"], 0, ""),
        (["--profile", "strict"], 1, "error GRF102"),
        (["--severity", "GRF102=warning"], 0, "warning GRF102"),
        (["--severity", "GRF102=info", "--fail-on", "info"], 1, "info GRF102"),
    ],
)
def test_options(dagtool: Call, put: Put, options: list[str], status: int, word: str) -> None:
    done = dagtool("validate", "--output-format", "concise", *options, put("x.dot"))
    assert done.returncode == status
    assert word in done.stdout
    assert bool(done.stdout) is bool(word)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "strikt"], "error: no profile 'strikt'\nhint: did you mean 'strict'?"),
        (["--severity", "GRF102=eror"], "did you mean 'error'?"),
        (["--severity", "GRF102"], "is not CODE=LEVEL"),
        (["--all-gpus", "forbit"], "Invalid value for '--all-gpus': 'forbit' is not one of"),
        (["--expect", "eb=3"], "error: --expect: nothing is called 'eb'\nhint: did you mean 'ep'?"),
        (["--config", "none.toml"], "cannot read none.toml"),
        (["--config", "none.toml", "--no-config"], "exclude each other"),
    ],
)
def test_wrong_options(dagtool: Call, put: Put, options: list[str], message: str) -> None:
    done = dagtool("validate", *options, put("x.dot"))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


CONFIG = """
profile = "strict"
ignore = ["GRF103"]
fail-on = "info"
output-format = "concise"
group = false

[severity]
GRF102 = "warning"
"""


def test_own_file(dagtool: Call, put: Put) -> None:
    put("dagtool.toml", CONFIG)
    done = dagtool("validate", put("a/b/x.dot", "digraph { input -> output; x1; x2 }"))
    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["warning GRF102 isolated-node"] * 2


def test_table_of_a_project(dagtool: Call, put: Put) -> None:
    put("pyproject.toml", '[project]\nname = "x"\n\n[tool.dagtool]\nignore = "GRF102"\n')
    assert dagtool("validate", put("x.dot")).returncode == 0


def test_the_nearest_wins_and_a_project_without_a_table_does_not_count(dagtool: Call, put: Put) -> None:
    put("dagtool.toml", 'ignore = ["GRF102"]')
    put("a/pyproject.toml", '[project]\nname = "dagtool"\n')
    path = put("a/x.dot")
    assert dagtool("validate", path).returncode == 0
    put("a/dagtool.toml", "")
    assert dagtool("validate", path).returncode == 1


def test_the_command_line_has_the_last_word(dagtool: Call, put: Put) -> None:
    put("dagtool.toml", CONFIG)
    options = ["--fail-on", "error", "--output-format", "json", "--severity", "GRF102=info", "--ignore", "STY"]
    done = dagtool("validate", *options, put("x.dot"))
    assert done.returncode == 0
    (file,) = json.loads(done.stdout)["files"]
    assert {f["code"]: f["severity"] for f in file["findings"]}["GRF102"] == "info"


def test_no_config_and_another_config(dagtool: Call, put: Put) -> None:
    put("dagtool.toml", 'ignore = ["GRF102"]')
    path, other = put("x.dot"), put("other/mine.toml", 'profile = "minimal"')
    assert dagtool("validate", "--no-config", path).returncode == 1
    assert dagtool("validate", "--config", other, path).returncode == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\nignroe = ["GRF"]', ":2: unknown key 'ignroe'\nhint: did you mean 'ignore'"),
        ('profile = "strikt"', ":1: profile is 'strikt', not one of minimal, standard, strict\nhint: did you mean"),
        ("fail-on = 1", ":1: fail-on is 1, not one of"),
        ('output-format = "jsn"', "did you mean 'json'"),
        ("group = 1", ":1: group is 1, not true or false"),
        ("select = [1]", ":1: select is not a list of rule codes"),
        ('select = ["GRF1O1"]', ":1: select : no rule has the code 'GRF1O1'"),
        ('severity = "error"', ":1: severity is not a table"),
        ('[severity]\n\nGRF102 = "bad"', ":3: no severity 'bad'"),
        ('[severity]\nGRF1O2 = "info"', ":2: no rule has the code"),
        ("baseline = 3", ":1: baseline is 3, not the name of a file"),
        ("ignore = [", "is not TOML: "),
        ("[tool.dagtool]\nselect = []", ":1: unknown key 'tool'"),
    ],
)
def test_wrong_configuration(dagtool: Call, put: Put, text: str, message: str) -> None:
    config = put("dagtool.toml", text)
    done = dagtool("validate", put("x.dot"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {config}" in done.stderr
    assert message in done.stderr


def test_wrong_key_in_a_project(dagtool: Call, put: Put) -> None:
    config = put("pyproject.toml", '[project]\nslect = 1\n[tool.dagtool]\nprofile = "strict"\nslect = "GRF"\n')
    done = dagtool("validate", put("x.dot"))
    assert f"error: {config}:5: unknown key 'slect'\nhint: did you mean 'select' or" in done.stderr
    done = dagtool("validate", "--config", put("b/pyproject.toml", "[project]"), "x.dot")
    assert "has no table [tool.dagtool]" in done.stderr


def test_patterns_are_expanded(dagtool: Call, put: Put, tmp_path: Path) -> None:
    put("a/x.dot")
    put("b/c/x.dot")
    done = dagtool("validate", "--output-format", "concise", tmp_path / "**" / "x.dot")
    assert len(done.stdout.splitlines()) == 2
    done = dagtool("validate", tmp_path / "*.gv")
    assert (done.returncode, f"error: no file fits {tmp_path / '*.gv'}\n" in done.stderr) == (2, True)


VAGUE = r'digraph { a [label="Softmax\nGPU: 0"]; b [label="Sum\nGPU: all"]; input -> a -> b -> output }'


def test_switches_of_rules_are_options_and_keys(dagtool: Call, put: Put) -> None:
    path = put("x.dot", VAGUE)
    assert dagtool("validate", path).returncode == 0
    assert dagtool("validate", "--all-gpus", "forbid", path).returncode == 1
    put("dagtool.toml", '[options]\nall-gpus = "forbid"\n')
    assert dagtool("validate", path).returncode == 1
    assert dagtool("validate", "--all-gpus", "allow", path).returncode == 0
    put("dagtool.toml", '[options]\nall-gpu = "forbid"\n')
    done = dagtool("validate", path)
    assert done.returncode == 2
    assert "dagtool.toml:2: no rule has an option 'all-gpu'\nhint: did you mean 'all-gpus'?" in done.stderr
    put("dagtool.toml", "options = 3\n")
    assert "dagtool.toml:1: options is not a table of values by option" in dagtool("validate", path).stderr


def test_help_lists_the_switches_of_the_rules(dagtool: Call) -> None:
    for option in all_options().values():
        assert f"--{option.key} [{'|'.join(option.values)}]" in dagtool("validate", "--help").stdout


def test_expectations(dagtool: Call, put: Put) -> None:
    path = put("x.dot", "digraph { input -> {mlp_gpu0 mlp_gpu1} -> output }")
    assert dagtool("validate", "--expect", "tp=2", "--expect", "gpus=2", path).returncode == 0
    done = dagtool("validate", "--output-format", "concise", "--expect", "tp=2,pp=2", path)
    assert done.returncode == 1
    assert "error MOD710 unmet-expectation: expected is tp=2 pp=2, which needs 4 GPUs" in done.stdout
