"""Errors summed up, baselines, and the measured files themselves: how far predictions are off."""

import pytest
from helpers.measured_rows import GEMM, GPT, LLAMA, REDUCE
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.accuracy.baseline import bare_value, flat_values
from dagtool.accuracy.leave_one_out import leave_one_out
from dagtool.accuracy.measured import Measured, Row, UnpredictableError, read_measured
from dagtool.accuracy.predict import Prediction, predictions
from dagtool.accuracy.summary import rank_correlation, summaries

PAIRS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=3, max_size=30)


@given(PAIRS)
def test_rank_correlation_is_that_of_definition(pairs):
    """Pearson's of mean ranks, counted the slow way."""

    def ranks(values):
        return [
            sum(other < one for other in values) + (sum(other == one for other in values) - 1) / 2 for one in values
        ]

    left, right = (ranks([pair[side] for pair in pairs]) for side in (0, 1))
    middle = (len(pairs) - 1) / 2
    products = sum((x - middle) * (y - middle) for x, y in zip(left, right, strict=True))
    spread = sum((x - middle) ** 2 for x in left) * sum((y - middle) ** 2 for y in right)
    found = rank_correlation(pairs)
    if spread == 0:
        assert found is None
    else:
        assert found == pytest.approx(products / spread**0.5)


def test_rank_correlation_sees_order_only():
    """One for any growing relation, minus one for a falling one."""
    assert rank_correlation([(1, 1), (2, 10), (3, 1000)]) == pytest.approx(1)
    assert rank_correlation([(1, 3), (2, 2), (3, 1)]) == pytest.approx(-1)
    assert rank_correlation([(1, 1), (2, 2)]) is None


def test_a_summary_is_of_its_group_and_counts_what_is_missing():
    """Mean and worst of errors; the sign of the worst is kept."""
    row = Row(2, {})
    held = [
        Prediction(row, ("a", "b"), 100.0, 110.0, flat=150.0),
        Prediction(row, ("a",), 100.0, 70.0),
        Prediction(row, ("a",), 100.0, None, "no reason"),
    ]
    first, second = summaries(held)
    assert (first.group, first.rows, first.predicted) == ("a", 3, 2)
    assert first.mean_error == pytest.approx(0.2)
    assert first.worst_error == pytest.approx(-0.3)
    assert first.flat_mean_error == pytest.approx(0.5)
    assert (second.group, second.rows, second.bare_mean_error) == ("b", 1, None)


def test_the_flat_baseline_is_exact_where_throughput_is_constant(gemm):
    """And says nothing of a GPU that has no row."""
    sizes = (256, 512, 4096)
    rows = [Row(line, gemm(m=m, n=m, k=m, value=m**3 / 1e3).columns) for line, m in enumerate(sizes)]
    flat = flat_values([*rows, Row(9, gemm(gpu="nobody").columns)])
    assert flat == pytest.approx({line: m**3 / 1e3 for line, m in enumerate(sizes)})


def test_the_flat_baseline_of_training_is_a_constant_share_of_peak(gpt):
    """A model twice as large runs at half the tokens per second."""
    rows = [Row(2, gpt(value=500).columns), Row(3, gpt(layers=96, value=1).columns), Row(4, gpt(value=500).columns)]
    flat = flat_values(rows)
    assert flat[2] == pytest.approx(500)
    assert 0.5 < flat[3] / flat[2] < 0.53


def test_the_bare_roofline_stands_beside_operators_only(gemm, reduce, gpt):
    """Peak arithmetic, or the link's bandwidth."""
    assert bare_value(gemm()) == pytest.approx(2 * 4096**3 / 312e12 * 1e6)
    assert bare_value(reduce()) == pytest.approx(2 * 7 / 8 * 16777216 / 300e9 * 1e6)
    assert bare_value(gpt()) is None


def test_rows_that_cannot_be_predicted_have_a_reason_and_no_number(gemm):
    """Value missing, GPU unknown, kind unknown: never an exception."""
    changes = [{"value": ""}, {"value": "fast"}, {"gpu": "A10"}, {"kind": "sort"}, {"m": "many"}, {"dtype": "fp8"}, {}]
    rows = tuple(Row(line, gemm(**one).columns) for line, one in enumerate(changes))
    found = predictions(Measured("x", "operators", rows))
    assert [one.predicted is None for one in found] == [True] * 6 + [False]
    assert all(one.reason for one in found[:6])
    assert "did you mean" in found[2].reason
    assert found[2].error is None


ODD = st.sampled_from(
    ["", "0", "1", "-1", "nan", "inf", "1e400", "1e300", "7", "MLA", "two", "0.5", "☃", "99999999999999"]
)
"""What may stand in a cell."""


@pytest.mark.parametrize("base", [LLAMA, GPT, GEMM, REDUCE], ids=["serving", "training", "gemm", "collective"])
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_no_cell_makes_it_fail(base, data):
    """Whatever stands in a row, it has a prediction or a reason."""
    names = data.draw(st.lists(st.sampled_from(sorted(base)), max_size=4, unique=True))
    columns = base | {name: data.draw(ODD) for name in names}
    kind = "operators" if "kind" in base else "end_to_end"
    rows = (Row(2, columns), Row(3, base))
    for products in (None, leave_one_out(rows)):
        for one in predictions(Measured("x", kind, rows), products):
            assert (one.predicted is None) == bool(one.reason)
            assert one.predicted is None or one.predicted > 0


def test_a_row_left_out_is_not_in_its_own_table(gemm):
    """A single wild row is not predicted by itself; without others there is no prediction."""
    sizes = [(256, 100.0), (1024, 100.0), (4096, 1e6), (8192, 100.0)]
    rows = [Row(line, gemm(m=m, n=m, k=m, value=value).columns) for line, (m, value) in enumerate(sizes)]
    value = leave_one_out(rows)
    assert value(rows[2]) < 1e5
    with pytest.raises(UnpredictableError, match="no other row"):
        leave_one_out(rows[:1])(rows[0])


def by_group(path, products=None):
    """Summaries of a file by the name of the group."""
    measured = read_measured(str(path))
    price = leave_one_out(measured.rows) if products else None
    return {one.group: one for one in summaries(predictions(measured, price))}


def test_operators_are_predicted_well(measured):
    """Beside a bare roofline that is off by a third."""
    found = by_group(measured / "operators.csv")
    large = found["gemm of 1e9 FLOPs and more"]
    assert large.mean_error < 0.08
    assert large.bare_mean_error > 0.3
    assert found["collective"].mean_error < 0.1
    assert found["moe_a2a"].mean_error < 0.2
    assert found["gemm"].rank_correlation > 0.99
    assert all(one.mean_error < one.flat_mean_error for name, one in found.items() if name != "gemm_peak")


def test_the_table_is_good_between_its_rows(measured):
    """Each row by all the others; those at the edge are refused."""
    found = by_group(measured / "operators.csv", products=True)["gemm"]
    assert found.mean_error < 0.08
    assert 60 < found.predicted < found.rows


def test_whole_runs_are_predicted_well(measured):
    """Better than one constant throughput for each GPU and data type, fitted on the same rows."""
    found = by_group(measured / "end_to_end.csv")
    assert found["training, dense"].mean_error < 0.06
    assert found["tpot"].mean_error < 0.08
    assert found["generate_latency"].mean_error < 0.12
    for name in ("training, dense", "tpot", "ttft", "generate_latency", "max_output_tokens_per_s"):
        assert found[name].mean_error < found[name].flat_mean_error, name
        assert found[name].rank_correlation > 0.85, name
