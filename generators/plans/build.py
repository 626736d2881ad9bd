"""Words and a model to a strategy document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import lcm
from typing import Any

from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Described, Run, Written, write_document
from dagtool.generators.plans.plan import Note, Plan
from dagtool.generators.plans.words import are_words, parse_words
from dagtool.generators.presets import preset_names, preset_path
from dagtool.model.tree import model_of
from dagtool.model.zoo import find_model

__all__ = ["complete_plan", "describe_model", "open_words", "resize_model"]


def open_words(words: str, model: str, run: Run, settings: Mapping[str, str]) -> Written:
    """Return the document of words for a model, or for that of the nearest preset. Raises DagtoolError.

    ``settings`` of the model's sizes are heeded before stages and padding are worked out.
    """
    if not are_words(words):
        raise DagtoolError(f"{words!r} is no strategy in words", "like tp8_sp_pp2, tp4_sp_dp8_ep32, attn:dp4|moe:ep8")
    plan = parse_words(words)
    notes: tuple[Note, ...] = ()
    if model:
        described = describe_model(model)
    else:
        described, notes = _model_of_preset(words, plan)
    described = resize_model(described, settings)
    written = write_document(complete_plan(plan, described), described, run, name=words)
    return written._replace(notes=(*notes, *written.notes))


def resize_model(model: Described, settings: Mapping[str, str]) -> Described:
    """Return a model with those sizes changed that ``settings`` gives as numbers."""
    given = {symbol: int(text) for symbol, text in settings.items() if symbol in model.sizes and text.isdigit()}
    return model._replace(sizes={**model.sizes, **given}) if given else model


def complete_plan(plan: Plan, model: Described) -> Plan:
    """Return a plan in words with what frameworks do where a size does not divide, each with a note.

    Experts that do not divide over their ranks are held twice where they must; the vocabulary is padded.
    """
    experts, vocabulary = model.sizes.get("E"), model.sizes.get("V")
    if plan.expert > 1 and isinstance(experts, int) and not plan.redundant and experts % plan.expert:
        copies = -experts % plan.expert
        note = Note(f"assumed: red{copies}, as many redundant experts as make the {plan.expert} ranks equal")
        plan = replace(plan, redundant=copies, notes=(*plan.notes, note))
    if isinstance(vocabulary, int) and vocabulary % plan.tensor:
        multiple = lcm(_ROWS, plan.tensor)
        rows = -(-vocabulary // multiple) * multiple
        note = Note(f"assumed: the vocabulary of {vocabulary:,} is padded to {rows:,} rows, a multiple of {multiple}")
        plan = replace(plan, vocabulary_multiple=multiple, notes=(*plan.notes, note))
    return plan


_ROWS = 64
"""vLLM and SGLang pad a vocabulary to a multiple of it."""


def describe_model(reference: str) -> Described:
    """Return the model of a ``config.json``, a folder or a name of the zoo. Raises DagtoolError."""
    found = find_model(reference)
    published = found.published
    return Described(
        found.name, published.model, published.sizes, published.weight_dtypes, found.source, published.positions
    )


def _model_of_preset(words: str, plan: Plan) -> tuple[Described, tuple[Note, ...]]:
    """The model of the preset that is called most like the words."""
    from dagtool.generators.strategy_file import read_document

    asked = set(re.findall(r"[a-z]+", words))
    moe = bool(asked & {"ep", "etp", "moe"})
    best, document = "", dict[str, Any]()
    score = -1
    for name in preset_names():
        content, _ = read_document(preset_path(name))
        if (content.get("model", {}).get("ffn") == "moe") != moe:
            continue
        likeness = len(asked & set(re.findall(r"[a-z]+", name))) * 2 - len(set(re.findall(r"[a-z]+", name)))
        if likeness > score or not best:
            best, document, score = name, content, likeness
    sizes = {symbol: value for symbol, value in document["sizes"].items() if symbol not in ("B", "S", "T")}
    notes = [Note(f"the model is that of the preset {best}; --model config.json takes yours")]
    if moe and sizes["E"] % plan.expert:
        experts = -(-sizes["E"] // plan.expert) * plan.expert
        notes.append(Note(f"assumed: E={experts} experts, as {plan.expert} ranks need; the preset has {sizes['E']}"))
        sizes["E"] = experts
    return Described(f"the model of {best}", model_of(document.get("model", {})), sizes), tuple(notes)
