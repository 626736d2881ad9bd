"""``python docs/sample_labels.py FOLDER --seed 1``: nodes drawn at random, and what was read of them.

Made to be judged by eye: what is claimed, beside the label it was read from. Half of the nodes are drawn from all
nodes alike, half from files drawn alike first, so that a large file does not decide everything.
``docs/labels.csv`` holds the judgements of one such draw; ``precision`` makes the table of docs/labels.md from them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dagtool.dot import DotGraph, DotSyntaxError, parse
from dagtool.foreign import NodeFacts, guess

__all__ = ["FIELDS", "Drawn", "draw", "precision", "read_judgements"]

FIELDS = ("operator", "input", "output", "shape", "GPU", "layer", "stage", "expert", "rank")
SAMPLE, SEED = 200, 3
"""The draw that was judged."""
JUDGEMENTS = Path(__file__).with_name("labels.csv")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One node of the sample. ``line`` is where it stands first in its file; ``claims`` what was read, by field."""

    way: str
    file: str
    line: int
    name: str
    label: str
    shape: str
    claims: Mapping[str, str]

    def digest(self, field: str) -> str:
        """A short mark of what was claimed, to see later that it is read otherwise."""
        return hashlib.sha256(self.claims[field].encode()).hexdigest()[:8]


def claims_of(facts: NodeFacts) -> dict[str, str]:
    """What was read of one node, by field, as text."""
    place = facts.place
    found = {
        "operator": facts.op,
        "input": "; ".join(map(str, facts.inputs)),
        "output": "; ".join(map(str, facts.outputs)),
        "shape": "; ".join(map(str, facts.bare)),
        "GPU": _placement(facts),
        "layer": place.layer,
        "stage": place.stage,
        "expert": place.expert,
        "rank": place.rank,
    }
    return {field: str(value) for field, value in found.items() if value not in ("", None)}


def _placement(facts: NodeFacts) -> str:
    placement = facts.placement
    if placement is None:
        return ""
    text = ",".join([*map(str, placement.gpus), *placement.names])
    text += " to " + ",".join(map(str, placement.to)) if placement.to else ""
    text += f" all({placement.count})" if placement.every else ""
    return f"{text}{' no GPU' if placement.host else ''} ({placement.source.partition(' ')[0]})"


def draw(folder: Path, count: int, seed: int) -> list[Drawn]:
    """``count`` nodes drawn from all, and ``count`` more by file; no node twice. The same for the same seed."""
    graphs = [(path.name, graph) for path in sorted(folder.glob("*.dot")) if (graph := _foreign(path))]
    dice = random.Random(seed)
    every = [(file, node) for file, (_, graph) in enumerate(graphs) for node in range(len(graph.node_ids))]
    uniform = dice.sample(every, min(count, len(every)))
    taken, by_file = set(uniform), list[tuple[int, int]]()
    while len(by_file) < count and len(taken) < len(every):
        file = dice.randrange(len(graphs))
        one = file, dice.randrange(len(graphs[file][1].node_ids))
        if one not in taken:
            taken.add(one)
            by_file.append(one)
    labels = {file: guess(graphs[file][1]).nodes for file in {file for file, _ in taken}}
    return [
        _drawn(way, *graphs[file], node, labels[file][node])
        for way, chosen in (("nodes", uniform), ("files", by_file))
        for file, node in sorted(chosen)
    ]


def _foreign(path: Path) -> DotGraph | None:
    """The first graph of a file that declares nothing; None where there is none."""
    try:
        graphs = parse(path.read_bytes())
    except DotSyntaxError:
        return None
    return graphs[0] if graphs and graphs[0].node_ids and "dagtool" not in graphs[0].attributes else None


def _drawn(way: str, file: str, graph: DotGraph, node: int, facts: NodeFacts) -> Drawn:
    attributes = graph.node_attributes[node]
    return Drawn(
        way, file, graph.node_position(node).line, graph.node_ids[node],
        "\\n".join(attributes.get(key, "") for key in ("label", "xlabel") if key in attributes),
        attributes.get("shape", ""), claims_of(facts),
    )  # fmt: skip


def read_judgements(path: Path = JUDGEMENTS) -> list[dict[str, str]]:
    """Rows of way, file, line, field, verdict (right, wrong, missed), digest."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def precision(rows: Iterable[Mapping[str, str]]) -> str:
    """The table of docs/labels.md: what is claimed, how much of it is right, what is stated and was missed."""
    counts = Counter((row["field"], row["verdict"]) for row in rows)
    table = ["| field | claimed | right | precision | stated, not read |", "|---|---|---|---|---|"]
    for field in FIELDS:
        right, wrong = counts[field, "right"], counts[field, "wrong"]
        share = f"{right / (right + wrong):.3f}" if right + wrong else "-"
        table.append(f"| {field} | {right + wrong} | {right} | {share} | {counts[field, 'missed']} |")
    return "\n".join(table) + "\n"


def _page(sample: Iterable[Drawn]) -> Iterator[str]:
    for number, node in enumerate(sample):
        claims = " | ".join(f"{field}: {text}" for field, text in node.claims.items())
        yield f"{number} {node.file}:{node.line} {node.name} {node.shape}\n    {node.label!r}\n    {claims}\n"


def main() -> None:
    """Print a sample to be judged, or the rows of the judgement table with every claim right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="nodes drawn each way")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rows", action="store_true", help="rows for docs/labels.csv, every claim said to be right")
    options = parser.parse_args()
    sample = draw(options.folder, options.sample, options.seed)
    if not options.rows:
        sys.stdout.writelines(_page(sample))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["way", "file", "line", "field", "verdict", "digest"])
    for node in sample:
        writer.writerows([node.way, node.file, node.line, field, "right", node.digest(field)] for field in node.claims)


if __name__ == "__main__":
    main()
