"""What a piece of text looks like: a statement, a header, a line of a program."""

from __future__ import annotations

import re

_NAME = r'(?:"[^"\n]*+"|[^\W\d]\w*+|-?[\d.]++)'
_STATEMENT = (
    rf'(?:subgraph\b[^\n{{]*+\{{|{_NAME}(?::\w++)*+[ \t]*+(?:\[[ \t]*+\w++[ \t]*+=[^=]|(?:->|--)[ \t]*+["\w{{]))'
)
STATEMENT = re.compile(rf"^[ \t]*+{_STATEMENT}", re.MULTILINE)
"""A line that begins as a statement of DOT does."""
SWALLOWED = re.compile(rf"\n[ \t]*+(?:\}}|{_STATEMENT})")
"""A line break and a statement, or the end of the graph: inside a string, the closing quote is missing."""

_HEADER = r'(?:strict\s++)?(?:di)?graph\b(?:[ \t]++(?:"[^"\n]*+"|[^\s{"\[=]++))?\s*+\{'
HEADER_LINE = re.compile(rf"^[^\w\n#/]*+(?P<header>{_HEADER})", re.MULTILINE | re.IGNORECASE)
HEADER = re.compile(rf"(?<!\w)(?P<header>{_HEADER})", re.IGNORECASE)

CODE = re.compile(
    r"""^[ \t]*+(?:
      \#!
    | (?:import|package|using|\#include)\s++[\w.<"'{*] | from\s++[\w.]++\s++import\b
    | (?:async\s++)?(?:def|function|func|fn)\s++\w++\s*+\( | class\s++\w++.*[:{]\s*+$
    | (?:for|while|if|elif|switch)\s*+\(.*\) | (?:while|if|elif|with)\b.*(?::|;\s*+(?:do|then))\s*+$
    | for\s++\w++(?:\s*+,\s*+\w++)*+\s++in\b.*
    | (?:else|try|finally|do|done|fi|then|esac|end)\s*+:?\s*+$
    | (?:return|echo|export|print|const|let|var|set|cat|mkdir|cd)\b(?!\s*+(?:\[|->|--|=|;)) .*
    | (?:print|printf|console\.log|\w++\.(?:write|append|format|node|edge|join|render)\w*+)\s*+\(
    | \w++\s*+[+]?=\s*+(?:\[|\(|\{|f["']|\w++\(|'''|\"{3}) .*
    | (?:'''|\"{3})
    | \w++\+\+
    )""",
    re.VERBOSE | re.MULTILINE,
)
"""A line of Python, shell, C or JavaScript, and no statement of DOT."""

_LANGUAGES = (
    (
        "Python",
        re.compile(r"^\s*+(?:def |import |from \w|class \w|for \w.*:\s*$|print\(|.*=\s*f?['\"]{1,3}|.*\[f\")", re.M),
    ),
    ("shell", re.compile(r"^\s*+(?:#!.*sh\b|echo |export |cat |for \w+ in .*; *do|done$|fi$)", re.M)),
)
_BEFORE = r"(?:\A|^[ \t]*+(?:```|~~~)[ \t]*+\w*+[ \t]*+\n)(?:\s++|%%[^\n]*+\n|---\n(?:(?!---)[^\n]*+\n)*+---\n)*+"
_MERMAID = (
    r"(?:(?:graph[ \t]++(?:TB|TD|BT|RL|LR)|flowchart(?:-elk)?(?:[ \t]++(?:TB|TD|BT|RL|LR))?)[ \t]*+(?:;|$)(?!\s*+\{)"
    r"|(?:sequence|class|state|er|block|packet)Diagram\b"
    r"|(?:gantt|pie|mindmap|timeline|gitGraph|journey|quadrantChart|block-beta)\b[^\n{]*+$)"
)
_NOTATIONS = (
    ("Mermaid", re.compile(rf"{_BEFORE}(?P<here>{_MERMAID})", re.MULTILINE)),
    ("PlantUML", re.compile(rf"{_BEFORE}(?P<here>@start(?:uml|dot|mindmap|wbs|salt|json|yaml)\b)", re.MULTILINE)),
    ("programs that read GML", re.compile(rf"{_BEFORE}(?P<here>graph\s*+\[)", re.IGNORECASE)),
    ("programs that read XML", re.compile(r"\A\s*+(?P<here><\?xml\b|<graphml\b|<mxfile\b)")),
)


def other_notation(text: str) -> tuple[str, int] | None:
    """The program whose notation a text begins with, if not Graphviz, and where it begins."""
    for name, pattern in _NOTATIONS:
        if found := pattern.search(text[:20_000]):
            return name, found.start("here")
    return None


def language(text: str) -> str:
    """What program text is written in, as far as one sees."""
    for name, pattern in _LANGUAGES:
        if pattern.search(text[:20_000]):
            return f"{name} source code"
    return "source code"
