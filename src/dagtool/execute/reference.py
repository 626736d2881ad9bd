"""The unsharded model in numpy: its modules' definitions one after another, and what every node's value is part of.

``values[role, layer]`` is the whole tensor that the nodes of a role hold together; for experts
``values[role, layer, expert]`` has a row for every token of the batch, routed there or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dagtool.execute.definitions import definition_of
from dagtool.execute.definitions.common import normalise
from dagtool.execute.definitions.ends import embed, lose, project
from dagtool.execute.module import Caches, Module, Values
from dagtool.execute.weights import Weights
from dagtool.generators.blocks.architecture import Architecture, Block, resolve
from dagtool.generators.blocks.common import LayerOptions
from dagtool.generators.blocks.options import read_options
from dagtool.model.tree import Model

if TYPE_CHECKING:
    from dagtool.ops.tokens import Array

__all__ = ["Reference", "run_reference"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a run of the unsharded model leaves."""

    values: Values
    caches: Caches
    """The caches after the run: ``past`` of the next one."""
    logits: Array


def run_reference(
    model: Model,
    sizes: dict[str, int],
    weights: Weights,
    *,
    tokens: Any = None,
    past: Caches | None = None,
    targets: Any = None,
) -> Reference:
    """Run the whole model on one processor.

    ``tokens`` [B, S] are random where they are not given ([B, S, H] for a model without embedding); ``past`` are the
    caches of the tokens before them; ``targets`` [B, S] give a loss. Raises ModelError and DagtoolError for a model
    that cannot be run.
    """
    architecture = resolve(model)
    outer = read_options(LayerOptions, model.options)
    cached = next((len(cache[0]) for cache in (past or {}).values()), 0)
    m = Module(-1, sizes, weights, outer.epsilon, cached, past or {})
    x = embed(m, _input(m, architecture) if tokens is None else tokens, architecture.embedding)
    for layer, name in enumerate(model.order(m.size("L"))):
        kind = architecture.kinds[name]
        inner = replace(m, layer=layer, epsilon=kind.options.epsilon)
        inner.keep("entry", x)
        for block in (kind.attention, kind.ffn):
            x = _residual(inner, x, block, kind.options)
        inner.keep("pipeline", x)
    m.keep("entry", x)
    m.keep("head.last_token", x)
    logits = project(m, _norm(m, "head.norm", x, outer), architecture.head)
    if targets is not None:
        lose(m, logits, targets)
    return Reference(m.values, m.caches, logits)


def _input(m: Module, architecture: Architecture) -> Any:
    shape = m.size("B"), m.size("S")
    if architecture.embedding.embedding == "none":
        return m.weights.hidden((*shape, m.size("H")))
    return m.weights.ids(shape, m.size("V"))


def _residual(m: Module, x: Array, block: Block, options: LayerOptions) -> Array:
    """x + block(norm(x)), where the layer says so with a norm of the block's result."""
    h = _norm(m, f"{block.prefix}.norm", x, options)
    m.keep(f"{block.prefix}.copy_in", h)
    y = definition_of(block.name)(m, h, block.options)
    if options.post_norm:
        y = _norm(m, f"{block.prefix}.post_norm", y, options)
    return m.keep(f"{block.prefix}.residual", x + y)


def _norm(m: Module, role: str, x: Array, options: LayerOptions) -> Array:
    bias = m.weight(f"{role}_bias", "H") if options.norm_bias else None
    gain = m.weight(role, "H")
    return m.keep(role, normalise(x, gain, options.epsilon, bias=bias, centred=options.norm == "layer"))
