"""What an id or attribute value can be: plain text or an HTML-like string."""

from __future__ import annotations


class Html(str):
    """The inner text of an HTML-like string ``<...>``.

    Graphviz keeps ``<a>`` and ``"a"`` apart (two different nodes): an ``Html`` equals only another ``Html``.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Html) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Html, str.__hash__(self)))

    def __repr__(self) -> str:
        return f"Html({str.__repr__(self)})"
