"""What recovery finds wrong with a text."""

from __future__ import annotations

from dataclasses import dataclass, field

# Causes. Each is the name of the rule that explains it.
UNCLOSED_STRING = "unclosed-string"
UNBALANCED_BRACE = "unbalanced-brace"
NOT_DOT = "not-dot"
LOST_HEADER = "lost-header"
LITERAL_NEWLINE = "literal-newline"
UNQUOTED_LIST = "unquoted-list"
STRAY_TOKEN = "stray-token"


@dataclass(slots=True)
class Problem:
    """One cause, where it first shows. ``line`` and ``column`` begin at 1 and are those of the file."""

    cause: str
    line: int
    column: int
    message: str
    hint: str = ""
    width: int = 1
    excerpt: str = ""
    """The whole line."""
    notes: list[str] = field(default_factory=list)
    more: list[int] = field(default_factory=list)
    """Lines where the same shows again."""
    sure: bool = True
    """Whether these edits are the one way to mend it."""
    unfinished: bool = False
    """Whether it is that the file is cut off."""
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    """What mends it in the text of the file, where all of the file can be mended."""
    drops: bool = False
    """Whether these edits drop words that stand there."""
