"""What is asked of a deployment: a preset, a strategy file or words, and what changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.words import are_words
from dagtool.generators.presets import preset_names, preset_path

if TYPE_CHECKING:
    from dagtool.generators.strategy import Strategy

__all__ = ["NOTHING_ELSE", "Opened", "Request", "format_document", "is_deployment", "open_document", "read_strategy"]


class Request(NamedTuple):
    """What a call says beside the name of a preset, a strategy file or the words of a strategy."""

    settings: Mapping[str, str] = {}
    """Sizes and degrees to change, by symbol or axis (``--set``)."""
    model: str = ""
    """A ``config.json``, the folder of one, or a name of the zoo; for strategies in words."""
    run: Run = Run()


NOTHING_ELSE = Request()


class Opened(NamedTuple):
    """A strategy document before its checks."""

    name: str
    place: str
    """What errors call it."""
    document: dict[str, Any]
    text: str = ""
    """Its TOML, where errors may name lines."""
    notes: tuple[str, ...] = ()
    """What was assumed."""


def is_deployment(name: str) -> bool:
    """Return whether a name is that of a preset, of a strategy file, or words of a strategy; else it is a DOT file."""
    return name in preset_names() or name.endswith(".toml") or are_words(name)


def open_document(name: str, request: Request = NOTHING_ELSE) -> Opened:
    """Return the document of a preset, a strategy file or words, ``request.run`` included.

    Raises DagtoolError for an unknown name (with the nearest ones), and for words that do not fit the model.
    """
    if request.model or (name not in preset_names() and are_words(name)):
        if name.endswith(".toml"):
            raise DagtoolError(
                f"{name}: a strategy file has a model of its own", "--model goes with words, like tp8_sp"
            )
        from dagtool.generators.plans.build import open_words

        written = open_words(name, request.model, request.run, request.settings)
        notes = tuple(note.text for note in written.notes)
        return Opened(str(written.document["name"]), name, written.document, notes=notes)
    opened = _open_file(name)
    return opened._replace(document=_with_run(opened.document, request.run))


def _open_file(name: str) -> Opened:
    from dagtool.generators.strategy_file import read_document

    if name in preset_names():
        return Opened(name, name, read_document(preset_path(name))[0])
    if name.endswith(".toml") or ("/" in name and not name.endswith((".dot", ".gv"))):
        document, text = read_document(name)
        return Opened(name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".toml"), name, document, text)
    if name.endswith((".dot", ".gv")):
        why = f"{name}: is a DOT file, not a preset or a strategy file (.toml)"
        raise DagtoolError(why, "'dagtool validate' checks it, 'dagtool render' draws it")
    hint = did_you_mean(name, preset_names()) or f"presets: {', '.join(preset_names())}"
    raise DagtoolError(f"there is no preset {name!r}", f"{hint}; a strategy file of your own ends in .toml")


def _with_run(document: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """The document with the sizes of a run changed."""
    given = {"B": run.batch, "S": run.seq, "T": run.context}
    sizes = document.get("sizes", {})
    changed = {symbol: value for symbol, value in given.items() if value is not None}
    found = dict(document)
    if changed and isinstance(sizes, Mapping):
        found["sizes"] = {**sizes, **changed}
    return found | ({"phase": run.phase} if run.phase else {})


def format_document(opened: Opened) -> str:
    """Return a strategy document as TOML: the file's own text, or one that is written with remarks on its sizes."""
    if opened.text:
        return opened.text
    from dagtool.generators.plans.toml import format_toml
    from dagtool.model.vocabulary import CONFIG_KEYS, SYMBOLS

    described = {symbol: CONFIG_KEYS.get(symbol, name) for symbol, name in SYMBOLS.items()}
    described["B"] = "sequences of the whole deployment"
    described["S"] = "new tokens of each sequence"
    described["T"] = "tokens of each sequence in the cache, the new ones included"
    return format_toml(opened.document, opened.notes, described)


def read_strategy(name: str, request: Request = NOTHING_ELSE) -> Strategy:
    """Return the strategy that a call asks for. Raises DagtoolError naming everything that is wrong."""
    from dagtool.generators.settings import apply_settings

    opened = open_document(name, request)
    strategy = apply_settings(opened.name, opened.document, request.settings, place=opened.place, text=opened.text)
    strategy.notes = opened.notes
    return strategy
