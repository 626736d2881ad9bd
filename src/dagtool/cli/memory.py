"""What every GPU must hold, and whether it fits.

dagtool memory moe_tp8_pp2 --gpu-memory 80GiB
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._memory_moment import moment_options, require_no_microbatches, scheduled
from dagtool.cli._option_groups import GroupedCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagtool.cost.memory import Assumptions, MemoryUse
    from dagtool.dag.graph import Dag
    from dagtool.generators.request import Request

from dagtool.cli._strategy import MODEL_GROUP, strategy_options

__all__ = ["command"]


_MOST_TOKENS = 10**12


@click.command(
    "memory",
    cls=GroupedCommand,
    option_groups={
        **MODEL_GROUP,
        "The GPU": "gpu-memory cluster reserve",
        "What is held": "dtype weight-dtype kv-dtype dispatch-dtype prefill decode attention",
    },
    epilog="Examples: dagtool memory moe_tp8_pp2 --gpu-memory 80GiB, dagtool memory ep16_tp4 --cluster 8xh100x8"
    "\n\nExit status: 0 it fits or no capacity is given, 1 it does not fit, 2 the file cannot be read, declares no"
    " operators, or leaves a size a symbol.",
)
@click.argument("name", metavar="NAME|FILE|-")
@strategy_options
@click.option("--gpu-memory", metavar="SIZE", help="What a GPU has: 80GiB or 80GB.  [default: the graph's gpu_memory]")
@click.option("--cluster", metavar="NODESxGPUxGPUS|FILE.toml", help="GPUs that are known, in place of --gpu-memory.")
@click.option("--dtype", default="bf16", show_default=True, help="Of weights and activations: bf16, fp8, fp32, …")
@click.option(
    "--weight-dtype",
    "weight_dtypes",
    multiple=True,
    metavar="[NAME=]TYPE",
    help="Of weights, all or those of one parameter, as moe.up=mxfp4.  [default: as --dtype]",
)
@click.option("--dispatch-dtype", help="Of tokens that are sent to their experts.  [default: as --dtype]")
@click.option("--kv-dtype", help="Of keys and values in the cache.  [default: as --dtype]")
@click.option(
    "--prefill", type=click.IntRange(0, _MOST_TOKENS), help="Tokens of a prompt in the cache.  [default: the graph's S]"
)
@click.option(
    "--decode",
    type=click.IntRange(0, _MOST_TOKENS),
    default=0,
    show_default=True,
    help="Tokens of an answer in the cache.",
)
@click.option(
    "--attention",
    type=click.Choice(["fused", "unfused"]),
    default="fused",
    show_default=True,
    help="Whether scores and softmax are never stored.",
)
@moment_options
@click.option("--reserve", metavar="SIZE", help="What the runtime takes of a GPU.  [default: 3.5 GiB and NCCL's]")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    *,
    name: str,
    request: Request,
    gpu_memory: str | None,
    cluster: str | None,
    dtype: str,
    weight_dtypes: tuple[str, ...],
    dispatch_dtype: str | None,
    kv_dtype: str | None,
    prefill: int | None,
    decode: int,
    attention: str,
    moment: str,
    microbatches: int,
    discipline: str,
    reserve: str | None,
    output_format: str,
) -> int:
    """Say what every GPU must hold: weights, KV cache, activations at their peak, buffers, reserve."""
    import gc

    gc.disable()
    from dagtool.cli._capacity import capacity_of, size_of
    from dagtool.cli._memory_output import as_json, as_text
    from dagtool.cost.dtypes import dtype_bytes, width_bytes
    from dagtool.cost.memory import Assumptions, memory
    from dagtool.errors import DagtoolError

    dag, standing_for = _subject(name, request, whole=moment == "schedule")
    if not dag.declared:
        raise DagtoolError(
            f"{name}: its nodes declare no operators and sizes, so what they hold is not known",
            "'dagtool gen' writes files that do; 'dagtool validate' checks the structure of any file",
        )
    if dispatch_dtype:
        width_bytes(dispatch_dtype)
    given = Assumptions(
        weight_width_bytes=float(dtype_bytes(dtype, "weight")),
        activation_width_bytes=float(dtype_bytes(dtype, "activation")),
        kv_width_bytes=float(dtype_bytes(kv_dtype or dtype, "cache")),
        weight_dtypes=_weight_dtypes(weight_dtypes),
        dispatch_dtype=dispatch_dtype or "",
        context_tokens=_context(dag, prefill, decode),
        fused_attention=attention == "fused",
        reserve_bytes=size_of("--reserve", reserve),
    )
    capacity_bytes = capacity_of(gpu_memory, cluster) or size_of(f"{name}: gpu_memory", dag.facts.get("gpu_memory"))
    try:
        _require_weights(dag, given)
        if moment == "schedule":
            dag, start_s, end_s = scheduled(
                dag, cluster, dtype, given, microbatches=microbatches, discipline=discipline
            )
            use = memory(dag, start_s, given, end_s=end_s)
        else:
            require_no_microbatches(microbatches)
            use = memory(dag, assumptions=given, standing_for=standing_for)
        _require_enough(cluster, use)
    except DagtoolError as error:
        raise DagtoolError(f"{name}: {error.message}", error.hint) from None
    except ValueError as error:
        raise DagtoolError(f"{name}: {error}", f"'dagtool validate {name}' shows it") from None
    say = as_json if output_format == "json" else as_text
    click.echo(say(name, dag, use, given, capacity_bytes))
    return int(capacity_bytes is not None and not use.fits(capacity_bytes))


def _subject(name: str, request: Request, *, whole: bool) -> tuple[Dag, Mapping[int, tuple[int, ...]] | None]:
    """The graph, and for a preset or strategy file, unless it is wanted whole, the GPUs of it that stand for all."""
    from dagtool.cli._subject import is_strategy, load_subject

    if whole or not is_strategy(name):
        return load_subject(name, request), None
    from dagtool.generators.representatives import represent
    from dagtool.generators.request import read_strategy

    found = represent(read_strategy(name, request))
    return found.dag, found.standing_for


def _weight_dtypes(texts: tuple[str, ...]) -> dict[str, str]:
    """Read ``moe.up=mxfp4`` by name, a type alone for all. Raises DagtoolError for an unknown or a second type."""
    from dagtool.cost.dtypes import width_bytes
    from dagtool.errors import DagtoolError

    found: dict[str, str] = {}
    for text in texts:
        name, _, dtype = text.rpartition("=")
        if (name := name or "*") in found:
            raise DagtoolError(f"--weight-dtype says what {'all weights are' if name == '*' else f'{name} is'} twice")
        width_bytes(dtype)
        found[name] = dtype
    return found


def _require_weights(dag: Dag, given: Assumptions) -> None:
    """Each parameter that ``--weight-dtype`` names must be in the graph. Raises DagtoolError."""
    from dagtool.cost.held import held_by_kinds, keys_of_weight
    from dagtool.errors import DagtoolError, did_you_mean

    named = given.weight_dtypes.keys() - {"*"}
    if not named:
        return
    weights = [one.name for kind in held_by_kinds(dag, given) for one in kind.weights]
    known = list(dict.fromkeys(key for weight in weights for key in keys_of_weight(weight)))
    for name in sorted(named.difference(known)):
        hint = did_you_mean(name, known) or f"its weights: {', '.join(known)}"
        raise DagtoolError(f"--weight-dtype: the graph has no weight {name!r}", hint)


def _require_enough(where: str | None, use: MemoryUse) -> None:
    """A deployment does not fit on fewer GPUs than it has."""
    from dagtool.model.cluster import cluster

    if where:
        cluster(where).require(max((gpu for group in use.groups for gpu in group.gpus), default=0))


def _context(dag: Dag, prefill: int | None, decode: int) -> int | None:
    """Tokens of each sequence in the cache; None for as many as the graph has: T with a cache, S without."""
    from dagtool.errors import DagtoolError

    if prefill is None and not decode:
        return None
    length = "T" if any(kind.op == "cache" for kind in dag.kinds) and "T" in dag.sizes else "S"
    prompt = dag.sizes.get(length) if prefill is None else prefill
    if prompt is None:
        raise DagtoolError(
            f"--decode comes after the prompt, whose length {length} the graph does not give", "add --prefill"
        )
    return prompt + decode
