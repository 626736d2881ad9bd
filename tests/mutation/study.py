#!/usr/bin/env python3
"""The mutation study: are harmful changes of correct DAGs reported, and harmless ones let be?

``python tests/mutation/study.py [--count 6000] [--seed 1] [--only NAME] [--write-docs]``. The same arguments give
the same table. ``--only OPERATOR@SUBJECT#NUMBER`` shows one mutant: what was changed, what is found.
Exit status 1 where a threshold is missed.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from mutation.catalogue import mutations  # noqa: E402
from mutation.forms import FORMS, Form  # noqa: E402
from mutation.subjects import SUBJECTS, subject  # noqa: E402
from mutation.verdict import Key, Said, Verdict, findings_of, judge, mutant, read  # noqa: E402

__all__ = ["Study", "run"]

PAGE = HERE.parents[1] / "docs" / "mutation.md"
REPORTED, NEAR, ALARMS = 0.995, 0.95, 0.01
"""Shares of harmful mutants reported, and reported nearby; of harmless ones raising an error."""
_ROUNDS = 200


@dataclass(slots=True)
class Row:
    """Counts of one operator."""

    mutants: int = 0
    harmful: int = 0
    reported: int = 0
    near: int = 0
    false: int = 0
    """Declarations made false that change no value; reported or not, both are right."""
    false_reported: int = 0
    harmless: int = 0
    alarms: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count a mutant."""
        self.mutants += 1
        self.harmful += bool(verdict.harm)
        self.harmless += verdict.harmless
        self.false += verdict.falsifies and not verdict.harm
        self.false_reported += verdict.falsifies and not verdict.harm and bool(verdict.errors)
        self.reported += bool(verdict.harm and verdict.errors)
        self.near += bool(verdict.harm and verdict.near)
        self.alarms += verdict.false_alarm


@dataclass(slots=True)
class FormRow:
    """Counts of one form. Mutants whose damage is in what the form takes away are left out."""

    form: Form
    harmful: int = 0
    error: int = 0
    warning: int = 0
    reported: int = 0
    harmless: int = 0
    alarms: int = 0

    def add(self, verdict: Verdict, said: Said) -> None:
        """Count a mutant."""
        if said.gone:
            return
        if verdict.harm:
            self.harmful += 1
            self.error += said.error
            self.warning += said.warning and not said.error
            self.reported += said.reported
        elif verdict.harmless:
            self.harmless += 1
            self.alarms += said.error

    @property
    def passed(self) -> bool:
        """Whether as many are reported as must be; where the header lost a part, a warning of the damage counts."""
        return self.error + self.warning * bool(self.form.lost) >= self.form.wanted * self.harmful


@dataclass(slots=True)
class Study:
    """All verdicts of one run."""

    seed: int
    verdicts: list[Verdict] = field(default_factory=list)
    unmutated: dict[str, list[str]] = field(default_factory=dict)
    """What the rules say of the DAGs as they were: nothing, one hopes."""
    seconds: float = 0.0

    @property
    def rows(self) -> dict[str, Row]:
        """Counts by operator."""
        found: dict[str, Row] = {name: Row() for name in mutations()}
        for verdict in self.verdicts:
            found[verdict.key.operator].add(verdict)
        return {name: row for name, row in found.items() if row.mutants}

    @property
    def total(self) -> Row:
        """Counts of all."""
        row = Row()
        for verdict in self.verdicts:
            row.add(verdict)
        return row

    @property
    def by_form(self) -> dict[str, FormRow]:
        """Counts by the form in which the mutants were judged."""
        found = {form.name: FormRow(form) for form in FORMS}
        for verdict in self.verdicts:
            for name, said in verdict.forms:
                found[name].add(verdict, said)
        return found

    @property
    def passed(self) -> bool:
        """Whether every threshold is kept."""
        row = self.total
        return all(one.passed for one in self.by_form.values()) and (
            row.reported >= REPORTED * row.harmful
            and row.near >= NEAR * row.harmful
            and row.alarms <= ALARMS * row.harmless
            and not any(self.unmutated.values())
        )


def keys(seed: int, only: str = "", rounds: int = _ROUNDS) -> Iterator[Key]:
    """Every operator once where it applies; then every operator on every subject, each round in an order of its own."""
    names = [name for name in mutations() if only in ("", name, name.partition(".")[0], name.partition(".")[2])]
    for operator in Random(seed).sample(names, len(names)):
        subjects = Random(f"{seed} {operator}").sample([*SUBJECTS], len(SUBJECTS))
        found = (Key(operator, name, 0, seed) for name in subjects)
        yield from islice((key for key in found if mutant(key)), 1)
    for number in range(rounds):
        pairs = [(operator, name) for operator in names for name in SUBJECTS]
        Random(f"{seed} {number}").shuffle(pairs)
        for operator, name in pairs:
            yield Key(operator, name, number, seed)


def run(seed: int, count: int, only: str = "", jobs: int = 1) -> Study:
    """Judge ``count`` different mutants."""
    started = time.monotonic()
    study = Study(seed)
    for name in SUBJECTS:
        study.unmutated[name] = [f"{one.code} {one.message}" for one in findings_of(read(subject(name)))]
    met: set[int] = set()
    done: set[str] = set()
    rounds = _ROUNDS if not only else -(-count * 2 // len(SUBJECTS)) + 1
    for verdict in _judged(keys(seed, only, rounds), jobs):
        if verdict is None or (verdict.text_hash in met and verdict.key.operator in done):
            continue
        met.add(verdict.text_hash)
        done.add(verdict.key.operator)
        study.verdicts.append(verdict)
        if len(study.verdicts) >= count:
            break
    study.seconds = time.monotonic() - started
    return study


def _judged(todo: Iterable[Key], jobs: int) -> Iterator[Verdict | None]:
    if jobs == 1:
        yield from map(judge, todo)
        return
    with get_context("fork").Pool(jobs) as pool:
        batch: list[Key] = []
        for key in todo:
            batch.append(key)
            if len(batch) == 32 * jobs:
                yield from pool.imap(judge, batch, chunksize=4)
                batch = []
        yield from pool.imap(judge, batch, chunksize=4)


# -- showing ----------------------------------------------------------------------------------


def table(study: Study) -> str:
    """Markdown: a row for each operator, the total last."""
    lines = [
        "| mutation | what is done | mutants | harmful | reported | nearby | false text | reported | harmless"
        " | alarms |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in study.rows.items():
        about = (mutations()[name].__doc__ or "").strip().splitlines()[0].rstrip(".")
        lines.append(f"| `{name}` | {about} | {_cells(row)} |")
    return "\n".join([*lines, f"| **all** | | {_cells(study.total)} |"])


def _cells(row: Row) -> str:
    cells = (row.mutants, row.harmful, row.reported, row.near, row.false, row.false_reported, row.harmless, row.alarms)
    return " | ".join(map(str, cells))


def form_table(study: Study) -> str:
    """Markdown: a row for each form."""
    lines = [
        "| form | harmful | error | warning only | not even of the header | harmless | false alarms |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in study.by_form.items():
        quiet = row.harmful - row.reported
        cells = (_share(row.error, row.harmful), _share(row.warning, row.harmful), _share(quiet, row.harmful))
        lines.append(f"| {name} | {row.harmful:,} | {' | '.join(cells)} | {row.harmless:,} | {row.alarms} |")
    return "\n".join(lines)


def summary(study: Study) -> str:
    """The shares, one a line."""
    row = study.total
    flawed = sum(map(bool, study.unmutated.values()))
    return "\n".join(
        [
            f"seed {study.seed}: {row.mutants:,} different mutants of {len(study.unmutated)} DAGs by"
            f" {len(study.rows)} mutations; weights of seeds 0 and 1",
            f"harmful: {row.harmful:,}; reported {_share(row.reported, row.harmful)} (at least {REPORTED:.1%} wanted),"
            f" on or beside the damaged place {_share(row.near, row.harmful)} (at least {NEAR:.0%})",
            f"false text that changes no value: {row.false:,}; reported {_share(row.false_reported, row.false)}",
            f"harmless: {row.harmless:,}; raising an error {_share(row.alarms, row.harmless)} (at most {ALARMS:.0%})",
            f"unmutated: {len(study.unmutated)}; raising anything: {flawed or 'none'}",
        ]
    )


def _share(part: int, whole: int) -> str:
    return f"{part:,} = {part / whole:.2%}" if whole else "0"


def lists(study: Study) -> str:
    """Mutants missed, reported far away, and false alarms."""
    parts = []
    for title, found in (
        ("missed", [one for one in study.verdicts if one.missed]),
        ("reported elsewhere only", [one for one in study.verdicts if one.harm and one.errors and not one.near]),
        ("false alarms", [one for one in study.verdicts if one.false_alarm]),
        ("crashes", [one for one in study.verdicts if one.crash]),
    ):
        parts.append(f"{title}: {len(found)}")
        parts += [f"  {_line(one)}" for one in found]
    for form in FORMS[1:]:
        said = [(one, dict(one.forms).get(form.name)) for one in study.verdicts]
        judged = [(one, form_said) for one, form_said in said if form_said and not form_said.gone]
        missed = [one for one, told in judged if one.harm and not told.error and not told.warning]
        alarms = [one for one, told in judged if one.harmless and told.error]
        for title, found in (("missed", missed), ("false alarms", alarms)):
            parts.append(f"{title}, {form.name}: {len(found)}")
            parts += [f"  {one.key}" for one in found]
    return "\n".join(parts)


def _line(one: Verdict) -> str:
    said = ",".join((*one.errors, *(f"({code})" for code in one.warnings)))
    return f"{one.key}  at {' '.join(one.place)[:90]}  [{said}]  {one.harm_at}: {one.harm or one.crash}"[:300]


def show(name: str, seed: int) -> str:
    """One mutant: the changed lines, the executor's word, the findings."""
    operator, _, rest = name.partition("@")
    subject_name, _, number = rest.rpartition("#")
    key = Key(operator, subject_name, int(number), seed)
    made, verdict = mutant(key), judge(key)
    if made is None or verdict is None:
        return f"{name}: does not apply"
    whole, damaged, place = made
    changed = difflib.unified_diff(whole.text().splitlines(), damaged.text().splitlines(), lineterm="", n=0)
    findings = [f"{one.severity}: {one.code} {one.message}" for one in findings_of(read(damaged.text()))]
    return "\n".join(
        [
            f"place: {' '.join(place)}",
            *(line for line in changed if not line.startswith("@@")),
            f"executor: {f'{verdict.harm_at}: {verdict.harm}' if verdict.harm else 'harmless'}",
            *(findings or ["rules: nothing found"]),
        ]
    )


_INTRO = """\
# The mutation study

Are the rules good enough? Correct DAGs are damaged as people and scripts damage them. The executor runs each mutant on
simulated GPUs, beside the unsharded model, and says whether it is still that model; the rules are asked without
knowing the answer.

- A **harmful** mutant cannot run, or some node's value is not what its declared type promises. So is what no value
  shows but no machine can do: a cut of the file's own sizes that leaves a remainder, an edge that brings nothing to any
  GPU of its head, a node that computes for nobody, a send without its receive, a dispatch of tokens of which each rank
  has a copy, a type that does not follow from the inputs by the operator's rule. It must be **reported** by an error,
  **nearby**: on or naming a node whose statement or edges were changed, or one of its neighbours.
- **False text** changes no value, but a declaration is wrong or the dialect's form is broken: a type, a weight, a
  number, an operator that does not fit its role. A report is right, and so is silence where the text has a default.
- A **harmless** mutant computes what it should and says so. An error is a **false alarm**.

```sh
python3 tests/mutation/study.py --seed {seed} --count {count}
```

gives what follows, the same on every machine, and lists every mutant that was missed. `--only NAME` runs one mutation
or a family of them; `--only NAME@DAG#NUMBER` shows one mutant with its findings; `--write-docs` writes this page. The
DAGs are the presets with small degrees, and strategies of other shapes (`tests/mutation/subjects.py`). A mutation is a
function in `tests/mutation/operators/`. A fixed sample runs with the tests.

"""


_FORMS = """
Every mutant is judged in other forms too, one in four also disguised; what the executor says of it with its header
whole holds for all of them. *Without model* and *without dagtool=1*: the graph lost this attribute. *Disguised*: all
ids renamed, all statements shuffled, no labels. A mutant whose damage is in what a form takes away is left out of its
row. *Warning only* counts warnings other than that of the lost header itself (DIM225, MOD705), which every file of
such a form gets: so no harmful mutant passes as if all had been checked. What is wrong on all ranks and in all layers
alike, another activation throughout or a norm left out everywhere, is found only with a `model`.

"""


def page(study: Study, count: int) -> str:
    """The page of the documentation."""
    shares = f"```\n{summary(study)}\n```\n"
    return f"{_INTRO.format(seed=study.seed, count=count)}{shares}{_FORMS}{form_table(study)}\n\n{table(study)}\n"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=6000, help="mutants to judge; 400 meet every mutation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a mutation, a family of them, or one mutant to show")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    if "#" in options.only:
        print(show(options.only, options.seed))
        return 0
    study = run(options.seed, options.count, options.only, options.jobs)
    print(table(study), form_table(study), summary(study), lists(study), sep="\n\n")
    codes = Counter(code for one in study.verdicts if one.false_alarm for code in one.errors)
    print(f"codes of false alarms: {dict(codes.most_common())}")
    print(f"{study.seconds:.0f} s", file=sys.stderr)
    if options.write_docs:
        PAGE.write_text(page(study, options.count), encoding="utf-8")
    return 0 if study.passed else 1


if __name__ == "__main__":
    sys.exit(main())
