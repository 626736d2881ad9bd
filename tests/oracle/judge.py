"""The oracle: every placement of an operator's inputs, judged by running it and by asking its type rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from oracle.ranks import ROLE, SIZES, Node, fault, numeric, one_rank, place, placements, shape_of, uncut

from dagtool.model.mesh import Mesh
from dagtool.model.size import parse_size
from dagtool.model.tensor import TensorType, parse_type
from dagtool.ops import OPERATORS, LayoutError

Infer = Callable[[Mapping[str, TensorType], Mapping[str, str]], tuple[TensorType, ...]]

WHOLE = {"parallel_softmax": "softmax", "parallel_cross_entropy": "cross_entropy", "parallel_argmax": "argmax"}
"""The operator that gives the right result on one rank, where it is another one."""


@dataclass(frozen=True)
class Case:
    """An operator with the whole types of its inputs and weight."""

    op: str
    inputs: Mapping[str, str] = field(default_factory=lambda: {"x": "[B, S, H]"})
    param: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    copies: int = 1
    """How many values arrive at each slot."""

    def __str__(self) -> str:
        given = [f"{key}={value}" for key, value in self.params.items() if key not in {"experts", "param", "top_k"}]
        return " ".join([self.op, *given])


@dataclass(frozen=True)
class Verdict:
    """One combination of placements."""

    case: Case
    placed: str
    """``x=S(0) param=R``."""
    accepted: bool
    said: str
    """The inferred types, or the reason of the refusal."""
    wrong: str = ""
    """Why an accepted combination is wrong."""
    although_right: str = ""
    """The output placements that a refused combination would have had."""

    def __str__(self) -> str:
        return f"{self.key} -> {self.said}: {self.wrong or self.although_right}"

    @property
    def key(self) -> str:
        """Which combination it is."""
        return f"{self.case}: {self.placed}"


def judge(
    case: Case, mesh: Mesh, seed: int = 0, *, infer: Infer | None = None, states: str = "P", search: bool = True
) -> Iterator[Verdict]:
    """A verdict for each combination of placements; ``infer`` is judged in place of the operator's own rule."""
    rng = np.random.default_rng(seed)
    operator = OPERATORS[case.op]
    axes = tuple(mesh.sizes)
    names = [*case.inputs, *(["param"] if case.param else [])]
    bases = {name: parse_type(f"{text} @m") for name, text in case.inputs.items()}
    if case.param:
        bases["param"] = parse_type(f"{case.param} @m")
    data = {name: [_random(case, name, bases[name], rng) for _ in range(case.copies)] for name in case.inputs}
    wholes = _parameters(case, rng)
    expected = _whole(case, mesh, data, bases, wholes)
    choices = [list(placements(bases[name], axes, "" if name == "param" else states)) for name in names]
    for chosen in product(*choices):
        types = {name: held for name, (_, held) in zip(names, chosen, strict=True)}
        placed = " ".join(f"{name}={short}" for name, (short, _) in zip(names, chosen, strict=True))
        params = dict(case.params)
        if case.param:
            params["param"] = str(types.pop("param")).removesuffix(" @m")
        held = partial(_held, types, data, mesh, rng)
        node = Node(operator, mesh, types, params, wholes)
        try:
            outputs = (infer or operator.infer)(types, params)
        except LayoutError as error:
            found = ""
            if search and not any(tensor.varying for tensor in types.values()):
                found = _alternatives(node, held(), expected)
            yield Verdict(case, placed, False, str(error), although_right=found)
            continue
        said = "; ".join(map(str, outputs))
        wrong = _wrong(node, held(), expected, outputs)
        yield Verdict(case, placed, True, said, wrong=wrong)


def _held(types: Any, data: Any, mesh: Mesh, rng: np.random.Generator) -> dict[int, dict[str, list[Any]]]:
    """What every rank holds of each input."""
    held: dict[int, dict[str, list[Any]]] = {gpu: {name: [] for name in types} for gpu in mesh.gpus}
    for name, tensor in types.items():
        for whole in data[name]:
            for gpu, value in place(whole, tensor, mesh, rng).items():
                held[gpu][name].append(value)
    return held


def _parameters(case: Case, rng: np.random.Generator) -> dict[str, Any]:
    """Random values of all the weights that a node of the case holds."""
    named = OPERATORS[case.op].named_weights(ROLE, _uncut_params(case), "m")
    return {name: rng.standard_normal(_shape(tensor)) for name, tensor in named}


def _uncut_params(case: Case) -> dict[str, str]:
    return {**case.params, **({"param": case.param} if case.param else {})}


def _shape(tensor: TensorType) -> tuple[int, ...]:
    return tuple(parse_size(str(dim.size)).bind(SIZES).value or 0 for dim in tensor.dims)


def _random(case: Case, name: str, base: TensorType, rng: np.random.Generator) -> Any:
    if (case.op == "embedding" and name == "x") or name == "targets":
        return rng.integers(0, SIZES["V"], _shape(base))
    return rng.standard_normal(_shape(base))


def _whole(case: Case, mesh: Mesh, data: Mapping[str, Any], bases: Mapping[str, TensorType], wholes: Any) -> Any:
    """What one rank that holds everything gets."""
    types = {name: uncut(bases[name]) for name in data}
    operator = OPERATORS[WHOLE.get(case.op, case.op)]
    return Node(operator, one_rank(mesh), types, _uncut_params(case), wholes).run({0: data})[0]


def _wrong(node: Node, held: Any, expected: Any, outputs: tuple[TensorType, ...]) -> str:
    try:
        results = node.run(held)
    except Exception as error:
        return f"accepted, but cannot run: {type(error).__name__}: {error}"
    varying = {axis for tensor in node.types.values() for axis in tensor.varying}
    if len(outputs) != len(expected):
        return f"promises {len(outputs)} outputs, gives {len(expected)}"
    for number, (tensor, whole) in enumerate(zip(outputs, expected, strict=True)):
        if lost := varying - set(tensor.varying):
            return f"{tensor} forgets that an input varies along {sorted(lost)[0]}"
        if tensor.varying:
            continue
        if found := fault(tensor, node.mesh, {gpu: result[number] for gpu, result in results.items()}, whole):
            return found
    return ""


def _alternatives(node: Node, held: Any, expected: Any) -> str:
    """The placements that every output would have had, empty where there is none."""
    try:
        results = node.run(held)
    except Exception:
        return ""
    found = []
    for number, whole in enumerate(expected):
        given = {gpu: result[number] for gpu, result in results.items()}
        fits = [
            short
            for short, tensor in placements(numeric(shape_of(whole)), tuple(node.mesh.sizes))
            if not fault(tensor, node.mesh, given, whole)
        ]
        if not fits:
            return ""
        found.append("|".join(fits))
    return ", ".join(found)
