"""A schedule in words and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dagtool.escape import as_lines
from dagtool.model.duration import time_words
from dagtool.model.mesh import format_gpus
from dagtool.ops import OPERATORS
from dagtool.report.verdict import plural

if TYPE_CHECKING:
    from dagtool.cost.occupancy import GpuUse
    from dagtool.cost.schedule import Schedule
    from dagtool.dag.graph import Dag

__all__ = ["as_json", "as_text", "headline"]

_SHOWN = 40
_TOP = 6


def headline(dag: Dag, plan: Schedule, cluster: str) -> tuple[str, str]:
    """What was scheduled, and how long it takes."""
    passes = f"forward and backward (×{plan.backward:g})" if plan.backward else dag.facts.get("phase", "forward")
    what = [
        f"{len(dag.ids):,} nodes on {len(plan.gpus):,} GPUs of {cluster}",
        passes,
        plural(plan.stages, "stage"),
        f"{plural(plan.microbatches, 'micro-batch')}" + (f", {plan.discipline}" if plan.microbatches > 1 else ""),
    ]
    times = [
        f"makespan {time_words(plan.makespan_s)}",
        f"critical path {time_words(plan.critical_path_s)}",
        f"bubble {100 * plan.bubble:.1f} %",
    ]
    return " · ".join(what), " · ".join(times)


def as_text(dag: Dag, plan: Schedule, cluster: str) -> str:
    """The numbers, what the makespan's path consists of, and a table of GPUs, equal ones in one row."""
    many = plan.microbatches > 1
    ratio = plan.makespan_s / plan.critical_path_s if plan.critical_path_s else 1.0
    lines = [
        headline(dag, plan, cluster)[0],
        "",
        f"critical path  {time_words(plan.critical_path_s):>10}  with unlimited GPUs"
        + (", of one micro-batch" if many else ""),
        f"makespan       {time_words(plan.makespan_s):>10}  on these GPUs: {ratio:.2f} times the critical path",
        f"bubble         {100 * plan.bubble:>8.1f} %  GPU time in which nothing runs, of that in which something does",
        f"overlap        {time_words(plan.overlap_s):>10}  GPU time in which computation hides communication",
        "",
        "what the makespan waits for",
        *_shares(dag, plan),
        "",
        *_table(plan),
    ]
    return as_lines(lines)


def _shares(dag: Dag, plan: Schedule) -> list[str]:
    """The operators of the chain by their time on it."""
    seconds: dict[str, float] = {}
    for index in plan.chain:
        op = dag.kind(plan.instance(index).node).op
        seconds[op] = seconds.get(op, 0.0) + plan.end_s[index] - plan.start_s[index]
    most = sorted(((op, time_s) for op, time_s in seconds.items() if time_s > 0), key=lambda row: -row[1])
    rows = [f"  {_percent(time_s, plan):>7}  {time_words(time_s):>10}  {op}" for op, time_s in most[:_TOP]]
    rest = sum(time_s for _, time_s in most[_TOP:])
    return rows + ([f"  {_percent(rest, plan):>7}  {time_words(rest):>10}  other operators"] if rest else [])


def _percent(time_s: float, plan: Schedule) -> str:
    return f"{100 * time_s / plan.makespan_s:.1f} %" if plan.makespan_s else "0 %"


def _groups(plan: Schedule) -> list[tuple[list[int], GpuUse]]:
    """GPUs with equal times, to six digits of the makespan."""
    unit = plan.makespan_s * 1e-6 or 1.0
    found: dict[tuple[int, ...], tuple[list[int], GpuUse]] = {}
    for one in plan.gpus:
        times = (one.compute.busy_s, one.communication.busy_s, one.whole.busy_s, one.whole.idle_s)
        found.setdefault(tuple(round(time_s / unit) for time_s in times), ([], one))[0].append(one.gpu)
    return list(found.values())


def _table(plan: Schedule) -> list[str]:
    groups = _groups(plan)
    names = [_gpus(gpus) for gpus, _ in groups[:_SHOWN]]
    width = max([len("GPU"), *map(len, names)])
    heads = ("compute", "communicate", "both", "wait", "idle")
    lines = [f"{'GPU':<{width}}" + "".join(f"  {head:>12}" for head in heads)]
    for name, (_, one) in zip(names, groups, strict=False):
        whole = one.whole
        times = (one.compute.busy_s, one.communication.busy_s, one.overlap_s, whole.waiting_s, whole.idle_s)
        lines.append(f"{name:<{width}}" + "".join(f"  {time_words(time_s):>12}" for time_s in times))
    if len(groups) > _SHOWN:
        hidden = sum(len(gpus) for gpus, _ in groups[_SHOWN:])
        lines.append(f"… and {hidden:,} more GPUs; --output-format json has them all")
    return lines


def _gpus(gpus: list[int]) -> str:
    text = format_gpus(gpus)
    if len(text) > 24:
        text = f"{text[:20].rpartition(',')[0]},…"
    return f"{text} ×{len(gpus)}" if len(gpus) > 1 else text


def as_json(dag: Dag, plan: Schedule, cluster: str) -> str:
    """The contract: keys are added, never changed. Times are seconds."""
    nodes = len(dag.ids)
    found = {
        "schema": "dagtool/schedule/1",
        "cluster": cluster,
        "microbatches": plan.microbatches,
        "discipline": plan.discipline,
        "backward": plan.backward,
        "stages": plan.stages,
        "critical_path_s": plan.critical_path_s,
        "makespan_s": plan.makespan_s,
        "bubble": plan.bubble,
        "overlap_s": plan.overlap_s,
        "critical_path": [dag.ids[node] for node in plan.critical_path],
        "chain": [_instance(dag, plan, index) for index in plan.chain],
        "gpus": [
            {
                "gpus": gpus,
                "compute_s": one.compute.busy_s,
                "communication_s": one.communication.busy_s,
                "overlap_s": one.overlap_s,
                "waiting_s": one.whole.waiting_s,
                "idle_s": one.whole.idle_s,
            }
            for gpus, one in _groups(plan)
        ],
        "nodes": [
            {
                "id": name,
                "op": dag.kind(node).op,
                "communication": _communicates(dag, node),
                "time_s": plan.end_s[node] - plan.start_s[node],
                "start_s": plan.start_s[node::nodes],
                "slack_s": slack,
            }
            for node, (name, slack) in enumerate(zip(dag.ids, plan.node_slack_s, strict=True))
        ],
    }
    return json.dumps(found, indent=1)


def _instance(dag: Dag, plan: Schedule, index: int) -> dict[str, object]:
    one = plan.instance(index)
    return {"id": dag.ids[one.node], "microbatch": one.microbatch, "backward": one.backward}


def _communicates(dag: Dag, node: int) -> bool:
    operator = OPERATORS.get(dag.kind(node).op)
    return operator is not None and operator.is_communication
