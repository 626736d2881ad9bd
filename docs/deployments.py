"""The figures of the deployments in ``tests/deployments``, and the page that shows them.

Every figure is read off the graph of one GPU of each class (``dagtool.generators.representatives``), at the sizes that
the files give.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from dagtool.analysis.words import count_words
from dagtool.cost.dtypes import dtype_bytes
from dagtool.cost.masks import find_masks
from dagtool.cost.memory import memory
from dagtool.cost.work import kind_works, matmuls_of
from dagtool.dag.graph import Dag, Kind
from dagtool.generators import find_strategy
from dagtool.generators.parameters import parameter_count
from dagtool.generators.representatives import represent
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, Work

__all__ = ["FOLDER", "Deployment", "GpuFigures", "deployment", "names", "page"]

FOLDER = Path(__file__).parents[1] / "tests" / "deployments"
_BYTES = 2
"""The bytes of an element whose data type the file does not state."""


@dataclass(frozen=True, slots=True)
class GpuFigures:
    """The figures of each of ``gpus`` equal GPUs."""

    gpus: int
    weights: int
    """Bytes."""
    cache: int
    """Bytes of keys and values, or latents."""
    flops: Fraction
    """2*m*k*n of all matrix products."""
    kept_flops: Fraction
    """FLOPs without the pairs of query and key that a mask hides: the mean over the ranks that share a sequence."""
    sent: Fraction
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A file of the folder, and what follows from it."""

    name: str
    summary: str
    document: str
    nodes: int
    parameters: int
    classes: tuple[GpuFigures, ...]

    @property
    def gpus(self) -> int:
        """The number of all GPUs."""
        return sum(one.gpus for one in self.classes)


def names() -> list[str]:
    """Return the deployments there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def deployment(name: str) -> Deployment:
    """Return the figures of one deployment. Raises DagtoolError."""
    strategy = find_strategy(str(FOLDER / f"{name}.toml"))
    found = represent(strategy)
    use = memory(found.dag, standing_for=found.standing_for)
    held = {gpu: group for group in use.groups for gpu in group.gpus}
    work = _work(found.dag)
    classes: list[GpuFigures] = []
    for first, alike in found.standing_for.items():
        own = held[first]
        classes.append(GpuFigures(len(alike), own.weights_bytes, own.kv_cache_bytes, *work[first]))
    parameters = parameter_count(strategy.model, {**strategy.sizes, "B": 1, "S": 1})
    return Deployment(name, strategy.summary, strategy.document, found.nodes, parameters, _merged(classes))


def _merged(classes: list[GpuFigures]) -> tuple[GpuFigures, ...]:
    """Classes with equal figures as one."""
    counts: dict[GpuFigures, int] = {}
    for one in classes:
        counts[replace(one, gpus=0)] = counts.get(replace(one, gpus=0), 0) + one.gpus
    return tuple(replace(one, gpus=count) for one, count in counts.items())


def _work(dag: Dag) -> dict[int, tuple[Fraction, Fraction, Fraction]]:
    """FLOPs, those that masks keep, and bytes sent, by GPU."""
    works, masks = kind_works(dag), find_masks(dag)
    found: dict[int, tuple[Fraction, Fraction, Fraction]] = {}
    for node, (index, devices) in enumerate(zip(dag.kind_of, dag.devices_of, strict=True)):
        work, kind = works[index], dag.kinds[index]
        flops = sum((_number(one.flops, dag) for one in matmuls_of(work, dag)), Fraction())
        mask, sent = masks.mask(node), _sent(kind, work, dag)
        kept = flops * (mask.share(dag.sizes) if mask else 1)
        for gpu in dag.device_sets[devices] if devices >= 0 else ():
            total = found.get(gpu, (Fraction(), Fraction(), Fraction()))
            sends = gpu in dag.meshes[kind.meshes[0]].gpus
            found[gpu] = (total[0] + flops, total[1] + kept, total[2] + sent * sends)
    return found


def _sent(kind: Kind, work: Work | None, dag: Dag) -> Fraction:
    """The bytes that each GPU of the mesh where a node's input lies sends."""
    if work is None or work.elements_sent is None or not OPERATORS[kind.op].algorithm:
        return Fraction()
    width = dtype_bytes(work.sent_dtype, "activation") if work.sent_dtype else _BYTES
    return _number(work.elements_sent, dag) * width


def _number(size: Size, dag: Dag) -> Fraction:
    bound = size.bind(dag.sizes)
    assert not bound.symbols
    return Fraction(bound.numerator, bound.denominator)


# -- the page ---------------------------------------------------------------------------------

_BEGIN = "<!-- deployments: made by `python3 dev.py docs` from tests/deployments; do not edit -->\n"
_END = "<!-- end of deployments -->\n"
_HEAD = (
    "file", "GPUs", "parameters", "nodes", "GPUs alike", "weights", "cache", "FLOPs", "with the mask", "sent",
    "what it is",
)  # fmt: skip


def page(text: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = text.partition(_BEGIN)
    return before + _BEGIN + table() + _END + rest.partition(_END)[2]


def table() -> str:
    """A row for each class of GPUs; what is known to go wrong has a number, and below the table the reason."""
    wrong: Mapping[tuple[str, str], str] = runpy.run_path(str(FOLDER / "findings.py"))["WRONG"]
    rows = ["| " + " | ".join(_HEAD) + " |", "|---|" + "---:|" * (len(_HEAD) - 2) + "---|"]
    notes: dict[str, int] = {}
    for name in names():
        checks = ("validate", "prove", "order", "weights", "cache", "flops", "kept_flops", "sent")
        marks = {check: _mark(wrong.get((name, check), ""), notes) for check in checks}
        rows += ["| " + " | ".join(cells) + " |" for cells in _rows(deployment(name), marks)]
    lines = [f"{number}. {reason}\n" for reason, number in notes.items()]
    return "\n".join(rows) + "\n\n" + "".join(lines) + ("\n" if lines else "")


def _mark(reason: str, notes: dict[str, int]) -> str:
    return f" ({notes.setdefault(reason, len(notes) + 1)})" if reason else ""


def _rows(found: Deployment, marks: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    known = "".join(marks[check] for check in ("validate", "prove", "order"))
    link = f"[{found.name}](../tests/deployments/{found.name}.toml){known}"
    head: tuple[str, ...] = (link, f"{found.gpus:,}", f"{found.parameters:,}", f"{found.nodes:,}")
    summary = found.summary
    for one in found.classes:
        figures = {
            "weights": _gigabytes(one.weights),
            "cache": _gigabytes(one.cache),
            "flops": count_words(float(one.flops), "FLOP"),
            "kept_flops": count_words(float(one.kept_flops), "FLOP"),
            "sent": _gigabytes(float(one.sent)),
        }
        yield (*head, f"{one.gpus:,}", *(words + marks[name] for name, words in figures.items()), summary)
        head, summary = ("",) * len(head), ""


def _gigabytes(count: float) -> str:
    """Two digits after the point, or the first two where it is little."""
    number = count / 1e9
    return "0" if not number else f"{number:,.2f} GB" if number >= 0.1 else f"{number:.2g} GB"
