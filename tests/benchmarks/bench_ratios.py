"""Reading and validating beside C Graphviz in one process: processor time as ratios, and whether our limits are kept.

``python tests/benchmarks/bench_ratios.py [FILE …] [--runs N]``: without files, one with everything in its labels is
made, and one of ``dagtool gen``. Graphviz reads by pygraphviz, all take turns, and start-up does not count. Status 1
if a limit is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

import pygraphviz  # type: ignore[import-untyped]
from bench_files import LARGE, write

import dagtool
from dagtool.cli import main as run_dagtool
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes

READING, OWN, FOREIGN = 0.8, 1.5, 4.0
"""Times as long as Graphviz reads: reading our files, validating ours, validating those that declare no operators."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Nodes, seconds of Graphviz, and how many times as long reading and validating take."""

    nodes: int
    declared: bool
    graphviz: float
    read: float
    validate: float

    @property
    def missed(self) -> bool:
        """Whether a limit is missed."""
        if self.declared:
            return self.read > READING or self.validate > OWN
        return self.validate > FOREIGN


def compare(file: Path, runs: int) -> Ratios:
    """Measure one file."""
    data, rules = file.read_bytes(), select_rules()
    dag = to_dag(parse(data)[0])
    check_bytes(data, str(file), rules)  # loads the modules
    programs: list[Callable[[], object]] = [
        lambda: pygraphviz.AGraph(str(file)).close(),
        lambda: dagtool.read(str(file)),
        lambda: check_bytes(data, str(file), rules),
    ]
    seconds: list[list[float]] = [[] for _ in programs]
    for _ in range(runs):
        for program, taken in zip(programs, seconds, strict=True):
            gc.collect()
            started = process_time()
            program()
            taken.append(process_time() - started)
    graphviz, read, validate = map(median, seconds)
    return Ratios(len(dag.ids), dag.declared, graphviz, read / graphviz, validate / graphviz)


def measure_all(files: Sequence[Path], runs: int) -> bool:
    """Print a row for each file; True where all limits are kept."""
    print(f"{'':<32}{'nodes':>9}{'Graphviz':>11}{'read':>8}{'validate':>10}")
    kept = True
    for file in files:
        found = compare(file, runs)
        kept &= not found.missed
        row = f"{file.name:<32}{found.nodes:>9,}{found.graphviz:>9.3f} s{found.read:>7.2f}x{found.validate:>9.2f}x"
        print(row + ("  MISSED" if found.missed else ""))
    return kept


def main() -> int:
    """Measure the files that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--nodes", type=int, default=LARGE, help=f"nodes of the file that is made ({LARGE})")
    parser.add_argument("--preset", default="ep16_tp4", help="what dagtool gen makes (ep16_tp4)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, taking turns (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        files = list(options.files)
        if not files:
            files = [Path(temporary, "labels.dot"), Path(temporary, f"{options.preset}.dot")]
            write(files[0], options.nodes, gpus=64)
            run_dagtool(["gen", options.preset, "-q", "-o", str(files[1])])
        gc.enable()
        kept = measure_all(files, options.runs)
    print("All limits kept." if kept else "A limit is missed.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
