"""Whether a graph that does not say ``dagtool=1`` is written in our dialect all the same: its header was lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagtool.dot.graph import DotGraph

__all__ = ["HEADER", "resembles_dialect"]

HEADER = ("dagtool", "sizes", "meshes", "model", "phase", "padded", "gpu_memory", "preset")
"""Attributes of the graph that the dialect reads."""

_TYPE = re.compile(r"[^\[\]]*\[[^\[\]]*\][^@;\[]*@\s*\w")
"""How a list of types begins: ``q: [B, S, N/tp, D] sum(dp) @all``. No other notation names a mesh behind ``@``."""


def resembles_dialect(graph: DotGraph) -> bool:
    """Say whether most nodes state one of our operators and its types with their meshes."""
    attributes = graph.node_attributes
    stating = [own for own in attributes if "op" in own]
    return 2 * len(stating) > len(attributes) and 2 * sum(map(_is_ours, stating)) > len(attributes)


def _is_ours(own: Mapping[str, str]) -> bool:
    return own["op"] in OPERATORS and bool(_TYPE.match(own.get("output") or own.get("input") or ""))
