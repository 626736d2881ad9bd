"""``python docs/measure_fixes.py FOLDER``: how many findings of its DOT files fixes remove, as a table."""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from dagtool.fixes import mend
from dagtool.report.finding import FileReport
from dagtool.validators.catalogue import find_rule
from dagtool.validators.engine import check_bytes

__all__ = ["table"]

_WAYS = ("before", "safe", "unsafe")


def table(folder: Path) -> str:
    """One row for each rule of which fixes remove something: findings, and places in brackets, before and after."""
    findings = {way: Counter[str]() for way in _WAYS}
    places = {way: Counter[str]() for way in _WAYS}
    refused, applied = Counter[str](), Counter[str]()
    parsed = Counter[str]()
    files, seconds = 0, 0.0
    for path in sorted(folder.glob("*.dot")):
        data = path.read_bytes()
        check = partial(check_bytes, edits=True)
        begin = time.perf_counter()
        reports = {"before": check(data)}
        for way in ("safe", "unsafe"):
            mended = mend(data, check, unsafe=way == "unsafe")
            reports[way] = mended.report
            applied[way] += len(mended.kept)
            refused[way] += len(mended.refused)
        seconds += time.perf_counter() - begin
        files += 1
        for way, report in reports.items():
            parsed[way] += report.parses
            _count(report, findings[way], places[way])
    rows = ["| rule | found | after `--fix` | after `--fix --unsafe-fixes` |", "|---|---|---|---|"]
    for code in sorted(code for code, count in places["before"].items() if places["unsafe"][code] < count):
        cells = [f"{findings[way][code]:,} ({places[way][code]:,})" for way in _WAYS]
        rows.append(f"| {code} {find_rule(code).rule.name} | {' | '.join(cells)} |")
    totals = [f"{findings[way].total():,} ({places[way].total():,})" for way in _WAYS]
    rows.append(f"| all rules | {' | '.join(totals)} |")
    rows.append(f"| files that Graphviz accepts | {' | '.join(str(parsed[way]) for way in _WAYS)} |")
    said = f"Applied: {applied['safe']} safe, {applied['unsafe']} of both kinds. Refused: {refused['unsafe']}."
    return f"{files} files, {seconds:.1f} s for all three. {said}\n\n" + "\n".join(rows) + "\n"


def _count(report: FileReport, findings: Counter[str], places: Counter[str]) -> None:
    for finding in report.findings:
        findings[finding.code] += 1
        places[finding.code] += finding.count


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])))
