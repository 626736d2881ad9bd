"""For people: each finding with the place it is about, then the checklist of the first graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from dagtool.escape import printable
from dagtool.report.finding import CheckItem, Excerpt, FileReport, Finding, Severity
from dagtool.report.formats import Style
from dagtool.report.outline import outline_lines

__all__ = ["render", "render_finding"]

_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_SCREENFUL = 38  # lines, findings and checklist; the summary has two more
_LAST = 2  # those that tell what was left out
_COMMAND = re.compile(r"\s++(?=::)")
_MARKS = {True: ("✓", "[ok]", "32"), False: ("✗", "[NO]", "31"), None: ("–", "[--]", "2")}


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """The text of all files, file by file."""
    for report in reports:
        yield from _findings(report, style)
        yield from (f"{line}\n" for text in outline_lines(report) for line in _wrapped(text, "", style.width))
        if report.checklist:
            yield _checklist(report.path, report.checklist, style) + "\n"


def _findings(report: FileReport, style: Style) -> Iterator[str]:
    """All of them, or where they are grouped no more than a screenful: the worst first, and what is left out."""
    texts = [render_finding(finding, style) + "\n\n" for finding in report.findings]
    room = _SCREENFUL - (len(report.checklist) + 1 if report.checklist else 0)
    if not report.grouped or sum(text.count("\n") for text in texts) <= room:
        yield from texts
        return
    order = list(range(len(texts)))
    if report.parses:  # of a file that is not DOT the causes come first already
        order.sort(key=lambda number: -report.findings[number].severity.rank)
    shown: list[int] = []
    lines = _LAST
    for number in order:
        lines += texts[number].count("\n")
        if shown and lines > room:
            break
        shown.append(number)
    yield from (texts[number] for number in sorted(shown))
    rest = Counter(report.findings[number].code for number in order if number not in shown)
    if rest:
        codes = ", ".join(f"{code} ({count})" if count > 1 else code for code, count in rest.items())
        much = f"{rest.total()} more finding{'s' if rest.total() > 1 else ''}"
        yield f"and {much}, which --output-format concise lists: {codes[:200]}\n\n"


def _paint(text: str, code: str, style: Style) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if style.color else text


def render_finding(finding: Finding, style: Style) -> str:
    """Head line, place, source line with carets, notes, help."""
    color = _COLORS[finding.severity]
    head = _paint(f"{finding.severity.value}[{finding.code}]", color, style)
    lines = [f"{head}: {_paint(printable(finding.message), '1', style)}"]
    gutter = " " * len(str(finding.line or ""))
    if finding.line is not None:
        first = f" (first of {finding.count:,})" if finding.count > 1 and finding.excerpt is None else ""
        lines.append(f"{gutter}--> {printable(finding.path)}:{finding.line}:{finding.column}{first}")
    elif finding.path:
        lines.append(f"--> {printable(finding.path)}")
    if finding.excerpt:
        lines += _source(finding.line or 0, finding.excerpt, color, style)
    for note in finding.notes:
        lines += _wrapped(note, f"{gutter} = ", style.width)
    if finding.help:
        lines += _wrapped(finding.help, "help: ", style.width)
    if finding.fix:
        fix = f"{finding.fix.applicability.value} fix: {printable(finding.fix.title)}"
        lines += _wrapped(fix, "help: ", style.width)
    return "\n".join(lines)


def _source(line: int, piece: Excerpt, color: str, style: Style) -> list[str]:
    """The excerpt between two bars, underlined."""
    gutter = " " * len(str(line))
    carets = _paint(" ".join(filter(None, ["^" * piece.width, piece.label])), color, style)
    return [f"{gutter} |", f"{line} | {piece.text}", f"{gutter} | {' ' * piece.start}{carets}"]


def _wrapped(text: str, lead: str, width: int) -> list[str]:
    """The text after ``lead``, going on below its first letter.

    No further line begins with ``::``, which is a command to GitHub Actions, also behind blanks.
    """
    lines = wrap(
        _COMMAND.sub("\0", printable(text)),
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def _checklist(path: str, items: Sequence[CheckItem], style: Style) -> str:
    """What is asked of every deployment DAG, with what was found."""
    lines = [f"Checklist of {printable(path)}:"]
    for item in items:
        sign, plain, color = _MARKS[item.passed]
        lines.append(f"  {_paint(sign if style.unicode else plain, color, style)} {printable(item.text)}")
    return "\n".join(lines)
