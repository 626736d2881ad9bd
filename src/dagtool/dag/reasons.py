"""Why there is a collective: the two layouts that met, and how the first of them came about."""

from __future__ import annotations

from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import used_weight
from dagtool.model.roles import base_role
from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.model.vocabulary import SYMBOLS
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.base import axes_param
from dagtool.ops.collective import Collective
from dagtool.ops.transfer import Transfer

__all__ = ["explain_collectives", "group_axes"]


def explain_collectives(dag: Dag) -> dict[int, str]:
    """Return for each kind that moves data between GPUs which two layouts met there, in one sentence."""
    moving = {
        index
        for index, kind in enumerate(dag.kinds)
        if (operator := OPERATORS.get(kind.op)) is not None and operator.is_communication
    }
    consumers = _consumers(dag, moving)
    return {index: _explain(dag, index, consumers.get(index, "")) for index in sorted(moving)}


def group_axes(kind: Kind) -> tuple[str, ...]:
    """Return the axes along which the members of one group of a collective lie."""
    operator = OPERATORS[kind.op]
    return (
        operator.group_axes(kind.parameters)
        if isinstance(operator, Collective)
        else axes_param(kind.parameters, "over")
    )


def _consumers(dag: Dag, kinds: set[int]) -> dict[int, str]:
    """A part of the model that takes the result of each of these kinds."""
    found: dict[int, str] = {}
    kind_of = dag.kind_of
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        if kind_of[tail] in kinds and kind_of[tail] not in found:
            found[kind_of[tail]] = base_role(dag.kinds[kind_of[head]].role)
    return found


def _explain(dag: Dag, index: int, consumer: str) -> str:
    """Say which two layouts met at a kind of collective, and why the first came about."""
    kind = dag.kinds[index]
    module = base_role(kind.role)
    taker = consumer if consumer and consumer != module else "what follows"
    over = " and ".join(group_axes(kind))
    if not kind.inputs or not kind.outputs:
        return ""
    first, last = kind.inputs[0].type, kind.outputs[0].type
    says = {
        "all_reduce": f"{_partial(dag, module, first)}; {taker} needs the whole sum on every rank",
        "reduce_scatter": f"{_partial(dag, module, first)}; {taker} takes {_cut_of(last, over)}",
        "all_gather": f"{module} is cut as {_cut_of(first, over)}; {taker} needs all of it on every rank",
        "all_to_all": f"{module} is cut as {_cut_of(first, over)}; {taker} takes it cut as {_cut_of(last, over)}",
        "dispatch": f"experts lie on different ranks along {over}: each token goes to those that the gate chose",
        "combine": f"results of experts along {over} go back to the ranks of their tokens and are added up",
        "combine_reduce": f"each rank along {over} has the results of its own experts only: they are added up",
    }
    if isinstance(OPERATORS[kind.op], Transfer):
        return f"{module} is computed on {kind.meshes[0]}, and {taker} runs on {kind.meshes[-1]}"
    return says.get(kind.op) or f"{module} over {over}: {_first_sentence(kind.op)}"


def _partial(dag: Dag, module: str, tensor: TensorType) -> str:
    """Why ranks hold a partial sum: the product that makes it sums over a dimension that is cut."""
    axes = " and ".join(tensor.partial) or "its group"
    for kind in dag.kinds:
        if kind.role != module or not kind.outputs or kind.outputs[0].type.partial != tensor.partial:
            continue
        try:
            weight = used_weight(kind)
        except LayoutError:
            continue
        for dim in weight.dims if weight else ():
            if set(dim.axes) & set(tensor.partial):
                return f"{module} sums over {_name(dim.size)}, cut along {axes}, so each rank has a partial sum"
    return f"each rank along {axes} has a partial sum of {module}"


def _name(size: Size) -> str:
    """A size as people call it: ``kv_heads G``."""
    text = str(size)
    return f"{SYMBOLS[text]} {text}" if text in SYMBOLS else text


def _cut_of(tensor: TensorType, over: str) -> str:
    cuts = [str(dim) for dim in tensor.dims if set(dim.axes) & set(over.split(" and "))]
    return ", ".join(cuts) or str(tensor)


def _first_sentence(op: str) -> str:
    text = (type(OPERATORS[op]).__doc__ or op).strip().partition("\n")[0]
    return text[:1].lower() + text[1:].rstrip(".").replace("``", "")
