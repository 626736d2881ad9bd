"""The ledger as Markdown, for a design document or a review."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.escape import markdown
from dagtool.ledger.ledger import Ledger
from dagtool.ledger.text import format_count, format_ranks, modules_of, run_of, verdict_of
from dagtool.model.byte_count import format_bytes

__all__ = ["format_markdown"]


def format_markdown(ledger: Ledger) -> str:
    """Return headings and tables with all classes, modules and collectives."""
    shown = ledger.shown_parts
    memory = [
        [format_ranks(one.ranks), f"{len(one.ranks):,}", *(format_bytes(one.parts[name]) for name in shown),
         f"**{format_bytes(one.total_bytes)}**"]
        for one in ledger.classes
    ]  # fmt: skip
    modules = [
        [f"`{name}`", format_bytes(size) if size else "", format_count(flops) if flops else ""]
        for name, size, flops in modules_of(ledger.fullest)
    ]
    collectives = [
        [one.op, f"`{one.module}`", f"{one.group_size:,}", f"{one.groups:,}", f"{one.count:,}",
         format_bytes(one.bytes_), format_bytes(one.sent_bytes * one.count), markdown(one.why)]
        for one in ledger.collectives
    ]  # fmt: skip
    parts = [
        f"# {markdown(ledger.name)}",
        f"{markdown(ledger.summary)}. {ledger.parameters:,} parameters, {ledger.active_parameters:,} active for a"
        f" token. Counted for one pass: {run_of(ledger)}.",
        *(f"**{line[:1].upper()}{line[1:]}**  " for line in verdict_of(ledger)[1:]),
        "## Memory of a rank",
        _table(["ranks", "count", *shown, "total"], memory),
        f"## Modules on {'the fullest rank' if len(ledger.classes) > 1 else 'every rank'}",
        _table(["module", "weights", "FLOPs"], modules),
        "## Collectives",
        _table(["collective", "after", "ranks", "groups", "times", "message", "a rank sends", "why"], collectives)
        if collectives
        else "None: ranks exchange no data.",
    ]
    if ledger.notes:
        parts += ["## Notes", "\n".join(f"- {markdown(note)}" for note in ledger.notes)]
    if ledger.ignored:
        listed = ", ".join(f"`{flag}`" for flag in ledger.ignored)
        parts.append(f"Flags that change nothing here: {listed}.")
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = {"count", "total", "weights", "FLOPs", "ranks", "groups", "times", "message", "a rank sends"}
    marks = ["---:" if name in right and place else "---" for place, name in enumerate(head)]
    lines = [head, marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
