"""``python -m dagtool.validators.document > docs/rules.md``: the rules' page, made from the rules."""

from __future__ import annotations

import sys

from dagtool.validators.catalogue import all_rules
from dagtool.validators.precision import judged
from dagtool.validators.rule import LoadedRule

__all__ = ["page"]

_HEAD = """# Rules

<!-- Made by `python -m dagtool.validators.document > docs/rules.md`. Do not edit. -->

`dagtool validate` asks these rules; `dagtool rule CODE` shows one. The first letters of a code are its
family: DOT syntax, GRF structure, DIM shapes, SHD sharding, COM collectives, DEV placement, SCH critical path,
MOD the model, STY look. `--select` and `--ignore` take codes or their beginnings. A rule that requires
something the graph has not (it is acyclic, it declares its operators) is skipped, and the summary says so.
Findings of rules that guess, on other people's files, were judged by eye one by one
([validators/findings.csv](../validators/findings.csv)). A rule of which less than 9 in 10 are right is asked by
`strict` only.
"""


def page() -> str:
    """The page as Markdown: a table, then each rule with its examples."""
    rows = ["| code | name | severity | what it finds |", "|---|---|---|---|"]
    for loaded in all_rules():
        rule = loaded.rule
        rows.append(f"| [{rule.code}](#{_anchor(loaded)}) | {rule.name} | {rule.severity.value} | {rule.summary} |")
    return "\n\n".join([_HEAD + "\n" + "\n".join(rows), *map(_section, all_rules())]) + "\n"


def _anchor(loaded: LoadedRule) -> str:
    return f"{loaded.rule.code.lower()}-{loaded.rule.name}"


def _section(loaded: LoadedRule) -> str:
    rule = loaded.rule
    how_often = f" {judged()[rule.code]}." if rule.code in judged() else ""
    requires = f" Requires: {', '.join(rule.requires)}." if rule.requires else ""
    parts = [
        f"## {rule.code} {rule.name}",
        f"Severity: {rule.severity.value}. Profile: {rule.tier}.{requires}{how_often}",
        loaded.doc.strip(),
        f"Bad:\n\n```dot\n{loaded.bad.strip()}\n```",
        f"Good:\n\n```dot\n{loaded.good.strip()}\n```",
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
