"""``python -m dagtool.validators.document > docs/rules.md``: the rules' page, made from the rules."""

from __future__ import annotations

import sys

from dagtool.validators.catalogue import all_rules
from dagtool.validators.rule import LoadedRule

__all__ = ["page"]

_HEAD = """# Rules

<!-- Made by `python -m dagtool.validators.document > docs/rules.md`. Do not edit. -->

`dagtool validate` asks these rules; `dagtool rule CODE` shows one. The first letters of a code are its
family: DOT syntax, GRF structure, DIM shapes, SHD sharding, COM collectives, DEV placement, SCH critical path,
MOD the model, STY look. `--select` and `--ignore` take codes or their beginnings. A rule that requires
something the graph has not (it is acyclic, it declares its operators) is skipped, and the summary says so.
Where a rule says `Fix`, some of its findings can be [fixed](fixes.md): safe ones by `--fix`.
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
    requires = f" Requires: {', '.join(rule.requires)}." if rule.requires else ""
    fixes = f" Fix: {' or '.join(rule.fixes)}." if rule.fixes else ""
    parts = [
        f"## {rule.code} {rule.name}",
        f"Severity: {rule.severity.value}. Profile: {rule.tier}.{requires}{fixes}",
        loaded.doc.strip(),
        f"Bad:\n\n```dot\n{loaded.bad.strip()}\n```",
        f"Good:\n\n```dot\n{loaded.good.strip()}\n```",
    ]
    if loaded.fixable != loaded.bad:
        parts.append(f"Fixable:\n\n```dot\n{loaded.fixable.strip()}\n```")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
