"""The forms in which a ledger is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dagtool.ledger.as_json import format_json
from dagtool.ledger.ledger import Ledger
from dagtool.ledger.text import format_ledger

__all__ = ["FORMATS", "format_diff"]


def _markdown(ledger: Ledger) -> str:
    from dagtool.ledger.as_markdown import format_markdown

    return format_markdown(ledger)


def _page(ledger: Ledger) -> str:
    from dagtool.ledger.as_page import format_page

    return format_page(ledger)


FORMATS: Mapping[str, Callable[[Ledger], str]] = {
    "text": format_ledger,
    "json": format_json,
    "markdown": _markdown,
    "html": _page,
}


def format_diff(before: str, place: str, after: Ledger, output_format: str) -> str:
    """Return what changed against a ledger in JSON. Raises DagtoolError for what is none, or another format."""
    from dagtool.ledger.diff import diff_text

    return diff_text(before, place, after, output_format)
