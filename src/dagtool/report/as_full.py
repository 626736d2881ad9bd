"""For people: each finding with the place it is about, then the checklist of the first graph.

Within a file errors come first, then warnings, then infos, each in the order of the file. Where there are several
files, each begins with a line that names it. Every block is followed by a blank line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from textwrap import wrap

from dagtool.escape import printable
from dagtool.report.finding import CheckItem, Excerpt, FileReport, Finding
from dagtool.report.formats import SEVERITY_COLORS, Style
from dagtool.report.outline import outline_lines
from dagtool.report.verdict import describe_report

__all__ = ["render", "render_finding"]

_SCREENFUL = 38  # lines, findings and checklist; the summary has two more
_LAST = 2  # those that tell what was left out
_COMMAND = re.compile(r"(?<!\s)\s++(?=::)")
_MARKS = {True: ("✓", "[ok]", "32"), False: ("✗", "[NO]", "31"), None: ("–", "[--]", "2")}


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Write the text of all files, file by file; the first one waits until it is known whether there is another."""
    reports = iter(reports)
    first = list(islice(reports, 2))
    several = len(first) > 1
    for report in chain(first, reports):
        checklist = _checklist(report, several, style)
        outline = _outline(report, style)
        room = _SCREENFUL - sum(block.count("\n") + 2 for block in (*outline, *checklist))
        heading = [_heading(report, style)] if several and not style.quiet else []
        yield from (f"{block}\n\n" for block in chain(heading, _findings(report, room, style), outline, checklist))


def _heading(report: FileReport, style: Style) -> str:
    """The name of a file between rules, and what it comes to."""
    rule = "──" if style.unicode else "--"
    return f"{rule} {style.paint(printable(report.path), '1')} {rule} {printable(describe_report(report))}"


def _findings(report: FileReport, room: int, style: Style) -> Iterator[str]:
    """The worst first: all of them, or where they are grouped what fits into ``room`` lines, and what is left out."""
    found = sorted(report.findings, key=lambda finding: -finding.severity.rank)  # within each the file's own order
    texts = [render_finding(finding, style) for finding in found]
    sizes = [text.count("\n") + 2 for text in texts]
    shown = len(texts)
    if report.grouped and sum(sizes) > room:
        shown = max(1, sum(lines <= room - _LAST for lines in _running(sizes)))
    yield from texts[:shown]
    if rest := Counter(finding.code for finding in found[shown:]):
        codes = ", ".join(f"{code} ({count})" if count > 1 else code for code, count in rest.items())
        much = f"{rest.total():,} more finding{'s' if rest.total() > 1 else ''}"
        yield f"and {much}, which --output-format concise lists: {codes[:200]}"


def _running(sizes: Iterable[int]) -> Iterator[int]:
    total = 0
    for size in sizes:
        total += size
        yield total


def render_finding(finding: Finding, style: Style) -> str:
    """Write the head line, the place, the source line with carets, notes and help."""
    color = SEVERITY_COLORS[finding.severity]
    head = style.paint(f"{finding.severity.value}[{finding.code}]", color)
    lines = [f"{head}: {style.paint(printable(finding.message), '1')}"]
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
    if style.terminal:
        piece = _cropped(piece, style.width - len(gutter) - len(" | "))
    carets = style.paint(" ".join(filter(None, ["^" * piece.width, piece.label])), color)
    return [f"{gutter} |", f"{line} | {piece.text}", f"{gutter} | {' ' * piece.start}{carets}"]


def _cropped(piece: Excerpt, room: int) -> Excerpt:
    """The excerpt in ``room`` columns, so that a terminal does not break it above its carets."""
    room = max(room, 20)
    if len(piece.text) <= room:
        return piece
    first = max(0, min(piece.start - room // 4, len(piece.text) - room))
    text = piece.text[first : first + room]
    if first:
        text = f"…{text[1:]}"
    if first + room < len(piece.text):
        text = f"{text[:-1]}…"
    start = piece.start - first
    return Excerpt(text, start, max(1, min(piece.width, room - start)), piece.label)


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


def _outline(report: FileReport, style: Style) -> list[str]:
    """What a graph that is no deployment is like."""
    texts = [] if style.quiet else outline_lines(report)
    lines = [
        line for text in texts for line in _wrapped(text.lstrip(), " " * (len(text) - len(text.lstrip())), style.width)
    ]
    return ["\n".join(lines)] if lines else []


def _checklist(report: FileReport, named: bool, style: Style) -> list[str]:
    """What is asked of every deployment DAG, with what was found; ``named`` where the file's name stands above."""
    if not report.checklist or style.quiet:
        return []
    lines = ["Checklist:" if named else f"Checklist of {printable(report.path)}:"]
    if report.guessed:
        why = f"a deployment: {report.evidence}; to check it as DOT alone: --treat-as graph"
        lines[:1] = _wrapped(f"{lines[0][:-1]} ({why}):", "", style.width)
    lines += [line for item in report.checklist for line in _item(item, style)]
    return ["\n".join(lines)]


def _item(item: CheckItem, style: Style) -> list[str]:
    sign, plain, color = _MARKS[item.passed]
    mark = sign if style.unicode else plain
    first, *rest = _wrapped(item.text, " " * (len(mark) + 3), style.width)
    return [f"  {style.paint(mark, color)} {first.lstrip()}", *rest]
