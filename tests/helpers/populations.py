"""All findings of the rules that guess, over files at hand: what is compared, and how it is renewed.

``python tests/helpers/populations.py`` writes ``populations.csv`` anew. Do so only after looking at what changed:
a finding that is new must be judged (``validators/findings.csv``), one that is gone must have been wrong.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from dagtool.report.finding import Finding
from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.precision import judged
from dagtool.validators.wishes import Wishes

__all__ = ["CORPUS", "POPULATIONS", "Row", "files", "findings", "population", "recorded"]

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
KINDS = Path(__file__).resolve().parents[1] / "validators" / "kinds"
POPULATIONS = Path(__file__).resolve().parents[1] / "validators" / "populations.csv"
Row = tuple[str, str, int, str]
"""File, code of the rule, number of findings, and a mark of their lines and messages."""
_CONVENTIONS = {"comm-dashed": "require", "one-gpu-per-node": "require"}


def files() -> list[Path]:
    """The files that are here: small graphs of other kinds, checked as deployments, and the corpus."""
    return [*sorted(KINDS.glob("*.dot")), *(sorted(CORPUS.glob("*.dot")) if CORPUS.is_dir() else ())]


def findings(path: Path) -> list[Finding]:
    """Every finding of a file, each node for itself, as the profile ``strict`` makes them."""
    treat_as = "deployment" if path.parent == KINDS else "auto"
    wishes = Wishes(_CONVENTIONS, treat_as=treat_as)
    return check_bytes(path.read_bytes(), path.name, all_rules(), group=False, wishes=wishes).findings


def population(path: Path) -> list[Row]:
    """Count and mark the findings of a file, for each rule that guesses or whose findings were judged."""
    guessing = {loaded.rule.code for loaded in all_rules() if loaded.rule.guesses or loaded.rule.code in judged()}
    made: dict[str, Counter[str]] = {}
    for found in findings(path):
        if found.code in guessing:
            made.setdefault(found.code, Counter())[f"{found.line} {found.message}"] += 1
    return [
        (path.name, code, lines.total(), sha256("\n".join(sorted(lines.elements())).encode()).hexdigest()[:8])
        for code, lines in sorted(made.items())
    ]


def recorded() -> dict[str, list[Row]]:
    """What was found when it was last looked at, by file."""
    found: dict[str, list[Row]] = {}
    with POPULATIONS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["file"], []).append((row["file"], row["code"], int(row["count"]), row["digest"]))
    return found


def _all_rows() -> Iterator[Row]:
    for path in files():
        yield from population(path)


def main() -> None:
    """Write the table anew."""
    if not CORPUS.is_dir():
        sys.exit("the corpus is not here: the table would lose most of its rows")
    rows = list(_all_rows())
    with POPULATIONS.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "code", "count", "digest"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
