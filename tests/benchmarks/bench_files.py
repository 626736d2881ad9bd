"""How fast files of other people are checked: one large one, and a folder of many in one process and in two.

``python tests/benchmarks/bench_files.py [FOLDER] [--runs N]``: without a folder, one of 60 files is made.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

from measure import Program, measure

LARGE = 12_791
"""Nodes of the largest file that people wrote, as far as we know."""
_OPERATORS = ("LayerNorm", "QKV Projection", "Attention Scores", "Softmax", "Output Projection", "Residual Add", "GELU")
_SHAPE = "batch_size=128, seq_len=10240, heads=16, d_k=64"


def foreign_nodes(gpus: int) -> Iterator[tuple[str, str]]:
    """Ids and labels without end, layer by layer: each operator on each GPU."""
    layer = 0
    while True:
        for operator in _OPERATORS:
            for gpu in range(gpus):
                name = f"layer{layer}_{operator.lower().replace(' ', '_')}_gpu{gpu}"
                yield (
                    name,
                    rf"{operator}\nLayer {layer}, head group {gpu}\nGPU: {gpu}\nInput: [{_SHAPE}]\nOutput: [{_SHAPE}]",
                )
        layer += 1


def write(path: Path, nodes: int, gpus: int) -> None:
    """A file as people write them: everything in the labels, each operator after the one before on its GPU."""
    chosen = list(islice(foreign_nodes(gpus), nodes))
    lines = [f'    {name} [label="{label}", shape=rectangle, style=filled]' for name, label in chosen]
    names = [name for name, _ in chosen]
    for column in range(gpus):
        lines += [f"    {tail} -> {head}" for tail, head in pairwise(names[column::gpus])]
    path.write_text("digraph {\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")


def _validate(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dagtool", "validate", "--no-config", "--fail-on", "never", *arguments]


def main() -> int:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="DOT files to check")
    parser.add_argument("--nodes", type=int, default=LARGE, help=f"nodes of the large file ({LARGE})")
    parser.add_argument("--files", type=int, default=60, help="files of the folder that is made (60)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, taking turns (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        large = Path(temporary, "large.dot")
        write(large, options.nodes, gpus=64)
        folder = Path(options.folder or Path(temporary, "many"))
        if not options.folder:
            folder.mkdir()
            for number in range(options.files):
                write(folder / f"{number}.dot", 600, gpus=8)
        files = [path for path in folder.rglob("*") if path.suffix in (".dot", ".gv")]
        programs = [
            Program("one large file", _validate(str(large))),
            Program("all files, --jobs 1", _validate("--jobs", "1", str(folder)), accepts=(0, 2)),
            Program("all files, --jobs 2", _validate("--jobs", "2", str(folder)), accepts=(0, 2)),
            Program("all files, as it pays", _validate(str(folder)), accepts=(0, 2)),
        ]
        measure(programs, options.runs)
        sizes = large.stat().st_size / 1e6, sum(path.stat().st_size for path in files) / 1e6
    print(f"large file: {options.nodes:,} nodes, {sizes[0]:.1f} MB; folder: {len(files):,} files, {sizes[1]:.1f} MB")
    print(f"{os.cpu_count()} cores; the median of {options.runs} runs, and the best")
    for program in programs:
        best = min(program.seconds)
        ratio = f"  x {min(programs[1].seconds) / best:.2f}" if program is not programs[0] else ""
        print(f"  {program.name:<24}{program.median:>8.2f} s{best:>8.2f} s{program.megabytes:>7.0f} MB{ratio}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
