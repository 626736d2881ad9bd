"""How fast, beside C Graphviz on the same file in the same run: a table, and whether our limits are kept.

``python tests/benchmarks/bench_main.py [NAME] [--set K=V …] [--large] [--runs N]``; status 1 if one is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from measure import Program, measure

LARGE = ("ep=256", "E=256", "B=2048", "L=64")
READ = "import gc, sys; gc.disable(); import dagtool; dagtool.read(sys.argv[1])"
PYDOT = "import sys, pydot; pydot.graph_from_dot_file(sys.argv[1])"
NETWORKX = (
    "import sys, networkx; graph = networkx.nx_pydot.read_dot(sys.argv[1]);"
    "assert networkx.is_directed_acyclic_graph(graph)"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a program may take: so many times as long as another, so many megabytes, at least so many nodes/s."""

    times: float = 0.0
    beside: str = "gc -n -e"
    megabytes: float = 0.0
    nodes_per_second: float = 0.0


LIMITS = {"gen": Limit(times=4), "validate": Limit(times=8), "schedule": Limit(times=2, beside="validate")}
LARGE_LIMITS = {"gen": Limit(megabytes=1024, nodes_per_second=100_000), "validate": Limit(times=8, megabytes=5120)}
START_LIMITS = {"dagtool --help": Limit(times=3, beside="python -c pass")}


class Table:
    """Rows on standard output; remembers which limits were missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def show(self, title: str, programs: list[Program], limits: dict[str, Limit], nodes: int, base: str) -> None:
        """One block: every program with its seconds, nodes per second, memory, and ratio to ``base``."""
        by_name = {program.name: program for program in programs}
        print(f"\n{title}")
        print(f"  {'':<26}{'seconds':>9}{'nodes/s':>12}{'peak MB':>9}{'x ' + base:>18}  limit")
        for program in programs:
            rate = f"{nodes / program.median:>12,.0f}" if nodes else f"{'-':>12}"
            ratio = f"{program.median / by_name[base].median:>18.2f}" if base in by_name else f"{'-':>18}"
            limit = limits.get(program.name)
            checked = self._check(program, limit, by_name, nodes) if limit else ""
            print(
                f"  {program.name:<26}{program.median:>9.3f}{rate}{program.megabytes:>9.0f}{ratio}  {checked}".rstrip()
            )

    def _check(self, program: Program, limit: Limit, by_name: dict[str, Program], nodes: int) -> str:
        parts: list[tuple[str, bool]] = []
        if limit.times and limit.beside in by_name:
            kept = program.median <= limit.times * by_name[limit.beside].median
            parts.append((f"<= {limit.times:g} x {limit.beside}", kept))
        if limit.megabytes:
            parts.append((f"<= {limit.megabytes:,.0f} MB", program.megabytes <= limit.megabytes))
        if limit.nodes_per_second:
            parts.append(
                (f">= {limit.nodes_per_second:,.0f} nodes/s", nodes >= limit.nodes_per_second * program.median)
            )
        self.missed += [f"{program.name}: {text}" for text, kept in parts if not kept]
        return ", ".join(f"{text} {'kept' if kept else 'MISSED'}" for text, kept in parts)


def _dagtool(*arguments: str) -> list[str]:
    script = os.path.join(os.path.dirname(sys.executable), "dagtool")
    return [script, *arguments] if os.path.exists(script) else [sys.executable, "-m", "dagtool", *arguments]


def _count(file: str) -> tuple[int, int]:
    """Nodes and edges, by the form in which we write them: one statement a line."""
    nodes = edges = 0
    with open(file, encoding="utf-8") as stream:
        for line in stream:
            edges += " -> " in line[:200].partition("[")[0]
            nodes += line.endswith("];\n") and " -> " not in line[:200].partition("[")[0]
    return nodes - 3, edges  # the graph, node and edge defaults


def _main_job(table: Table, name: str, settings: tuple[str, ...], runs: int, limits: dict[str, Limit]) -> None:
    """gen, read, validate, path and schedule of one DAG, beside C Graphviz reading the same file."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "graph.dot")
        sets = [part for setting in settings for part in ("--set", setting)]
        programs = [
            Program("gen", _dagtool("gen", name, *sets, "-q", "-o", file)),
            Program("read", [sys.executable, "-c", READ, file]),
            Program("validate", _dagtool("validate", file)),
            Program("path", _dagtool("path", file)),
            Program("schedule", _dagtool("schedule", file)),
        ]
        if shutil.which("gc") and shutil.which("acyclic"):
            programs += [Program("gc -n -e", ["gc", "-n", "-e", file]), Program("acyclic -n", ["acyclic", "-n", file])]
        measure(programs, runs)
        nodes, edges = _count(file)
        size = os.path.getsize(file) / 1e6
    title = " ".join([name, *sets])
    how = f"{nodes:,} nodes, {edges:,} edges, {size:,.1f} MB; median of {runs}"
    table.show(f"{title}: {how}", programs, limits, nodes, "gc -n -e")


def _python_readers(table: Table, runs: int) -> None:
    """Other Python ways to read a small file."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "pp2.dot")
        subprocess.run(_dagtool("gen", "pp2", "-q", "-o", file), check=True)
        programs = [
            Program("read", [sys.executable, "-c", READ, file]),
            Program("validate", _dagtool("validate", file)),
            Program("pydot: read", [sys.executable, "-c", PYDOT, file]),
            Program("networkx: read, acyclic", [sys.executable, "-W", "ignore", "-c", NETWORKX, file]),
        ]
        measure(programs, runs)
        nodes, edges = _count(file)
    table.show(f"pp2: {nodes:,} nodes, {edges:,} edges; median of {runs}", programs, {}, nodes, "read")


def _start_up(table: Table, runs: int) -> None:
    programs = [
        Program("dagtool --help", _dagtool("--help")),
        Program("dagtool gen --help", _dagtool("gen", "--help")),
        Program("dagtool rule GRF101", _dagtool("rule", "GRF101")),
        Program("python -c pass", [sys.executable, "-c", "pass"]),
    ]
    measure(programs, runs)
    table.show(f"start-up; median of {runs}", programs, START_LIMITS, 0, "python -c pass")


def main() -> int:
    """Run the blocks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="ep16_tp4", help="preset or strategy file (ep16_tp4)")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="K=V", help="as for dagtool gen")
    parser.add_argument("--large", action="store_true", help=f"also ep16_tp4 with {' '.join(LARGE)}: a minute or two")
    parser.add_argument("--runs", type=int, default=7, help="runs of each program, taking turns (7)")
    options = parser.parse_args()
    table = Table()
    if not (shutil.which("gc") and shutil.which("acyclic")):
        print("C Graphviz (gc, acyclic) is not here: nothing is compared with it, and no ratio to it is asked for.")
    _start_up(table, 3 * options.runs)
    limits = LIMITS if (options.name, options.settings) == ("ep16_tp4", []) else {}
    _main_job(table, options.name, tuple(options.settings), options.runs, limits)
    _python_readers(table, max(1, options.runs // 3))
    if options.large:
        _main_job(table, "ep16_tp4", LARGE, max(1, options.runs // 3), LARGE_LIMITS)
    print(f"\n{'missed: ' + '; '.join(table.missed) if table.missed else 'All limits kept.'}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
