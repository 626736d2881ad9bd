"""Numbers as people read them: times, bytes, FLOPs, shares."""

from __future__ import annotations

from dagtool.model import duration
from dagtool.model.byte_count import format_bytes

__all__ = ["bytes_words", "count_words", "share_words", "time_words"]

_COUNTS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))


def time_words(time_s: float) -> str:
    """``4.17 s``, ``15.3 ms``, ``-2.10 µs``: three digits."""
    return f"{'-' if time_s < 0 else ''}{duration.time_words(abs(time_s))}"


def count_words(count: float, unit: str) -> str:
    """``70.4 TFLOP``."""
    scale, prefix = next((one for one in _COUNTS if abs(count) >= one[0]), (1.0, ""))
    return f"{_three(count / scale)} {prefix}{unit}"


def bytes_words(count: float) -> str:
    """Both ways to count: ``1.25 GiB (1.34 GB)``."""
    scale, unit = next((one for one in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if count >= one[0]), (1.0, "B"))
    binary = format_bytes(count)
    return binary if scale == 1 else f"{binary} ({count / scale:,.2f} {unit})"


def share_words(part: float, whole: float) -> str:
    """``12.3 %``."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _three(number: float) -> str:
    for digits, limit in ((2, 9.995), (1, 99.95)):
        if abs(number) < limit:
            return f"{number:,.{digits}f}"
    return f"{number:,.0f}"
