"""Tables, aligned as Markdown and as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Table", "as_columns", "as_markdown"]


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows of as many cells; ``right`` are the columns of numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()


def as_markdown(table: Table) -> str:
    """A pipe table whose columns stand below each other; the last one, if it is text, ends where it ends.

    Cells are Markdown already.
    """
    rows = [[cell.replace("\\|", "|").replace("|", "\\|") for cell in row] for row in (table.head, *table.rows)]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    if len(widths) - 1 not in table.right:
        widths[-1] = 3
    rule = ["-" * (width - 1) + ":" if at in table.right else "-" * width for at, width in enumerate(widths)]
    lines = [_padded(row, widths, table.right) for row in rows]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_columns(table: Table) -> list[str]:
    """Lines for a terminal, without bars."""
    rows = [[*row] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(row, widths, table.right)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> list[str]:
    cells = enumerate(zip(row, widths, strict=True))
    return [cell.rjust(width) if at in right else cell.ljust(width) for at, (cell, width) in cells]
