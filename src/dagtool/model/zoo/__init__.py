"""Published models by name: every JSON file of this folder is one, with the address of its source in ``_source``."""

from __future__ import annotations

import os
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
        if name not in zoo_names():
            raise _unknown(reference)
        path = zoo_path(name)
    else:
        path = reference
        stem = os.path.basename(os.path.abspath(path)).removesuffix(".json")
        name = os.path.basename(os.path.dirname(os.path.abspath(path))) if stem == "config" else stem
    published = read_config(path)
    return FoundModel(name, published, published.source, path)


def _unknown(reference: str) -> DagtoolError:
    near = did_you_mean(reference.lower().rpartition("/")[2], zoo_names())
    hint = near or "'dagtool list models' names those that are known"
    if reference.endswith(".json") or os.sep in reference:
        return DagtoolError(f"cannot read {reference}: No such file or directory", f"or a known model: {hint}")
    return DagtoolError(f"--model {reference}: neither a file nor a known model", hint)
