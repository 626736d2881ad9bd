"""Explain one rule, with a bad and a good example.

dagtool rule GRF101
"""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("rule", epilog="\b\nExample:\n  dagtool rule GRF101")
@click.argument("code")
def command(code: str) -> None:
    """Explain the rule with the code (or name) CODE: what it finds, why it matters, how to mend it."""
    from textwrap import indent

    from dagtool.validators.catalogue import find_rule
    from dagtool.validators.precision import judged

    loaded = find_rule(code)
    rule = loaded.rule
    how_often = f"; {judged()[rule.code]}" if rule.code in judged() else ""
    parts = [
        f"{rule.code} {rule.name} ({rule.severity.value}{how_often})",
        loaded.doc.strip(),
        f"Bad:\n\n{indent(loaded.bad.strip(), '    ')}",
        f"Good:\n\n{indent(loaded.good.strip(), '    ')}",
    ]
    click.echo("\n\n".join(parts))
