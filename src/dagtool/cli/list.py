"""``dagtool list``: what can be generated."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("list", epilog="Example: dagtool list\n\nExit status: 0.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(output_format: str) -> None:
    """List the presets, with the model and the GPUs of each."""
    import json

    from dagtool.generators import find_strategy
    from dagtool.generators.presets import preset_names

    found = [find_strategy(name) for name in preset_names()]
    if output_format == "json":
        rows = [
            {
                "name": strategy.name,
                "summary": strategy.summary,
                "document": strategy.document,
                "sizes": strategy.sizes,
                "degrees": strategy.degrees,
                "gpus": len({gpu for mesh in strategy.meshes().values() for gpu in mesh.gpus}),
            }
            for strategy in found
        ]
        click.echo(json.dumps({"schema": "dagtool/list/1", "presets": rows}, indent=2))
        return
    width = max(len(strategy.name) for strategy in found)
    for strategy in found:
        sizes = " ".join(f"{symbol}={value}" for symbol, value in strategy.sizes.items())
        degrees = " ".join(f"{axis}={degree}" for axis, degree in strategy.degrees.items())
        click.echo(f"{strategy.name:<{width}}  {strategy.summary}")
        click.echo(f"{'':<{width}}  document {strategy.document}; {degrees}; {sizes}")
