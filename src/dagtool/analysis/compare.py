"""Several deployments side by side, and why one wins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dagtool.analysis.figures import FIGURES, Figure
from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table, as_columns, as_markdown
from dagtool.analysis.why import Why, whys
from dagtool.errors import DagtoolError
from dagtool.escape import as_json, as_lines, code, markdown

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """The subjects, a value of each figure for each of them, and the differences to the best one."""

    subjects: list[Subject]
    rows: list[tuple[Figure, list[float | int | str | None]]]
    whys: list[Why]

    @property
    def unlike(self) -> list[str]:
        """Sizes and the model, where the subjects do not agree on them: then it is not the strategies that differ."""
        symbols = dict.fromkeys(symbol for one in self.subjects for symbol in one.dag.sizes)
        found = [symbol for symbol in symbols if len({one.dag.sizes.get(symbol) for one in self.subjects}) > 1]
        return [*found, *(["the model's parts"] if len(set(map(_model, self.subjects))) > 1 else [])]

    @property
    def cautions(self) -> list[str]:
        """What to know before believing a winner: other models, memory that does not suffice."""
        found = [f"{one.name} does not fit: it {one.misfit}." for one in self.subjects if one.misfit]
        if self.unlike:
            what = ", ".join(self.unlike)
            found.insert(0, f"They are not the same model ({what} differ): not only the strategies make a difference.")
        return found

    def table(self) -> Table:
        """A column for each subject."""
        rows = [
            [figure.name, *("-" if v is None else v if isinstance(v, str) else figure.words(v) for v in values)]
            for figure, values in self.rows
        ]
        columns = frozenset(range(1, len(self.subjects) + 1))
        return Table(("", *(one.name for one in self.subjects)), rows, columns)

    def as_text(self) -> str:
        """For a terminal."""
        lines = [*as_columns(self.table()), ""]
        width = max(len(one.name) for one in self.subjects)
        lines += [f"{one.name:<{width}}  time = {one.path.expression}" for one in self.subjects]
        lines += ["", *self.cautions] if self.cautions else []
        for why in self.whys:
            lines += ["", why.sentence, "", *as_columns(_terms(why, why.terms))]
            if why.gpu_terms:
                lines += ["", "on the mean GPU", *as_columns(_terms(why, why.gpu_terms))]
        return as_lines(lines)

    def as_markdown(self) -> str:
        """For a page."""
        table = self.table()
        head = [code(name) if name else "" for name in table.head]
        lines = [f"# {', '.join(head[1:])}", "", as_markdown(Table(head, table.rows, table.right)), ""]
        for caution in self.cautions:
            lines += [markdown(caution), ""]
        lines += ["## Critical paths", ""]
        lines += [f"- {code(one.name)}: {code(one.path.expression)}" for one in self.subjects]
        for why in self.whys:
            lines += ["", f"## {code(why.best)} and {code(why.other)}", "", markdown(why.sentence), ""]
            what = "Along the chain that makes the makespan" if why.unit == "s" else "On the critical path"
            lines += [f"{what}, what {code(why.other)} takes more:", ""]
            lines.append(as_markdown(_terms(why, why.terms)))
            if why.gpu_terms:
                lines += ["", "On the mean GPU:", "", as_markdown(_terms(why, why.gpu_terms))]
        return "\n".join(lines)

    def as_json(self) -> str:
        """The contract: keys are added, never changed. Seconds, bytes, FLOPs."""

        found = {
            "schema": "dagtool/compare/1",
            "strategies": [
                {
                    "name": one.name,
                    "cluster": str(one.priced.cluster) if one.priced else None,
                    "expression": one.path.expression,
                    **{figure.key: values[at] for figure, values in self.rows},
                }
                for at, one in enumerate(self.subjects)
            ],
            "unlike": self.unlike,
            "cautions": self.cautions,
            "why": [
                {
                    "best": why.best,
                    "other": why.other,
                    "unit": why.unit,
                    "difference": float(why.difference),
                    "terms": {name: float(amount) for name, amount in why.terms.items()},
                    "mean_gpu": {name: float(amount) for name, amount in why.gpu_terms.items()},
                    "sentence": why.sentence,
                }
                for why in self.whys
            ],
        }
        return as_json(found)


def compare(subjects: Sequence[Subject]) -> Comparison:
    """The comparison. Raises DagtoolError for fewer than two, for one that declares nothing or has a cycle."""
    if len(subjects) < 2:
        raise DagtoolError("one deployment alone compares with nothing", "name two; 'dagtool report' is for one")
    for one in subjects:
        if not one.dag.declared:
            raise DagtoolError(
                f"{one.name}: its nodes declare no operators and sizes, so there is nothing to compare",
                "'dagtool gen' writes files that do; 'dagtool report' tells what labels say",
            )
        if not one.acyclic:
            raise DagtoolError(f"{one.name}: the graph has a cycle, so it has no longest path")
    named = _distinct(list(subjects))
    timed = all(one.priced for one in named)
    rows = [(one, [one.value(subject) for subject in named]) for one in FIGURES if timed or not one.seconds]
    return Comparison(named, rows, whys(named))


def _model(subject: Subject) -> str:
    """What the layers are made of; how tokens are embedded is a detail."""
    said = subject.dag.facts.get("model", "").split()
    return " ".join(one for one in said if not one.startswith("embedding="))


def _distinct(subjects: list[Subject]) -> list[Subject]:
    """With a number behind names that occur twice: a column is spoken of by its name."""
    counts, seen = Counter(one.name for one in subjects), Counter[str]()
    found = []
    for one in subjects:
        seen[one.name] += 1
        found.append(replace(one, name=f"{one.name} #{seen[one.name]}") if counts[one.name] > 1 else one)
    return found


def _terms(why: Why, terms: Mapping[str, Fraction]) -> Table:
    everything = {**terms, "sum": sum(terms.values(), Fraction(0))}
    return Table(
        ("term", "difference"), [[name, _signed(why, one)] for name, one in everything.items()], frozenset({1})
    )


def _signed(why: Why, amount: Fraction) -> str:
    return f"{'+' if amount > 0 else ''}{why.said(amount)}"
