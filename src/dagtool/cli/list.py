"""List the presets; with a name also where its document is wrong.

dagtool list ep16_tp4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._complete import complete_presets

if TYPE_CHECKING:
    from dagtool.generators.strategy import Strategy

__all__ = ["command"]


@click.command(
    "list",
    epilog="Examples: dagtool list, dagtool list ep16_tp4\n\nExit status: 0, or 2 for an unknown name.",
)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=complete_presets)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(names: tuple[str, ...], output_format: str) -> None:
    """List the presets; with a NAME also where its document is wrong."""
    import json

    from dagtool.generators import find_strategy
    from dagtool.generators.presets import preset_names

    found = [find_strategy(name) for name in names or preset_names()]
    if output_format == "json":
        click.echo(json.dumps({"schema": "dagtool/list/1", "presets": list(map(_row, found))}, indent=2))
    elif names:
        click.echo("\n\n".join(map(_sheet, found)))
    else:
        width = max(len(strategy.name) for strategy in found)
        click.echo("\n".join(f"{strategy.name:<{width}}  {strategy.summary}" for strategy in found))


def _gpus(strategy: Strategy) -> int:
    return len({gpu for mesh in strategy.meshes().values() for gpu in mesh.gpus})


def _row(strategy: Strategy) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "summary": strategy.summary,
        "document": strategy.document,
        "sizes": strategy.sizes,
        "assumed": list(strategy.assumed),
        "degrees": strategy.degrees,
        "gpus": _gpus(strategy),
        "differences": [
            {"document": one.document, "says": one.says, "in_fact": one.in_fact, "reason": one.reason}
            for one in strategy.differences
        ],
    }


def _sheet(strategy: Strategy) -> str:
    """Everything about one preset: configuration and table of differences."""
    sizes = " ".join(f"{symbol}={value or symbol}" for symbol, value in strategy.sizes.items())
    degrees = " ".join(f"{axis}={degree}" for axis, degree in strategy.degrees.items())
    lines = [f"{strategy.name}: {strategy.summary}"]
    lines += [f"  document  {strategy.document}"] if strategy.document else []
    lines += [f"  sizes     {sizes}", f"  degrees   {degrees}, {_gpus(strategy)} GPUs"]
    lines += [f"  assumed   {' '.join(strategy.assumed)} (not in the document)"] if strategy.assumed else []
    lines += [f"  mesh      {mesh}" for mesh in strategy.meshes().values()]
    for one in strategy.differences:
        lines += ["", f"  document {one.document} says  {one.says}"]
        lines += [f"  {'in fact':>{len(one.document) + 14}}  {one.in_fact}"]
        lines += [f"  {'because':>{len(one.document) + 14}}  {one.reason}"]
    return "\n".join(lines)
