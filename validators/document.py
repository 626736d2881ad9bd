"""``python -m dagtool.validators.document [FOLDER]``: the pages of the rules, made from the rules.

One page for each rule, with what it says of its bad example, and an index by family.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.precision import judged
from dagtool.validators.rule import FAMILIES, LoadedRule, Rule
from dagtool.validators.wishes import AUTO, DEPLOYMENT, Wishes

__all__ = ["index", "page", "pages", "shown", "write_pages"]

_MADE = "<!-- Made by `python -m dagtool.validators.document` from validators/rules. Do not edit. -->"
_PATH = re.compile(r"(?<![\w/.-])docs/([\w/.-]+\.md)\b")
_WIDEST, _CUT = 300, 60
"""Letters of a line of an example that are printed, and of one that is longer."""
_CODE = re.compile(rf"(?<![\w`\[-])(?:{'|'.join(FAMILIES)})\d\d\b")

_HEAD = f"""# Rules

{_MADE}

`dagtool validate` asks these rules; `dagtool rule CODE` shows one. `--select` and `--ignore` take codes or their
beginnings ([more](../validate.md)). A rule that requires something the graph has not (it is acyclic, it declares its
operators) is skipped, and the summary says so.
Where a rule says `Fix`, some of its findings can be [fixed](../fixes.md): safe ones by `--fix`.

Findings of rules that guess, on other people's files, were judged by eye one by one
([validators/findings.csv](../../validators/findings.csv)). A rule of which less than 9 in 10 are right is asked by
`strict` only.
"""


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {"README.md": index(), **{f"{loaded.rule.code}.md": page(loaded) for loaded in all_rules()}}


def index() -> str:
    """All rules, a table for each family."""
    parts = [_HEAD.rstrip()]
    for prefix, about in FAMILIES.items():
        rules = [loaded.rule for loaded in all_rules() if loaded.rule.code.startswith(prefix)]
        if rules:
            rows = [
                f"| [{one.code}]({one.code}.md) | {one.name} | {one.severity.value} | {one.asked_by} | {one.summary} |"
                for one in rules
            ]
            head = "| code | name | severity | profile | what it finds |\n|---|---|---|---|---|"
            parts += [f"## {rules[0].family}: {about}", "\n".join([head, *rows])]
    return "\n\n".join(parts) + "\n"


def shown(example: str) -> str:
    """An example as it is printed: a line that is too long for a page is cut, and so is a long row of equal ones."""
    lines = [
        line if len(line) <= _WIDEST else f"{line[:_CUT]} … {line[-_CUT // 4 :]}"
        for line in example.strip().split("\n")
    ]
    return "\n".join(line for at, line in enumerate(lines) if at < 2 or line != lines[at - 1])


def page(loaded: LoadedRule) -> str:
    """The page of one rule as Markdown."""
    rule, sections = loaded.rule, loaded.sections
    requires = f" Requires: {', '.join(rule.requires)}." if rule.requires else ""
    fixes = f" Fix: {' or '.join(rule.fixes)}." if rule.fixes else ""
    how_often = f" {judged()[rule.code]}." if rule.code in judged() else ""
    parts = [
        f"# {rule.code} {rule.name}",
        _MADE,
        _linked(sections[""], rule.code),
        f"Severity: {rule.severity.value}. Profile: {rule.asked_by}. Since {rule.since}, {rule.status}."
        f"{requires}{fixes}{_said_of(rule)}{how_often}",
        *_section("What", sections, rule.code),
        *_section("Why", sections, rule.code),
        f"## Bad\n\n```dot\n{shown(loaded.bad)}\n```",
        f"`dagtool validate --select {rule.code}{_switches(loaded)}` says:\n\n```text\n{_said(loaded)}\n```",
        f"## Good\n\n```dot\n{shown(loaded.good)}\n```",
        *_section("Fix", sections, rule.code),
        *_fixable(loaded),
        *_section("References", sections, rule.code),
        "[All rules](README.md)",
    ]
    return "\n\n".join(parts) + "\n"


def _section(name: str, sections: dict[str, str], code: str) -> Iterator[str]:
    if name in sections:
        text = sections[name]
        yield f"## {name}\n\n{_linked(text[:1].upper() + text[1:], code)}"


def _linked(text: str, code: str) -> str:
    """Pages and other rules as links, code in Markdown's spelling."""
    text = _PATH.sub(r"[docs/\1](../\1)", text.replace("``", "`"))
    known = {loaded.rule.code for loaded in all_rules()} - {code}
    return _CODE.sub(lambda match: f"[{match[0]}]({match[0]}.md)" if match[0] in known else match[0], text)


def _said(loaded: LoadedRule) -> str:
    """What the rule finds in its bad example: the example is run."""
    lines: list[str] = []
    for found in check_bytes(loaded.bad.encode(), "bad.dot", [loaded], wishes=_wishes(loaded)).findings:
        place = f":{found.line}:{found.column}" if found.line is not None else ""
        lines += [
            f"{found.path}{place}: {found.severity.value} {found.code} {found.name}: {found.message}",
            *(f"  = {note}" for note in found.notes),
            *([f"  help: {found.help}"] if found.help else []),
        ]
    return "\n".join(lines)


def _wishes(loaded: LoadedRule) -> Wishes:
    """What must be wished for the rule to find its bad example, which may be too small to be seen as a deployment."""
    firm = Wishes({one.key: one.firm for one in loaded.rule.options if one.defaults[1] == one.lenient})
    found = check_bytes(loaded.bad.encode(), "bad.dot", [loaded], wishes=firm).findings
    return firm if found else replace(firm, treat_as=DEPLOYMENT)


def _switches(loaded: LoadedRule) -> str:
    wishes = _wishes(loaded)
    treated = "" if wishes.treat_as == AUTO else f" --treat-as {wishes.treat_as}"
    return "".join(f" --{key} {value}" for key, value in wishes.options.items()) + treated


def write_pages(folder: Path) -> None:
    """Write every page, and remove those of rules that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for stale in {path.name for path in folder.glob("*.md")} - made.keys():
        (folder / stale).unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _fixable(loaded: LoadedRule) -> Iterator[str]:
    if loaded.fixable != loaded.bad:
        yield f"This one can be fixed:\n\n```dot\n{loaded.fixable.strip()}\n```"


def _said_of(rule: Rule) -> str:
    """Its switches, and whether it guesses."""
    options = ", ".join(f"`--{option.key}`" for option in rule.options)
    unmeasured = rule.guesses and rule.code not in judged()
    guesses = " A guess by titles: its precision has not been measured." if unmeasured else ""
    return (f" Switched by {options}." if options else "") + guesses


if __name__ == "__main__":
    write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/rules"))
