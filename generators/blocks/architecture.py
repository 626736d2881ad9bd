"""A model resolved: which block builds each part of each kind of layer, with options of the block's own type.

Blocks are the modules beside this one that have a ``SLOT`` (``attention`` or ``ffn``): they are found, not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, NamedTuple

from dagtool.errors import did_you_mean
from dagtool.generators import blocks
from dagtool.generators.blocks.common import LayerOptions
from dagtool.generators.blocks.ends import EmbeddingOptions, HeadOptions
from dagtool.generators.blocks.options import option_fields, read_options
from dagtool.model.tree import Model, ModelError, Value

__all__ = ["Architecture", "Block", "LayerKind", "block_module", "block_names", "resolve", "with_defaults"]


class Block(NamedTuple):
    """A block that a kind of layer uses (attention or a feed-forward network): its module and options."""

    name: str
    module: ModuleType
    options: Any

    @property
    def prefix(self) -> str:
        """The prefix of the roles of its nodes, as ``attention`` in ``attention.qkv``."""
        return str(self.module.PREFIX)


class LayerKind(NamedTuple):
    """A kind of layer: norm, mixer, norm, feed-forward."""

    name: str
    options: LayerOptions
    attention: Block
    ffn: Block


class Architecture(NamedTuple):
    """The whole model, every option typed."""

    model: Model
    embedding: EmbeddingOptions
    head: HeadOptions
    kinds: dict[str, LayerKind]


@cache
def _all_names() -> frozenset[str]:
    return frozenset(info.name for info in iter_modules(blocks.__path__))


@cache
def block_names(slot: str) -> tuple[str, ...]:
    """The blocks that can stand in a slot of a layer."""
    return tuple(name for name in sorted(_all_names()) if _stands_in(slot, name))


def _stands_in(slot: str, name: str) -> bool:
    return getattr(block_module(name), "SLOT", "") == slot


def block_module(name: str) -> ModuleType:
    """The module of a block."""
    return import_module(f"{blocks.__name__}.{name}")


@lru_cache(maxsize=64)
def resolve(model: Model) -> Architecture:
    """The model with its blocks. Raises ModelError for an unknown block, or an option that no part of it reads."""
    kinds = {name: _kind(name, model) for name in model.kind_names}
    of_kind = {name: _options_of(kind) for name, kind in kinds.items()}
    known = _OF_MODEL.union(*of_kind.values())
    _refuse_unknown("the model", model.options, known)
    for name, own in model.kinds.items():
        _refuse_unknown(f"the kind of layer {name!r}", own, of_kind[name])
    return Architecture(
        model, read_options(EmbeddingOptions, model.options), read_options(HeadOptions, model.options), kinds
    )


_OF_MODEL = frozenset({*option_fields(EmbeddingOptions), *option_fields(HeadOptions)})
"""Options that belong to no kind of layer."""


def _options_of(kind: LayerKind) -> set[str]:
    parts = (LayerOptions, type(kind.attention.options), type(kind.ffn.options))
    return {key for part in parts for key in option_fields(part)}


def with_defaults(model: Model, defaults: Mapping[str, Value]) -> Model:
    """The model with those of ``defaults`` in front that some part of it reads. Raises ModelError."""
    reading = _OF_MODEL.union(*(_options_of(_kind(name, model)) for name in model.kind_names))
    kept = {key: value for key, value in defaults.items() if key in reading}
    return replace(model, options={**kept, **model.options})


def _kind(name: str, model: Model) -> LayerKind:
    given = model.options_of(name)
    try:
        options = read_options(LayerOptions, given)
        attention, ffn = (_block(slot, getattr(options, slot), given) for slot in ("attention", "ffn"))
    except ModelError as error:
        error.kind = name
        raise
    return LayerKind(name, options, attention, ffn)


def _block(slot: str, name: str, given: Any) -> Block:
    if name not in _all_names() or not _stands_in(slot, name):
        known = list(block_names(slot))
        hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
        raise ModelError(f"model {slot} is {name!r}", hint, option=slot)
    module = block_module(name)
    return Block(name, module, read_options(module.Options, given))


def _refuse_unknown(where: str, given: Any, known: Set[str]) -> None:
    for key in given:
        if key not in known:
            hint = _whose(key) or did_you_mean(key, sorted(known)) or f"known: {', '.join(sorted(known))}"
            raise ModelError(f"{where} has no option {key!r}", hint, option=key)


def _whose(key: str) -> str:
    """Which other parts have an option."""
    found = [f"{slot} = {name!r}" for slot in ("attention", "ffn") for name in block_names(slot) if _has(name, key)]
    if any(key in option_fields(part) for part in (EmbeddingOptions, HeadOptions)):
        found.append("the whole model")
    return f"{key} is an option of {' and of '.join(found)}" if found else ""


def _has(name: str, key: str) -> bool:
    return key in option_fields(block_module(name).Options)
