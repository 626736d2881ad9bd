"""Predict the rows of a file of measurements and print the errors, beside those of a constant throughput.

dagtool accuracy operators.csv
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.escape import as_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dagtool.accuracy.measured import Measured, Row
    from dagtool.accuracy.predict import Prediction
    from dagtool.accuracy.summary import Summary

__all__ = ["command"]


@click.command(
    "accuracy",
    epilog="Examples: dagtool accuracy operators.csv, dagtool accuracy end_to_end.csv --output-format json\n\n"
    "Exit status: 0, or 2 for a file that is no file of measurements. A row that cannot be predicted is listed"
    " with the reason.",
)
@click.argument("file", metavar="FILE.csv")
@click.option(
    "--cost",
    default="roofline",
    show_default=True,
    metavar="NAME|MODULE:FUNCTION",
    help="What prices matrix products: roofline, table (each row by all the others), or a function of m, k, n.",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: str, cost: str, output_format: str) -> None:
    """Predict the rows of a file of measurements and print the errors, beside those of a constant throughput."""
    from dagtool.accuracy.measured import read_measured
    from dagtool.accuracy.predict import predictions
    from dagtool.accuracy.summary import summaries

    measured = read_measured(file)
    found = predictions(measured, _products(cost, measured))
    groups = summaries(found)
    click.echo(_json(measured, found, groups) if output_format == "json" else _text(found, groups))


def _products(cost: str, measured: Measured) -> Callable[[Row], float] | None:
    """What prices rows of products; None for the roofline. Raises DagtoolError for an unknown name."""
    from dagtool.accuracy.leave_one_out import leave_one_out
    from dagtool.accuracy.measured import in_unit
    from dagtool.accuracy.operators import product_of
    from dagtool.cost.backends import Settings, make_backend
    from dagtool.errors import DagtoolError, did_you_mean

    if cost in ("roofline", "table"):
        return leave_one_out(measured.rows) if cost == "table" else None
    if ":" not in cost:
        near = did_you_mean(cost, ["roofline", "table"]) or "known: roofline, table, MODULE:FUNCTION"
        raise DagtoolError(f"there is no backend {cost!r} that rows can be priced with", near)
    get_time = make_backend(cost, Settings())

    def value(row: Row) -> float:
        one = product_of(row)
        assert get_time is not None
        return in_unit(get_time(one.m, one.k, one.n).time_s, row)

    return value


def _json(measured: Measured, found: Sequence[Prediction], groups: Sequence[Summary]) -> str:
    import json
    from dataclasses import asdict

    rows = [
        {
            **one.row.columns,
            "line": one.row.line,
            "predicted": one.predicted,
            "error": one.error,
            "flat": one.flat,
            "bare": one.bare,
            "reason": one.reason,
            "assumed": list(one.assumed),
        }
        for one in found
    ]
    return json.dumps(
        {
            "schema": "dagtool/accuracy/1",
            "file": measured.path,
            "kind": measured.kind,
            "groups": [asdict(one) for one in groups],
            "rows": rows,
        },
        indent=2,
    )


def _text(found: Sequence[Prediction], groups: Sequence[Summary]) -> str:
    lines = [f"{'line':>5}  {'measured':>10}  {'predicted':>10}  {'error':>7}  {'flat':>7}  what"]
    lines += [_line(one) for one in found if one.predicted is not None]
    if missing := [one for one in found if one.predicted is None]:
        lines += ["", f"not predicted: {len(missing)} of {len(found)} rows"]
        lines += [f"{one.row.line:>5}  {_what(one)}: {one.reason}" for one in missing]
    width = max((len(one.group) for one in groups), default=0)
    lines += ["", "mean, worst and rank correlation of predictions; mean errors of the baselines", ""]
    lines += [f"{'':<{width}}  {'rows':>7}  {'mean':>6}  {'worst':>7}  {'rank':>5}  {'flat':>6}  {'bare roofline':>13}"]
    lines += [_sum_up(one, width) for one in groups]
    return as_lines(lines)


def _line(one: Prediction) -> str:
    flat = one.flat / one.measured - 1 if one.flat else None
    predicted = f"{one.predicted:>10.5g}" if one.predicted is not None else f"{'':>10}"
    error, flat_error = (f"{100 * x:+.1f} %" if x is not None else "-" for x in (one.error, flat))
    return f"{one.row.line:>5}  {one.measured:>10.5g}  {predicted}  {error:>7}  {flat_error:>7}  {_what(one)}"


def _what(one: Prediction) -> str:
    row = one.row
    if row.text("kind"):
        shape = "x".join(filter(None, (row.text(name) for name in "mkn")))
        over = f"over {row.text('ranks')}" if row.text("ranks") else ""
        size = f"{row.text('bytes')} B" if row.text("bytes") else ""
        kind, op, dtype, gpu, unit = (row.text(name) for name in ("kind", "op", "dtype", "gpu", "unit"))
        parts = [kind, op, shape, over, size, dtype, gpu, unit]
    else:
        degrees = " ".join(f"{name}{row.text(name)}" for name in ("tp", "pp", "dp", "ep") if row.text(name))
        parts = [row.text("metric"), row.text("model"), row.text("gpu"), degrees, row.text("unit")]
    return " ".join(filter(None, parts))


def _sum_up(one: Summary, width: int) -> str:
    mean, flat, bare = (_percent(x) for x in (one.mean_error, one.flat_mean_error, one.bare_mean_error))
    rows = f"{one.predicted}/{one.rows}" if one.predicted < one.rows else str(one.rows)
    worst = f"{100 * one.worst_error:+.1f} %" if one.worst_error is not None else "-"
    rank = f"{one.rank_correlation:.3f}" if one.rank_correlation is not None else "-"
    return f"{one.group:<{width}}  {rows:>7}  {mean:>6}  {worst:>7}  {rank:>5}  {flat:>6}  {bare:>13}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
