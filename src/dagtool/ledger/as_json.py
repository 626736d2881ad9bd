"""The ledger as JSON: a contract, ``dagtool/ledger/1``. Keys are added, never changed."""

from __future__ import annotations

from typing import Any

from dagtool.documents import parse_json
from dagtool.errors import DagtoolError
from dagtool.escape import as_json
from dagtool.ledger.ledger import Collective, Ledger, RankClass
from dagtool.model.mesh import format_gpus

__all__ = ["SCHEMA", "format_json", "ledger_fields", "read_json"]

SCHEMA = "dagtool/ledger/1"


def format_json(ledger: Ledger) -> str:
    """Return all of the ledger, bytes and FLOPs as whole numbers."""
    return as_json(ledger_fields(ledger))


def ledger_fields(ledger: Ledger) -> dict[str, Any]:
    """Return the fields of the contract."""
    return {
        "schema": SCHEMA,
        "name": ledger.name,
        "summary": ledger.summary,
        "phase": ledger.phase,
        "sizes": dict(ledger.sizes),
        "gpus": ledger.gpus,
        "model": {"parameters": ledger.parameters, "active_parameters": ledger.active_parameters},
        "classes": [_class_fields(one) for one in ledger.classes],
        "collectives": [_collective_fields(one) for one in ledger.collectives],
        "capacity_bytes": ledger.capacity_bytes,
        "fits": ledger.fits,
        "headroom_bytes": ledger.headroom_bytes,
        "changes": list(ledger.changes),
        "notes": list(ledger.notes),
        "ignored": list(ledger.ignored),
    }


def _class_fields(one: RankClass) -> dict[str, Any]:
    return {
        "ranks": format_gpus(one.ranks),
        "count": len(one.ranks),
        "weight_bytes": one.weight_bytes,
        "cache_bytes": one.cache_bytes,
        "activation_bytes": one.activation_bytes,
        "communication_bytes": one.communication_bytes,
        "gradient_bytes": one.gradient_bytes,
        "optimizer_bytes": one.optimizer_bytes,
        "reserve_bytes": one.reserve_bytes,
        "total_bytes": one.total_bytes,
        "flops": sum(one.flops.values()),
        "cache_bytes_per_token": one.cache_bytes_per_token,
        "weight_bytes_by_module": dict(one.weights),
        "flops_by_module": dict(one.flops),
        "peak_at": one.peak_at,
    }


def _collective_fields(one: Collective) -> dict[str, Any]:
    return {
        "op": one.op,
        "group_size": one.group_size,
        "groups": one.groups,
        "count": one.count,
        "bytes": one.bytes_,
        "sent_bytes": one.sent_bytes,
        "axes": list(one.axes),
        "module": one.module,
        "why": one.why,
    }


def read_json(text: str, place: str) -> dict[str, Any]:
    """Return the fields of a ledger that was written before. Raises DagtoolError for anything else."""
    found = parse_json(text, place, "dagtool ledger --output-format json writes one")
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        what = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise DagtoolError(f"{place}: is no ledger: schema {what!r}, expected {SCHEMA!r}")
    return found
