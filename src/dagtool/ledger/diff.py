"""What changed between two ledgers, for a review: classes, collectives, the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dagtool.errors import DagtoolError
from dagtool.escape import as_lines, markdown
from dagtool.ledger.as_json import ledger_fields, read_json
from dagtool.ledger.ledger import Ledger
from dagtool.model.byte_count import format_bytes
from dagtool.model.mesh import parse_gpus

__all__ = ["diff_text"]

_PARTS = ("weight", "cache", "activation", "communication", "gradient", "optimizer", "reserve", "total")


def diff_text(before: str, place: str, after: Ledger, output_format: str) -> str:
    """Return what changed against a ledger in JSON, as text, Markdown or JSON. Raises DagtoolError for other forms."""
    old, new = read_json(before, place), ledger_fields(after)
    try:
        found = _changes(old, new)
    except (KeyError, TypeError, ValueError) as error:
        raise DagtoolError(f"{place}: is no complete ledger: {error!r}", "write it again") from None
    if output_format == "json":
        return json.dumps({"schema": "dagtool/ledger-diff/1", "before": old["name"], "after": new["name"], **found})
    if output_format == "html":
        raise DagtoolError("--diff is written as text, markdown or json")
    head = [f"{old['name']} -> {new['name']}"]
    lines = [*head, *(_line(*row) for row in found["memory"]), *found["collectives"], *found["verdict"]]
    if len(lines) == 1:
        lines.append("nothing changed")
    if output_format == "markdown":
        return "\n".join([f"## {markdown(lines[0])}", "", *(f"- {markdown(line)}" for line in lines[1:])])
    return as_lines(lines)


def _line(what: str, before: int, after: int) -> str:
    sign = "+" if after > before else "-"
    share = f", {(after / before - 1) * 100:+.1f} %" if before else ""
    return f"{what}: {format_bytes(before)} -> {format_bytes(after)} ({sign}{format_bytes(abs(after - before))}{share})"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    memory = []
    for ranks, one, other in _pairs(old["classes"], new["classes"]):
        for part in _PARTS:
            before, after = one[f"{part}_bytes"], other[f"{part}_bytes"]
            if before != after:
                memory.append((f"ranks {ranks}: {part}", before, after))
    verdict = []
    if old["gpus"] != new["gpus"]:
        verdict.append(f"GPUs: {old['gpus']:,} -> {new['gpus']:,}")
    if old["fits"] != new["fits"]:
        verdict.append(f"fits: {_said(old['fits'])} -> {_said(new['fits'])}")
    return {"memory": memory, "collectives": _collective_changes(old, new), "verdict": verdict}


def _said(fits: bool | None) -> str:
    return "not known" if fits is None else "yes" if fits else "no"


def _pairs(old: list[Any], new: list[Any]) -> list[tuple[str, Any, Any]]:
    """Classes of both by the ranks that they share, those of the new one in order; ranks of only one are left out."""
    found = []
    for other in new:
        here = set(parse_gpus(other["ranks"]))
        for one in old:
            if here & set(parse_gpus(one["ranks"])):
                found.append((other["ranks"], one, other))
    return found


def _collective_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = (_summed(one["collectives"]) for one in (old, new))
    lines = [f"+ {_described(after[key])}" for key in after if key not in before]
    lines += [f"- {_described(before[key])}" for key in before if key not in after]
    for key, row in after.items():
        if key in before and (row["count"], row["bytes"]) != (before[key]["count"], before[key]["bytes"]):
            lines.append(f"~ {_described(before[key])} -> {row['count']:,} x {format_bytes(row['bytes'])}")
    return lines


def _summed(rows: list[Any]) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Rows by key; stages and classes that run the same collective are added up."""
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for row in rows:
        calls = row["count"] * row["groups"]
        held = found.setdefault(_key(row), {**row, "count": 0, "bytes": 0})
        held["count"] += calls
        held["bytes"] = max(held["bytes"], row["bytes"])
    return found


def _key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["op"], row["module"], row["group_size"]


def _described(row: Mapping[str, Any]) -> str:
    size = f"{row['count']:,} x {format_bytes(row['bytes'])}"
    return f"{row['op']} after {row['module']} over {row['group_size']} ranks: {size}"
