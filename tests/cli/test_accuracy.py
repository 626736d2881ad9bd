"""``dagtool accuracy``: text, JSON, what cannot be predicted, and what is no file of measurements."""

import json

import pytest

ROWS = """\
gpu,kind,dtype,m,n,k,value,unit,mine
A100-SXM,gemm,bf16,4096,4096,4096,549,us,a
A100-SXM,gemm,bf16,1024,4096,4096,140,us,b
A100-SXM,gemm,bf16,16384,4096,4096,2200,us,b
A10,gemm,bf16,4096,4096,4096,549,us,c
A100-SXM,sort,bf16,,,,549,us,d
"""


@pytest.fixture
def rows(tmp_path):
    """A small file of measurements."""
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    return file


def test_text_has_a_line_for_each_row_and_the_sums(dagtool, rows):
    """Errors, reasons, baselines."""
    done = dagtool("accuracy", rows)
    assert done.returncode == 0
    assert "gemm 4096x4096x4096 bf16 A100-SXM us" in done.stdout
    assert "not predicted: 2 of 5 rows" in done.stdout
    assert "no GPU 'A10' is known; did you mean 'a100-" in done.stdout
    assert "bare roofline" in done.stdout


def test_json_keeps_the_columns_and_adds_the_prediction(dagtool, rows):
    """null with a reason where there is none."""
    found = json.loads(dagtool("accuracy", rows, "--output-format", "json").stdout)
    assert found["kind"] == "operators"
    assert [row["mine"] for row in found["rows"]] == list("abbcd")
    assert [row["line"] for row in found["rows"]] == [2, 3, 4, 5, 6]
    assert found["rows"][0]["predicted"] == pytest.approx(549, rel=0.1)
    assert [bool(row["reason"]) for row in found["rows"]] == [row["predicted"] is None for row in found["rows"]]
    assert {one["group"] for one in found["groups"]} == {"gemm", "gemm of 1e9 FLOPs and more", "sort"}


def test_the_table_prices_each_row_by_the_others(dagtool, rows):
    """Those at the edge of the range are refused."""
    found = json.loads(dagtool("accuracy", rows, "--cost", "table", "--output-format", "json").stdout)["rows"]
    assert [row["predicted"] is None for row in found] == [False, True, True, True, True]
    assert "outside the other rows" in found[1]["reason"]


def test_a_function_of_the_users_prices_rows(dagtool, rows, tmp_path, monkeypatch):
    """In the current folder."""
    (tmp_path / "my_cost.py").write_text("def mine(m, k, n):\n    return 549e-6\n")
    monkeypatch.chdir(tmp_path)
    found = json.loads(dagtool("accuracy", rows, "--cost", "my_cost:mine", "--output-format", "json").stdout)["rows"]
    assert found[0]["error"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere.csv"], "cannot read nowhere.csv"), (["--cost", "rofline", "{rows}"], "did you mean 'roofline'?")],
)
def test_mistakes_end_in_2_with_what_to_do(dagtool, rows, arguments, said):
    """One line, no traceback."""
    done = dagtool("accuracy", *(one.format(rows=rows) for one in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_something_else_is_refused(dagtool, tmp_path):
    """With the columns it lacks."""
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    done = dagtool("accuracy", file)
    assert done.returncode == 2
    assert "x.csv:1" in done.stderr
