"""Switches of rules on which conventions contradict each other: what one asks for, another forbids.

A rule names its switches in ``Rule.options``; the command line, the configuration and the documentation find
them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.report.finding import Severity

__all__ = ["ALL_GPUS", "COMM_DASHED", "ELIDED_LAYERS", "NOTE", "ONE_GPU_PER_NODE", "Option", "parse_options"]

NOTE = "note"
"""Say it, as a hint: neither allowed nor forbidden."""


@dataclass(frozen=True, slots=True)
class Option:
    """``lenient`` asks nothing, ``note`` gives hints, ``firm`` errors. ``defaults`` are of the profiles, in order."""

    key: str
    summary: str
    lenient: str
    firm: str
    defaults: tuple[str, str, str]

    @property
    def values(self) -> tuple[str, str, str]:
        """All it may be set to."""
        return (self.lenient, NOTE, self.firm)

    def severity(self, value: str) -> Severity | None:
        """How severe a breach is; None where there is none."""
        return {self.lenient: None, NOTE: Severity.INFO, self.firm: Severity.ERROR}[value]


ALL_GPUS = Option(
    "all-gpus", "a label that says 'all GPUs' instead of which", "allow", "forbid", ("allow", NOTE, "forbid")
)
ELIDED_LAYERS = Option(
    "elided-layers", "layers or experts that are left out or only hinted at", "allow", "forbid",
    ("allow", NOTE, "forbid"),
)  # fmt: skip
COMM_DASHED = Option(
    "comm-dashed", "communication that is not drawn dashed", "ignore", "require", ("ignore", "ignore", "ignore")
)
ONE_GPU_PER_NODE = Option(
    "one-gpu-per-node", "a computing node that names several GPUs", "ignore", "require", ("ignore", "ignore", "ignore")
)


def parse_options(texts: Iterable[str], known: Mapping[str, Option]) -> dict[str, str]:
    """``KEY=VALUE`` each, the later one wins. Raises DagtoolError with the nearest key or value."""
    found: dict[str, str] = {}
    for text in texts:
        key, _, value = (piece.strip() for piece in text.partition("="))
        option = known.get(key)
        if option is None:
            near = did_you_mean(key, list(known))
            raise DagtoolError(f"no rule has an option {key!r}", near or f"there are {', '.join(known)}")
        if value not in option.values:
            near = did_you_mean(value, list(option.values))
            raise DagtoolError(
                f"{key} is {value!r}, not one of {', '.join(option.values)}", near or f"it is about {option.summary}"
            )
        found[key] = value
    return found
