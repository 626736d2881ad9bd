"""List the presets and the GPUs; with a name also where its document is wrong.

dagtool list ep16_tp4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._complete import complete_presets

if TYPE_CHECKING:
    from dagtool.generators.strategy import Strategy
    from dagtool.model.cluster import Link

__all__ = ["command"]


@click.command(
    "list",
    epilog="Examples: dagtool list, dagtool list ep16_tp4\n\nExit status: 0, or 2 for an unknown name.",
)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=complete_presets)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(names: tuple[str, ...], output_format: str) -> None:
    """List the presets and the GPUs; with a NAME also where its document is wrong."""
    import json

    from dagtool.generators import find_strategy
    from dagtool.generators.presets import preset_names
    from dagtool.model.cluster import gpu_names

    found = [find_strategy(name) for name in names or preset_names()]
    if output_format == "json":
        rows = {"schema": "dagtool/list/1", "presets": list(map(_row, found))}
        click.echo(json.dumps(rows if names else rows | {"gpus": list(map(_gpu_row, gpu_names()))}, indent=2))
    elif names:
        click.echo("\n\n".join(map(_sheet, found)))
    else:
        width = max(len(strategy.name) for strategy in found)
        click.echo("\n".join(f"{strategy.name:<{width}}  {strategy.summary}" for strategy in found))
        click.echo("\nGPUs, for --cluster NODESxGPUxGPUS as in 2xh100x8:")
        click.echo("\n".join(map(_gpu_line, gpu_names())))


def _gpu_row(name: str) -> dict[str, Any]:
    from dagtool.model.cluster import find_gpu

    gpu = find_gpu(name)
    return {
        "name": gpu.short,
        "full_name": gpu.name,
        "gpus_per_node": gpu.gpus_per_node,
        "memory_bytes": gpu.memory_bytes,
        "memory_bytes_per_s": gpu.memory_bytes_per_s,
        "flops_per_s": gpu.flops_per_s,
        "inside": _link_row(gpu.inside),
        "between": _link_row(gpu.between),
    }


def _link_row(link: Link) -> dict[str, Any]:
    return {"name": link.name, "bytes_per_s_one_way": link.bytes_per_s_one_way}


def _gpu_line(name: str) -> str:
    from dagtool.model.cluster import find_gpu

    gpu = find_gpu(name)
    peak = gpu.flops_per_s["bf16"] / 1e12
    return (
        f"{gpu.short:<8}  {peak:>6.0f} TFLOP/s bf16  {gpu.memory_bytes / 2**30:>4.0f} GiB at"
        f" {gpu.memory_bytes_per_s / 1e9:>5.0f} GB/s  {gpu.gpus_per_node:>2} per node:"
        f" {gpu.inside.name} {gpu.inside.bytes_per_s_one_way / 1e9:.0f} GB/s, between nodes"
        f" {gpu.between.name} {gpu.between.bytes_per_s_one_way / 1e9:g} GB/s, one way"
    )


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
