"""Measured products from a CSV file: columns m, k, n, dtype, us; gpu where it holds several GPUs' rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from dagtool.cost.backends import GetTime, Settings, make_backend, roofline
from dagtool.cost.measured_table import MeasuredTable, OutsideError, Point
from dagtool.cost.price import Price
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.model.cluster import find_gpu

__all__ = ["NEEDS", "SUMMARY", "make", "read_points"]

SUMMARY = "measured products, interpolated; what lies outside their range is refused"
NEEDS = ("table", "cluster")

_COLUMNS = ("m", "k", "n", "dtype", "us")
_MOST, _LEAST_US = 1e15, 1e-6
"""Sizes and microseconds beyond which a cell is no measurement, and arithmetic would leave the numbers."""
_SPELLINGS = {"bfloat16": "bf16", "half": "fp16", "float16": "fp16", "float32": "fp32"}


def make(settings: Settings) -> GetTime:
    """Prices in seconds from the rows for the cluster's GPU and the data type. Raises DagtoolError where none is."""
    gpu, dtype = settings.gpus.gpu, settings.dtype
    points = read_points(settings.table, gpu.short, dtype)
    modelled = roofline.make(settings)
    table = MeasuredTable(points, lambda m, k, n: modelled(m, k, n).time_s, settings.table)
    if not settings.outside:
        return table.get_time
    if settings.outside == "table":
        raise DagtoolError("--outside table: the table is what such products lie outside of", "--outside roofline")
    other = make_backend(settings.outside, settings)
    if other is None:
        raise DagtoolError(f"--outside {settings.outside} gives no seconds", "--outside roofline does")

    def get_time(m: float, k: float, n: float) -> Price:
        try:
            return table.get_time(m, k, n)
        except OutsideError:
            return other(m, k, n)

    return get_time


def read_points(path: str, gpu: str, dtype: str) -> list[Point]:
    """The rows of a GPU (all, without a column ``gpu``) and of a data type as wide as ``dtype``.

    Raises DagtoolError: unreadable, columns missing, a cell that is no number, no row for this GPU and type.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:  # spreadsheets put a mark in front
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            header = reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            _check(path, header)
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise DagtoolError(f"cannot read {path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DagtoolError(f"{path}: not CSV: {error}") from None
    kept = [(line, row) for line, row in rows if _fits(row, gpu, dtype)]
    points = [_point(path, line, row) for line, row in kept]
    if not points:
        types = ", ".join(sorted({row["dtype"] or "?" for _, row in rows})) or "none"
        raise DagtoolError(
            f"{path} has no row for {gpu} in {dtype}", f"it has {len(rows)} row{'s' * (len(rows) != 1)}: {types}"
        )
    return points


def _check(path: str, header: list[str]) -> None:
    missing = [name for name in _COLUMNS if name not in header]
    if "us" in missing and {"value", "unit"} <= set(header):
        missing.remove("us")  # the form of a file of measurements, as `dagtool accuracy` reads it
    if missing:
        near = next(filter(None, (did_you_mean(name, missing) for name in header)), "")
        raise DagtoolError(f"{path}:1: no column {', '.join(missing)}", near or f"columns: {', '.join(_COLUMNS)}")


def _fits(row: Mapping[str, str], gpu: str, dtype: str) -> bool:
    if row.get("kind", "gemm") != "gemm" or (row.get("unit") or "us") != "us":
        return False
    if row.get("gpu"):
        try:
            if find_gpu(row["gpu"]).short != gpu:
                return False
        except DagtoolError:
            return False
    stated = row["dtype"].strip().lower()
    stated = _SPELLINGS.get(stated, stated)
    # bf16 and fp16 run alike; fp8 and int8 do not.
    return stated == dtype or {stated, dtype} <= {"bf16", "fp16"}


def _point(path: str, line: int, row: Mapping[str, str]) -> Point:
    numbers = []
    for name, text in (*((name, row[name]) for name in "mkn"), ("us", row.get("us") or row.get("value") or "")):
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not (_LEAST_US if name == "us" else 0) < number <= _MOST:
            raise DagtoolError(f"{path}:{line}: {name} is {text!r}, which is no number above 0 that can be measured")
        numbers.append(number)
    m, k, n, us = numbers
    return Point(m, k, n, us * 1e-6)
