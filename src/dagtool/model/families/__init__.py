"""Published families of models: ``config.json`` read into the tree of the model, checkpoints into its weights.

One module for each family, found by its ``MODEL_TYPES``: ``read(config)`` gives the model and its sizes,
``checkpoint(c)`` puts the arrays of a state dict into the shapes of the model. What a family does not read is an error
unless it is known not to change what the model computes (``reader.IGNORED``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from dagtool.documents import parse_json
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.files import read_bytes
from dagtool.model.families.checkpoint import Arrays, Checkpoint
from dagtool.model.families.precision import read_block, read_precision
from dagtool.model.families.reader import Reader
from dagtool.model.tree import Model

__all__ = ["PublishedModel", "model_types", "read_config"]


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model as its configuration describes it."""

    model_type: str
    model: Model
    sizes: Mapping[str, int]
    """Without those of a run: B sequences of S tokens."""
    weight_dtypes: Mapping[str, str]
    """The data type in which the weights of a role are stored; ``*``: of all others. Empty where it is not said."""
    weight_block: int = 0
    """Rows and columns of the blocks that share a scale, where quantised weights are stored in blocks."""
    positions: int = 0
    """How long a sequence may be (``max_position_embeddings``); 0 where it is not said."""
    source: str = ""
    """Where the configuration is published, if its field ``_source`` says so."""

    def checkpoint(self, state: Mapping[str, Any]) -> Arrays:
        """Return the arrays of a state dict by (role, layer, expert). Raises DagtoolError where they do not fit."""
        c = Checkpoint(state, self.model, self.sizes)
        _family(self.model_type).checkpoint(c)
        return c.finish()


@cache
def model_types() -> Mapping[str, str]:
    """The value of ``model_type`` of each supported family, and the family's module."""
    found = {}
    for info in iter_modules(__path__):
        for name in getattr(import_module(f"{__name__}.{info.name}"), "MODEL_TYPES", ()):
            found[name] = info.name
    return found


def _family(model_type: str) -> ModuleType:
    return import_module(f"{__name__}.{model_types()[model_type]}")


def read_config(source: str | os.PathLike[str] | Mapping[str, Any]) -> PublishedModel:
    """Read a configuration: the path of a ``config.json`` or of the folder that holds it, or its fields.

    Raises DagtoolError for an unknown family, for a field that is missing, has a value that the family does not
    support, or changes what the model computes and is not read.
    """
    config = _opened(source)
    name = config.word("model_type")
    if name not in model_types():
        near = did_you_mean(name, sorted(model_types()))
        hint = f"{near}{' ' if near else ''}known: {', '.join(sorted(model_types()))}"
        if config.has("text_config"):
            hint += "; of a model with more than text, give the table in its field 'text_config'"
        raise config.error("model_type", f"{name!r} is no supported family", hint)
    model, sizes = _family(name).read(config)
    weight_dtypes = read_precision(config)
    positions = config.whole("max_position_embeddings", default=None) or 0
    config.finish()
    source = config.word("_source", default="")
    return PublishedModel(name, model, sizes, weight_dtypes, read_block(config), positions, source)


def _opened(source: str | os.PathLike[str] | Mapping[str, Any]) -> Reader:
    if isinstance(source, Mapping):
        return Reader(source, "the configuration")
    path = _configuration_in(os.fspath(source))
    text = read_bytes(path)
    fields = parse_json(text, path)
    if not isinstance(fields, dict):
        what = f"it holds a {'list' if isinstance(fields, list) else type(fields).__name__}"
        raise DagtoolError(f"{path}: is no configuration: {what}", 'a config.json is an object: {"model_type": …}')
    if "peft_type" in fields:
        raise DagtoolError(f"{path}: is the configuration of an adapter", _BASE.format(_base_of(fields)))
    return Reader(fields, path, text.decode("utf-8", "replace"))


_BASE = "give that of its base model{}; layers with adapters are [model] lora in a strategy file"


def _base_of(fields: Mapping[str, Any]) -> str:
    name = fields.get("base_model_name_or_path")
    return f", {name}" if isinstance(name, str) and name else ""


def _configuration_in(path: str) -> str:
    """The configuration of a folder; a path that is no folder as it is. Raises DagtoolError for a folder without."""
    if not os.path.isdir(path):
        return path
    found = os.path.join(path, "config.json")
    if os.path.exists(found):
        return found
    adapter = os.path.join(path, "adapter_config.json")
    if os.path.exists(adapter):
        return adapter  # refused with the name of the base model
    raise DagtoolError(f"{path}: the folder has no config.json", "the folder of a checkpoint, or the file itself")
