"""``python docs/measure_labels.py FOLDER``: how much of the labels of its DOT files is understood, as a table."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from dagtool.dot import DotSyntaxError, parse
from dagtool.foreign import Guess, guess

__all__ = ["table"]


def table(folder: Path) -> str:
    """One row for each fact: how many nodes state it, in numbers and as a share; once with each file counting alike."""
    total, shares = Counter[str](), defaultdict[str, float](float)
    files, seconds = 0, 0.0
    for path in sorted(folder.glob("*.dot")):
        try:
            graphs = parse(path.read_bytes())
        except DotSyntaxError:
            continue
        if not graphs or "dagtool" in graphs[0].attributes or not graphs[0].node_ids:
            continue
        begin = time.perf_counter()
        counts = _counts(guess(graphs[0]))
        seconds += time.perf_counter() - begin
        files += 1
        total += counts
        for name, count in counts.items():
            shares[name] += count / (counts["letters"] or 1) if name == "left over" else count / counts["nodes"]
    rows = ["| fact | nodes | share | mean of the files' shares |", "|---|---|---|---|"]
    for name in ("operator", "input", "output", "shape without a key", "GPU", "GPU by number", "layer", "expert"):
        rows.append(f"| {name} | {total[name]:,} | {total[name] / total['nodes']:.1%} | {shares[name] / files:.1%} |")
    left = total["left over"] / total["letters"]
    rows.append(
        f"| text left over (letters) | {total['left over']:,} | {left:.1%} | {shares['left over'] / files:.1%} |"
    )
    return f"{files} files, {total['nodes']:,} nodes, {seconds:.2f} s\n\n" + "\n".join(rows) + "\n"


def _counts(labels: Guess) -> Counter[str]:
    found = Counter[str]()
    for facts in labels.nodes:
        found["nodes"] += 1
        found["operator"] += bool(facts.op)
        found["input"] += bool(facts.inputs)
        found["output"] += bool(facts.outputs)
        found["shape without a key"] += bool(facts.bare)
        found["GPU"] += facts.placement is not None
        found["GPU by number"] += facts.placement is not None and facts.placement.exact
        found["layer"] += facts.place.layer is not None
        found["expert"] += facts.place.expert is not None
        found["letters"] += facts.length
        found["left over"] += sum(len(text.replace(" ", "")) for text in facts.rest)
    return found


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])))
