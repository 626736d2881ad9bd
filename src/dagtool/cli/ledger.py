"""Count what every rank of a deployment holds, computes and exchanges: of words, a launch line, a preset or a file.

dagtool ledger --model config.json -- vllm serve MODEL -tp 8
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._strategy import MODEL_GROUP, strategy_options

if TYPE_CHECKING:
    from dagtool.generators.request import Request
    from dagtool.ledger.ask import Planned

__all__ = ["command"]


@click.command(
    "ledger",
    cls=GroupedCommand,
    option_groups={**MODEL_GROUP, "The GPU": "gpu-memory cluster gpus reserve", "Output": "output-format output diff"},
    epilog="Examples: dagtool ledger tp8_sp --model llama-3.1-70b --cluster 1xh100x8; dagtool ledger --model c.json"
    " -- vllm serve MODEL -tp 8 --max-model-len 32768\n\nFrameworks: vLLM, SGLang, Megatron-LM, torchtitan (its TOML"
    " as well). A flag that changes layout or memory and is not understood is an error.\n\nExit status: 0 it fits or no"
    " capacity is given, 1 it does not fit, 2 it cannot be read, is refused by its framework, or cannot be built.",
)
@click.argument("name", metavar="WORDS|NAME|FILE.toml | -- LAUNCH LINE", nargs=-1, type=click.UNPROCESSED)
@strategy_options
@click.option("--line", "line_file", metavar="FILE|-", help="Read the launch line from a file.")
@click.option("--gpus", type=click.IntRange(1, 1 << 20), help="How many GPUs, where a training line does not say.")
@click.option("--gpu-memory", metavar="SIZE", help="What a GPU has: 80GiB or 80GB.")
@click.option("--cluster", metavar="NODESxGPUxGPUS|FILE.toml", help="Cluster to deploy on; sets the memory of a GPU.")
@click.option("--reserve", metavar="SIZE", help="Memory kept for the CUDA context and NCCL.  [default: about 3.9 GiB]")
@click.option(
    "--diff", "before", metavar="FILE.json", help="Show what changed against a ledger written as JSON before."
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
)
@click.option("-o", "--output", metavar="FILE|-", default="-", show_default=True, help="Where to write.")
def command(
    *,
    name: tuple[str, ...],
    request: Request,
    line_file: str | None,
    gpus: int | None,
    gpu_memory: str | None,
    cluster: str | None,
    reserve: str | None,
    before: str | None,
    output_format: str,
    output: str,
) -> int:
    """Count bytes, FLOPs and collectives of every rank: of words like tp8_sp, or of a launch line behind --."""
    import gc

    gc.disable()
    from dagtool.cli._capacity import capacity_of, size_of
    from dagtool.errors import DagtoolError
    from dagtool.files import read_bytes, write_text
    from dagtool.ledger.ask import ledger_of
    from dagtool.ledger.formats import FORMATS, format_diff
    from dagtool.model.cluster import cluster as find_cluster

    planned = _planned(name, request, line_file, gpus)
    if gpus is not None and planned.plan is not None and planned.plan.gpus != gpus:
        raise DagtoolError(f"--gpus {gpus}, but {planned.name} takes {planned.plan.gpus}", "leave --gpus out")
    memory_bytes = capacity_of(gpu_memory, cluster) or size_of("gpu_memory", planned.strategy.gpu_memory)
    found = ledger_of(planned, gpu_memory_bytes=memory_bytes, reserve_bytes=size_of("--reserve", reserve))
    if cluster and found.gpus > find_cluster(cluster).gpus:
        raise DagtoolError(
            f"{planned.name} takes {found.gpus:,} GPUs, and --cluster {cluster} has {find_cluster(cluster).gpus:,}"
        )
    if before is not None:
        text = format_diff(read_bytes(before).decode("utf-8", "replace"), before, found, output_format)
    else:
        text = FORMATS[output_format](found)
    write_text(output, [text.rstrip("\n") + "\n"])
    return int(found.fits is False)


def _planned(name: tuple[str, ...], request: Request, line_file: str | None, gpus: int | None) -> Planned:
    """What is counted: words, a preset or a file by name, else a launch line."""
    from dagtool.cli._subject import is_strategy
    from dagtool.errors import DagtoolError
    from dagtool.files import read_bytes
    from dagtool.ledger.ask import plan_launch, plan_name

    if line_file is not None:
        if name:
            raise DagtoolError(
                f"a launch line in {line_file}, and {' '.join(name)[:40]!r} beside it", "give one of them"
            )
        return plan_launch([read_bytes(line_file).decode("utf-8-sig", "replace")], request, gpus, line_file)
    if not name:
        hint = "words like tp8_sp with --model, a preset, or a launch line behind --"
        raise DagtoolError("nothing to count", hint)
    if len(name) == 1 and not re.search(r"\s", name[0]) and is_strategy(name[0]) and not _is_training_toml(name[0]):
        return plan_name(name[0], request)
    return plan_launch(name, request, gpus)


def _is_training_toml(name: str) -> bool:
    """Whether a TOML file is a run of torchtitan and not a strategy file."""
    import os

    from dagtool.documents import parse_toml
    from dagtool.errors import DagtoolError
    from dagtool.files import read_bytes

    if not name.endswith(".toml") or not os.path.exists(name):
        return False
    try:
        return bool({"parallelism", "training"} & parse_toml(read_bytes(name), name)[0].keys())
    except DagtoolError:  # told where the file is read as what it is
        return False
