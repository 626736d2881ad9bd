"""vLLM: ``vllm serve MODEL …`` (version 0.33.0; what each rule stands on is named at it)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagtool.errors import DagtoolError
from dagtool.files import read_bytes
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Beside, Note, Plan
from dagtool.launch.flags import read_table
from dagtool.launch.launched import Checks, Facts, Launched, deal_layers
from dagtool.launch.line import Line, read_line, refuse_variables
from dagtool.launch.serving import (
    BOTH_ENDS,
    cache_dtype,
    check_blocks,
    check_heads,
    check_quantization,
    read_share,
    weight_dtype,
)

__all__ = ["find_program", "launch"]

NAME = "vLLM"
HAS_LAUNCHER = False
DEGREES = {
    "tensor": "--tensor-parallel-size",
    "pipeline": "--pipeline-parallel-size",
    "data": "--data-parallel-size",
}
"""Flags of degrees that may be changed so that a deployment fits."""
_SPREADING = frozenset(
    {"deepep_high_throughput", "deepep_low_latency", "deepep", "nixl_ep", "mori", "mori_high_throughput"}
)
_GATHERING = frozenset({"allgather_reducescatter", "naive", "pplx", ""})
"""All-to-all backends that gather all tokens and scatter the sums; pplx and naive were removed and mean this one."""


def find_program(words: Sequence[str]) -> int | None:
    """Return where the flags of vLLM begin in a command, or None."""
    for at, word in enumerate(words):
        if word.rpartition("/")[2] == "vllm" and words[at + 1 : at + 2] == ["serve"]:
            return at + 2
        if word.startswith(("vllm.entrypoints.openai", "vllm.entrypoints.api_server")) or (
            re.match(r"vllm/vllm-openai(:|$)", word)
        ):
            return at + 1
    return None


def model_of(words: Sequence[str]) -> str:
    """Return the model that a line names, an empty text where it names none."""
    line = _read(words)
    return line.text("--model") or (line.positional[0] if line.positional else "")


def _read(words: Sequence[str]) -> Line:
    apart: list[str] = []
    for word in words:
        apart += ["-O", word[-1]] if re.match(r"-O=?\d$", word) else [word]
    at = next((at for at, word in enumerate(apart) if word.partition("=")[0] == "--config"), None)
    if at is not None:
        _, equals, path = apart[at].partition("=")
        path = path if equals else next(iter(apart[at + 1 : at + 2]), "")
        apart = [*_words_of_yaml(path), *apart[:at], *apart[at + (1 if equals else 2) :]]
    return read_line(NAME, apart, read_table("vllm"), _normalise, dotted=True, most=1)


def _words_of_yaml(path: str) -> list[str]:
    """The flags of the YAML file that ``--config`` names, one in each row; those of the command itself come later."""
    found: list[str] = []
    for number, row in enumerate(read_bytes(path).decode("utf-8-sig", "replace").splitlines(), 1):
        plain = re.sub(r"(^|\s)#.*", "", row).rstrip()
        if plain in ("", "---"):
            continue
        match = re.fullmatch(r"([A-Za-z][\w.-]*):\s*(.+)", plain)
        if match is None:
            hint = "give that flag in the launch line instead"
            raise DagtoolError(f"{path}:{number}: {plain.strip()[:40]!r} is no row 'flag: value'", hint)
        name, value = match[1], match[2].strip("'\"")
        if value.lower() in ("true", "false"):
            found.append(f"--{'' if value.lower() == 'true' else 'no-'}{name}")
        else:
            found += [f"--{name}", value]
    return found


def _normalise(spelling: str) -> str:
    """Underscores are dashes in a name, but not in the keys behind a dot; ``--disable-x`` is ``--no-enable-x``."""
    head, dot, key = spelling.partition(".")
    plain = head.replace("_", "-")
    if plain.startswith("--disable-"):
        on = read_table("vllm").by_spelling.get(plain.replace("--disable-", "--enable-", 1))
        if on is not None and on.takes == "bool":
            plain = on.name.replace("--", "--no-", 1)
    return plain + dot + key


@dataclass(frozen=True, slots=True)
class _Degrees:
    tensor: int
    data: int
    pipeline: int
    context: int
    cache_context: int
    expert_parallel: bool
    redundant: int
    backend: str

    @property
    def flat(self) -> int:
        """The ranks that experts are cut or spread over (``FusedMoEParallelConfig``)."""
        return self.tensor * self.data * self.context


def launch(words: Sequence[str], variables: Mapping[str, str], facts: Facts, gpus: int | None) -> Launched:
    """Return what a line of vLLM comes to. Raises DagtoolError for what vLLM refuses or is not understood."""
    line = _read(words)
    refuse_variables(line, variables, read_table("vllm"))
    degrees = _degrees(line)
    checks = Checks(f"{NAME} {_VERSION}")
    _check(checks, line, degrees, facts)
    checks.end()
    plan = _plan(line, degrees, facts, variables)
    if gpus is not None and gpus != plan.gpus:
        raise DagtoolError(f"--gpus {gpus}, but the line starts {plan.gpus} ranks", "leave --gpus out")
    prefill = "producer" in str(line.fields("--kv-transfer-config").get("kv_role", ""))
    context = line.text("--max-model-len")
    tokens = line.number("--max-model-len", context) if context and context not in ("auto", "-1") else None
    sequences = line.text("--max-num-seqs")
    notes = [f"not counted: {text}" for text in line.noted]
    if sequences:
        notes.append(
            f"a data parallel rank runs at most {sequences} sequences at once; --batch says how many are counted"
        )
    share = line.text("--gpu-memory-utilization", "0.92")
    return Launched(
        framework=f"{NAME} {_VERSION}",
        plan=plan,
        run=Run(
            "prefill" if prefill else "decode", context=None if prefill else tokens, seq=tokens if prefill else None
        ),
        ignored=tuple(line.ignored),
        notes=tuple(notes),
        memory_share=read_share("--gpu-memory-utilization", share),
    )


_VERSION = "0.33.0"
_EMBEDDING_EVERYWHERE = frozenset({"gemma2", "gemma3_text", "gpt2"})
"""Families whose code builds the embedding on every pipeline stage."""
_NOT_SPLITTING = ("flashinfer_nvlink_two_sided", "flashinfer_all2allv", "moonep")
"""Backends with which the ranks of a tensor group all route the group's tokens (``config/parallel.py``)."""


def _degrees(line: Line) -> _Degrees:
    eplb = line.fields("--eplb-config")
    redundant = eplb.get("num_redundant_experts", line.text("--num-redundant-experts", "0"))
    return _Degrees(
        tensor=line.count("--tensor-parallel-size"),
        data=line.count("--data-parallel-size"),
        pipeline=line.count("--pipeline-parallel-size"),
        context=line.count("--prefill-context-parallel-size"),
        cache_context=line.count("--decode-context-parallel-size"),
        expert_parallel=line.has("--enable-expert-parallel"),
        redundant=line.number("num_redundant_experts", str(redundant), 0),
        backend=line.text("--all2all-backend"),
    )


def _check(checks: Checks, line: Line, degrees: _Degrees, facts: Facts) -> None:
    """The checks of ``config/{model,parallel,vllm}.py`` and of the model's layers."""
    tensor, cut = degrees.tensor, degrees.cache_context
    check_heads(checks, facts, tensor)
    checks.require(degrees.pipeline <= facts.layers, f"{degrees.pipeline} stages for {facts.layers} layers")
    padded = -(-facts.size("V") // 64) * 64
    checks.divide(padded, "rows of the padded vocabulary", tensor, "tensor parallel size")
    if degrees.expert_parallel:
        checks.require(facts.experts > 0, f"expert parallelism, but {facts.name} has no experts")
    if cut > 1:
        _check_cache(checks, degrees, facts)
    if facts.experts and (facts.latent or facts.model_type == "qwen3_moe"):
        checks.require(tensor <= facts.experts, f"{tensor} tensor parallel ranks for {facts.experts} experts")
    local = line.count("--data-parallel-size-local", 0, 0)
    checks.require(local <= degrees.data, f"{local} data parallel ranks on this host, {degrees.data} in all")
    eplb = line.has("--enable-eplb")
    if eplb:
        checks.require(degrees.expert_parallel, "load balancing of experts needs --enable-expert-parallel")
        checks.require(degrees.flat > 1, "load balancing of experts needs more than one rank")
    checks.require(
        eplb or not degrees.redundant, f"{degrees.redundant} redundant experts without load balancing (--enable-eplb)"
    )
    if eplb and facts.experts and degrees.expert_parallel:
        checks.divide(facts.experts + degrees.redundant, "physical experts", degrees.flat, "expert parallel size")
    _check_steps(checks, line)
    checks.require(
        not line.has("--enable-dbo") or degrees.pipeline * degrees.cache_context * degrees.context == 1,
        "two batches at a time (--enable-dbo) with pipeline or context parallelism",
    )
    hosts = line.count("--nnodes")
    if rank := line.text("--node-rank"):
        checks.require(line.number("--node-rank", rank, 0) < hosts, f"host {rank} of {hosts}")
    if local and degrees.data % local == 0 and line.has("--nnodes"):
        checks.require(
            hosts % (degrees.data // local) == 0, f"{hosts} hosts for data parallel ranks on {degrees.data // local}"
        )
    ranks = degrees.flat * degrees.pipeline
    checks.divide(ranks, "ranks", hosts, "hosts (--nnodes)")
    dtype = line.text("--kv-cache-dtype", "auto")
    checks.require(
        not (dtype.startswith("nvfp4") and facts.latent), "an nvfp4 cache is not supported with latent attention"
    )
    _check_widths(checks, degrees, facts)
    splits = not degrees.backend.startswith(_NOT_SPLITTING)
    whole_shared = tensor > 1 and degrees.data > 1 and degrees.expert_parallel and splits
    check_blocks(
        checks,
        facts,
        attention=tensor,
        dense=tensor,
        shared=1 if whole_shared else tensor,
        experts=1 if degrees.expert_parallel else degrees.flat,
    )


def _check_widths(checks: Checks, degrees: _Degrees, facts: Facts) -> None:
    """Columns of feed-forward networks divide over the ranks that share them."""
    tensor = degrees.tensor
    if facts.experts and not degrees.expert_parallel:
        for width in facts.widths(moe=True):
            if facts.quantized("moe.up") != "mxfp4":
                checks.divide(width, "columns of an expert", degrees.flat, "the ranks it is cut over,")
    if not facts.experts or facts.widths(moe=False):
        for width in facts.widths(moe=False):
            checks.divide(width, "columns of the feed-forward network", tensor, "tensor parallel size")


def _check_steps(checks: Checks, line: Line) -> None:
    """What a step holds (``config/scheduler.py``)."""
    sequences, tokens = line.text("--max-num-seqs"), line.text("--max-num-batched-tokens")
    if sequences and tokens:
        number = line.number("--max-num-batched-tokens", tokens)
        checks.require(
            number >= line.number("--max-num-seqs", sequences),
            f"{number} tokens in a step are fewer than its {sequences} sequences",
        )
    chunked = line.values.get("--enable-chunked-prefill", True) is not False
    length = line.text("--max-model-len")
    if tokens and length and length not in ("auto", "-1") and not chunked:
        checks.require(
            line.number("--max-num-batched-tokens", tokens) >= line.number("--max-model-len", length),
            f"without chunked prefill a step of {tokens} tokens cannot hold a prompt of {length}",
        )


def _check_cache(checks: Checks, degrees: _Degrees, facts: Facts) -> None:
    """Decode context parallelism (``config/model.py`` and ``config/parallel.py``)."""
    tensor, cut, groups = degrees.tensor, degrees.cache_context, facts.key_heads
    if degrees.context == 1:
        checks.divide(tensor, "tensor parallel ranks", cut, "decode context parallel size")
    else:
        checks.require(
            cut in (degrees.context, tensor * degrees.context),
            f"decode context parallel size {cut} is neither {degrees.context} nor {tensor * degrees.context}",
        )
    if facts.latent:
        return
    checks.require(
        tensor > groups,
        f"tensor parallel size {tensor} must be greater than the {groups} heads of keys and values"
        " before the cache can be cut along the tokens",
    )
    checks.require(
        cut <= max(tensor // groups, 1),
        f"decode context parallel size {cut} is more than the {max(tensor // groups, 1)} ranks that share a head",
    )
    checks.require(
        (facts.heads // groups) % cut == 0, f"{facts.heads // groups} queries of a head do not divide by dcp {cut}"
    )


def _plan(line: Line, degrees: _Degrees, facts: Facts, variables: Mapping[str, str]) -> Plan:
    notes: list[Note] = []
    experts = _experts(degrees, facts, notes)
    multiple = 64
    partition = variables.get("VLLM_PP_LAYER_PARTITION", "")
    chunks: tuple[int, ...] = ()
    if degrees.pipeline > 1:
        chunks = (
            deal_layers(partition, "VLLM_PP_LAYER_PARTITION", facts.layers, degrees.pipeline)
            if partition
            else _deal(facts.layers, degrees.pipeline)
        )
    if not facts.latent and facts.key_heads < degrees.tensor:
        times = degrees.tensor // facts.key_heads
        notes.append(
            Note(f"{facts.key_heads} heads of keys and values on {degrees.tensor} ranks: each held {times} times")
        )
    dtype = line.text("--kv-cache-dtype", "auto")
    check_quantization("--quantization", line.text("--quantization"), facts)
    return Plan(
        data=degrees.data,
        context=degrees.context,
        tensor=degrees.tensor,
        pipeline=degrees.pipeline,
        chunks=chunks,
        replicas_first=True,
        cache_context=degrees.cache_context,
        whole_cache=degrees.context > 1,
        vocabulary_multiple=multiple,
        weight_dtype=weight_dtype("--dtype", line.text("--dtype", "auto"), facts),
        activation_dtype="fp32" if line.text("--dtype") in ("float", "float32") else "",
        cache_dtype=cache_dtype("--kv-cache-dtype", dtype),
        beside=_beside(degrees, facts),
        notes=tuple(notes),
        **experts,  # type: ignore[arg-type]
    )


def _experts(degrees: _Degrees, facts: Facts, notes: list[Note]) -> dict[str, object]:
    """How experts and shared experts lie (``layers/fused_moe/config.py``, ``models/deepseek_v2.py``)."""
    if not facts.experts:
        return {"expert_tensor": degrees.tensor}
    if not degrees.expert_parallel:
        if degrees.flat > degrees.tensor:
            notes.append(Note(f"without expert parallelism each expert is cut over all {degrees.flat} ranks"))
        return {"expert_tensor": degrees.flat, "expert_block": 32 if facts.quantized("moe.up") == "mxfp4" else 1}
    outside = degrees.data * degrees.context > 1
    gather = degrees.backend in _GATHERING
    if (
        not gather
        and degrees.backend not in _SPREADING
        and not degrees.backend.startswith(("flashinfer", "moonep", "mori"))
    ):
        raise DagtoolError(f"--all2all-backend {degrees.backend}: how it exchanges tokens is not known here")
    splits = not degrees.backend.startswith(_NOT_SPLITTING)
    whole = degrees.tensor > 1 and degrees.data > 1 and splits
    if whole and facts.shared_width:
        notes.append(Note("the shared expert is whole on every rank: tokens are cut along the tensor parallel ranks"))
    return {
        "expert": degrees.flat,
        "expert_tensor": 1,
        "redundant": degrees.redundant,
        "uneven_experts": (facts.experts + degrees.redundant) % degrees.flat != 0,
        "gather_tokens": outside and gather,
        "split_tokens": outside and not gather,
        "shared": "whole" if whole else "tensor",
    }


def _deal(layers: int, stages: int) -> tuple[int, ...]:
    """Layers by stage: what is left goes to the stages before the last, from the back (``get_pp_indices``)."""
    each, left = divmod(layers, stages)
    counts = [each] * stages
    for index in range(2, left + 2):
        counts[-index] += 1
    return tuple(counts)


def _beside(degrees: _Degrees, facts: Facts) -> tuple[Beside, ...]:
    """Some models build embedding and head on every stage (``models/{mixtral,qwen3_moe,gpt_oss}.py``)."""
    if degrees.pipeline == 1:
        return ()
    stages = tuple(range(degrees.pipeline))
    if facts.model_type in BOTH_ENDS:
        why = f"vLLM's {facts.model_type} builds embedding and head on every stage"
        return (Beside("embedding", stages[1:], why), Beside("head", stages[:-1], why))
    if facts.model_type in _EMBEDDING_EVERYWHERE:
        why = f"vLLM's {facts.model_type} builds the embedding on every stage"
        found = [Beside("embedding", stages[1:-1] if facts.tied else stages[1:], why)]
        if facts.size("P"):
            found.append(Beside("positions", stages[1:], why))
        return tuple(one for one in found if one.stages)
    return ()
