"""The ledger as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagtool.escape import as_lines
from dagtool.ledger.ledger import Collective, Ledger, RankClass
from dagtool.model.byte_count import format_bytes
from dagtool.model.mesh import format_gpus

__all__ = ["format_count", "format_ledger", "format_ranks", "modules_of", "run_of", "verdict_of"]

_MOST_ROWS = 24
"""Classes, modules and collectives that are shown; ``--output-format json`` has all."""


def format_ledger(ledger: Ledger) -> str:
    """Return the whole ledger: header, memory by class, FLOPs by module, collectives, verdict, notes."""
    lines = [
        f"{ledger.name}: {ledger.summary}",
        f"model: {ledger.parameters:,} parameters, {ledger.active_parameters:,} active for a token",
        f"run: {run_of(ledger)}",
        "",
        *_table(_memory_rows(ledger)),
        "",
        f"FLOPs of one rank in one pass: {format_count(max(sum(one.flops.values()) for one in ledger.classes))}",
        *_table(_module_rows(ledger)),
    ]
    if ledger.collectives:
        lines += ["", "Collectives of one pass, largest first:", *_collective_lines(ledger.collectives)]
    else:
        lines += ["", "No collectives: ranks exchange no data."]
    lines += ["", *verdict_of(ledger)]
    lines += [f"note: {note}" for note in ledger.notes]
    if ledger.ignored:
        lines.append(f"ignored, because they change nothing here: {', '.join(ledger.ignored)}")
    return as_lines(lines)


def run_of(ledger: Ledger) -> str:
    """Return what is run in words."""
    sizes = ledger.sizes
    parts = [f"{sizes['B']:,} sequence{'s' if sizes['B'] != 1 else ''}"]
    if "T" in sizes:
        new = f"{sizes['S']:,} new token{'s' if sizes['S'] != 1 else ''} each"
        parts += [new, f"{sizes['T']:,} tokens in the cache of each"]
    else:
        parts.append(f"{sizes['S']:,} tokens each")
    return f"{ledger.phase}, {', '.join(parts)}, on {ledger.gpus:,} GPU{'s' if ledger.gpus != 1 else ''}"


def format_ranks(ranks: Sequence[int]) -> str:
    """Return ranks in runs, shortened in the middle where there are many."""
    parts = format_gpus(ranks).split(",")
    return ",".join(parts) if len(parts) <= 6 else f"{','.join(parts[:3])},…,{parts[-1]}"


def format_count(count: float) -> str:
    """Return a large number with a unit: ``12.3 T``."""
    for power, unit in ((15, "P"), (12, "T"), (9, "G"), (6, "M")):
        if count >= 10**power:
            return f"{count / 10**power:,.2f} {unit}"
    return f"{count:,.0f}"


def _memory_rows(ledger: Ledger) -> list[list[str]]:
    shown = ledger.shown_parts
    rows = [["ranks", "count", *shown, "total"]]
    for one in ledger.classes[:_MOST_ROWS]:
        sizes = [format_bytes(one.parts[name]) for name in shown]
        rows.append([format_ranks(one.ranks), f"{len(one.ranks):,}", *sizes, format_bytes(one.total_bytes)])
    if (left := len(ledger.classes) - _MOST_ROWS) > 0:
        rows.append([f"… {left:,} more classes"])
    return rows


def modules_of(one: RankClass) -> list[tuple[str, int, int]]:
    """Return module, bytes of weights and FLOPs of a class, the largest weights first."""
    names = dict.fromkeys([*one.weights, *one.flops])
    rows = [(name, one.weights.get(name, 0), one.flops.get(name, 0)) for name in names]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))


def _module_rows(ledger: Ledger) -> list[list[str]]:
    fullest = ledger.fullest
    rows = [["module", "weights", "FLOPs"]]
    for name, size, flops in modules_of(fullest)[:_MOST_ROWS]:
        if size >= fullest.weight_bytes / 10_000 or flops:
            rows.append([name, format_bytes(size) if size else "", format_count(flops) if flops else ""])
    return rows


def _collective_lines(collectives: Iterable[Collective]) -> list[str]:
    found = list(collectives)
    rows = [["collective", "after", "ranks", "groups", "times", "message", "a rank sends"]]
    for one in found[:_MOST_ROWS]:
        counts = [f"{one.group_size:,}", f"{one.groups:,}", f"{one.count:,}"]
        sent = format_bytes(one.sent_bytes * one.count)
        rows.append([one.op, one.module, *counts, format_bytes(one.bytes_), sent])
    lines = _table(rows)
    out = lines[:1]
    for line, one in zip(lines[1:], found, strict=False):
        out += [line, f"    because {one.why}"] if one.why else [line]
    if (left := len(found) - _MOST_ROWS) > 0:
        out.append(f"… and {left:,} smaller ones")
    return out


def verdict_of(ledger: Ledger) -> list[str]:
    """Return whether it fits and by how much, with the nearest changes where it does not."""
    fullest, headroom = ledger.fullest, ledger.headroom_bytes
    where = f"rank{'s' if len(fullest.ranks) > 1 else ''} {format_ranks(fullest.ranks)}"
    peak = f", activations at their peak in {fullest.peak_at}" if fullest.peak_at else ""
    most = f"fullest: {where} with {format_bytes(fullest.total_bytes)}{peak}"
    if headroom is None or ledger.capacity_bytes is None:
        return [most, "fits: not known; --gpu-memory 80GiB or --cluster 1xh100x8 says what a GPU has"]
    room = format_bytes(ledger.capacity_bytes)
    if ledger.static_capacity_bytes is not None:
        room += f", {format_bytes(ledger.static_capacity_bytes)} of it for weights and cache"
    if ledger.forward_only and headroom >= 0:
        return [most, f"the forward pass fits in {room}: {format_bytes(headroom)} left for all that is not counted"]
    if headroom >= 0:
        text = f"fits in {room}: {format_bytes(headroom)} left"
        if (per_token := fullest.cache_bytes_per_token) and "W" not in ledger.sizes:
            text += f", room for the cache of {headroom // per_token:,} more tokens"
        return [most, text]
    lines = [most, f"does not fit in {room}: {format_bytes(-headroom)} too much"]
    return lines + [f"nearest change: {change}" for change in ledger.changes]


def _table(rows: list[list[str]]) -> list[str]:
    """Columns side by side, the first to the left and numbers to the right."""
    columns = max(map(len, rows))
    widths = [max((len(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    left = {0, 1} if rows[0][:2] == ["collective", "after"] else {0}
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
