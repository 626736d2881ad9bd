"""A launch line recognised: which framework it starts, and the deployment that follows."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import dagtool.launch
from dagtool.errors import DagtoolError
from dagtool.files import read_bytes
from dagtool.launch.launched import Facts, Launched
from dagtool.launch.line import split_variables
from dagtool.launch.script import words_of_script
from dagtool.model.zoo import FoundModel

__all__ = ["degree_flags", "frameworks", "model_of", "read_launch", "words_of"]


@cache
def frameworks() -> tuple[ModuleType, ...]:
    """The modules of this package that read the lines of a framework."""
    names = [info.name for info in iter_modules(dagtool.launch.__path__)]
    modules = [import_module(f"{dagtool.launch.__name__}.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "find_program"))


def words_of(arguments: Sequence[str], place: str = "the launch line") -> list[str]:
    """Return the words of a launch line: given word by word, as one text, as a script, or as the TOML of torchtitan.

    A single word that ends in ``.toml`` is read as a file. Raises DagtoolError.
    """
    if len(arguments) != 1:
        return list(arguments)
    text = arguments[0]
    if text.endswith(".toml") and os.path.exists(text):
        place, text = text, read_bytes(text).decode("utf-8-sig", "replace")
    if re.match(r"\s*(#[^!\n]*\n\s*)*\[", text) or place.endswith(".toml"):
        from dagtool.launch.torchtitan import words_of_toml

        return ["torchtitan.train", *words_of_toml(text, place)]
    return words_of_script(text, place)


def _program(words: Sequence[str]) -> tuple[ModuleType, list[str], dict[str, str]]:
    variables, command = split_variables(words)
    for module in frameworks():
        if module.find_program(command) is not None:
            return module, command, variables
    known = ", ".join(sorted(module.NAME for module in frameworks()))
    shown = " ".join(command[:3])
    raise DagtoolError(
        f"{shown!r} starts no framework that is known here",
        f"known: {known}; like 'vllm serve MODEL -tp 8' or 'torchrun --nproc_per_node 8 pretrain_gpt.py …'",
    )


def model_of(words: Sequence[str]) -> str:
    """Return the model that a line names, an empty text where it names none. Raises DagtoolError."""
    module, command, _ = _program(words)
    at = module.find_program(command)
    return str(module.model_of(command[at:]))


def degree_flags(words: Sequence[str]) -> dict[str, str]:
    """Return the flags by which degrees are changed: ``tensor`` to ``--tensor-parallel-size``."""
    return dict(_program(words)[0].DEGREES)


def read_launch(words: Sequence[str], found: FoundModel, gpus: int | None = None) -> Launched:
    """Return what a launch line comes to for a model; ``gpus``: how many there are, where the line does not say.

    Raises DagtoolError for a line that its framework refuses, and for a flag that is not understood.
    """
    module, command, variables = _program(words)
    at = module.find_program(command)
    # A launcher in front of a training program says how many ranks there are.
    launched: Launched = module.launch(command if module.HAS_LAUNCHER else command[at:], variables, Facts(found), gpus)
    return launched
