"""docs/fit_costs.py: it finds the constants that made the rows, and holds groups out honestly."""

import importlib.util
import sys
from pathlib import Path

import pytest

from dagtool.accuracy.measured import Measured, Row, read_measured
from dagtool.accuracy.operators import operator_value
from dagtool.cost.fitted import KernelFit

SPEC = importlib.util.spec_from_file_location("fit_costs", Path(__file__).parents[2] / "docs" / "fit_costs.py")
FIT = importlib.util.module_from_spec(SPEC)
sys.modules["fit_costs"] = FIT
SPEC.loader.exec_module(FIT)

TRUE = {"compute": 0.6, "memory": 0.7, "launch_s": 1e-5, "fp8": 0.9}


def price(row, held):
    """A product under constants."""
    return operator_value(row, kernels=KernelFit(**held))


@pytest.fixture
def rows(gemm):
    """Products as a GPU with the constants TRUE would run them."""
    found = []
    for line, (m, n) in enumerate([(1, 8192), (16, 4096), (64, 64), (1024, 4096), (4096, 4096), (8192, 8192)] * 2):
        row = gemm(m=m, k=n, n=n, gpu="A100" if line % 2 else "L40S")
        found.append(Row(line, {**row.columns, "value": str(price(row, TRUE))}))
    return found


def test_the_minimum_of_a_bowl_is_found():
    """In two dimensions, one of them turned."""
    found = FIT.minimum(lambda x: (x[0] - 0.3) ** 2 + (x[1] + 0.2 + 0.5 * x[0]) ** 2, 2)
    assert found == pytest.approx([0.3, -0.35], abs=0.03)


def test_constants_that_made_the_rows_are_found(rows):
    """From other ones; fp8, of which there is no row, stays where it was."""
    start = {"compute": 0.8, "memory": 0.9, "launch_s": 5e-6, "fp8": 0.8}
    found = FIT.fit(rows, price, start, ["compute", "memory", "launch_s", "fp8"])
    assert found.mean < 0.01
    for name in ("compute", "memory", "launch_s"):
        assert found.constants[name] == pytest.approx(TRUE[name], rel=0.05), name
    assert found.constants["fp8"] == start["fp8"]


def test_a_group_held_out_is_not_fitted_on(rows):
    """Rows of one GPU made twice as slow spoil only its own error."""
    groups = FIT.by(rows, FIT.gpu_of)
    spoilt = [Row(row.line, {**row.columns, "value": str(2 * row.required("value"))}) for row in groups["l40s"]]
    out = FIT.held_out({**groups, "l40s": spoilt}, price, TRUE, ["compute", "memory"])
    assert out["l40s"] == pytest.approx(0.5, abs=0.05)
    assert out["a100-80"] > 0.2


def test_a_dry_run_reports_and_writes_nothing(rows, tmp_path, capsys, monkeypatch):
    """The constants in the package stay."""
    file = tmp_path / "rows.csv"
    names = list(rows[0].columns)
    lines = [",".join(names), *(",".join(row.text(name) for name in names) for row in rows)]
    file.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(FIT, "PACKAGE", tmp_path)
    monkeypatch.setitem(FIT.FITS, "operators", {"kernels.toml": FIT.fit_kernels})
    FIT.main([str(file), "--dry-run"])
    assert "[all]" in capsys.readouterr().out
    assert not (tmp_path / "kernels.toml").exists()
    FIT.main([str(file)])
    assert "# Fitted by docs/fit_costs.py on 12 rows of rows.csv" in (tmp_path / "kernels.toml").read_text()


def test_the_constants_shipped_are_those_the_script_finds(measured):
    """For matrix products, which take a second."""
    text = FIT.fit_kernels(read_measured(str(measured / "operators.csv")))
    assert text == (Path(FIT.PACKAGE) / "cost" / "fitted" / "kernels.toml").read_text()


def test_rows_that_cannot_be_predicted_are_left_out(gemm):
    """Instead of stopping the fit."""
    rows = [gemm(), gemm(m=""), gemm(gpu="A10")]
    assert FIT.predictable(rows, price, TRUE) == rows[:1]
    assert Measured("x", "operators", tuple(rows)).kind in FIT.FITS
