"""torchtitan: a training run's TOML, or its command line (238fa995 of 2026-02-23, main at b5bcd76c of 2026-08-21)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from dagtool.documents import parse_toml
from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Note, Plan
from dagtool.launch.flags import read_table
from dagtool.launch.launched import Checks, Facts, Launched
from dagtool.launch.line import Line, read_line
from dagtool.launch.torchrun import count_ranks

__all__ = ["find_program", "launch", "model_of", "words_of_toml"]

NAME = "torchtitan"
HAS_LAUNCHER = True
DEGREES = {
    "tensor": "--parallelism.tensor_parallel_degree",
    "pipeline": "--parallelism.pipeline_parallel_degree",
    "expert": "--parallelism.expert_parallel_degree",
}
"""Flags of degrees that may be changed so that a deployment fits."""
_SEVERAL = frozenset({"interleaved1f1b", "loopedbfs", "interleavedzerobubble", "zbvzerobubble", "dualpipev"})
"""Schedules with several stages on each rank."""
_FOLDED = frozenset({"zbvzerobubble", "dualpipev"})
"""Schedules in which a rank has one stage from each end."""
_CONFIG = "--job.config_file"


def find_program(words: Sequence[str]) -> int | None:
    """Return where the flags of torchtitan begin in a command, or None."""
    for at, word in enumerate(words):
        if word in ("torchtitan.train", "torchtitan.experiments") or word.endswith(
            ("torchtitan/train.py", "run_train.sh")
        ):
            return at + 1
    return None


def model_of(words: Sequence[str]) -> str:
    """Return an empty text: a line names a flavour of torchtitan's own."""
    return ""


def words_of_toml(text: str, place: str) -> list[str]:
    """Return the settings of a TOML as flags of a command line. Raises DagtoolError with file, line and column."""
    document, _ = parse_toml(text, place)
    words: list[str] = []
    waiting: list[tuple[str, Any]] = list(reversed(list(document.items())))
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(f"{name}.{key}", inner) for key, inner in reversed(list(value.items()))]
        elif "." not in name:
            raise DagtoolError(f"{place}: {name!r} stands in no section", "like [parallelism]")
        else:
            shown = [str(one) for one in value] if isinstance(value, list) else [str(value)]
            if shown != [""]:
                words += [f"--{name}={','.join(shown)}"]
    return words


@dataclass(frozen=True, slots=True)
class _Degrees:
    world: int
    replicate: int
    shard: int
    context: int
    tensor: int
    pipeline: int
    expert: int
    expert_tensor: int
    sequence: bool


def launch(words: Sequence[str], variables: Mapping[str, str], facts: Facts, gpus: int | None) -> Launched:
    """Return what a run of torchtitan comes to. Raises DagtoolError for what it refuses or is not understood."""
    at = find_program(words) or 0
    line, notes = _read(words[at:], variables)
    world = count_ranks(words[:at], variables, gpus)
    if world is None:
        hint = "dagtool ledger --gpus N"
        raise DagtoolError(
            "the run does not say how many GPUs it has: NGPU, or torchrun's --nnodes and --nproc_per_node", hint
        )
    checks = Checks(NAME)
    degrees = _degrees(line, world)
    _check(checks, degrees, facts)
    checks.end()
    tokens = line.text("--training.seq_len") or line.text("--training.max_context_length")
    batch = line.text("--training.local_batch_size")
    if (passed := line.text("--training.num_tokens_per_microbatch_per_dp_rank")).isdigit() and tokens.isdigit():
        batch = str(max(int(passed) // int(tokens), 1))
    for converter in line.text("--model.converters").replace("[", "").replace("]", "").split(","):
        if converter.strip() and not converter.strip().startswith(("quantize", "float8", "mx")):
            raise DagtoolError(f"model.converters: {converter.strip()!r} changes the model, and is not modelled here")
    if tokens.isdigit() and degrees.context > 1:
        checks.divide(int(tokens), "tokens", 2 * degrees.context, "2 x context parallel degree")
    step = line.text("--training.global_batch_size")
    if step.isdigit() and batch.isdigit():
        checks.divide(
            int(step), "sequences of a step", int(batch) * degrees.replicate * degrees.shard, "those of a pass"
        )
    checks.end()
    plan = _plan(line, degrees, facts)
    if line.text("--activation_checkpoint.mode") not in ("", "none"):
        notes.append(
            "recompute: the ledger counts the forward pass, in which no activation is kept for a backward pass"
        )
    notes += [f"not counted: {text}" for text in line.noted]
    return Launched(
        framework=NAME,
        plan=plan,
        run=Run(
            "loss",
            batch=int(batch) * plan.data if batch.isdigit() else None,
            seq=int(tokens) if tokens.isdigit() else None,
        ),
        ignored=tuple(line.ignored),
        notes=tuple(notes),
        trains=True,
    )


def _read(words: Sequence[str], variables: Mapping[str, str]) -> tuple[Line, list[str]]:
    """The flags, those of the TOML that they name in front."""
    table, notes = read_table("torchtitan"), list[str]()

    def normalise(spelling: str) -> str:
        return spelling[:2] + spelling[2:].replace("-", "_")

    path = variables.get("CONFIG_FILE", "")
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if normalise(name) == _CONFIG:
            path = value if equals else next(iter(words[at + 1 : at + 2]), "")
    before: list[str] = []
    if path and os.path.exists(path):
        with open(path, encoding="utf-8-sig") as file:
            before = words_of_toml(file.read(), path)
    elif path:
        notes.append(f"{path} not found: torchtitan's defaults are taken for the settings that it would give")
    kept = [word for word in words if not word.startswith("activation-checkpoint:")]
    line = read_line(NAME, [*before, *kept], table, normalise)
    return line, notes


def _degrees(line: Line, world: int) -> _Degrees:
    def degree(name: str) -> int:
        return line.count(f"--parallelism.{name}_degree")

    tensor, context, pipeline = degree("tensor_parallel"), degree("context_parallel"), degree("pipeline_parallel")
    replicate = degree("data_parallel_replicate")
    shard = line.text("--parallelism.data_parallel_shard_degree", "-1")
    rest = tensor * context * pipeline * replicate
    parts = max(world // rest, 1) if shard == "-1" else line.count("--parallelism.data_parallel_shard_degree")
    return _Degrees(
        world=world,
        replicate=replicate,
        shard=parts,
        context=context,
        tensor=tensor,
        pipeline=pipeline,
        expert=degree("expert_parallel"),
        expert_tensor=degree("expert_tensor_parallel"),
        sequence=tensor > 1 and line.values.get("--parallelism.enable_sequence_parallel", True) is not False,
    )


def _check(checks: Checks, degrees: _Degrees, facts: Facts) -> None:
    """The checks of ``distributed/parallel_dims.py`` and ``models/common/decoder.py``."""
    product = degrees.replicate * degrees.shard * degrees.context * degrees.tensor * degrees.pipeline
    checks.require(
        product == degrees.world,
        f"dp_replicate x dp_shard x cp x tp x pp = {product}, but there are {degrees.world} GPUs",
        "data_parallel_shard_degree = -1 takes what is left",
    )
    ranks = degrees.shard * degrees.context * degrees.tensor
    if degrees.expert > 1:
        checks.require(facts.experts > 0, f"expert parallelism, but {facts.name} has no experts")
        cut = degrees.expert * degrees.expert_tensor
        checks.require(
            ranks % cut == 0,
            f"expert parallel degree {degrees.expert} does not divide dp_shard x cp x tp = {ranks}",
        )
        if facts.experts:
            checks.divide(facts.experts, "experts", degrees.expert, "expert parallel degree")
    checks.require(
        degrees.expert_tensor in (1, degrees.tensor),
        f"expert tensor degree {degrees.expert_tensor} is neither 1 nor tp",
    )
    checks.divide(facts.heads, "attention heads", degrees.tensor, "tensor parallel degree")
    if not facts.latent:
        checks.require(
            facts.key_heads % degrees.tensor == 0,
            f"tensor parallel degree {degrees.tensor} does not divide the {facts.key_heads} heads of keys and values"
            " (no replication of heads)",
        )
    checks.require(not (facts.tied and degrees.pipeline > 1), "tied embeddings cannot be on two pipeline stages")


def _plan(line: Line, degrees: _Degrees, facts: Facts) -> Plan:
    chunks, ranks = _stages(line, degrees.pipeline, facts.layers)
    data = degrees.replicate * degrees.shard
    notes: list[Note] = []
    if line.text("--parallelism.data_parallel_shard_degree", "-1") == "-1":
        notes.append(Note(f"data_parallel_shard_degree is -1, which takes what is left of the GPUs: {degrees.shard}"))
    expert_tensor = degrees.expert_tensor if degrees.expert > 1 else degrees.tensor
    return Plan(
        data=data,
        replicated=degrees.replicate,
        context=degrees.context,
        tensor=degrees.tensor,
        sequence=degrees.sequence,
        pipeline=degrees.pipeline,
        chunks=chunks,
        chunk_ranks=ranks,
        expert=degrees.expert,
        expert_tensor=expert_tensor,
        fully_sharded=True,
        weight_dtype=_dtype(line.text("--training.dtype", "float32")),
        notes=tuple(notes),
    )


def _dtype(text: str) -> str:
    known = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
    if text not in known:
        raise DagtoolError(f"training.dtype is {text!r}", f"one of {', '.join(known)}")
    return known[text]


def _stages(line: Line, pipeline: int, layers: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Layers of each stage, and its rank (``distributed/pipeline_parallel.py``): embedding and head count as layers."""
    schedule = line.text("--parallelism.pipeline_parallel_schedule", "1F1B").lower()
    first = line.count("--parallelism.pipeline_parallel_first_stage_less_layers", 1, 0)
    last = line.count("--parallelism.pipeline_parallel_last_stage_less_layers", 1, 0)
    each = line.text("--parallelism.pipeline_parallel_layers_per_stage")
    if pipeline == 1:
        return (), ()
    if schedule not in _SEVERAL | {"1f1b", "gpipe"}:
        raise DagtoolError(
            f"pipeline_parallel_schedule {schedule!r} is not known here", f"1F1B, GPipe, {', '.join(sorted(_SEVERAL))}"
        )
    checks = Checks(NAME)
    several, total = schedule in _SEVERAL, layers + first + last
    stages = pipeline * (2 if several else 1)
    if each:
        stages = ceil(total / line.number("pipeline_parallel_layers_per_stage", each))
        checks.require(
            stages % pipeline == 0,
            f"({layers} + {first + last}) / {each} gives {stages} stages, which do not divide over {pipeline} ranks",
        )
        checks.end()
        on_rank = stages // pipeline
        checks.require(several or on_rank == 1, f"{on_rank} stages a rank, and the schedule {schedule} takes one")
        checks.require(not several or on_rank >= 2, f"one stage a rank, and the schedule {schedule} needs several")
        checks.require(schedule not in _FOLDED or on_rank == 2, f"{on_rank} stages a rank, and {schedule} takes two")
    base, extra = divmod(total, stages)
    checks.require(stages <= total, f"{stages} stages for {layers} layers")
    checks.require(
        max(first, last) <= base, f"the embedding or the head counts for more than the {base} layers of a stage"
    )
    checks.end()
    counts = [base + (stage < extra) for stage in range(stages)]
    counts[0] -= first
    counts[-1] -= last
    ranks = [stage % pipeline for stage in range(stages)]
    if schedule in _FOLDED:
        ranks = [stage if stage < pipeline else 2 * pipeline - 1 - stage for stage in range(stages)]
    return tuple(counts), tuple(ranks) if schedule in _FOLDED else ()
