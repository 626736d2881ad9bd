"""Explain one rule, with a bad and a good example.

dagtool rule GRF101
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._complete import complete_rules

if TYPE_CHECKING:
    from dagtool.validators.rule import LoadedRule

__all__ = ["command"]


@click.command(
    "rule",
    epilog="\b\nExamples:\n  dagtool rule GRF101\n  dagtool rule --output-format markdown GRF101\n\n"
    "Exit status: 0, or 2 for an unknown code.",
)
@click.argument("code", shell_complete=complete_rules)
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def command(code: str, output_format: str) -> None:
    """Explain the rule with the code (or name) CODE: what it finds, why it matters, how to mend it."""
    from dagtool.validators.catalogue import find_rule

    loaded = find_rule(code)
    if output_format == "markdown":
        from dagtool.validators.document import page

        click.echo(page(loaded), nl=False)
    elif output_format == "json":
        import json

        click.echo(json.dumps(_record(loaded), indent=2))
    else:
        click.echo(_text(loaded))


def _text(loaded: LoadedRule) -> str:
    from textwrap import indent

    from dagtool.validators.precision import judged
    from dagtool.validators.rule import PROFILES

    rule = loaded.rule
    requires = f", requires {' and '.join(rule.requires)}" if rule.requires else ""
    how_often = f"; {judged()[rule.code]}" if rule.code in judged() else ""
    parts = [
        f"{rule.code} {rule.name} ({rule.severity.value})",
        loaded.doc.strip(),
        *(
            f"--{option.key} {'|'.join(option.values)}: {option.summary}; {', '.join(option.defaults)} in the profiles "
            f"{', '.join(PROFILES)}."
            for option in rule.options
        ),
        f"Bad:\n\n{indent(loaded.bad.strip(), '    ')}",
        f"Good:\n\n{indent(loaded.good.strip(), '    ')}",
        f"Profile {rule.asked_by}, since {rule.since}, {rule.status}{requires}{how_often}. "
        f"The same as a page: {rule.page}",
    ]
    if rule.fixes:
        parts.append(f"Some of its findings have a fix ({' or '.join(rule.fixes)}): dagtool validate --diff")
    return "\n\n".join(parts)


def _record(loaded: LoadedRule) -> dict[str, object]:
    """The contract: keys are added, never changed."""
    from dagtool.validators.rule import SECTIONS, rule_record

    texts = {name.lower(): loaded.sections.get(name) for name in SECTIONS}
    return {"schema": "dagtool.rule/1", **rule_record(loaded.rule), **texts, "bad": loaded.bad, "good": loaded.good}
