"""What the software behind a row does that no column says: data in ``software.toml``, with the reason for each."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dagtool.accuracy.measured import Row

__all__ = ["Software", "software_of"]


@dataclass(frozen=True, slots=True)
class Software:
    """Features that change the work or its order."""

    harness_s: float = 0.0
    """Seconds the measurement itself adds to every operator."""
    fused_attention: bool = True
    """Whether scores and softmax stay on the chip."""
    sharded_weights: bool = False
    """Whether weights are gathered for each layer (ZeRO-3, FSDP)."""
    prefetched: bool = True
    """Whether they are gathered while another layer computes."""


@cache
def _known() -> tuple[tuple[str, dict[str, float | bool]], ...]:
    text = Path(__file__).with_name("software.toml").read_text(encoding="utf-8")
    found = []
    for table in tomllib.loads(text)["software"]:
        facts = {key: value for key, value in table.items() if key not in ("source", "why")}
        found.append((table["source"], facts))
    return tuple(found)


def software_of(row: Row) -> Software:
    """Every feature that the tables matching the row's source or notes state; of two, the later one's."""
    said = f"{row.text('source')} {row.text('notes')}"
    facts: dict[str, float | bool] = {}
    for source, stated in _known():
        if re.search(source, said):
            facts |= stated
    if row.noted(r"FSDP=(\d+)"):
        facts["sharded_weights"] = int(row.noted(r"FSDP=(\d+)")) > 1
    return Software(**facts)  # type: ignore[arg-type]
