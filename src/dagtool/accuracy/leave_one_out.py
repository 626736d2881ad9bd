"""The table backend held to its own rows: each priced by a table of all the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dagtool.accuracy.measured import Row, UnpredictableError, in_unit
from dagtool.accuracy.operators import Product, product_of
from dagtool.accuracy.software import software_of
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import matmul_time
from dagtool.cost.measured_table import MeasuredTable, Point
from dagtool.errors import DagtoolError

__all__ = ["leave_one_out"]

_MICROSECOND = 1e-6


def leave_one_out(rows: Sequence[Row]) -> Callable[[Row], float]:
    """A function from a row of products to its value, by the other rows of its GPU and width of data type."""
    held: dict[int, tuple[Product, Point]] = {}
    for row in rows:
        try:
            if row.text("kind") == "gemm" and row.text("unit") == "us":
                one = product_of(row)
                time_s = row.required("value") * _MICROSECOND - software_of(row).harness_s
                held[row.line] = (one, Point(one.m, one.k, one.n, time_s))
        except (UnpredictableError, DagtoolError, ArithmeticError):
            continue

    def value(row: Row) -> float:
        one = product_of(row)
        rest = (both for line, both in held.items() if line != row.line)
        others = [point for other, point in rest if _alike(one, other) and point.time_s > 0]
        if not others:
            raise UnpredictableError("no other row of its GPU and data type is in the table")

        def modelled_s(m: float, k: float, n: float) -> float:
            return matmul_time(m, k, n, dtype=one.dtype, gpu=one.gpu, fit=kernel_fit(one.gpu)).time_s

        table = MeasuredTable(others, modelled_s, "the other rows")
        return in_unit(table.get_time(one.m, one.k, one.n).time_s + software_of(row).harness_s, row)

    return value


def _alike(one: Product, other: Product) -> bool:
    sixteen_bits = {"bf16", "fp16"}
    same = one.dtype == other.dtype or {one.dtype, other.dtype} <= sixteen_bits
    return same and one.gpu.short == other.gpu.short
