"""List the rules that validate asks.

dagtool rules
"""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("rules", epilog="\b\nExample:\n  dagtool rules --output-format json\n\nExit status: 0.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(output_format: str) -> None:
    """List every rule: code, severity, name, summary. 'dagtool rule CODE' explains one."""
    from dagtool.validators.catalogue import all_rules

    rules = [loaded.rule for loaded in all_rules()]
    if output_format == "json":
        import json

        from dagtool.validators.rule import rule_record

        records = list(map(rule_record, rules))
        click.echo(json.dumps({"schema": "dagtool.rules/1", "rules": records}, indent=2))
        return
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        click.echo(f"{rule.code}  {rule.severity.value:<7}  {rule.name:<{width}}  {rule.summary}")
