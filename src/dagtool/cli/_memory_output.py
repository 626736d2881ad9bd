"""What ``dagtool memory`` prints."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from dagtool.escape import as_lines
from dagtool.model.byte_count import format_bytes
from dagtool.model.mesh import format_gpus

if TYPE_CHECKING:
    from dagtool.cost.memory import Assumptions, GpuMemory, Item, MemoryUse
    from dagtool.dag.graph import Dag

__all__ = ["as_json", "as_text"]

_MOST_ROWS = 24
"""Groups of GPUs shown; more say nothing to a reader."""


def as_text(name: str, dag: Dag, use: MemoryUse, given: Assumptions, capacity_bytes: int | None) -> str:
    """A row for each group of equal GPUs, its largest part by name, and whether it fits."""
    graph = dag.sizes.get("T" if any(kind.op == "cache" for kind in dag.kinds) else "S")
    context = graph if given.context_tokens is None else given.context_tokens
    gpus = sum(len(group.gpus) for group in use.groups)
    head = ["GPUs", "number", "weights", "KV cache", "activations", "communication", "reserve", "total", "in GB"]
    rows = [head]
    for group in use.groups[:_MOST_ROWS]:
        sizes = [format_bytes(size) for size in (*group.parts.values(), group.total_bytes)]
        rows.append([format_gpus(group.gpus), str(len(group.gpus)), *sizes, f"{group.total_bytes / 1e9:,.2f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{name}: {gpus:,} GPU{'s' if gpus != 1 else ''}; {_assumed(dag, given, context or 0)}", ""]
    lines += ["  ".join(_padded(row, widths)).rstrip() for row in rows]
    if len(use.groups) > _MOST_ROWS:
        lines.append(f"… and {len(use.groups) - _MOST_ROWS:,} more groups")
    lines.append("")
    for group in use.groups[:_MOST_ROWS]:
        what, size = group.largest
        when = f"; values in flight are most at {dag.ids[group.peak_node]}" if group.peak_node >= 0 else ""
        lines.append(f"GPUs {format_gpus(group.gpus)}: the largest is {what}, {format_bytes(size)}{when}")
    return as_lines([*lines, *_verdict(use, capacity_bytes)])


def _assumed(dag: Dag, given: Assumptions, context_tokens: int) -> str:
    plural = "" if given.weight_width_bytes == 1 else "s"
    widths = f"{given.weight_width_bytes:g} byte{plural} an element, {given.kv_width_bytes:g} in the KV cache"
    kernel = "" if given.fused_attention else "; scores and softmax are stored"
    types = [f"{'all weights' if name == '*' else name} in {dtype}" for name, dtype in given.weight_dtypes.items()]
    types += [f"tokens sent to experts in {given.dispatch_dtype}"] if given.dispatch_dtype else []
    stated = _stated_dtypes(dag)
    types += [f"{', '.join(stated)} where the graph says so"] if stated else []
    typed = f"; {', '.join(types)}" if types else ""
    return f"{widths} for {context_tokens:,} tokens of each sequence{typed}{kernel}"


def _stated_dtypes(dag: Dag) -> list[str]:
    """Return the data types that the graph itself gives its values, caches and weights."""
    from dagtool.dag.semantics import weight_of

    values = {port.type.dtype for kind in dag.kinds for port in (*kind.inputs, *kind.outputs)}
    weights = {weight.dtype for kind in dag.kinds if (weight := weight_of(kind)) is not None}
    return sorted((values | weights) - {""})


def _padded(row: list[str], widths: list[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]


def _verdict(use: MemoryUse, capacity_bytes: int | None) -> list[str]:
    if capacity_bytes is None or not use.fullest:
        return []
    over = [group for group in use.groups if group.total_bytes > capacity_bytes]
    if not over:
        spare = capacity_bytes - use.fullest.total_bytes
        return ["", f"fits in {format_bytes(capacity_bytes)}: the fullest GPU has {format_bytes(spare)} left"]
    lines = ["", f"does not fit in {format_bytes(capacity_bytes)}:"]
    for group in over[:_MOST_ROWS]:
        excess = format_bytes(group.total_bytes - capacity_bytes)
        sure = group.least_bytes > capacity_bytes
        why = f"; weights and the largest value alone are {format_bytes(group.least_bytes)}" if sure else ""
        lines.append(f"  GPUs {format_gpus(group.gpus)} need {excess} more{why}")
    return lines


def as_json(name: str, dag: Dag, use: MemoryUse, given: Assumptions, capacity_bytes: int | None) -> str:
    """Everything in bytes, ``dagtool/memory/1``."""
    found = {
        "schema": "dagtool/memory/1",
        "name": name,
        "gpus": sum(len(group.gpus) for group in use.groups),
        "capacity_bytes": capacity_bytes,
        "fits": None if capacity_bytes is None else use.fits(capacity_bytes),
        "assumptions": asdict(given),
        "groups": [_row(dag, group) for group in use.groups],
    }
    return json.dumps(found, indent=2)


def _row(dag: Dag, group: GpuMemory) -> dict[str, object]:
    what, size = group.largest
    return {
        "gpus": list(group.gpus),
        **{f"{part}_bytes": size for part, size in group.parts.items()},
        "total_bytes": group.total_bytes,
        "least_bytes": group.least_bytes,
        "peak_node": dag.ids[group.peak_node] if group.peak_node >= 0 else None,
        "largest": {"what": what, "bytes": size},
        "weights": list(map(_item, group.weights)),
        "live": list(map(_item, group.live)),
    }


def _item(item: Item) -> dict[str, object]:
    return {"role": item.role, "bytes": item.bytes_, "count": item.count}
