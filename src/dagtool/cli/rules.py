"""List the rules that validate asks.

dagtool rules
"""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("rules", epilog="\b\nExample:\n  dagtool rules --output-format json")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(output_format: str) -> None:
    """List every rule: code, severity, name, summary. 'dagtool rule CODE' explains one."""
    from dagtool.validators.catalogue import all_rules

    rules = [loaded.rule for loaded in all_rules()]
    if output_format == "json":
        import json

        records = [
            {
                "code": rule.code,
                "name": rule.name,
                "severity": rule.severity.value,
                "summary": rule.summary,
                "requires": list(rule.requires),
                "profile": rule.tier,
                "guesses": rule.guesses,
                "options": [option.key for option in rule.options],
            }
            for rule in rules
        ]
        click.echo(json.dumps({"schema": "dagtool.rules/1", "rules": records}, indent=2))
        return
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        click.echo(f"{rule.code}  {rule.severity.value:<7}  {rule.name:<{width}}  {rule.summary}")
