"""Every row of a file predicted, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dagtool.accuracy import serving, training
from dagtool.accuracy.baseline import bare_value, flat_values
from dagtool.accuracy.measured import Measured, Row, UnpredictableError
from dagtool.accuracy.operators import operator_value, product_of
from dagtool.errors import DagtoolError

__all__ = ["Prediction", "predictions"]

Price = Callable[[Row], float]
_LARGE_FLOPS = 1e9


@dataclass(frozen=True, slots=True)
class Prediction:
    """A row, what was measured and what is predicted, both in its unit."""

    row: Row
    groups: tuple[str, ...]
    measured: float
    predicted: float | None
    reason: str = ""
    """Why there is no prediction."""
    assumed: tuple[str, ...] = ()
    """What the row does not state and the prediction needed."""
    flat: float | None = None
    bare: float | None = None

    @property
    def error(self) -> float | None:
        """Predicted over measured, less one."""
        return None if self.predicted is None else self.predicted / self.measured - 1


def predictions(measured: Measured, products: Price | None = None) -> list[Prediction]:
    """All rows in order; ``products`` prices rows of matrix products otherwise than the roofline."""
    flat = flat_values(measured.rows)
    return [_prediction(row, products, flat.get(row.line)) for row in measured.rows]


def _prediction(row: Row, products: Price | None, flat: float | None) -> Prediction:
    value = 0.0
    groups: tuple[str, ...] = (row.text("kind") or row.text("metric") or "rows",)
    try:
        value = row.required("value")
        groups = _groups(row)
        found, assumed = _value(row, products)
        if not 0 < found < float("inf"):
            raise UnpredictableError(f"its sizes give {found:g}, which is no measurement")
        return Prediction(row, groups, value, found, "", assumed, flat, bare_value(row))
    except UnpredictableError as error:
        return Prediction(row, groups, value, None, str(error))
    except ArithmeticError as error:
        return Prediction(row, groups, value, None, f"its sizes cannot be computed with: {error}")
    except DagtoolError as error:
        return Prediction(row, groups, value, None, f"{error.message}; {error.hint}" if error.hint else error.message)


def _groups(row: Row) -> tuple[str, ...]:
    kind, metric = row.text("kind"), row.text("metric")
    if kind == "gemm":
        large = row.size("m") * row.size("k") * row.size("n") * 2 >= _LARGE_FLOPS
        return ("gemm", "gemm of 1e9 FLOPs and more") if large else ("gemm",)
    if metric in training.METRICS:
        return ("training with experts",) if row.text("experts") else ("training, dense",)
    return (kind or metric or "rows",)


def _value(row: Row, products: Price | None) -> tuple[float, tuple[str, ...]]:
    kind, metric = row.text("kind"), row.text("metric")
    if kind:
        if kind == "gemm" and products:
            product_of(row)
            return products(row), ()
        return operator_value(row), ()
    if metric in training.METRICS:
        return training.training_value(row), training.step_of(row).assumed
    if metric in serving.METRICS:
        return serving.serving_value(row), serving.server_of(row).assumed
    raise UnpredictableError(f"its metric {metric!r} is not priced" if metric else "states no metric")
