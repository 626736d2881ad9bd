"""What C Graphviz draws of DOT texts, and what it says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Drawn", "draw"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture as SVG, empty where there is none, and the warnings and errors."""

    picture: str
    said: str


def draw(texts: Sequence[str]) -> list[Drawn]:
    """Lay texts out with ``dot``. Needs pygraphviz."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("layout_worker.py"))],
        input=json.dumps(list(texts)).encode(), capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return [Drawn(*found) for found in json.loads(done.stdout)]
