"""Whether what a node holds is what its declared layout promises: its part of the unsharded model's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from dagtool.dag.graph import Dag
from dagtool.execute.machine import BROKEN, FailureError, Here, Machine, latest, nature, with_room
from dagtool.execute.reference import Reference
from dagtool.model.roles import base_role
from dagtool.model.tensor import TensorType
from dagtool.ops import LayoutError
from dagtool.ops.tokens import Routing, Tokens

if TYPE_CHECKING:
    from dagtool.ops.tokens import Array

__all__ = ["Promises"]

TOLERANCE = 1e-10
"""Largest relative error, against the largest element of the whole value."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """One output of a node on one GPU."""

    node: int
    gpu: int
    here: Here
    number: int
    declared: TensorType


class Promises:
    """Compares results node by node; partial sums once all their terms are there.

    ``worst`` is the largest error, ``unheld`` the nodes that promise nothing: their role is no part of the model.
    """

    def __init__(self, machine: Machine, references: Mapping[str, Reference]) -> None:
        self._machine = machine
        self._dag: Dag = machine.dag
        self._values = {phase: reference.values for phase, reference in references.items()}
        self._parameter_names = {
            kind.role: kind.parameters.get("parameter", "") for kind in self._dag.kinds if kind.op == "parameter"
        }
        self._sums: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self.worst = 0.0
        self.unheld: set[int] = set()

    def check(self, node: int) -> None:
        """Raises FailureError where a result is not what is promised; a role the model has not promises nothing."""
        kind, results = self._dag.kind(node), self._machine.results[node] or {}
        expected = self._expected(node)
        for gpu, values in results.items():
            here = self._machine.here(node, gpu)
            for number, (port, value) in enumerate(zip(kind.outputs, values, strict=False)):
                self._hold(_Claim(node, gpu, here, number, port.type), value, expected)

    def _hold(self, claim: _Claim, value: Any, expected: tuple[Any, ...] | None) -> None:
        try:
            if isinstance(value, dict):
                self._dispatched(claim, value)
            elif expected is None:
                self.unheld.add(claim.node)
            else:
                self._compare(claim, value, expected)
        except LayoutError as error:
            raise FailureError(claim.node, f"declares a type it cannot have: {error}") from None
        except BROKEN:
            why = f"holds {nature(value)} on GPU {claim.gpu}, which its type {claim.declared} cannot be"
            raise FailureError(claim.node, why) from None

    def _expected(self, node: int) -> tuple[Any, ...] | None:
        role, layer, expert = self._dag.kind(node).role, self._dag.layer_of[node], self._dag.expert_of[node]
        if expert >= 0:
            expert = self._machine.here(node, self._dag.gpus(node)[0]).replica(expert)[0]
        reference = self._values.get(self._dag.kind(node).phase, {})
        if base_role(role).endswith("_weight"):
            return (self._parameter(node),)
        parts = role.split(".")
        for length in range(len(parts), 0, -1):
            base = ".".join(parts[:length])
            for key in ((base, layer, expert), (base, layer)):
                if key in reference:
                    return reference[key]
        return None

    def _parameter(self, node: int) -> Any:
        """The whole parameter that a node stores or has gathered."""
        kind, here = self._dag.kind(node), self._machine.here(node, self._dag.gpus(node)[0])
        name = self._parameter_names.get(base_role(kind.role), "")
        return here.parameter_whole(name, kind.outputs[0].type)

    def _whole(self, claim: _Claim, value: Any, expected: tuple[Any, ...]) -> Any:
        """The value that a node holds its part of: of several outputs the one it makes, or converts."""
        number = claim.number
        if len(expected) > 1 and len(claim.here.kind.outputs) == 1:
            number = self._outputs(claim.here.kind.role)
        whole = expected[number] if number < len(expected) else expected[0]
        if isinstance(value, Routing | Tokens) or isinstance(whole, Routing):
            return whole
        shape = [claim.here.count(str(dim.size)) for dim in claim.declared.dims]
        return with_room(latest(whole, shape), shape, -inf if ".scores" in claim.here.kind.role else 0.0)

    def _outputs(self, role: str) -> int:
        """Which output of a part a conversion is about: its role names it, ``attention.kv.v.all_to_all``."""
        base, name = base_role(role), role.split(".")
        for kind in self._dag.kinds:
            if kind.role == base:
                names = [port.name for port in kind.outputs]
                return names.index(name[2]) if len(name) > 2 and name[2] in names else 0
        return 0

    def _compare(self, claim: _Claim, value: Any, expected: tuple[Any, ...]) -> None:
        here, declared = claim.here, claim.declared
        whole = self._whole(claim, value, expected)
        if isinstance(value, Routing) != isinstance(whole, Routing):
            held, wanted = nature(value), nature(whole)
            raise FailureError(claim.node, f"holds {held} on GPU {claim.gpu} where the model has {wanted}")
        if isinstance(value, Routing):
            part = here.part(declared)[:-1]
            if value.experts.shape != whole.experts[part].shape or (value.experts != whole.experts[part]).any():
                raise FailureError(claim.node, f"chooses other experts than the model on GPU {claim.gpu}")
            self._measure(claim, value.weights, whole.weights[part], whole.weights)
        elif isinstance(value, Tokens):
            self._tokens(claim, value, whole)
        elif declared.partial:
            self._term(claim, value, whole)
        else:
            self._measure(claim, value, whole[here.part(declared)], whole)

    def _dispatched(self, claim: _Claim, value: Mapping[int, Tokens]) -> None:
        """The tokens of each of a GPU's experts."""
        here = claim.here
        for expert, tokens in value.items():
            whole = self._values[here.kind.phase]["moe.dispatch", here.layer, here.replica(expert)[0]][0]
            self._measure(claim, tokens.rows, whole[tokens.ids], whole)

    def _tokens(self, claim: _Claim, value: Tokens, whole: Array) -> None:
        """Rows of one expert's tokens: the tokens routed there, in full or as a term."""
        rows = whole[value.ids]
        if claim.declared.partial:
            self._term(claim, value.rows, rows)
            return
        width = claim.here.part(replace(claim.declared, dims=claim.declared.dims[1:]))
        self._measure(claim, value.rows, rows[(slice(None), *width)], whole)

    def _term(self, claim: _Claim, value: Any, whole: Array) -> None:
        """Collect the terms of a partial sum; compare when the last one is there."""
        here, declared = claim.here, claim.declared
        fixed = {axis: at for axis, at in here.position.items() if axis not in declared.partial}
        # Contributions of several experts on one GPU are terms of the same sum.
        of_experts = here.kind.op == "route_back"
        kind = self._dag.kind_of[claim.node]
        key = (kind, here.layer, -1 if of_experts else here.expert, claim.number, tuple(fixed.items()))
        total, count = self._sums.get(key, (0.0, 0))
        total, count = total + value, count + 1
        self._sums[key] = total, count
        if count < (
            here.count("R" if "R" in self._dag.sizes else "E")
            if of_experts
            else len(self._dag.meshes[declared.mesh].members(fixed))
        ):
            return
        del self._sums[key]
        if of_experts:
            whole = self._values[here.kind.phase]["moe.route_back", here.layer][0]
        if whole.shape != total.shape and whole.ndim == len(declared.dims):
            whole = whole[here.part(declared)]
        self._measure(claim, total, whole, whole)

    def _measure(self, claim: _Claim, value: Any, expected: Any, whole: Any) -> None:
        import numpy as np

        if np.shape(value) != np.shape(expected):
            shapes = f"{np.shape(value)} on GPU {claim.gpu}, its type promises {np.shape(expected)}"
            raise FailureError(claim.node, f"holds shape {shapes}")
        if not np.size(value):
            return
        finite = np.isfinite(whole)  # what a mask hides is -inf on both sides
        scale = max(float(np.abs(np.where(finite, whole, 0.0)).max()), 1e-30)
        with np.errstate(invalid="ignore"):
            error = float(np.where(value == expected, 0.0, np.abs(value - expected)).max()) / scale
        if not error <= TOLERANCE:
            where = f"on GPU {claim.gpu} (relative error {error:.2g})"
            raise FailureError(claim.node, f"holds another value than its type promises {where}")
        self.worst = max(self.worst, error)
