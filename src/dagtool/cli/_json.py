"""A JSON report of ours, read again."""

from __future__ import annotations

from dagtool.documents import parse_json
from dagtool.files import read_bytes

__all__ = ["read_json"]


def read_json(path: str, hint: str) -> object:
    """What is in the file. Raises DagtoolError, with the hint, for what is no JSON."""
    found: object = parse_json(read_bytes(path), path, hint)
    return found
