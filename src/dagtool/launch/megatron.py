"""Megatron-LM: ``torchrun … pretrain_gpt.py …`` (main at d98e8a64, 2026-08-22)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Beside, Note, Plan
from dagtool.launch.flags import read_table
from dagtool.launch.launched import Checks, Facts, Launched
from dagtool.launch.line import Line, read_line
from dagtool.launch.torchrun import count_ranks

__all__ = ["find_program", "launch", "model_of"]

NAME = "Megatron-LM"
HAS_LAUNCHER = True
DEGREES = {
    "tensor": "--tensor-model-parallel-size",
    "pipeline": "--pipeline-model-parallel-size",
    "expert": "--expert-model-parallel-size",
}
"""Flags of degrees that may be changed so that a deployment fits."""
_PROGRAM = re.compile(r"(.*/)?(pretrain|train|finetune)_\w+\.py\Z")


def find_program(words: Sequence[str]) -> int | None:
    """Return where the flags of the training program begin in a command, or None."""
    return next((at + 1 for at, word in enumerate(words) if _PROGRAM.match(word)), None)


def model_of(words: Sequence[str]) -> str:
    """Return an empty text: a line states sizes, and names no model."""
    return ""


@dataclass(frozen=True, slots=True)
class _Degrees:
    world: int
    tensor: int
    pipeline: int
    context: int
    expert: int
    expert_tensor: int
    sequence: bool

    @property
    def data(self) -> int:
        """Whole replicas of the dense part."""
        return self.world // (self.tensor * self.pipeline * self.context)


def launch(words: Sequence[str], variables: Mapping[str, str], facts: Facts, gpus: int | None) -> Launched:
    """Return what a line of Megatron-LM comes to. Raises DagtoolError for what it refuses or is not understood."""
    at = find_program(words) or 0
    line = read_line(NAME, words[at:], read_table("megatron"), lambda spelling: spelling)
    world = count_ranks(words[:at], variables, gpus)
    if world is None:
        raise DagtoolError(
            "the line does not say on how many GPUs it runs",
            "torchrun's --nnodes and --nproc_per_node, WORLD_SIZE=N in front, or dagtool ledger --gpus N",
        )
    checks = Checks(NAME)
    degrees = _degrees(line, world)
    _check(checks, line, degrees, facts)
    checks.end()
    stages = _stages(line, degrees, facts)
    plan = _plan(line, degrees, facts, stages)
    micro, tokens = line.text("--micro-batch-size"), line.text("--seq-length") or line.text("--encoder-seq-length")
    batch = int(micro) * degrees.data if micro.isdigit() else None
    notes = [f"not counted: {text}" for text in line.noted]
    if line.text("--recompute-granularity") or line.has("--recompute-activations"):
        notes.append(
            "recompute: the ledger counts the forward pass, in which no activation is kept for a backward pass"
        )
    return Launched(
        framework=NAME,
        plan=plan,
        run=Run("loss", batch=batch, seq=line.number("--seq-length", tokens) if tokens else None),
        ignored=tuple(line.ignored),
        notes=tuple(notes),
        trains=True,
    )


def _degrees(line: Line, world: int) -> _Degrees:
    tensor = line.count("--tensor-model-parallel-size")
    return _Degrees(
        world=world,
        tensor=tensor,
        pipeline=line.count("--pipeline-model-parallel-size"),
        context=line.count("--context-parallel-size"),
        expert=line.count("--expert-model-parallel-size"),
        expert_tensor=line.count("--expert-tensor-parallel-size", tensor),
        sequence=line.has("--sequence-parallel") and tensor > 1,  # switched off at one rank
    )


_STATED = {
    "--num-layers": "L",
    "--hidden-size": "H",
    "--num-attention-heads": "N",
    "--num-query-groups": "G",
    "--kv-channels": "D",
    "--num-experts": "E",
    "--moe-router-topk": "K",
    "--vocab-size": "V",
    "--q-lora-rank": "Rq",
    "--kv-lora-rank": "Rkv",
    "--qk-pos-emb-head-dim": "Dr",
    "--v-head-dim": "Dv",
    "--qk-head-dim": "D",
    "--moe-shared-expert-intermediate-size": "Fs",
}
"""Flags that state a size of the model, and the size."""


def _check(checks: Checks, line: Line, degrees: _Degrees, facts: Facts) -> None:
    """The checks of ``training/arguments.py``, ``core/parallel_state.py`` and the configurations."""
    _check_model(checks, line, facts)
    world, dense = degrees.world, degrees.tensor * degrees.pipeline * degrees.context
    shown = f"tp x pp x cp = {dense}"
    checks.require(world % dense == 0, f"{world} GPUs do not divide by {shown}", f"a multiple of {dense}")
    if facts.experts:
        ranks = degrees.expert_tensor * degrees.expert * degrees.pipeline
        checks.require(
            world % ranks == 0, f"{world} GPUs do not divide by etp x ep x pp = {ranks}", f"a multiple of {ranks}"
        )
        checks.divide(facts.experts, "experts", degrees.expert, "expert parallel size")
        for width in facts.widths(moe=True):
            checks.divide(width, "columns of an expert", degrees.expert_tensor, "expert tensor parallel size")
        checks.require(
            degrees.sequence or degrees.tensor == 1,
            "training with experts and tensor parallelism needs --sequence-parallel",
        )
    else:
        checks.require(degrees.expert == 1, f"expert parallelism, but {facts.name} has no experts")
    checks.divide(facts.heads, "attention heads", degrees.tensor, "tensor parallel size")
    if not facts.latent:
        groups, tensor = facts.key_heads, degrees.tensor
        checks.require(
            groups % tensor == 0 or tensor % groups == 0,
            f"{groups} query groups and {tensor} tensor parallel ranks: neither divides the other",
        )
    for width in facts.widths(moe=False):
        checks.divide(width, "columns of the feed-forward network", degrees.tensor, "tensor parallel size")
    tokens = line.text("--seq-length")
    limit = line.text("--max-position-embeddings")
    if tokens.isdigit() and limit.isdigit():
        checks.require(int(tokens) <= int(limit), f"{tokens} tokens and positions for {limit}")
    checks.require(
        not (line.has("--fp8-param-gather") and not (line.has("--use-distributed-optimizer") or _is_sharded(line))),
        "--fp8-param-gather without the distributed optimizer",
    )
    checks.require(
        not (line.has("--group-query-attention") and facts.latent), "--group-query-attention with latent attention"
    )
    if degrees.context > 1 and tokens.isdigit():
        checks.divide(int(tokens), "tokens", 2 * degrees.context, "2 x context parallel size")
    micro, batch = line.text("--micro-batch-size"), line.text("--global-batch-size")
    if micro.isdigit() and batch.isdigit() and not checks.errors:
        checks.divide(int(batch), "sequences of a step", int(micro) * degrees.data, "micro batch x data parallel size")


def _check_model(checks: Checks, line: Line, facts: Facts) -> None:
    """Flags that state the model agree with its configuration; those that are not given are the configuration's."""
    said: list[str] = []
    for flag, symbol in _STATED.items():
        text, size = line.text(flag), facts.size(symbol) or (facts.heads if symbol == "G" else 0)
        if text and text != str(size):
            said.append(f"{flag} is {text}, but {facts.name} has {size or 'none'}")
    for flag, moe in (("--ffn-hidden-size", False), ("--moe-ffn-hidden-size", True)):
        widths = facts.widths(moe=moe) or (facts.widths(moe=True) if not moe else [])
        if (text := line.text(flag)) and widths and text not in map(str, widths):
            said.append(f"{flag} is {text}, but {facts.name} has {widths[0]}")
    if line.has("--untie-embeddings-and-output-weights") and facts.tied:
        said.append(f"--untie-embeddings-and-output-weights, but the head of {facts.name} is its embedding's table")
    norm = "RMSNorm" if facts.kinds[0].get("norm") == "rms" else "LayerNorm"
    if (given := line.text("--normalization")) and given != norm:
        said.append(f"--normalization is {given}, but {facts.name} has {norm}")
    if line.has("--swiglu") and not facts.kinds[0].get("gated"):
        said.append(f"--swiglu, but the feed-forward network of {facts.name} has no gate")
    if line.has("--qk-layernorm") and not (facts.latent or facts.kinds[0].get("qk_norm")):
        said.append(f"--qk-layernorm, but {facts.name} has no norms of queries and keys")
    if line.has("--multi-latent-attention") and not facts.latent:
        said.append(f"--multi-latent-attention, but {facts.name} has none")
    checks.errors += [DagtoolError(text, "the line is for another model") for text in said]


# -- stages -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stages:
    """Layers of each chunk; chunk ``s`` lies on rank ``s % pp``."""

    chunks: tuple[int, ...] = ()
    prediction: int = -1
    """The pipeline rank with the multi-token prediction layers; -1 for the last."""
    ranks: tuple[int, ...] = ()
    """The rank of each chunk, where empty chunks in between are left out."""


def _stages(line: Line, degrees: _Degrees, facts: Facts) -> _Stages:
    layers, pipeline = facts.layers, degrees.pipeline
    layout = line.text("--pipeline-model-parallel-layout")
    first, last = line.text("--decoder-first-pipeline-num-layers"), line.text("--decoder-last-pipeline-num-layers")
    embedding = line.has("--account-for-embedding-in-pipeline-split")
    loss = line.has("--account-for-loss-in-pipeline-split")
    virtual = line.count("--num-virtual-stages-per-pipeline-rank")
    each = line.text("--num-layers-per-virtual-pipeline-stage")
    given = [bool(each), virtual > 1, bool(layout)]
    checks = Checks(NAME)
    checks.require(sum(given) <= 1, "stages of a rank are given in more than one way")
    checks.require(not layout or not (first or last), "layers of the first or last stage beside a layout")
    checks.require(not each or not (first or last), "layers of the first or last stage beside those of virtual stages")
    checks.require(pipeline > 1 or not (each or virtual > 1), "virtual stages need several pipeline stages")
    checks.end()
    if layout:
        return _read_layout(layout, layers, pipeline, line.count("--mtp-num-layers", 0, 0))
    if pipeline == 1:
        return _Stages()
    if first or last:
        checks.require(not (embedding or loss), "first or last stage given beside an account-for flag")
        ends = [line.number("--decoder-first-pipeline-num-layers", first)] if first else []
        tail = [line.number("--decoder-last-pipeline-num-layers", last)] if last else []
        middle, rest = pipeline - len(ends) - len(tail), layers - sum(ends) - sum(tail)
        checks.require(
            rest >= 0 and (middle == 0) == (rest == 0) and (middle == 0 or rest % middle == 0),
            f"{rest} layers in the middle do not divide by {middle} stages",
        )
        checks.end()
        ranks = [*ends, *([rest // middle] * middle if middle else []), *tail]
        for count in ranks:
            checks.divide(count, "layers of a stage", virtual, "virtual stages")
        checks.end()
        return _Stages(tuple(count // virtual for _ in range(virtual) for count in ranks))
    total = layers + embedding + loss
    what = f"{layers} layers" + (f" with embedding and loss as {embedding + loss} more" if embedding or loss else "")
    checks.require(
        total % pipeline == 0,
        f"{what} do not divide by {pipeline} stages",
        "--account-for-embedding-in-pipeline-split, --decoder-first-pipeline-num-layers, or a layout",
    )
    checks.end()
    if each:
        size = line.number("--num-layers-per-virtual-pipeline-stage", each)
        checks.divide(total // pipeline, "layers of a stage", size, "layers of a virtual stage")
        checks.end()
        virtual = total // pipeline // size
    checks.divide(total // pipeline, "layers of a stage", virtual, "virtual stages")
    checks.end()
    counts = [total // pipeline // virtual] * (pipeline * virtual)
    counts[0] -= embedding
    counts[-1] -= loss
    return _Stages(tuple(counts))


def _read_layout(text: str, layers: int, pipeline: int, predictions: int) -> _Stages:
    """Read ``Et|(tt|)*30mL``: E embedding, t a layer, m a prediction layer, L the loss, | between stages."""
    plain = text.replace(",", "").replace(" ", "")
    plain = re.sub(r"\(([^()]*)\)\*([0-9]+)", lambda match: match[1] * int(match[2]), plain)
    plain = re.sub(r"(.)\*([0-9]+)", lambda match: match[1] * int(match[2]), plain)
    name = "--pipeline-model-parallel-layout"
    if wrong := re.search(r"[^EtmL|]", plain):
        raise DagtoolError(f"{name}: {wrong[0]!r} is no part of a layout", "E, t, m, L and | , like 'Et|(tt|)*30mL'")
    stages = plain.split("|")
    checks = Checks(NAME)
    checks.require(plain.startswith("E") and plain.count("E") == 1, "a layout begins with the one embedding, E")
    checks.require(plain.endswith("L") and plain.count("L") == 1, "a layout ends with the one loss, L")
    checks.require(plain.count("t") == layers, f"the layout has {plain.count('t')} layers, the model {layers}")
    checks.require(
        plain.count("m") == predictions, f"the layout has {plain.count('m')} prediction layers, the line {predictions}"
    )
    checks.divide(len(stages), "stages of the layout", pipeline, "pipeline size")
    checks.require("m" not in plain or "t" not in plain[plain.index("m") :], "a layer behind a prediction layer")
    checks.end()
    home = next((at % pipeline for at, stage in enumerate(stages) if "m" in stage), -1)
    counts = [(stage.count("t"), at % pipeline) for at, stage in enumerate(stages)]
    kept = [pair for at, pair in enumerate(counts) if pair[0] or at in (0, len(counts) - 1)]
    if missing := set(range(pipeline)) - {rank for _, rank in kept}:
        hint = "a rank that hands on what it gets holds no weights of layers"
        raise DagtoolError(f"the layout gives pipeline rank {min(missing)} no layers, which is not modelled", hint)
    ranks = () if len(kept) == len(counts) else tuple(rank for _, rank in kept)
    return _Stages(tuple(count for count, _ in kept), home, ranks)


# -- the plan ---------------------------------------------------------------------------------


def _plan(line: Line, degrees: _Degrees, facts: Facts, stages: _Stages) -> Plan:
    notes: list[Note] = []
    multiple = line.count("--make-vocab-size-divisible-by", 128) * degrees.tensor
    vocabulary = facts.size("V")
    if padded := line.text("--padded-vocab-size"):
        multiple = line.number("--padded-vocab-size", padded)
    if line.has("--no-pad-vocab-size"):
        multiple = 1
    if vocabulary % multiple:
        rows = -(-vocabulary // multiple) * multiple
        notes.append(Note(f"the vocabulary of {vocabulary:,} is padded to {rows:,} rows, a multiple of {multiple}"))
    if line.has("--sequence-parallel") and degrees.tensor == 1:
        notes.append(Note("--sequence-parallel is switched off: there is one tensor parallel rank"))
    few = not facts.latent and facts.key_heads < degrees.tensor
    if few:
        notes.append(
            Note(
                f"{facts.key_heads} heads of keys and values on {degrees.tensor} ranks: the fused projection is cut"
                " evenly and gathered behind it"
            )
        )
    expert_tensor = degrees.expert_tensor if facts.experts else degrees.tensor
    return Plan(
        data=degrees.data,
        context=degrees.context,
        ring=(line.words("--cp-comm-type") or ["p2p"]) == ["p2p"] and degrees.context > 1 and not facts.latent,
        tensor=degrees.tensor,
        sequence=degrees.sequence,
        pipeline=degrees.pipeline,
        replicas_first=line.has("--use-tp-pp-dp-mapping"),
        chunks=stages.chunks,
        chunk_ranks=stages.ranks,
        expert=degrees.expert,
        expert_tensor=expert_tensor,
        gather_tokens=_dispatcher(line) == "allgather" and degrees.expert > 1,
        split_heads=few,
        vocabulary_multiple=multiple,
        weight_dtype=_weight_dtype(line),
        fully_sharded=_is_sharded(line),
        beside=_predictions(line, degrees, stages),
        notes=tuple(notes),
    )


def _dispatcher(line: Line) -> str:
    chosen = "flex" if line.has("--moe-enable-deepep") else line.text("--moe-token-dispatcher-type", "allgather")
    if chosen not in ("allgather", "alltoall", "alltoall_seq", "flex"):
        raise DagtoolError(f"--moe-token-dispatcher-type is {chosen!r}", "allgather, alltoall or flex")
    return chosen


def _is_sharded(line: Line) -> bool:
    """Whether Megatron FSDP stores parameters in parts."""
    if not line.has("--use-megatron-fsdp"):
        return False
    strategy = line.text("--data-parallel-sharding-strategy", "optim_grads_params")
    known = ("no_shard", "optim", "optim_grads", "optim_grads_params")
    if strategy not in known:
        raise DagtoolError(f"--data-parallel-sharding-strategy is {strategy!r}", f"one of {', '.join(known)}")
    return strategy == "optim_grads_params"


def _weight_dtype(line: Line) -> str:
    if line.has("--fp4-param-gather"):
        return "fp4"
    if line.has("--fp8-param-gather") and line.text("--fp8-format"):
        return "fp8"
    return "bf16" if line.has("--bf16") or line.has("--fp16") else "fp32"


def _predictions(line: Line, degrees: _Degrees, stages: _Stages) -> tuple[Beside, ...]:
    """The multi-token prediction layer, with a copy of the embedding of its own unless it is on the first stage."""
    count = line.count("--mtp-num-layers", 0, 0)
    if not count:
        return ()
    home = stages.prediction if stages.prediction >= 0 else degrees.pipeline - 1
    found = [Beside("prediction", (home,), "a multi-token prediction layer")] * count
    if home:
        found.append(Beside("embedding", (home,), "the prediction layer's own copy of the embedding"))
    return tuple(found)
