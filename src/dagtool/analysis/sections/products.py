"""Every matrix product with its Get_Time, and the FLOPs held against the unsharded model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from dagtool.analysis.polynomial import Polynomial
from dagtool.analysis.subject import Subject, role_of
from dagtool.analysis.table import Table
from dagtool.cost.critical import Term
from dagtool.cost.work import kind_ranks, matmuls_of, role_flops, scaled
from dagtool.escape import code
from dagtool.generators.phase import FORWARD, parse_phases
from dagtool.generators.products import products_of_kinds
from dagtool.model.tree import ModelError, parse_model

__all__ = ["Conservation", "conservation", "product_table"]


def product_table(subject: Subject) -> Table:
    """Role, term, FLOPs of one, nodes, how often it is on the critical path."""
    rows: dict[tuple[str, str], list[int]] = {}
    flops: dict[tuple[str, str], Polynomial] = {}
    on_path: dict[tuple[str, str], int] = {}
    ranks = kind_ranks(subject.dag, subject.masks)
    for node, one in subject.path.products if subject.acyclic else ():
        key = (role_of(subject.dag.kind(node)), str(Term(one.m, one.k, one.n)))
        on_path[key] = on_path.get(key, 0) + 1
    for index, work in enumerate(subject.works):
        for one in matmuls_of(work, subject.dag):
            key = (role_of(subject.dag.kinds[index]), str(Term(one.m, one.k, one.n)))
            rows.setdefault(key, []).append(subject.node_counts[index])
            flops[key] = Polynomial.of(scaled(one.flops, ranks[index, ""].kept))
    cells = [
        [code(role), code(term), flops[role, term].words(), f"{sum(counts):,}", f"{on_path.get((role, term), 0):,}"]
        for (role, term), counts in rows.items()
    ]
    head = ("role", "of one node", "FLOPs of one", "nodes", "on the critical path")
    return Table(head, cells, frozenset({2, 3, 4}))


@dataclass(frozen=True, slots=True)
class Conservation:
    """FLOPs of all GPUs together, those done more than once left out, and of the model unsharded.

    Of attention only the pairs of query and key are counted that the mask keeps.
    """

    executed: Polynomial
    distinct: Polynomial
    model: Polynomial | None
    """None where the graph does not say which model it is."""

    @property
    def repeated(self) -> str:
        """Which part of the FLOPs is done again on another GPU, in percent; empty for none."""
        extra, all_ = (self.executed - self.distinct).number, self.executed.number
        return f"{float(100 * extra / all_):.2f} %" if extra and all_ else ""

    @property
    def holds(self) -> bool:
        """Whether the model's FLOPs are all there, and no more."""
        return self.model == self.distinct


def conservation(subject: Subject) -> Conservation:
    """The sums over the graph."""
    executed, distinct = Polynomial(), Polynomial()
    for one in role_flops(subject.dag, masks=subject.masks):
        executed += Polynomial.of(scaled(one.executed, one.kept))
        distinct += Polynomial.of(scaled(one.distinct, one.kept))
    return Conservation(executed, distinct, _model(subject))


def _model(subject: Subject) -> Polynomial | None:
    sizes, text = subject.dag.sizes, subject.dag.facts.get("model", "")
    count = sizes.get("L")
    try:
        model = parse_model(text) if text and count else None
    except ModelError:
        model = None
    if model is None or not count:
        return None
    total, text = Polynomial(), subject.dag.facts.get("phase", "")
    try:
        for phase in parse_phases(text) if text else (FORWARD,):
            for product in chain.from_iterable(products_of_kinds(model, sizes, phase).values()):
                total += Polynomial.of(scaled(product.flops.bind(sizes) * (product.layers or 1), product.kept(sizes)))
    except ValueError:  # a word that no block knows, or a size that is missing: the rules say which
        return None
    return total
