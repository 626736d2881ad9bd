"""Published models by name: every JSON file of this folder is one, with the address of its source in ``_source``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dagtool.errors import DagtoolError, did_you_mean

if TYPE_CHECKING:
    from dagtool.model.families import PublishedModel

__all__ = ["FoundModel", "find_model", "zoo_names", "zoo_path"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))


class FoundModel(NamedTuple):
    """A model that a call names: what it is called, its configuration, where that is published."""

    name: str
    published: PublishedModel
    source: str
    path: str


def zoo_names() -> list[str]:
    """Return the names of all models that ship with dagtool, sorted."""
    return sorted(name.removesuffix(".json") for name in os.listdir(_FOLDER) if name.endswith(".json"))


def zoo_path(name: str) -> str:
    """Return the configuration of a model of the zoo."""
    return os.path.join(_FOLDER, f"{name}.json")


def find_model(reference: str) -> FoundModel:
    """Return the model of a ``config.json``, of the folder that holds one, or of a name of the zoo.

    Raises DagtoolError for what is neither, and as ``read_config`` does.
    """
    from dagtool.model.families import read_config

    name = reference.lower()
    if not os.path.exists(reference):
        name = _name_in_zoo(reference)
        path = zoo_path(name)
    else:
        path = reference
        stem = os.path.basename(os.path.abspath(path)).removesuffix(".json")
        name = os.path.basename(os.path.dirname(os.path.abspath(path))) if stem == "config" else stem
    published = read_config(path)
    return FoundModel(name, published, published.source, path)


def _name_in_zoo(reference: str) -> str:
    """The model that a name means, also with its publisher in front: ``meta-llama/Llama-3.1-8B-Instruct``."""
    last = reference.lower().rpartition("/")[2].removeprefix("meta-")
    plain = re.sub(r"-(instruct|chat|it|hf)$", "", last)
    known = zoo_names()
    for name in (last, plain, f"{plain}-instruct", f"{plain}-it"):
        if name in known:
            return name
    raise _unknown(reference)


def _unknown(reference: str) -> DagtoolError:
    near = did_you_mean(reference.lower().rpartition("/")[2], zoo_names())
    hint = near or "'dagtool list models' names those that are known"
    if reference.endswith(".json") or reference.startswith((".", os.sep)):
        return DagtoolError(f"cannot read {reference}: No such file or directory", f"or a known model: {hint}")
    hint = f"{hint}; or --model config.json"
    return DagtoolError(f"{reference}: neither a file nor a model that dagtool knows", hint)
