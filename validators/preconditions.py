"""What a rule may require before it is asked. Each says why it fails, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["PRECONDITIONS", "failed"]


def _declared(ctx: Context) -> str:
    return "" if ctx.dag.declared else "the file declares no operators and types"


def _acyclic(ctx: Context) -> str:
    return "" if ctx.acyclic else "the graph has a cycle"


def _directed(ctx: Context) -> str:
    return "" if ctx.directed else "the graph is undirected"


def _edges(ctx: Context) -> str:
    return "" if ctx.dag.tails else "the graph has no edges"


def _model(ctx: Context) -> str:
    from dagtool.model.tree import ModelError, parse_model

    text = ctx.dag.facts.get("model")
    if text is None:
        return "the graph does not say which model it deploys"
    try:
        parse_model(text)
    except ModelError as error:
        return str(error)
    if ctx.model_faults:
        return ctx.model_faults[0][1]
    missing = ctx.missing_sizes
    return f"the graph's sizes do not give {', '.join(missing)}" if missing else ""


def _named(ctx: Context) -> str:
    return "types use names that are not declared" if any(ctx.undeclared) else ""


def _connected(ctx: Context) -> str:
    return "" if len(ctx.components.sizes) <= 1 else "the graph falls into parts"


def _source(ctx: Context) -> str:
    return "" if ctx.graph is not None else "the graph comes from no file"


def _kept(ctx: Context) -> str:
    return "what could be read of the broken file may not be all of it" if ctx.dropped else ""


PRECONDITIONS: dict[str, Callable[[Context], str]] = {
    "acyclic": _acyclic,
    "connected": _connected,
    "declared": _declared,
    "directed": _directed,
    "edges": _edges,
    "kept": _kept,
    "model": _model,
    "named": _named,
    "source": _source,
}


def failed(ctx: Context, requires: tuple[str, ...]) -> str:
    """Why the first unmet requirement is unmet; empty where all hold."""
    return next(filter(None, (PRECONDITIONS[name](ctx) for name in requires)), "")
