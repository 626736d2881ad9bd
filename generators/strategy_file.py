"""Strategy files read: every key checked, every mistake with its place. See docs/strategy-files.md for the keys.

Presets and users' own files are the same TOML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagtool.documents import parse_toml
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.files import read_bytes
from dagtool.generators.blocks.architecture import resolve, with_defaults
from dagtool.generators.dtypes import parse_dtypes
from dagtool.generators.faults import Faults, Source
from dagtool.generators.layout import PLACES, Layout, Region
from dagtool.generators.meshes import check_overlap, parse_meshes, parse_within, whole_number
from dagtool.generators.phase import FORWARD, Phase, cache_fault, format_phases, parse_phases
from dagtool.generators.regions import check_use, parse_layout
from dagtool.generators.sizes import misfits
from dagtool.generators.stages import parse_chunks
from dagtool.generators.store import parse_store
from dagtool.generators.strategy import OPERATOR_CHOICES, Difference, Statement, Strategy, Uneven
from dagtool.generators.toml_positions import Path
from dagtool.generators.unsharded import needed_sizes, used_places
from dagtool.model.byte_count import parse_bytes
from dagtool.model.limits import MOST_LAYERS
from dagtool.model.size import near_divisors
from dagtool.model.tree import Model, ModelError, Value, model_of
from dagtool.model.vocabulary import CONFIG_KEYS, SYMBOLS, name_size

__all__ = ["parse_strategy", "read_document", "table_of"]

_OPTIONAL_SIZES = ("G", "R")
"""Sizes that a model has or not; the others are those it needs."""
_KEYWORDS = frozenset({"node", "edge", "graph", "digraph", "subgraph", "strict"})
_TABLES = (
    "model", "sizes", "degrees", "groups", "mesh", "first_gpu", "stages", "regions", "layout", "operators", "names",
    "stated", "decode", "store", "dtypes",
)  # fmt: skip
_PHASE_TABLES = ("decode",)
"""Phases that may have layouts of their own: ``[decode.layout]``."""
_SINGLE = ("name", "phase", "summary", "document", "gpu_memory", "assumed", "replicate", "differences")


def read_document(path: str) -> tuple[dict[str, Any], str]:
    """Return the content of a strategy file and its text. Raises DagtoolError with the file's name in front."""
    return parse_toml(read_bytes(path), path)


def _only(table: Mapping[str, Any], known: list[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise DagtoolError(f"{where} has no key {key!r}", did_you_mean(key, known) or f"known: {', '.join(known)}")


def table_of(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a table of a strategy document, empty where absent. Raises DagtoolError where it is something else."""
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise DagtoolError(f"{key!r} is not a table")
    return value


def parse_strategy(name: str, document: Mapping[str, Any], source: Source | None = None) -> Strategy:
    """Return the strategy that a TOML document describes. Raises DagtoolError naming every key at fault."""
    faults = Faults(source or Source())
    tables = _tables(document, faults)
    model = _model(tables["model"], faults)
    phases: tuple[Phase, ...] = (FORWARD,)
    with faults.at("phase"):
        phases = parse_phases(str(document.get("phase", FORWARD.name)))
    model_known = not faults.count
    sizes = _sizes(tables["sizes"], (model, phases), faults, complete=model_known)
    before = faults.count
    declared = parse_meshes(tables["degrees"], tables["mesh"], tables["first_gpu"], tables["groups"], faults)
    meshes_known = faults.count == before
    texts = {key: _PADDED.fullmatch(str(text)) for key, text in tables["sizes"].items()}
    padded = {key: found for key, found in texts.items() if found}
    strategy = Strategy(
        name="",
        layout=Layout((), Region("", {}), 0),
        chunks=(),
        summary=str(document.get("summary", "")),
        document=str(document.get("document", "")),
        model=model,
        phases=phases,
        sizes=sizes,
        padded={key: int(found[1]) for key, found in padded.items()},
        uneven={key: Uneven(int(found[1]), found[3]) for key, found in padded.items() if found[3]},
        declared=declared,
        operators=_operators(tables["operators"], faults),
        names=_names(tables["names"], faults),
        assumed=tuple(map(str, _list(document, "assumed", faults))),
        differences=_differences(document, faults),
        stated=_stated(tables["stated"], faults),
        source=faults.source,
    )
    with faults.at("name"):
        strategy.name = _name(document.get("name", name))
    with faults.at("gpu_memory"):
        strategy.gpu_memory = _memory(document.get("gpu_memory", ""))
    if meshes_known:  # else most of what follows would be called wrong
        strategy.places = _places(strategy, known=model_known)
        _place(strategy, document, tables, faults)
    faults.end()
    return strategy


def _places(strategy: Strategy, *, known: bool) -> frozenset[str]:
    """The places in which the model has something; all that there are, where it could not be read."""
    try:
        if known:
            return used_places(strategy.model, frozenset(strategy.sizes), strategy.phases)
    except DagtoolError:  # said where its sizes were looked for
        pass
    return frozenset(PLACES)


def _place(strategy: Strategy, document: Mapping[str, Any], tables: Mapping[str, Any], faults: Faults) -> None:
    """Stages and layouts, which need the number of layers, and meshes that are right."""
    layers, declared, places = strategy.sizes.get("L"), strategy.declared, strategy.places
    if layers is None:
        return
    parse_within(declared, tables["stages"], faults)
    strategy.chunks = parse_chunks(tables["stages"], layers, declared, faults)
    strategy.layout = parse_layout(tables, declared, strategy.chunks, strategy.sizes, places=places, faults=faults)
    check_overlap(declared, faults)
    for name in _PHASE_TABLES:
        if inner := _phase_tables(tables[name], name, faults):
            strategy.phase_layouts[name] = parse_layout(
                inner, declared, strategy.chunks, strategy.sizes, places=places, faults=faults, phase=(name,)
            )
    strategy.dtypes = parse_dtypes(tables["dtypes"], layers, places, faults)
    strategy.store = parse_store(tables["store"], declared, layers, places, faults)
    if not faults.count:
        replicate, stored = _list(document, "replicate", faults), strategy.store.axes
        layouts = list(strategy.layouts.values())
        check_use(layouts, declared, strategy.chunks, places=places, replicate=replicate, stored=stored, faults=faults)


def _phase_tables(table: Mapping[str, Any], name: str, faults: Faults) -> dict[str, Any]:
    """The tables of ``[decode.regions]`` and ``[decode.layout]``; empty where the phase lies as everything does."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        with faults.at(name, key):
            _only({key: value}, ["regions", "layout"], f"[{name}]")
            found[key] = table_of(table, key)
    return {"regions": {}, "layout": {}, **found} if found else {}


def _tables(document: Mapping[str, Any], faults: Faults) -> dict[str, dict[str, Any]]:
    known = [*_SINGLE, *_TABLES]
    for key in document:
        if key not in known:
            hint = did_you_mean(key, known) or f"known: {', '.join(known)}"
            faults.add((key,), f"a strategy file has no key {key!r}", hint)
    found: dict[str, dict[str, Any]] = {}
    for key in _TABLES:
        found[key] = {}
        with faults.at(key):
            found[key] = table_of(document, key)
    return found


_MODEL_DEFAULTS: dict[str, Value] = {
    "ffn": "dense",
    "activation": "gelu",
    "gated": False,
    "norm": "layer",
    "embedding": "token",
    "mask": "causal",
}
"""What a strategy file need not say of its model. It is written into every graph."""


def _model(table: Mapping[str, Any], faults: Faults) -> Model:
    """The model of a file; the one by default where it cannot be read."""
    try:
        model = with_defaults(model_of(table), _MODEL_DEFAULTS)
        resolve(model)
    except ModelError as error:
        faults.add(_key_of_option(table, error), f"[model] {error.message}", error.hint)
        return Model()
    return model


def _key_of_option(table: Mapping[str, Any], error: ModelError) -> Path:
    """Where the option stands that is wrong: in the table of a kind of layer, or of the model."""
    kinds = [name for name, own in table.items() if isinstance(own, Mapping) and error.option in own]
    if error.kind in kinds or (kinds and error.option not in table):
        return ("model", error.kind if error.kind in kinds else kinds[0], error.option)
    return ("model", error.option) if error.option in table else ("model",)


def _name(value: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", str(value)):
        raise DagtoolError(f"the name {str(value)[:40]!r} cannot name a file", "letters, digits, _ . and -")
    return str(value)


def _memory(value: Any) -> str:
    try:
        if value:
            parse_bytes(str(value))
    except ValueError as error:
        raise DagtoolError(f"gpu_memory: {error}") from None
    return str(value)


def _list(document: Mapping[str, Any], key: str, faults: Faults) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        faults.add((key,), f"{key!r} is not a list")
        return []
    return value


def _differences(document: Mapping[str, Any], faults: Faults) -> tuple[Difference, ...]:
    keys = Difference._fields
    found: list[Difference] = []
    for index, row in enumerate(_list(document, "differences", faults)):
        with faults.at("differences", index):
            if not isinstance(row, dict) or sorted(row) != sorted(keys):
                raise DagtoolError(f"[[differences]] takes the keys {', '.join(keys)}")
            found.append(Difference(**{key: str(value) for key, value in row.items()}))
    return tuple(found)


def _stated(table: Mapping[str, Any], faults: Faults) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for name, rows in table.items():
        if not isinstance(rows, list):
            faults.add(("stated", name), f"{name!r} is not a list")
            continue
        for index, row in enumerate(rows):
            with faults.at("stated", name, index):
                if not isinstance(row, list) or len(row) not in {3, 4} or not all(isinstance(one, str) for one in row):
                    raise DagtoolError(f"[stated] {name}: {row!r}", "a row is [what, what is said, quantity, why]")
                found.append(Statement(name, *row))
    return tuple(found)


_USUAL_NAMES = {
    **{name: symbol for symbol, names in CONFIG_KEYS.items() for name in names.split(", ")},
    "d_model": "H", "num_layers": "L", "num_heads": "N", "n_heads": "N", "sequence_length": "S", "batch": "B",
    "vocab": "V", **{name: key for key, name in SYMBOLS.items()},
}  # fmt: skip
"""Sizes as configurations of models and engineers call them."""


def _sizes(
    table: Mapping[str, Any], run: tuple[Model, tuple[Phase, ...]], faults: Faults, *, complete: bool
) -> dict[str, int | None]:
    """The sizes of a file; ``complete``: whether those that a phase of the model needs, and no others, are due."""
    model, phases = run
    needed: tuple[str, ...] = ()
    with faults.at("model"):
        for phase in dict.fromkeys(replace(phase, past="", tag="") for phase in phases):
            needed = tuple(dict.fromkeys((*needed, *needed_sizes(model, frozenset(table), phase))))
    complete = complete and bool(needed)
    known = [*needed, *_OPTIONAL_SIZES]
    if complete:
        for symbol in needed:
            if symbol not in table:
                hint = f"add {symbol} = …: a number" + (
                    "" if symbol in ("L", "E") else f", or '{symbol}' to leave it open"
                )
                faults.add(("sizes",), f"[sizes] does not give {name_size(symbol)}", hint)
    found: dict[str, int | None] = {}
    for symbol, value in table.items():
        with faults.at("sizes", symbol):
            if symbol not in known and (complete or not _SIZE_NAME.fullmatch(symbol)):
                raise DagtoolError(*_unknown_size(symbol, known))
            found[symbol] = None
            found[symbol] = None if value == symbol else _size(symbol, value)
    _check_sizes(table, found, faults)
    _check_cache(found, phases, faults)
    if complete:
        _check_groups(model, found, faults)
        _check_mask(model, phases, faults)
    # A size that is missing is one mistake, not one more wherever the layout names it.
    return {**dict.fromkeys(needed), **found} if faults.count else found


def _check_cache(found: Mapping[str, int | None], phases: tuple[Phase, ...], faults: Faults) -> None:
    if fault := cache_fault(phases, found):
        faults.add(("sizes", "T"), *fault)


def _check_sizes(table: Mapping[str, Any], found: Mapping[str, int | None], faults: Faults) -> None:
    """Check the constraints between sizes."""
    for symbol in ("L", "E", "R"):
        if symbol in found and found[symbol] is None and table[symbol] == symbol:
            what = SYMBOLS[symbol].removesuffix("s")
            why = f"{symbol} cannot be a symbol: there are nodes for each {what}"
            faults.add(("sizes", symbol), why, f"give a number, like {symbol} = 8")
    for symbol, why, hint in misfits(found):
        faults.add(("sizes", symbol), why, hint)


_SIZE_NAME = re.compile(r"[A-Z][a-z0-9]?")
"""What sizes are called: of a model that cannot be read any of them may be a size."""
_PADDED = re.compile(r"([0-9]{1,18})\s+pad\s+([0-9]{1,9})(?:\s+(unstored|spread))?")
"""``50265 pad 64``: rounded up to a multiple of 64; a word behind it says that the padding is not stored."""


def _check_groups(model: Model, sizes: Mapping[str, int | None], faults: Faults) -> None:
    """Groups of experts are equal, and those that a token uses have as many experts as it takes."""
    experts, top = sizes.get("E"), sizes.get("K")
    for kind in resolve(model).kinds.values():
        groups = int(getattr(kind.ffn.options, "groups", 1))
        if not experts or groups < 2:
            continue
        if experts % groups:
            near = " and ".join(map(str, near_divisors(experts, groups)))
            faults.add(("model",), f"[model] groups={groups} does not divide experts E={experts}", f"{near} do")
        elif top and top > (chosen := int(kind.ffn.options.top_groups) * experts // groups):
            why = f"[model] a token takes K={top} experts, but its groups have only {chosen}"
            faults.add(("model",), why, f"top_groups = {-(-top * groups // experts)}, or K = {chosen}")


def _check_mask(model: Model, phases: tuple[Phase, ...], faults: Faults) -> None:
    """A model is decoded step by step only where no token sees a later one."""
    if len(phases) > 1 and any(kind.attention.options.mask == "none" for kind in resolve(model).kinds.values()):
        why = f"[model] mask = 'none', but phase {format_phases(phases)!r} decodes: earlier tokens would see later ones"
        faults.add(("model",), why, "mask = 'causal', or one phase")


def _size(symbol: str, value: Any) -> int:
    what = f"size {name_size(symbol)}"
    if isinstance(value, str) and (padded := _PADDED.fullmatch(value)):
        size, multiple = whole_number(int(padded[1]), what), whole_number(int(padded[2]), f"the padding of {what}")
        return -(-size // multiple) * multiple
    try:
        number = whole_number(value, what)
    except DagtoolError as error:
        hint = f"a number, or {symbol!r} itself to leave it open" if isinstance(value, str) else error.hint
        raise DagtoolError(error.message, hint) from None
    if symbol == "L" and number > MOST_LAYERS:
        raise DagtoolError(f"{what} is {number:,}", f"at most {MOST_LAYERS:,}")
    return number


def _unknown_size(symbol: str, known: list[str]) -> tuple[str, str]:
    if symbol in SYMBOLS:
        return (
            f"the model has no size {name_size(symbol)}",
            "[model] ffn = 'moe' gives it experts; or leave the size out" if symbol in "EK" else "leave it out",
        )
    usual = _USUAL_NAMES.get(symbol.lower())
    listed = f"known: {', '.join(map(name_size, known))}"
    return f"[sizes] has no key {symbol!r}", f"{symbol} is called {usual}" if usual in known else listed


def _operators(table: Mapping[str, Any], faults: Faults) -> dict[str, str]:
    for key, value in table.items():
        with faults.at("operators", key):
            _only({key: value}, list(OPERATOR_CHOICES), "[operators]")
            if value not in OPERATOR_CHOICES[key]:
                known = list(OPERATOR_CHOICES[key])
                hint = did_you_mean(str(value), known) or f"known: {', '.join(known)}"
                raise DagtoolError(f"[operators] {key} is {value!r}", hint)
    return {key: table.get(key, known[0]) for key, known in OPERATOR_CHOICES.items()}


def _names(table: Mapping[str, Any], faults: Faults) -> dict[str, str]:
    for role, template in table.items():
        odd = not re.fullmatch(r"(?:[A-Za-z0-9_]++|\{\w++\})++", str(template)) or str(template)[0].isdigit()
        if odd or str(template).lower() in _KEYWORDS:
            faults.add(
                ("names", role),
                f"name {role!r} = {template!r}",
                "names have letters, digits, _ and {fields}, no digit first, and are no word of DOT",
            )
    return {str(role): str(template) for role, template in table.items()}
