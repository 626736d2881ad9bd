"""The options that say what a node costs, as ``dagtool schedule`` has them."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def makespan(dagtool):
    """A function that gives the makespan of pp2 in seconds with some options."""

    def found(*arguments: str) -> float:
        done = dagtool("schedule", "pp2", *arguments, "--output-format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["makespan_s"]

    return found


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (["--cluster", "h100"], ["--cluster", "a100"]),
        (["--dtype", "fp8"], []),
        (["--efficiency", "0.9"], ["--efficiency", "0.3"]),
        ([], ["--attention", "unfused"]),
    ],
)
def test_options_reach_the_prices(makespan, fast, slow):
    assert makespan(*fast) < makespan(*slow)


def test_a_function_of_the_users_prices_products(makespan, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def time(m, k, n):\n    return 2 * m * k * n / 1e12\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert makespan("--cost", "mine:time") > 10 * makespan()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--cost", "symbolic"], "gives no seconds"),
        (["--cost", "rooflin"], "did you mean 'roofline'"),
        (["--cost", "table"], "needs --table"),
        (["--dtype", "fp99"], "no data type 'fp99'"),
        (["--imbalance", "nan"], "nan is no number"),
        (["--imbalance", "inf"], "inf is no number"),
        (["--efficiency", "nan"], "nan is no number"),
        (["--table", "rows.csv"], "--table has no effect on --cost roofline"),
        (["--outside", "roofline"], "--outside has no effect on --cost roofline"),
        (["--cost", "mine:time", "--efficiency", "0.5"], "--efficiency has no effect on --cost mine:time"),
    ],
)
def test_mistakes(dagtool, arguments, part):
    done = dagtool("schedule", "pp2", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr


def test_an_option_that_would_change_nothing_is_refused_without_a_cluster_too(dagtool):
    done = dagtool("path", "pp2", "--table", "rows.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--table has no effect on --cost symbolic" in done.stderr
