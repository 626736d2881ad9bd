"""A strategy document generated, written, read back and run on simulated GPUs: the logits that its outputs hold."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.execute.machine import Machine
from dagtool.execute.prove import Run
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

__all__ = ["deploy", "logits_of", "shared_out"]


def deploy(document: Mapping[str, Any]) -> Dag:
    """Return the graph of a document as its file says it."""
    dag = partition(apply_settings("plan", document, {}))
    return to_dag(parse(dag.to_dot().encode())[0])


def logits_of(dag: Dag, run: Run) -> np.ndarray:
    """Run a graph; return what its output nodes hold, put together. Raises AssertionError where two GPUs differ."""
    machine = Machine(dag, run.sizes, run.weights, run.fed)
    whole = np.full(0, np.nan)
    for node in machine.run():
        if dag.kind(node).role != "output":
            continue
        tensor = dag.kind(node).outputs[0].type
        shape = [dim.size.bind(run.sizes).value for dim in tensor.dims]
        whole = whole if whole.size else np.full(shape, np.nan)
        for gpu, (value,) in (machine.results[node] or {}).items():
            part = whole[machine.part(tensor, gpu)]
            assert value.shape == part.shape
            assert np.isnan(part).all() or np.abs(part - value).max() <= 1e-10 * np.abs(value).max()
            part[...] = value
    assert whole.size
    assert not np.isnan(whole).any(), "no GPU has a part of the logits"
    return whole


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
