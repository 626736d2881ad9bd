"""Random strategy files of meshes, ``[regions]`` and ``[operators]``: whatever such a file may say, legal or not.

``draw_regions(seed, number)`` is always the same document. Every axis has a habit, to cut tokens or what a place has of
its own (heads, widths, experts, vocabulary), and keeps to it at most places; axes lie in any order on one mesh or two.
"""

from __future__ import annotations

from random import Random

from helpers.plans import Situation
from published.draw import (
    PHASES,
    Combination,
    Document,
    draw_dtypes,
    draw_model,
    draw_sizes,
    maybe,
    pad,
)

from dagtool.generators.layout import PLACES
from dagtool.generators.strategy import OPERATOR_CHOICES

__all__ = ["WAY", "draw_regions"]

WAY = "regions"
HABITS = ("B", "S", "own", "own", "nothing", "anything")
WIDE = ("ffn", "router", "mlp", "experts", "shared")
"""The places that go to the second mesh, where there are two."""


def draw_regions(seed: int, number: int) -> Combination:
    """Return the strategy document of that number."""
    random = Random(f"regions {seed} {number}")
    model = draw_model(random)
    phase = random.choice(PHASES)
    if " " in phase:  # step by step: no token sees a later one
        model["mask"] = "causal"
    degrees = _degrees(random)
    sizes = draw_sizes(random, model, phase)
    if "pp" not in degrees and "layers" not in model:
        sizes["L"] = random.choice((1, 2))
    s = Situation(model, sizes, phase)
    meshes = _meshes(random, degrees)
    document: Document = {"phase": phase, "model": model, "sizes": dict(s.sizes), "degrees": degrees}
    document["regions"] = _regions(random, s, meshes)
    document["operators"] = _operators(random)
    if len(meshes) > 1 or random.random() < 0.5:
        document["mesh"] = {name: list(axes) for name, axes in meshes.items()}
    if len(meshes) > 1 and random.random() < 0.3:  # the smaller one lies on GPUs of the larger one
        document["first_gpu"] = dict.fromkeys(meshes, 0)
    document |= draw_dtypes(random, s) | _store(random, degrees) | _decode(random, s, meshes)
    _replicate(random, document)
    pad(random, document)
    return Combination(seed, number, WAY, document)


def _degrees(random: Random) -> dict[str, int]:
    names = random.sample(("dp", "tp", "ep", "cp", "xp", "etp"), random.choice((1, 1, 2, 2, 2, 3)))
    degrees = {axis: random.choice((1, 2, 2, 2, 2, 2, 3, 4)) for axis in names}
    return degrees | maybe(random, 0.15, pp=2)


def _meshes(random: Random, degrees: Document) -> dict[str, tuple[str, ...]]:
    """One mesh of all axes in any order, or two that have some of them each."""
    axes = [axis for axis in degrees if axis != "pp"]
    random.shuffle(axes)
    if random.random() < 0.75:
        return {"all": tuple(axes)}
    first = "stage" if "pp" in degrees else "near"
    some = tuple(axis for axis in axes if random.random() < 0.6)
    other = tuple(axis for axis in reversed(axes) if axis not in some or random.random() < 0.4)
    return {first: some, "far": other}


# -- regions ----------------------------------------------------------------------------------


def _regions(random: Random, s: Situation, meshes: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """A line for most of the places, each on its mesh and cut as the axes there have the habit."""
    habits = {axis: random.choice(HABITS) for axes in meshes.values() for axis in axes}
    given = [place for place in _places(s) if place in ("stream", "experts") or random.random() < 0.75]
    found: dict[str, str] = {}
    for place in given:
        mesh = list(meshes)[-1 if place in WIDE else 0]
        words = [mesh] if len(meshes) > 1 or random.random() < 0.5 else []
        cuts = _cuts(random, s, place, {axis: habits[axis] for axis in meshes[mesh]})
        words += ["/".join([size, *axes]) for size, axes in cuts.items()]
        found[place] = " ".join(words or [mesh])
    return found


def _places(s: Situation) -> list[str]:
    """The places that a short name may stand for and the model has."""
    return [place for place in PLACES if "." not in place and place in s.places]


def _cuts(random: Random, s: Situation, place: str, habits: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for axis, habit in sorted(habits.items(), key=lambda _: random.random()):
        if random.random() < 0.1:
            habit = random.choice(HABITS)
        sizes = list(s.sizes) if habit == "anything" else _own(s, place) if habit == "own" else [habit]
        if size := _divided(random, s, [size for size in sizes if size in s.sizes]):
            found.setdefault(size, []).append(axis)
    return found


def _divided(random: Random, s: Situation, sizes: list[str]) -> str:
    sizes = [size for size in sizes if size not in ("K", "L") and s.sizes[size] > 1]
    return random.choice(sizes) if sizes else ""


def _own(s: Situation, place: str) -> list[str]:
    """The sizes that only the tensors of a place have."""
    widths = {"mlp": s.widths("dense"), "shared": s.shared, "experts": [s.physical, s.physical, *s.widths("moe")]}
    ends = {"head": ["V"], "output": ["V"], "embedding": ["V"], "attention": [s.heads]}
    return {**ends, **widths}.get(place, [])


# -- the rest ---------------------------------------------------------------------------------


def _operators(random: Random) -> dict[str, str]:
    """Any choices; rings only now and then, since most plans cannot have them."""
    shares = {"context": 0.08}
    return {
        key: random.choice(choices)
        for key, choices in OPERATOR_CHOICES.items()
        if random.random() < shares.get(key, 0.5)
    }


def _store(random: Random, degrees: Document) -> Document:
    axes = [axis for axis in degrees if axis != "pp"]
    return maybe(random, 0.15, store={random.choice(("*", "layers.*.attention")): random.choice(axes)})


def _decode(random: Random, s: Situation, meshes: dict[str, tuple[str, ...]]) -> Document:
    """Decode steps that lie otherwise than the prefill before them."""
    if " " not in s.phase or random.random() < 0.7:
        return {}
    steps = Situation(s.table, {**s.sizes, "S": 1}, "decode")
    return {"decode": {"regions": _regions(random, steps, meshes)}}


def _replicate(random: Random, document: Document) -> None:
    """Say of the axes that cut nothing that they do so on purpose, nearly always."""
    tables = [document["regions"], document.get("decode", {}).get("regions", {})]
    used = {
        axis for table in tables for text in table.values() for word in text.split() for axis in word.split("/")[1:]
    }
    idle = [axis for axis in document["degrees"] if axis not in used and axis != "pp"]
    if idle and random.random() < 0.9:
        document["replicate"] = idle
