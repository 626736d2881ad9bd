"""The oracle for transfers: a value laid out on one mesh, delivered to another, compared with its type there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from oracle.judge import Case, Verdict
from oracle.ranks import SIZES, Rank, fault, place, placements

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.model.mesh import Mesh, format_gpus
from dagtool.model.tensor import TensorType, parse_type
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.transfer import Redistribute, Transfer
from dagtool.validators.engine import validate

X = parse_type("[B, S] @m")


def target_of(first: int, **axes: int) -> Mesh:
    """Mesh ``n`` on GPUs from ``first`` on."""
    return Mesh("n", tuple(axes.items()), tuple(range(first, first + int(np.prod(list(axes.values()), dtype=int)))))


def _ask_graph_rules(case: Case, given: TensorType, taken: TensorType, source: Mesh, target: Mesh) -> None:
    """A type rule knows no mesh shapes: what a rule on the graph finds wrong with the node is refused, too."""
    gpus = {"send": source.gpus, "recv": target.gpus}.get(case.op, (*source.gpus, *target.gpus))
    facts = {"op": case.op, "gpu": format_gpus(gpus), "input": given, "output": taken, **case.params}
    node = " ".join(f'{key}="{value}"' for key, value in facts.items())
    sizes = f"B={SIZES['B']} S={SIZES['S']}"
    text = f'digraph {{ graph [dagtool=1 sizes="{sizes}" meshes="{source}; {target}"]\n t [{node}] }}'
    for one in validate(to_dag(parse(text.encode())[0]), ["COM", "DEV", "DIM203", "DIM207"]):
        # The node stands alone: that nothing feeds it is no fault here.
        if one.severity == "error" and one.code not in {"COM402", "COM405", "DEV504"}:
            raise LayoutError(f"{one.code} {one.message}")


def _layouts(operator: Transfer, given: Mapping[str, str], target: Mesh) -> Iterator[dict[str, str]]:
    """The attributes, with every layout on the other mesh where the operator states one."""
    if not isinstance(operator, Redistribute):
        yield dict(given)
        return
    for _, there in placements(X, tuple(target.sizes), ""):
        yield {**given, "layout": str(there).partition(" @")[0]}


def part_on(source: Mesh, target: Mesh) -> Any:
    """Which part of a tensor a GPU of the tensor's mesh holds."""
    return lambda tensor, gpu: Rank(source if tensor.mesh == "m" else target, gpu, {}, {}).part(tensor)


def judge_transfer(op: str, over: str, source: Mesh, target: Mesh, seed: int = 0) -> Iterator[Verdict]:
    """A verdict for each placement on the source. What is not delivered, or found wrong in a graph, is refused."""
    rng = np.random.default_rng(seed)
    whole = rng.standard_normal((SIZES["B"], SIZES["S"]))
    given = {"to": "n", **({"over": over} if over else {})}
    operator = OPERATORS[op]
    assert isinstance(operator, Transfer)
    for (name, x), params in product(placements(X, tuple(source.sizes)), _layouts(operator, given, target)):
        case = Case(op, params=params)
        placed = f"x={name} from {source} to {target} layout={params.get('layout', '')}"
        held = {gpu: {"x": [value]} for gpu, value in place(whole, x, source, rng).items()}
        try:
            (output,) = operator.infer({"x": x}, params)
            _ask_graph_rules(case, x, output, source, target)
            if op == "send":
                found = {gpu: operator.run(Rank(source, gpu, {"x": x}, params), held[gpu])[0] for gpu in source.gpus}
            elif isinstance(operator, Redistribute):
                found = operator.deliver_parts((x, output), held, (source, target), part_on(source, target))
            else:
                found = operator.deliver(params, held, source, target)
        except LayoutError as error:
            yield Verdict(case, placed, False, str(error))
            continue
        there = source if output.mesh == "m" else target
        if missing := set(there.gpus) - set(found):
            yield Verdict(case, placed, True, str(output), wrong=f"nothing arrives on GPU {min(missing)}")
        elif unknown := output.used_axes - set(there.sizes):
            yield Verdict(case, placed, True, str(output), wrong=f"mesh {there.name} has no axis {min(unknown)}")
        else:
            yield Verdict(case, placed, True, str(output), wrong=fault(output, there, found, whole))
