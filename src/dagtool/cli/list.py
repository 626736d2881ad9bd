"""List the presets and the GPUs; with a name also where its document is wrong.

dagtool list ep16_tp4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._complete import complete_presets
from dagtool.escape import as_lines

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
    """List the presets and the GPUs; with a NAME also where its document is wrong.

    'dagtool list models' lists the models that ship with dagtool, 'dagtool list words' the words of strategies.
    """
    import json

    from dagtool.errors import DagtoolError, did_you_mean
    from dagtool.generators import find_strategy
    from dagtool.generators.presets import preset_names
    from dagtool.model.cluster import gpu_names

    if names in (("models",), ("words",)):
        click.echo((_models if names == ("models",) else _words)(as_json=output_format == "json"))
        return
    for name in names:
        if name not in preset_names() and not name.endswith(".toml"):
            hint = did_you_mean(name, [*preset_names(), "models", "words"]) or f"presets: {', '.join(preset_names())}"
            raise DagtoolError(f"there is no preset {name!r}", hint)
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


def _models(*, as_json: bool) -> str:
    """The models of the zoo with their parameters."""
    import json

    from dagtool.generators.parameters import parameter_count
    from dagtool.model.zoo import find_model, zoo_names

    rows = []
    for name in zoo_names():
        found = find_model(name)
        model, sizes = found.published.model, found.published.sizes
        counts = [parameter_count(model, sizes, active=active) for active in (False, True)]
        rows.append((name, found.published.model_type, *counts, found.source))
    if as_json:
        keys = ("name", "model_type", "parameters", "active_parameters", "source")
        return json.dumps({"schema": "dagtool/list/1", "models": [dict(zip(keys, row, strict=True)) for row in rows]})
    lines = [f"{'name':<24}{'family':<14}{'parameters':>18}{'active':>18}"]
    lines += [f"{name:<24}{family:<14}{total:>18,}{active:>18,}" for name, family, total, active, _ in rows]
    return "\n".join([*lines, "", "For --model; a config.json of these families is read as well."])


def _words(*, as_json: bool) -> str:
    """The words of strategies."""
    import json

    from dagtool.generators.plans.words import WORDS

    if as_json:
        rows = [{"word": word.name, "spellings": word.spellings, "meaning": word.meaning} for word in WORDS]
        return json.dumps({"schema": "dagtool/list/1", "words": rows}, indent=2)
    shown = [(f"{word.name}{'' if word.number is False else 'N' if word.number else '[N]'}", word) for word in WORDS]
    return "\n".join(f"{text:<10}  {word.meaning}" for text, word in shown)


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
    return as_lines(lines)
