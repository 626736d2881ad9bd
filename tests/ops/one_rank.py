"""Run an operator on arrays, on a single rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from oracle.ranks import ROLE, Node, mesh_of, numeric

from dagtool.ops import OPERATORS


def run(op: str, params: Mapping[str, Any], weights: Mapping[str, Any] | None = None, **inputs: Any) -> Any:
    """Return the first output. ``weights`` by name, the first being ``weight``; its shape becomes ``param``."""
    given = {name: str(value) for name, value in params.items()}
    wholes = dict(weights or {})
    if "weight" in wholes:
        wholes[ROLE] = wholes.pop("weight")
        given["param"] = f"[{', '.join(map(str, np.shape(wholes[ROLE])))}]"
    types = {slot: numeric(np.shape(value)) for slot, value in inputs.items()}
    OPERATORS[op].infer(types, given)
    node = Node(OPERATORS[op], mesh_of(tp=1), types, given, wholes)
    return node.run({0: {slot: [value] for slot, value in inputs.items()}})[0][0]
