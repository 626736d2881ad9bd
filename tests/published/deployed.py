"""A strategy document generated, written, read back and run on simulated GPUs: the logits that its outputs hold."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.execute.recorded import logits_of
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

__all__ = ["deploy", "logits_of", "shared_out"]


def deploy(document: Mapping[str, Any]) -> Dag:
    """Return the graph of a document as its file says it."""
    dag = partition(apply_settings("plan", document, {}))
    return to_dag(parse(dag.to_dot().encode())[0])


@cache
def shared_out(fitting: frozenset[tuple[str, str]], times: int) -> tuple[tuple[str, str], ...]:
    """Return, of all (model, plan) that fit, each plan on ``times`` models, so that models have about as many each."""
    plans: dict[str, list[str]] = {}
    for model, plan in sorted(fitting):
        plans.setdefault(plan, []).append(model)
    used: dict[str, int] = dict.fromkeys(sorted(model for model, _ in fitting), 0)
    chosen: list[tuple[str, str]] = []
    for plan in sorted(plans, key=lambda name: (len(plans[name]), name)):
        for model in _least_used(plans[plan], used, times):
            used[model] += 1
            chosen.append((model, plan))
    return tuple(sorted(chosen))


def _least_used(models: Iterable[str], used: Mapping[str, int], times: int) -> list[str]:
    return sorted(models, key=lambda model: (used[model], model))[:times]
