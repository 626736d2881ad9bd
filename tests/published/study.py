#!/usr/bin/env python3
"""Random combinations of model, layout and phase: legal ones are proved, illegal ones are refused with a reason.

``python tests/published/study.py [--count 2000] [--seed 1] [--regions] [--only NUMBER] [--write-docs]``. The same
arguments give the same table. ``--regions`` draws strategy files of meshes, regions and ways to draw instead.
``--only NUMBER`` shows one combination: its document, and what becomes of it. Exit status 1 for a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from published.draw import WAYS, Combination, draw  # noqa: E402
from published.draw_regions import WAY, draw_regions  # noqa: E402
from published.judge import Refusal, Verdict, judge, template_of  # noqa: E402

__all__ = ["PAGE", "Study", "run"]

PAGE = HERE.parents[1] / "docs" / "combinations.md"
ALL_WAYS = (*WAYS, WAY)
STRATEGY_FILES = 1000
"""How many strategy files of regions the page tells of."""


@dataclass(slots=True)
class Study:
    """All verdicts of one run."""

    seed: int
    verdicts: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> list[Verdict]:
        """Combinations that went otherwise than they must."""
        return [one for one in self.verdicts if one.fault]

    @property
    def refused(self) -> list[Verdict]:
        """Combinations that were refused."""
        return [one for one in self.verdicts if one.refusals]

    @property
    def proved(self) -> list[Verdict]:
        """Combinations that were generated and are right."""
        return [one for one in self.verdicts if one.proved]

    def refusals(self) -> dict[str, list[Refusal]]:
        """Messages of refusals, by what they have in common; the most frequent first."""
        found: dict[str, list[Refusal]] = {}
        for one in self.refused:
            for refusal in one.refusals:
                found.setdefault(template_of(refusal.message), []).append(refusal)
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


Drawer = Callable[[int, int], Combination]


def _judged(drawn: Drawer, seed: int, number: int) -> Verdict:
    return judge(drawn(seed, number))


def run(seed: int, count: int, jobs: int = 1, drawn: Drawer = draw) -> Study:
    """Judge ``count`` combinations."""
    started = time.monotonic()
    study = Study(seed, list(_all(partial(_judged, drawn, seed), range(count), jobs)))
    study.seconds = time.monotonic() - started
    return study


def _all(judged: partial[Verdict], numbers: Iterable[int], jobs: int) -> Iterator[Verdict]:
    if jobs == 1:
        yield from map(judged, numbers)
        return
    with get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(judged, numbers, chunksize=8)


# -- showing ----------------------------------------------------------------------------------


def summary(study: Study) -> str:
    """The counts, one a line."""
    total = len(study.verdicts)
    nodes = [one.nodes for one in study.proved] or [0]
    names = [way for way in ALL_WAYS if _count_way(study.verdicts, way)]
    ways = ", ".join(f"{_count_way(study.proved, way)} of {_count_way(study.verdicts, way)} {way}" for way in names)
    return "\n".join(
        [
            f"seed {study.seed}: {total:,} combinations of model, layout and phase",
            f"proved {len(study.proved):,} ({ways}); {sum(nodes):,} nodes, {max(nodes):,} at most in a graph",
            f"refused with reason and hint: {len(study.refused):,}, in {len(study.refusals())} kinds of message",
            f"faults: {len(study.faults) or 'none'}",
        ]
    )


def _count_way(verdicts: list[Verdict], way: str) -> int:
    return sum(one.combination.way == way for one in verdicts)


def table(study: Study) -> str:
    """Markdown: how often each feature occurred, and in how many combinations that were refused and proved."""
    counts = {name: Counter[str]() for name in ("all", "refused", "proved")}
    for name, verdicts in (("all", study.verdicts), ("refused", study.refused), ("proved", study.proved)):
        for one in verdicts:
            counts[name].update(one.features)
    rows = [
        f"| {feature} | {' | '.join(str(held[feature]) for held in counts.values())} |"
        for feature in sorted(counts["all"])
    ]
    return "\n".join(["| feature | combinations | refused | proved |", "|---|--:|--:|--:|", *rows])


def refusal_table(study: Study) -> str:
    """Markdown: the kinds of refusal with an example."""
    rows = []
    for refusals in study.refusals().values():
        first = min(refusals, key=lambda one: (len(one.message) + len(one.hint), one.message))
        rows.append(f"| {len(refusals)} | {_cell(first.message)} | {_cell(first.hint)} |")
    return "\n".join(["| times | like | hint |", "|--:|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*")


def failures(study: Study) -> str:
    """Each fault with its document."""
    return "\n\n".join(
        f"{one.combination.number} (seed {one.combination.seed}, {one.combination.way}): {one.fault}\n"
        f"{json.dumps(one.combination.document)}"
        for one in study.faults
    )


def show(drawn: Drawer, seed: int, number: int) -> str:
    """One combination: its document, and what becomes of it."""
    one = _judged(drawn, seed, number)
    said = [f"refused: {refusal.message}\nhint: {refusal.hint}" for refusal in one.refusals]
    outcome = one.fault or (f"proved, {one.nodes} nodes" if one.proved else "")
    return "\n".join([json.dumps(one.combination.document, indent=1), one.combination.way, *said, outcome])


_INTRO = """\
# Random combinations

Does the generator carry whatever is put together? Models, layouts and phases are drawn at random: kinds of layer in
patterns, mixers, gates and ends with any of their options, small sizes; meshes and cuts that are pieces of known plans,
such plans bent at a random place, or cuts of anything by anything; stages, ways to draw, forward, prefill and decode.

- What is **accepted** must be right: the graph is written and read, every rule is asked (no error, no warning but about
  repeated work), it is run on simulated GPUs beside the unsharded model and equals it node by node, and FLOPs and
  weights of all GPUs together, replicas counted once, are those of the model on one GPU.
- What is **refused** is refused before anything is written, with a message that says why and a hint that says what to
  do, never with another exception. Pieces that fit are not refused. Where the hint names degrees, stages or another
  layout, the document is changed so and must go.

One warning is true of many of these plans and no fault of theirs: SCH603, several GPUs do the same work. A plan that
cuts heads and leaves the vocabulary whole computes the same logits on every rank. Any other warning counts as a fault,
of the plan or of the rule.

```sh
python3 dev.py combinations --count {count} --seed {seed}
```

gives what follows, the same on every machine, and shows the document of every fault. `--only NUMBER` shows one
combination; `--write-docs` writes this page. The draws are `tests/published/draw.py`; a fixed sample runs with the
tests. Plans that are known by name, on published models and against published software, are `tests/helpers/plans.py`
and `tests/published/test_golden.py`.

"""

_REGIONS = """\
## Strategy files

The same is asked of strategy files that are drawn line by line: any axes of 1 to 4 ranks in any order, on one mesh or
two (also on the same GPUs), each place of `[regions]` cut along any of them, every choice of `[operators]`, now and
then `[store]`, `[dtypes]`, a pipeline and decode steps with regions of their own. The draws are
`tests/published/draw_regions.py`.

```sh
python3 dev.py combinations --regions --count {count} --seed {seed}
```

"""


def page(study: Study, count: int, files: Study) -> str:
    """The page of the documentation."""
    parts = [
        f"```\n{summary(study)}\n```\n",
        _REGIONS.format(count=STRATEGY_FILES, seed=files.seed) + f"```\n{summary(files)}\n```\n",
        "## What was drawn\n",
        f"{table(study)}\n",
        "## Why combinations were refused\n",
        "The shortest message of each kind.\n",
        f"{refusal_table(study)}\n",
    ]
    return _INTRO.format(seed=study.seed, count=count) + "\n".join(parts)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=2000, help="combinations to judge")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--regions", action="store_true", help="draw strategy files of meshes, regions, ways to draw")
    parser.add_argument("--only", type=int, help="show one combination")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    drawn = draw_regions if options.regions else draw
    if options.only is not None:
        print(show(drawn, options.seed, options.only))
        return 0
    study = run(options.seed, options.count, options.jobs, drawn)
    print(table(study), refusal_table(study), summary(study), failures(study), sep="\n\n")
    print(f"{study.seconds:.0f} s", file=sys.stderr)
    if options.write_docs:
        files = run(options.seed, STRATEGY_FILES, options.jobs, draw_regions)
        PAGE.write_text(page(study, options.count, files), encoding="utf-8")
    return 1 if study.faults else 0


if __name__ == "__main__":
    sys.exit(main())
