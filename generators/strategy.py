"""A deployment as declared: sizes, degrees, meshes, how each region's dimensions are cut, node names.

Presets and users' own files are the same TOML. See docs/strategy-files.md for every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import prod
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.phase import FORWARD, PHASES, Phase
from dagtool.model.byte_count import parse_bytes
from dagtool.model.mesh import Mesh
from dagtool.model.size import Size
from dagtool.model.tree import Model, ModelError, model_of
from dagtool.model.vocabulary import SYMBOLS

__all__ = ["Difference", "Region", "Statement", "Strategy", "parse_strategy", "read_document", "table_of"]

_DEFAULT_REGIONS = {
    "stream": "all",
    "input": "stream",
    "embedding": "stream",
    "attention": "stream",
    "ffn": "stream",
    "router": "ffn",
    "mlp": "ffn",
    "experts": "router",
    "head": "stream",
    "output": "stream",
}
_CUTTABLE = frozenset(SYMBOLS) - {"K", "L", "W", "P"}
_KEYWORDS = frozenset({"node", "edge", "graph", "digraph", "subgraph", "strict"})
_MOST_GPUS = 1 << 20
OPERATOR_CHOICES: dict[str, tuple[str, ...]] = {
    "qkv": ("fused", "separate"),
    "heads": ("inner", "outer"),
    "merge_heads": ("no", "yes"),
    "copies": ("no", "yes"),
    "routing": ("fused", "nodes"),
    "transfer": ("one_node", "send_and_recv"),
}


@dataclass(frozen=True, slots=True)
class Region:
    """Where a part of the model lies: a mesh, and which axes cut which dimension."""

    mesh: str
    cuts: Mapping[str, tuple[str, ...]]

    def axes(self, size: Size) -> tuple[str, ...]:
        """The axes that cut a dimension: those of its leading symbol.

        Of the N/G query heads of one key and value head, those that cut N but not already G.
        """
        axes = self.cuts.get(size.symbols[0], ()) if size.symbols else ()
        if size.symbols == ("N", "G"):
            return tuple(axis for axis in axes if axis not in self.cuts.get("G", ()))
        return axes


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the table of differences between a document and what follows from its configuration."""

    document: str
    says: str
    in_fact: str
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Something a document states in numbers, and which quantity of the DAG it is held against."""

    document: str
    what: str
    says: str
    derived: str
    """Names of quantities with their arguments, separated by ``;`` (``dagtool.analysis.quantities``)."""
    reason: str = ""
    """Why the two differ; empty where they agree."""


@dataclass(slots=True)
class Strategy:
    """Everything a strategy file says, defaults filled in, checked for spelling but not yet for divisibility."""

    name: str
    summary: str = ""
    document: str = ""
    gpu_memory: str = ""
    """What each GPU has, like 80GiB; empty where it is not said."""
    model: Model = field(default_factory=Model)
    phases: tuple[Phase, ...] = (FORWARD,)
    sizes: dict[str, int | None] = field(default_factory=dict)
    degrees: dict[str, int] = field(default_factory=dict)
    mesh_axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_gpu: dict[str, int] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    """Sizes the document does not state: defaults of the preset."""
    differences: tuple[Difference, ...] = ()
    stated: tuple[Statement, ...] = ()

    @property
    def owner_axes(self) -> tuple[str, ...]:
        """The axes along which the experts lie, major first."""
        return self.regions["experts"].cuts.get("E", ())

    @property
    def experts_per_rank(self) -> int:
        """How many experts of a layer one rank holds; 0 without experts."""
        return (self.sizes.get("E") or 0) // prod(self.degrees[axis] for axis in self.owner_axes)

    @property
    def stages(self) -> int:
        """Number of pipeline stages."""
        return self.degrees.get("pp", 1)

    def meshes(self) -> dict[str, Mesh]:
        """The meshes laid on GPUs one after the other; ``stage`` once for each pipeline stage."""
        meshes: dict[str, Mesh] = {}
        next_gpu = 0
        for name, axes in self.mesh_axes.items():
            sizes = tuple((axis, self.degrees[axis]) for axis in axes)
            copies = [f"s{index}" for index in range(self.stages)] if name == "stage" else [name]
            for copy in copies:
                first = self.first_gpu.get(name, next_gpu)
                count = prod(size for _, size in sizes)
                meshes[copy] = Mesh(copy, sizes, tuple(range(first, first + count)))
                next_gpu = max(next_gpu, first + count)
        return meshes


def read_document(path: str) -> dict[str, Any]:
    """The content of a strategy file. Raises DagtoolError with the file's name in front."""
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise DagtoolError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DagtoolError(f"{path}: is not TOML: {error}") from None


def _only(table: Mapping[str, Any], known: list[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise DagtoolError(f"{where} has no key {key!r}", did_you_mean(key, known) or f"known: {', '.join(known)}")


def table_of(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A table of a strategy document, empty where absent. Raises DagtoolError where the key is something else."""
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise DagtoolError(f"{key!r} is not a table")
    return value


def parse_strategy(name: str, document: Mapping[str, Any]) -> Strategy:
    """A strategy from the content of its TOML. Raises DagtoolError naming the key at fault."""
    tables = [
        "model",
        "sizes",
        "degrees",
        "mesh",
        "first_gpu",
        "regions",
        "operators",
        "names",
        "stated",
        "differences",
    ]
    _only(document, ["name", "summary", "document", "gpu_memory", "assumed", "phase", *tables], "a strategy file")
    for key in tables[:-1]:
        table_of(document, key)
    model = _model(table_of(document, "model"))
    degrees = {key: _whole(value, f"degree {key}") for key, value in table_of(document, "degrees").items()}
    if odd := [key for key in degrees if not re.fullmatch(r"[a-z][a-z0-9_]*", key)]:
        raise DagtoolError(f"degree {odd[0]!r}: an axis is written in small letters", "like tp, ep, dp, cp")
    strategy = Strategy(
        name=_name(document.get("name", name)),
        summary=str(document.get("summary", "")),
        document=str(document.get("document", "")),
        gpu_memory=_memory(document.get("gpu_memory", "")),
        model=model,
        phases=_phases(document.get("phase", "forward")),
        sizes=_sizes(table_of(document, "sizes")),
        degrees=degrees,
        mesh_axes=_mesh_axes(table_of(document, "mesh"), degrees),
        first_gpu={key: _whole(value, f"first_gpu {key}", 0) for key, value in table_of(document, "first_gpu").items()},
        operators=_operators(table_of(document, "operators")),
        names=_names(table_of(document, "names")),
        assumed=tuple(map(str, _list(document, "assumed"))),
        differences=tuple(map(_difference, _list(document, "differences"))),
        stated=_stated(table_of(document, "stated")),
    )
    _check_meshes(strategy)
    strategy.regions = _regions(table_of(document, "regions"), strategy)
    return strategy


_MODEL_DEFAULTS = {
    "ffn": "dense",
    "activation": "gelu",
    "gated": False,
    "norm": "layer",
    "embedding": "token",
    "mask": "causal",
}
"""What a strategy file need not say of its model. It is written into every graph."""


def _model(table: Mapping[str, Any]) -> Model:
    from dagtool.generators.blocks.architecture import resolve

    try:
        model = model_of({**_MODEL_DEFAULTS, **table})
        resolve(model)
    except ModelError as error:
        raise DagtoolError(f"[model] {error}") from None
    return model


def _phases(value: Any) -> tuple[Phase, ...]:
    if value not in PHASES:
        known = list(PHASES)
        raise DagtoolError(f"phase is {value!r}", did_you_mean(str(value), known) or f"known: {', '.join(known)}")
    return (PHASES[value],)


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


def _check_meshes(strategy: Strategy) -> None:
    """Names of meshes and axes that go together."""
    meshes, degrees = strategy.mesh_axes, strategy.degrees
    for name in strategy.first_gpu:
        if name not in meshes:
            raise DagtoolError(f"first_gpu {name!r} is no mesh", did_you_mean(name, list(meshes)))
    for name, axes in meshes.items():
        _check_mesh(name, axes, degrees)
    if strategy.stages > 1 and "stage" not in meshes:
        hint = "[mesh] stage = [..] is laid once for each pipeline stage"
        raise DagtoolError("pp > 1, but no mesh is called 'stage'", hint)
    used = {axis for axes in meshes.values() for axis in axes} | {"pp"}
    if idle := [axis for axis in degrees if axis not in used]:
        raise DagtoolError(f"degree {idle[0]!r} is an axis of no mesh", f"meshes: {', '.join(meshes)}")


def _check_mesh(name: str, axes: tuple[str, ...], degrees: Mapping[str, int]) -> None:
    if len(set(axes)) < len(axes):
        raise DagtoolError(f"mesh {name!r} has an axis twice: {', '.join(axes)}")
    if "pp" in axes:
        hint = "a pipeline stage is the mesh called 'stage', once for each"
        raise DagtoolError(f"mesh {name!r} has pp as an axis", hint)
    if prod(degrees[axis] for axis in axes) * degrees.get("pp", 1) > _MOST_GPUS:
        raise DagtoolError(f"mesh {name!r} has more than {_MOST_GPUS:,} GPUs")
    if re.fullmatch(r"s[0-9]+", name):
        raise DagtoolError(f"a mesh cannot be called {name!r}", "s0, s1, … are the stages of a pipeline")


def _whole(value: Any, what: str, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DagtoolError(f"{what} is {value!r}; expected a whole number of at least {least}")
    return value


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise DagtoolError(f"{key!r} is not a list")
    return value


def _difference(row: Any) -> Difference:
    keys = [field.name for field in fields(Difference)]
    if not isinstance(row, dict) or sorted(row) != sorted(keys):
        raise DagtoolError(f"[[differences]] takes the keys {', '.join(keys)}")
    return Difference(**{key: str(value) for key, value in row.items()})


def _stated(table: Mapping[str, Any]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for name in table:
        for row in _list(table, name):
            if not isinstance(row, list) or len(row) not in (3, 4) or not all(isinstance(cell, str) for cell in row):
                raise DagtoolError(f"[stated] {name}: {row!r}", "a row is [what, what is said, quantity, why]")
            found.append(Statement(name, *row))
    return tuple(found)


def _sizes(table: Mapping[str, Any]) -> dict[str, int | None]:
    _only(table, list(SYMBOLS), "[sizes]")
    return {
        symbol: None if value == symbol else _whole(value, f"size {symbol} ({SYMBOLS[symbol]})")
        for symbol, value in table.items()
    }


def _mesh_axes(table: Mapping[str, Any], degrees: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    if not table:
        return {"stage" if degrees.get("pp", 1) > 1 else "all": tuple(axis for axis in degrees if axis != "pp")}
    meshes: dict[str, tuple[str, ...]] = {}
    for name, axes in table.items():
        if (
            not isinstance(axes, list)
            or not all(isinstance(axis, str) for axis in axes)
            or not re.fullmatch(r"[a-z][a-z0-9_]*", name)
        ):
            raise DagtoolError(
                f"mesh {name!r} is {axes!r}",
                "a mesh is a name in small letters with a list of axes: all = ['ep', 'tp']",
            )
        for axis in axes:
            if axis not in degrees:
                raise DagtoolError(
                    f"mesh {name!r} has an axis {axis!r} without a degree", did_you_mean(axis, list(degrees))
                )
        meshes[name] = tuple(axes)
    return meshes


def _operators(table: Mapping[str, Any]) -> dict[str, str]:
    _only(table, list(OPERATOR_CHOICES), "[operators]")
    for key, value in table.items():
        if value not in OPERATOR_CHOICES[key]:
            known = list(OPERATOR_CHOICES[key])
            hint = did_you_mean(str(value), known) or f"known: {', '.join(known)}"
            raise DagtoolError(f"[operators] {key} is {value!r}", hint)
    return {key: table.get(key, known[0]) for key, known in OPERATOR_CHOICES.items()}


def _names(table: Mapping[str, Any]) -> dict[str, str]:
    for role, template in table.items():
        odd = not re.fullmatch(r"(?:[A-Za-z0-9_]|\{\w+\})+", str(template)) or str(template)[0].isdigit()
        if odd or str(template).lower() in _KEYWORDS:
            raise DagtoolError(
                f"name {role!r} = {template!r}",
                "names have letters, digits, _ and {fields}, no digit first, and are no word of DOT",
            )
    return {str(role): str(template) for role, template in table.items()}


def _regions(table: Mapping[str, Any], strategy: Strategy) -> dict[str, Region]:
    _only(table, list(_DEFAULT_REGIONS), "[regions]")
    regions: dict[str, Region] = {}
    for name, default in _DEFAULT_REGIONS.items():
        text = table.get(name)
        if text is None and name != "stream":
            whole = name in {"input", "output"}  # what comes and goes is not cut
            regions[name] = Region(regions[default].mesh, {}) if whole else regions[default]
            continue
        regions[name] = _region(name, str(text if text is not None else next(iter(strategy.mesh_axes))), strategy)
    return regions


def _region(name: str, text: str, strategy: Strategy) -> Region:
    mesh, *cuts = text.split() or [""]
    if mesh not in strategy.mesh_axes:
        hint = did_you_mean(mesh, list(strategy.mesh_axes)) or f"meshes: {', '.join(strategy.mesh_axes)}"
        raise DagtoolError(f"region {name!r} lies on {mesh!r}, which is no mesh", hint)
    axes_here = strategy.mesh_axes[mesh]
    found: dict[str, tuple[str, ...]] = {}
    for cut in cuts:
        symbol, *axes = cut.split("/")
        if symbol not in _CUTTABLE or not axes or len(set(axes)) < len(axes):
            raise DagtoolError(
                f"region {name!r}: cannot read {cut!r}",
                f"a cut is written like N/tp or B/dp/ep; dimensions: {' '.join(s for s in SYMBOLS if s in _CUTTABLE)}",
            )
        for axis in axes:
            if axis not in axes_here:
                raise DagtoolError(
                    f"region {name!r}: mesh {mesh!r} has no axis {axis!r}",
                    did_you_mean(axis, list(axes_here)),
                )
        # An axis of one rank cuts nothing: no collective over it is ever needed.
        if cutting := tuple(axis for axis in axes if strategy.degrees[axis] > 1):
            found[symbol] = cutting
    return Region(mesh, found)
