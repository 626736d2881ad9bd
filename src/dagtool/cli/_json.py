"""A JSON report of ours, read again."""

from __future__ import annotations

import json

from dagtool.errors import DagtoolError
from dagtool.files import read_bytes

__all__ = ["read_json"]


def read_json(path: str, hint: str) -> object:
    """What is in the file. Raises DagtoolError, with the hint, for what is no JSON."""
    try:
        found: object = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise DagtoolError(f"{path}: is no JSON: {error}", hint) from None
    return found
