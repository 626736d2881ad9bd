"""Numbers of bytes as people write them: 80GiB is 2**30 each, 80GB 10**9."""

from __future__ import annotations

import re

__all__ = ["format_bytes", "parse_bytes"]

_UNITS: dict[str, int] = {"b": 1} | {
    f"{prefix}{middle}b": base**power
    for middle, base in (("", 1000), ("i", 1024))
    for power, prefix in enumerate("kmgt", start=1)
}
_TEXT = re.compile(r"\s*+([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*+([A-Za-z]*+)\s*+\Z")


def parse_bytes(text: str) -> int:
    """Read ``80GiB``, ``80 GB``, ``85899345920B``. Raises ValueError: with no unit nobody knows which is meant."""
    match = _TEXT.match(text)
    if match is None or match[2].lower() not in _UNITS:
        given = "has no unit" if match and not match[2] else "is no number of bytes"
        raise ValueError(f"{text.strip()[:40]!r} {given}: write 80GiB (2**30 bytes each) or 80GB (10**9)")
    if match[2][-1] == "b" and match[2] != "b":
        raise ValueError(f"{text.strip()[:40]!r}: a small b is a bit; bytes are written {match[2][:-1]}B")
    found: int = round(float(match[1]) * _UNITS[match[2].lower()])
    if found == 0:
        raise ValueError(f"{text.strip()[:40]!r} is no memory at all")
    return found


def format_bytes(count: float) -> str:
    """The largest binary unit of which there is at least one: ``512 MiB``, ``1.25 GiB``."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if count >= 1024**power:
            value = count / 1024**power
            return f"{value:.0f} {unit}" if value == int(value) and value < 1024 else f"{value:,.2f} {unit}"
    return f"{count:.0f} B"
