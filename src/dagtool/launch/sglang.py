"""SGLang: ``python -m sglang.launch_server …`` (version 0.5.23; what each rule stands on is named at it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Beside, Note, Plan, Span
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

__all__ = ["find_program", "launch", "model_of"]

NAME = "SGLang"
HAS_LAUNCHER = False
DEGREES = {"tensor": "--tp-size", "pipeline": "--pp-size"}
"""Flags of degrees that may be changed so that a deployment fits."""
_VERSION = "0.5.23"
_ALL_TO_ALL = frozenset(
    {"megamoe", "deepep", "deepep_v2", "mooncake", "nixl", "ascend_fuseep", "mori", "pplx"}
    | {"flashinfer", "flashinfer_megamoe"}
)
"""Backends that set the expert parallel size to the tensor parallel size (``arg_groups/overrides.py``)."""
_HEAD_EVERYWHERE = BOTH_ENDS | {"llama", "mistral"}
"""Families whose code builds the head on every stage."""
_WHOLE_TABLE = frozenset({"gemma3_text"})
"""Families whose embedding is no parallel one: every rank has the whole table."""
_NO_STAGES = frozenset({"gemma2", "gemma3_text", "gpt2"})
"""Families that cannot be cut into stages (``model_executor/model_runner.py``)."""


def find_program(words: Sequence[str]) -> int | None:
    """Return where the flags of SGLang begin in a command, or None."""
    for at, word in enumerate(words):
        if word in ("sglang.launch_server", "sglang.srt.entrypoints.http_server"):
            return at + 1
        if word.rpartition("/")[2] == "sglang" and words[at + 1 : at + 2] == ["serve"]:
            return at + 2
    return None


def model_of(words: Sequence[str]) -> str:
    """Return the model that a line names, an empty text where it names none."""
    return _read(words).text("--model-path")


def _read(words: Sequence[str]) -> Line:
    return read_line(NAME, words, read_table("sglang"), lambda spelling: spelling.replace("_", "-"))


@dataclass(frozen=True, slots=True)
class _Degrees:
    tensor: int
    """All ranks of a stage of one replica."""
    groups: int
    """Groups of them that run attention on sequences of their own."""
    replicas: int
    pipeline: int
    expert: int
    redundant: int
    dense: int
    """Ranks over which a dense feed-forward network is cut."""
    cache_context: int
    all_to_all: bool

    @property
    def attention(self) -> int:
        """Ranks that share the heads of attention."""
        return self.tensor // self.groups

    @property
    def expert_tensor(self) -> int:
        """Ranks that share an expert."""
        return self.tensor // self.expert


def launch(words: Sequence[str], variables: Mapping[str, str], facts: Facts, gpus: int | None) -> Launched:
    """Return what a line of SGLang comes to. Raises DagtoolError for what SGLang refuses or is not understood."""
    line = _read(words)
    refuse_variables(line, variables, read_table("sglang"))
    checks = Checks(f"{NAME} {_VERSION}")
    degrees = _degrees(line, checks)
    checks.end()
    whole_shared = _is_on(variables, "SGLANG_SHARED_EXPERT_TP1")
    _check(checks, line, degrees, facts, whole_shared=whole_shared)
    checks.end()
    plan = _plan(line, degrees, facts, variables)
    if gpus is not None and gpus != plan.gpus:
        raise DagtoolError(f"--gpus {gpus}, but the line starts {plan.gpus} ranks", "leave --gpus out")
    prefill = line.text("--disaggregation-mode") == "prefill"
    tokens = line.count("--context-length") if line.text("--context-length") else None
    notes = [f"not counted: {text}" for text in line.noted]
    share = line.text("--mem-fraction-static")
    if requests := line.text("--max-running-requests"):
        notes.append(f"the server runs at most {requests} sequences at once; --batch says how many are counted")
    if most := line.text("--max-total-tokens"):
        notes.append(f"the line caps the cache of a rank at {most} tokens")
    return Launched(
        framework=f"{NAME} {_VERSION}",
        plan=plan,
        run=Run(
            "prefill" if prefill else "decode", context=None if prefill else tokens, seq=tokens if prefill else None
        ),
        ignored=tuple(line.ignored),
        notes=tuple(notes),
        static_share=read_share("--mem-fraction-static", share) if share else None,
    )


def _degrees(line: Line, checks: Checks) -> _Degrees:
    """The degrees as ``arg_groups/parallel_hook.py`` works them out."""
    tensor, data = line.count("--tp-size"), line.count("--dp-size")
    groups = line.count("--attn-dp-size")
    if line.has("--enable-dp-attention"):
        checks.require(groups in (1, data), "--attn-dp-size beside --enable-dp-attention, which is its older form")
        groups, data = max(data, groups), 1
    elif groups > 1:
        checks.require(data == 1, "--attn-dp-size and --dp-size together")
    checks.divide(tensor, "tensor parallel ranks", groups, "attention data parallel size")
    backend = line.text("--moe-a2a-backend", "none")
    if line.has("--enable-deepep-moe"):
        backend = "deepep"
    spread = backend in _ALL_TO_ALL
    if backend not in _ALL_TO_ALL | {"none", ""}:
        raise DagtoolError(f"--moe-a2a-backend {backend}: how it exchanges tokens is not known here")
    expert = line.count("--ep-size")
    if spread or line.has("--enable-ep-moe"):
        expert = tensor
    checks.divide(tensor, "tensor parallel ranks", expert, "expert parallel size")
    text = line.text("--moe-dense-tp-size")
    checks.require(text in ("", "1", str(tensor)), f"--moe-dense-tp-size is {text}, neither 1 nor {tensor}")
    return _Degrees(
        tensor=tensor,
        groups=groups,
        replicas=data,
        pipeline=line.count("--pp-size"),
        expert=expert,
        redundant=line.count("--ep-num-redundant-experts", 0, 0),
        dense=1 if text == "1" else tensor // groups if line.has("--enable-dense-mlp-attn-tp") else tensor,
        cache_context=line.count("--dcp-size"),
        all_to_all=spread,
    )


def _check(checks: Checks, line: Line, degrees: _Degrees, facts: Facts, *, whole_shared: bool) -> None:
    """The checks of ``arg_groups/*_hook.py`` and of the model's layers."""
    hosts = line.count("--nnodes")
    checks.divide(degrees.tensor * degrees.pipeline, "ranks", hosts, "hosts (--nnodes)")
    checks.require(degrees.replicas == 1 or hosts == 1, "replicas (--dp-size) on several hosts")
    check_heads(checks, facts, degrees.attention)
    checks.require(degrees.pipeline <= facts.layers, f"{degrees.pipeline} stages for {facts.layers} layers")
    checks.divide(degrees.attention, "attention ranks", degrees.cache_context, "decode context parallel size")
    checks.require(
        degrees.pipeline == 1 or facts.model_type not in _NO_STAGES, f"{facts.model_type} cannot be cut into stages"
    )
    checks.require(
        line.text("--moe-a2a-backend") != "pplx" or degrees.groups > 1, "pplx without attention data parallelism"
    )
    algorithm = line.text("--speculative-algorithm", "EAGLE")
    prefill = line.text("--disaggregation-mode") == "prefill"
    speculates = bool(line.text("--speculative-algorithm"))
    checks.require(
        degrees.pipeline == 1 or not speculates or (algorithm == "EAGLE" and prefill),
        f"pipeline stages with speculation by {algorithm}",
    )
    if rank := line.text("--node-rank"):
        checks.require(line.number("--node-rank", rank, 0) < hosts, f"host {rank} of {hosts}")
    if degrees.redundant or line.has("--enable-eplb"):
        checks.require(facts.experts > 0, f"redundant experts, but {facts.name} has no experts")
        checks.require(degrees.expert > 1 or not line.has("--enable-eplb"), "--enable-eplb with one expert rank")
    if facts.experts:
        checks.divide(facts.experts + degrees.redundant, "physical experts", degrees.expert, "expert parallel size")
        if facts.latent or facts.model_type == "qwen3_moe":
            ranks = degrees.tensor if facts.latent else degrees.expert_tensor
            checks.require(ranks <= facts.experts, f"{ranks} ranks for {facts.experts} experts")
        for width in facts.widths(moe=True):
            if facts.quantized("moe.up") != "mxfp4":
                checks.divide(width, "columns of an expert", degrees.expert_tensor, "the ranks that share it,")
    else:
        checks.require(degrees.expert == 1, f"expert parallelism, but {facts.name} has no experts")
    for width in facts.widths(moe=False):
        checks.divide(width, "columns of the feed-forward network", degrees.dense, "the ranks that share it,")
    if (text := line.text("--chunked-prefill-size")) and text != "-1":
        page = line.count("--page-size")
        checks.require(
            line.number("--chunked-prefill-size", text) % page == 0, f"chunks of {text} tokens and pages of {page}"
        )
    if line.has("--enable-dp-lm-head"):
        checks.require(degrees.groups > 1, "--enable-dp-lm-head without attention data parallelism")
    shared = 1 if degrees.all_to_all or whole_shared else degrees.tensor
    check_blocks(
        checks,
        facts,
        attention=degrees.attention,
        dense=degrees.dense,
        shared=shared,
        experts=degrees.expert_tensor,
    )


def _plan(line: Line, degrees: _Degrees, facts: Facts, variables: Mapping[str, str]) -> Plan:
    check_quantization("--quantization", line.text("--quantization"), facts)
    notes: list[Note] = []
    apart = degrees.groups > 1
    if apart:
        notes.append(
            Note(
                f"attention data parallelism adds no GPU: {degrees.groups} groups of {degrees.attention} of the"
                f" {degrees.tensor} ranks run other sequences"
            )
        )
    multiple = 64 if (-(-facts.size("V") // 64) * 64) % degrees.tensor == 0 else 64 * degrees.tensor
    chunks = _stages(degrees, facts, variables)
    beside: tuple[Beside, ...] = ()
    if degrees.pipeline > 1 and facts.model_type in _HEAD_EVERYWHERE and not facts.tied:
        why = f"SGLang's {facts.model_type} builds the head on every stage"
        beside = (Beside("head", tuple(range(degrees.pipeline - 1)), why),)
    if not facts.latent and facts.key_heads < degrees.attention:
        times = degrees.attention // facts.key_heads
        ranks = degrees.attention
        notes.append(Note(f"{facts.key_heads} heads of keys and values on {ranks} ranks: each held {times} times"))
    if degrees.all_to_all and facts.shared_width:
        notes.append(Note("the shared expert is whole on every rank: tokens come to it as they lie for the exchange"))
    whole_shared = degrees.all_to_all or _is_on(variables, "SGLANG_SHARED_EXPERT_TP1")
    dense: Span = "all" if apart and degrees.dense == degrees.tensor else "tensor"
    dense = "whole" if degrees.dense == 1 else dense
    return Plan(
        data=degrees.replicas * degrees.groups,
        tensor=degrees.attention,
        pipeline=degrees.pipeline,
        chunks=chunks,
        replicas_first=degrees.replicas > 1,
        cache_context=degrees.cache_context,
        expert=degrees.expert,
        expert_tensor=degrees.expert_tensor if facts.experts else degrees.attention,
        expert_block=32 if facts.quantized("moe.up") == "mxfp4" else 1,
        redundant=degrees.redundant,
        gather_tokens=apart and not degrees.all_to_all and degrees.expert > 1,
        split_tokens=degrees.all_to_all and degrees.attention > 1,
        dense=dense,
        shared="whole" if whole_shared else "all" if apart else "tensor",
        embedding="whole" if facts.model_type in _WHOLE_TABLE else "tensor",
        head="all" if apart and not line.has("--enable-dp-lm-head") else "tensor",
        vocabulary_multiple=multiple,
        weight_dtype=weight_dtype("--dtype", line.text("--dtype", "auto"), facts),
        activation_dtype="fp32" if line.text("--dtype") in ("float", "float32") else "",
        cache_dtype=cache_dtype("--kv-cache-dtype", line.text("--kv-cache-dtype", "auto")),
        dispatch_dtype="fp8" if degrees.all_to_all and facts.quantized("moe.up") == "fp8" else "",
        beside=beside,
        notes=tuple(notes),
    )


def _is_on(variables: Mapping[str, str], name: str) -> bool:
    return variables.get(name, "0").lower() in ("1", "true")


def _stages(degrees: _Degrees, facts: Facts, variables: Mapping[str, str]) -> tuple[int, ...]:
    """Layers by stage: what is left goes to the last stages (``distributed/utils.py``)."""
    if degrees.pipeline == 1:
        return ()
    if text := variables.get("SGLANG_PP_LAYER_PARTITION", ""):
        return deal_layers(text, "SGLANG_PP_LAYER_PARTITION", facts.layers, degrees.pipeline)
    each, left = divmod(facts.layers, degrees.pipeline)
    return tuple(each + (stage >= degrees.pipeline - left) for stage in range(degrees.pipeline))
