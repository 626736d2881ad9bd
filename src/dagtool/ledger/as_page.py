"""The ledger as one HTML page that needs nothing else: memory as bars, modules and collectives as tables."""

from __future__ import annotations

from typing import Any

from dagtool.ledger.ledger import Ledger, RankClass
from dagtool.ledger.text import format_count, format_ranks, modules_of, run_of, verdict_of
from dagtool.model.byte_count import format_bytes
from dagtool.templates import environment, template_errors

__all__ = ["format_page"]

_WIDEST_REM = 12
"""Width of the bar of the largest module."""


def format_page(ledger: Ledger, templates: str | None = None) -> str:
    """Return the page. Raises DagtoolError where a template of the user's fails."""
    with template_errors():
        return environment(templates).get_template("ledger/page.html.j2").render(page=_page(ledger))


def _page(ledger: Ledger) -> dict[str, Any]:
    parts = ledger.shown_parts
    scale = max(ledger.fullest.total_bytes, ledger.capacity_bytes or 0) or 1
    capacity = ledger.capacity_bytes
    verdict = verdict_of(ledger)
    rows = modules_of(ledger.fullest)
    most = max((size for _, size, _ in rows), default=0) or 1
    return {
        "name": ledger.name,
        "summary": ledger.summary,
        "run": run_of(ledger),
        "facts": _facts(ledger),
        "answer": {True: "yes", False: "no", None: "unknown"}[ledger.fits],
        "verdict": [*verdict[1:], verdict[0]],
        "parts": parts,
        "limit": None if capacity is None else round(capacity / scale * 100, 2),
        "limit_said": "" if capacity is None else f"memory that may be used: {format_bytes(capacity)}",
        "ranks": [_rank(one, parts, scale) for one in ledger.classes],
        "where": f"ranks {format_ranks(ledger.fullest.ranks)}" if len(ledger.classes) > 1 else "every rank",
        "modules": [
            {
                "name": name,
                "weights": format_bytes(size) if size else "",
                "width": round(size / most * _WIDEST_REM, 2),
                "flops": format_count(flops) if flops else "",
            }
            for name, size, flops in rows
        ],
        "collectives": [
            {
                "op": one.op,
                "module": one.module,
                "ranks": f"{one.group_size:,}",
                "groups": f"{one.groups:,}",
                "times": f"{one.count:,}",
                "message": format_bytes(one.bytes_),
                "sent": format_bytes(one.sent_bytes * one.count),
                "why": one.why,
            }
            for one in ledger.collectives
        ],
        "notes": ledger.notes,
        "ignored": ledger.ignored,
    }


def _facts(ledger: Ledger) -> list[tuple[str, str]]:
    flops = max(sum(one.flops.values()) for one in ledger.classes)
    sent = sum(one.total_bytes for one in ledger.collectives)
    facts = [
        (f"{ledger.gpus:,}", "GPUs"),
        (f"{ledger.parameters / 1e9:,.2f} B", "parameters"),
        (f"{ledger.active_parameters / 1e9:,.2f} B", "active for a token"),
        (format_bytes(ledger.fullest.weight_bytes), "weights of the fullest rank"),
        (format_count(flops), "FLOPs of a rank in one pass"),
        (format_bytes(sent), "sent by all ranks in one pass"),
    ]
    if per_token := ledger.fullest.cache_bytes_per_token:
        facts.append((format_bytes(per_token), "cache of one token on a rank"))
    return facts


def _rank(one: RankClass, parts: list[str], scale: int) -> dict[str, Any]:
    sizes = {name: format_bytes(one.parts[name]) for name in parts}
    ranks = format_ranks(one.ranks)
    return {
        "ranks": ranks,
        "name": f"rank {ranks}" if len(one.ranks) == 1 else f"ranks {ranks}",
        "count": f"{len(one.ranks):,}",
        "sizes": list(sizes.values()),
        "total": format_bytes(one.total_bytes),
        "said": ", ".join(f"{name} {size}" for name, size in sizes.items()),
        "parts": [
            {"name": name, "width": round(one.parts[name] / scale * 100, 3), "said": f"{name}: {sizes[name]}"}
            for name in parts
            if one.parts[name]
        ],
    }
