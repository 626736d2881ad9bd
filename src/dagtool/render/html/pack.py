"""Columns of whole numbers as few bytes: differences, zigzag, byte planes, one deflate stream, base64.

The stream is ``length`` of the header (4 bytes, little endian), the header (JSON in ASCII), then the columns.
A column ``i`` is its differences from one number to the next, their sign in the lowest bit, as four planes
of bytes, lowest first: neighbours are alike, so the upper planes are nearly all zero. A column ``d`` is 64-bit floats.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import sub

__all__ = ["pack"]

_LEVEL = 8


def pack(
    header: Mapping[str, object], integers: Mapping[str, Sequence[int]], floats: Mapping[str, Sequence[float]]
) -> str:
    """The header and the columns as text fit to stand in HTML. Integers are of 31 bits and a sign."""
    columns = [[name, "i", len(values)] for name, values in integers.items()]
    columns += [[name, "d", len(values)] for name, values in floats.items()]
    text = json.dumps({**header, "columns": columns}, separators=(",", ":")).encode("ascii")
    pieces = [len(text).to_bytes(4, "little"), text]
    pieces += map(_planes, integers.values())
    pieces += map(_raw, floats.values())
    return base64.b64encode(zlib.compress(b"".join(pieces), _LEVEL)).decode("ascii")


def _planes(values: Sequence[int]) -> bytes:
    before: Iterable[int] = chain((0,), values)
    differences = map(sub, values, before)
    plain = array("q", [2 * one if one >= 0 else -2 * one - 1 for one in differences])
    if sys.byteorder == "big":
        plain.byteswap()
    data = plain.tobytes()
    return b"".join(data[plane::8] for plane in range(4))


def _raw(values: Sequence[float]) -> bytes:
    plain = array("d", values)
    if sys.byteorder == "big":
        plain.byteswap()
    return plain.tobytes()
