"""The matrix products of a model, read off its unsharded programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from dagtool.dag.semantics import kind_work
from dagtool.generators.parts import parts_of_section
from dagtool.generators.phase import FORWARD, Phase
from dagtool.generators.program import OUTSIDE, Step
from dagtool.generators.unsharded import Program, Sizes, layers_of_kinds, run_variants, size_key
from dagtool.model.mesh import Mesh
from dagtool.model.pairs import KeptPairs
from dagtool.model.size import ONE, Size
from dagtool.model.tree import Model

__all__ = ["Product", "products", "products_of_kinds"]


@dataclass(frozen=True, slots=True)
class Product:
    """``count`` products [m, k] x [k, n] of the unsharded model in one layer of a kind, or outside the layers."""

    part: str
    roles: tuple[str, ...]
    """The roles of the nodes that do it: one, or several where it may be drawn as several products."""
    m: Size
    k: Size
    n: Size
    count: Size = ONE
    layers: int | None = 1
    """The number of layers that have this product; None where the number of layers is a symbol."""
    in_layers: bool = True
    beside: bool = False
    """Whether this product and the one before it are independent: no path passes both."""
    after: frozenset[str] = frozenset()
    """The products of its section that it depends on."""
    within: frozenset[str] = frozenset()
    """Roles of other products whose nodes may do it too: scores, where keys go round a ring."""
    mask: KeptPairs | None = None
    """Inside attention: which pairs of query and key are needed."""

    @property
    def flops(self) -> Size:
        """2*m*k*n of all of them in one layer, also for pairs of query and key that a mask hides."""
        return self.m * self.k * self.n * self.count * 2

    def kept(self, sizes: Sizes) -> Fraction:
        """The share of its FLOPs that belongs to pairs kept by the mask; 1 while a size is a symbol."""
        return self.mask.share(sizes) if self.mask else Fraction(1)


def products(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> tuple[Product, ...]:
    """Every matrix product of the unsharded model, experts at K tokens of each token's worth in all.

    A product that several kinds of layer have with equal work is one.
    """
    found: dict[tuple[str, Size], Product] = {}
    for section in _sections_products(model, size_key(sizes), phase):
        for one in section:
            key = (one.part, one.flops)
            merged = (found[key].layers or 0) + (one.layers or 0) if key in found and one.layers else one.layers
            found[key] = replace(one, layers=merged)
    return tuple(found.values())


def products_of_kinds(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> dict[str, tuple[Product, ...]]:
    """The matrix products of each kind of layer, and under the empty name those outside the layers."""
    first, *layers, last = _sections_products(model, size_key(sizes), phase)
    return {"": first + last, **dict(zip(model.kind_names, layers, strict=True))}


@lru_cache(maxsize=64)
def _sections_products(
    model: Model, sizes: tuple[tuple[str, int | None], ...], phase: Phase
) -> tuple[tuple[Product, ...], ...]:
    """The products of the embedding, of each kind of layer, and of the head."""
    programs = run_variants(model, sizes, phase)
    counts = layers_of_kinds(model, dict(sizes))
    found: list[tuple[Product, ...]] = []
    for kind, section in programs[0].sections():
        others = {role for one in programs for role in parts_of_section(one.kinds[kind])} if kind else set()
        made = _products(section.steps, others, programs[0], counts.get(kind, 1), in_layers=bool(kind))
        done = [_done(one.kinds[kind].steps, one.meshes) for one in programs] if kind else []
        found.append(tuple(replace(one, within=_within(one, done)) for one in made))
    return tuple(found)


def _done(steps: Sequence[Step], meshes: Mapping[str, Mesh]) -> dict[str, int]:
    """Count the matrix products of each role."""
    return {step.kind.role: count for step in steps if (count := len(kind_work(step.kind, meshes).matmuls))}


def _within(one: Product, done: Sequence[Mapping[str, int]]) -> frozenset[str]:
    """The roles that do more products wherever a product has no node of its own."""
    lacking = [variant for variant in done if not variant.keys() & set(one.roles)]
    return frozenset(role for variant in lacking for role, count in variant.items() if count > done[0].get(role, count))


def _products(
    steps: Sequence[Step],
    others: set[str],
    program: Program,
    layers: int | None,
    *,
    in_layers: bool,
) -> Iterator[Product]:
    """The products of one section. ``others``: the parts of every way in which it may be drawn."""
    reaches, meshes, experts = _reach(steps), program.meshes, Size.of(program.experts)
    met: dict[int, str] = {}
    before: int | None = None
    for index, step in enumerate(steps):
        role = step.kind.role
        after = frozenset(name for place, name in met.items() if place in reaches[index])
        for matmul in kind_work(step.kind, meshes).matmuls:
            count = experts if step.per_expert else ONE
            beside = before is not None and before not in reaches[index]
            shape = (matmul.m, matmul.k, matmul.n)
            yield Product(
                role, _alternatives(step, steps, others), *shape, count, layers, in_layers, beside, after - {role},
                mask=_mask(step, steps, meshes),
            )  # fmt: skip
            met[index] = role
            before = before if beside else index


def _mask(step: Step, steps: Sequence[Step], meshes: Mapping[str, Mesh]) -> KeptPairs | None:
    """The mask of scores, or of the scores from which a weighted sum has its weights; None for other products."""
    if step.kind.op not in ("scores", "weighted_sum"):
        return None
    while step.kind.op != "scores":
        ref = step.inputs[0][1]
        if ref.step == OUTSIDE:
            return None
        step = steps[ref.step]
    return kind_work(step.kind, meshes).kept


def _reach(steps: Sequence[Step]) -> list[set[int]]:
    """Find, for each step, all steps that it depends on."""
    found: list[set[int]] = []
    for step in steps:
        makers = {ref.step for _, ref in step.inputs if ref.step != OUTSIDE}
        found.append(makers.union(*(found[maker] for maker in makers)))
    return found


def _alternatives(step: Step, steps: Sequence[Step], others: set[str]) -> tuple[str, ...]:
    """The role of a product, and those of the parts that a fused one may be drawn as."""
    here = {one.kind.role for one in steps}
    module = step.kind.role.partition(".")[0]
    drawn = [f"{module}.{port.name}" for port in step.kind.outputs if port.name]
    return (step.kind.role, *(role for role in drawn if role in others and role not in here))
