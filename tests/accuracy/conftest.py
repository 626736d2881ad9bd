"""Rows of measurements, written by hand; and the measured files, where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.measured_rows import GEMM, GPT, LLAMA, REDUCE

from dagtool.accuracy.measured import Row

MEASURED = Path(__file__).resolve().parents[2].parent / "shared" / "measured"

MakeRow = Callable[..., Row]


def _made(base: dict[str, str]) -> MakeRow:
    return lambda **changes: Row(2, base | {name: str(value) for name, value in changes.items()})


@pytest.fixture
def llama() -> MakeRow:
    """A row of serving, with columns changed."""
    return _made(LLAMA)


@pytest.fixture
def gpt() -> MakeRow:
    """A row of training, with columns changed."""
    return _made(GPT)


@pytest.fixture
def gemm() -> MakeRow:
    """A row of a matrix product, with columns changed."""
    return _made(GEMM)


@pytest.fixture
def reduce() -> MakeRow:
    """A row of an all-reduce, with columns changed."""
    return _made(REDUCE)


@pytest.fixture
def measured() -> Path:
    """The folder of measured files; they are not part of the project."""
    if not MEASURED.is_dir():
        pytest.skip("no measured files here")
    return MEASURED
