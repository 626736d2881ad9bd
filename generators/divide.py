"""Whether degrees divide sizes, and which near ones would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import gcd, prod

from dagtool.errors import DagtoolError
from dagtool.generators.faults import Faults
from dagtool.generators.strategy import Strategy
from dagtool.generators.toml_positions import Path
from dagtool.model.mesh import Mesh
from dagtool.model.size import near_divisors
from dagtool.model.tensor import Dim, TensorType
from dagtool.model.vocabulary import SYMBOLS

__all__ = ["check_degrees", "check_type"]


def check_degrees(strategy: Strategy) -> None:
    """Raise DagtoolError for every degree that does not divide a size it cuts, naming all of them, and near degrees."""
    faults = Faults(strategy.source)
    cut_by: dict[tuple[str, ...], list[str]] = {}
    for symbol, axes in _cuts(strategy):
        held = cut_by.setdefault(axes, [])
        held += [symbol] if symbol not in held else []
    order = list(strategy.sizes)
    for axes, symbols in cut_by.items():
        degree = prod(strategy.degrees[axis] for axis in axes)
        bound = {
            symbol: value
            for symbol in sorted(symbols, key=order.index)
            if (value := strategy.sizes.get(symbol)) is not None
        }
        failing = [symbol for symbol, value in bound.items() if value % degree]
        if failing:
            message, hint = _refusal(_degree_text(axes, strategy.degrees), degree, failing, bound)
            faults.add(_key_of(axes, failing, strategy), message, hint)
    faults.end()


def _cuts(strategy: Strategy) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each size that is cut, with the axes.

    Of a phase with a layout of its own the experts only: no tensor has them as a dimension, so no type shows it.
    """
    for phase, layout in strategy.layouts.items():
        for _, _, region in layout.regions(sorted(strategy.places)):
            for symbol, axes in region.cuts.items():
                if not phase or symbol == strategy.experts:
                    yield symbol, axes


def _key_of(axes: tuple[str, ...], failing: list[str], strategy: Strategy) -> Path:
    """The key that is likeliest at fault: what ``--set`` changed, else the degree."""
    keys: list[Path] = [*(("degrees", axis) for axis in axes), *(("sizes", symbol) for symbol in failing)]
    changed = [key for key in keys if key in strategy.source.settings]
    return (changed or [("groups",) if strategy.declared.groups else keys[0]])[0]


def check_type(tensor: TensorType, mesh: Mesh, sizes: Mapping[str, int | None]) -> None:
    """Every dimension of a type is whole on every GPU, or DagtoolError says which is not."""
    for dim in tensor.dims:
        if dim.size.is_mean:
            continue
        whole = dim.size.bind(sizes)
        if whole.is_fraction:
            hint = "change a size so that it divides evenly"
            raise DagtoolError(f"a dimension {dim.size} = {whole} is not a whole number", hint)
        if dim.local(mesh.sizes).bind(sizes).is_fraction:
            axes = _degree_text(dim.axes, mesh.sizes)
            raise DagtoolError(f"{axes} does not divide {dim.size} = {whole}", _nearer(dim, whole.value, mesh))


def _nearer(dim: Dim, whole: int | None, mesh: Mesh) -> str:
    near = near_divisors(whole, prod(mesh.sizes[axis] for axis in dim.axes)) if whole else []
    found = [f"the nearest that {'do' if len(near) > 1 else 'does'}: {' and '.join(map(str, near))}"] if near else []
    if dim.size.symbols == ("N", "G"):  # query heads of one head of keys and values
        axes = "/".join(dim.axes)
        found.append(f"cut the heads of keys and values instead: G/{axes} for N/{axes}")
    return "; or ".join(found) or "the same degree must divide it everywhere"


def _degree_text(axes: Iterable[str], degrees: Mapping[str, int]) -> str:
    return " x ".join(f"{axis}={degrees[axis]}" for axis in axes)


def _refusal(degrees: str, degree: int, failing: list[str], bound: Mapping[str, int]) -> tuple[str, str]:
    """Message and hint."""
    named = " and ".join(f"{SYMBOLS.get(symbol, 'size')} {symbol}={bound[symbol]}" for symbol in failing)
    pads = ", ".join(f"{symbol} to {-(-bound[symbol] // degree) * degree}" for symbol in failing)
    near = near_divisors(gcd(*bound.values()), degree)
    fitting = f"the nearest degrees that do are {' and '.join(map(str, near))}"
    if len(near) == 1:
        fitting = f"the nearest degree that does is {near[0]}"
    if "G" in failing:
        pads += "; or cut the heads by two axes, G by one that divides it and N by the other (G/kv N/rep)"
    if bound.get("S") == 1 and "S" in failing:
        pads += "; or cut B: one new token of each sequence is in no parts"
    rest = [symbol for symbol in bound if symbol not in failing]
    also = f" (they also divide {', '.join(f'{symbol}={bound[symbol]}' for symbol in rest)})" if rest else ""
    return f"{degrees} does not divide {named}", f"{fitting}{also}; or pad {pads}"
