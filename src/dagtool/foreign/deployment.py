"""Decide whether a graph that declares no operators is a deployment of a model at all, from what its nodes say.

A call graph, a workflow or a state machine is as good a DOT file as any; what only a deployment must have (a GPU for
each node, dimensions, one input and one output) is not asked of it.

Five things speak for a deployment: operators of a model, the dimensions of its tensors, ways to run it in parallel,
devices and collectives. Each of them is found in graphs of other kinds as well (a network of GPU servers, a drawing of
a transformer, an MPI program), so several must come together: the model, and that it is spread over devices.

Words are searched more widely here than where facts are read: what a graph is about shows in words that say too little
for a fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.foreign.facts import NodeFacts
    from dagtool.foreign.guess import Guess

__all__ = ["Nature", "is_plain", "judge_nature"]

_MOST, _MANY, _SOME = 0.5, 0.25, 0.125
"""Shares of the nodes that must say a thing before it counts as what the graph is about."""
_LABELLED = 0.1
_SAMPLE = 1024
"""Nodes that are read of a larger graph: what it is about shows in a part of it."""
_SURE = 0.8
_ENOUGH = 3.5
"""Points from which a graph is a deployment."""
_DIMENSIONS = frozenset({"seq_len", "hidden", "heads", "d_k", "ffn", "vocab_size", "tokens", "experts"})
"""Dimensions of language models, by the names that synonyms are folded to; a batch is one of other trades too."""
_OF_MODELS = frozenset(
    {"attention", "softmax", "mlp", "weighted_sum", "head_split", "head_merge", "cache", "norm", "activation",
     "experts", "linear", "scores", "gate", "embedding", "residual", "fused"}
)  # fmt: skip
"""Operators that make up a model. One of their names alone (``gate``, ``linear``) may mean something else."""
_PLAIN = frozenset({"attention", "softmax", "mlp", "weighted_sum", "head_split", "head_merge", "cache", "experts"})
"""Operators whose names mean nothing else, beside devices."""
_COLLECTIVES = frozenset({"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv"})
_PARTS = {
    "attention": r"qkv|(?:self[_ ]?)?attn|attention|sdpa|mha|gqa|mla|heads?[\s_-]?\d|注意",
    "projection": r"[qkvo][_ ]?proj|c_proj|c_fc",
    "mlp": r"ffn|mlp|feed[_ ]?forward|gate_up|fc\d|前馈|全結合",
    "norm": r"rms[_ ]?norm|layer[_ ]?norm|ln_?[\df]",
    "head": r"(?:lm|vocab)[_ ]?(?:head|proj)",
    "experts": r"experts?|moe|专家|專家",
    "embedding": r"unembed|wte|(?:word_)?embed(?:ding)?s?|embed_tokens|嵌入|埋め込み",
    "layer": r"(?:decoder|transformer|bert|bloom)?[_ ]?(?:blocks?|layers?)[\s_.#:-]?\d|第\d{1,4}\D{0,2}\d{0,4}层",
}
"""Words for the parts of a model."""
_WORDS = re.compile(
    rf"(?<![a-z])(?:{'|'.join(f'(?P<{part}>{words})' for part, words in _PARTS.items())})(?![a-z])", re.IGNORECASE
)
_WEIGHTS = re.compile(r"(?<![A-Za-z])W[_ ]?[qkvoQKVO](?![A-Za-z])")
_MODELS = re.compile(
    r"(?<![a-z])(?:llama|mistral|mixtral|qwen|deepseek|gpt|bert|bloom|falcon|palm|gemma|llms?|transformer|moe)(?![a-z])",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?:(?<![a-z])(?<!\.com/)(?:[gtnhlxi]pu|mlu|cuda|device|dev|chip|gcd|ranks?|grafikkarten?|carte)|显卡|卡)"
    r"[\s_:#=@\"-]{0,3}[a-z]?(\d{1,6})(?!\d|\s?[gm]i?b)|(?<![a-z0-9])g(\d{1,4})(?![a-z0-9])",
    re.IGNORECASE,
)
"""A device with a number; a number of gigabytes is none."""
_PARALLEL = re.compile(
    r"(?<![a-z])[tpedsc]p(?:[ _-]?(?:rank|size|degree|group|stage))?[\s_:=x×-]{0,2}\d"
    r"|(?<![a-z])pipeline[\s_:-]{0,2}(?:stage)?[\s_:-]{0,2}\d",
    re.IGNORECASE,
)
"""A way to run in parallel, with a number: ``TP 3``, ``PP=2``, ``tp_rank: 0``, ``pipeline stage 1``."""
_IN_WORDS = re.compile(
    r"(?<![a-z_])(?:tensor|pipeline|expert|data|sequence|context|column|col|row)[\s_-]?parallel(?:ism)?(?![a-z_(])",
    re.IGNORECASE,
)
_PART = re.compile(r"(?<![a-z])(?:stages?|layers?)[\s_:#-]{0,2}\d", re.IGNORECASE)
"""A part of a model, or of many other things: ``stage 1``, ``layers 0-19``."""


@dataclass(frozen=True, slots=True)
class Nature:
    """Whether a graph is a deployment, and the evidence in words; ``guessed`` unless that is stated somewhere."""

    deployment: bool
    evidence: str
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """What one node says."""

    devices: frozenset[object]
    assigned: bool
    """Whether a line says which GPU it runs on, and nothing else."""
    op: str
    words: frozenset[str]
    """The parts of a model that it names."""
    named: bool
    """Whether it names a dimension of a language model."""
    sized: bool
    """Whether it states dimensions at all."""
    parallel: bool
    in_words: bool
    part: bool


@dataclass(frozen=True, slots=True)
class _Weight:
    """How much one kind of evidence counts, and how many nodes give it."""

    what: str
    nodes: int
    points: float


def judge_nature(graph: Guess) -> Nature:
    """Weigh what the nodes say, and what stands above them: the names and labels of the graph and of its clusters.

    Of a large graph some nodes are read, drawn at random. Nodes without a label of their own often say little; where a
    tenth of the nodes or more has one, these are asked alone as well.
    """
    read = graph.sample(_SAMPLE)
    if not read:
        return Nature(False, "it has no nodes", guessed=True)
    said = [_hear(*node) for node in read]
    labelled = [one for one, (_, facts) in zip(said, read, strict=True) if facts.described]
    titles = "\n".join(graph.titles)
    nature = _judge(said, titles)
    return (
        _judge(labelled, titles)
        if labelled and not nature.deployment and len(labelled) >= _LABELLED * len(said)
        else nature
    )


def is_plain(graph: Guess) -> bool:
    """Whether operators and layers that names resemble are none: it is no deployment, and its ids do not tell of one.

    Ids tell where most nodes have no labels and a quarter of the ids name an operator of a model or a layer.
    """
    nodes = graph.nodes
    if judge_nature(graph).deployment:
        return False
    told = sum(one.place.layer is not None or one.op in _OF_MODELS for one in nodes)
    return 2 * sum(one.described for one in nodes) > len(nodes) or told < _MANY * len(nodes)


def _judge(said: Sequence[_Said], titles: str) -> Nature:
    """Add up the evidence of some nodes and of the titles above them."""
    operators, dimensions = _weigh_operators(said), _weigh_dimensions(said)
    devices, parallel = _weigh_devices(said), _weigh_parallelism(said)
    collectives = sum(one.op in _COLLECTIVES for one in said)
    weights = (devices, operators, dimensions, parallel, _Weight("a collective", collectives, bool(collectives)))
    titled = bool(_PARALLEL.search(titles))
    about_a_model = bool(_MODELS.search(titles) or _WORDS.search(titles))
    of_a_model = about_a_model or max(operators.points, dimensions.points) >= 1 or any(one.words for one in said)
    shared = dimensions.points > 1 and bool(collectives or devices.points)
    spread = titled or shared or devices.points >= 1 or parallel.nodes >= _MANY * len(said)
    points = sum(weight.points for weight in weights) + titled + about_a_model
    return Nature(of_a_model and spread and points >= _ENOUGH, _describe_evidence(weights, len(said)), guessed=True)


def _hear(text: str, facts: NodeFacts) -> _Said:
    placement = facts.placement
    devices: set[object] = {int(number or letter) for number, letter in _DEVICE.findall(text)}
    if placement and not placement.host:
        devices.update(placement.gpus, placement.to, placement.names, ("first", "last") if placement.every else ())
    words = {match.lastgroup or "" for match in _WORDS.finditer(text)}
    if _WEIGHTS.search(text):
        words.add("projection")
    shapes = (*facts.inputs, *facts.outputs, *facts.bare)
    return _Said(
        frozenset(devices),
        bool(placement and placement.gpus and placement.source == "label" and not placement.rest),
        facts.op if facts.operation.confidence >= _SURE else "",
        frozenset(words),
        any(dim.name in _DIMENSIONS or dim.text in _DIMENSIONS for shape in shapes for dim in shape.dims),
        bool(shapes),
        bool(_PARALLEL.search(text)),
        bool(_IN_WORDS.search(text)),
        bool(_PART.search(text)),
    )


def _scale(nodes: int, of: Sequence[_Said], points: float) -> float:
    """Give all the points where many nodes say a thing, half of them for some, and half a point more for most."""
    share = nodes / len(of)
    return points + 0.5 * (share >= _MOST) if share >= _MANY else points / 2 if share >= _SOME else 0


def _weigh_operators(said: Sequence[_Said]) -> _Weight:
    """Weigh names that make up a model: one that means nothing else, or two of them beside each other."""
    named = [one for one in said if one.op in _OF_MODELS or one.words]
    kinds = {one.op for one in named if one.op in _OF_MODELS}
    words = frozenset(chain.from_iterable(one.words for one in named))
    sure = max(len(kinds), len(words)) > 1 or bool(_PLAIN & kinds)
    enough = sure or len(named) >= _MOST * len(said)
    return _Weight("an operator of a model", len(named), _scale(len(named), said, 2 if sure else 1) if enough else 0)


def _weigh_dimensions(said: Sequence[_Said]) -> _Weight:
    named, sized = sum(one.named for one in said), sum(one.sized for one in said)
    return _Weight("a dimension", sized, max(_scale(named, said, 2), _scale(sized, said, 1)))


def _weigh_devices(said: Sequence[_Said]) -> _Weight:
    """Weigh GPUs and ranks: more where lines assign them (``GPU: 0``), less where one is mentioned and no other."""
    placed = [one.devices for one in said if one.devices]
    assigned = sum(one.assigned for one in said)
    points = 0.5 if len(placed) >= _MANY * len(said) else 0
    if len(frozenset(chain.from_iterable(placed))) > 1 or assigned >= _MANY * len(said):
        points = _scale(len(placed), said, 1) + 0.5 * (assigned >= _MOST * len(said))
    return _Weight("a GPU or a rank", len(placed), points)


def _weigh_parallelism(said: Sequence[_Said]) -> _Weight:
    """Weigh ways to run in parallel, with numbers; in words they and parts of a model count less."""
    nodes = sum(one.parallel for one in said)
    words = _scale(sum(one.in_words for one in said), said, 1)
    parts = _scale(sum(one.part for one in said), said, 1)
    return _Weight("a way to run in parallel", nodes, max(_scale(nodes, said, 2), words, parts))


def _describe_evidence(weights: Iterable[_Weight], count: int) -> str:
    """Say how many nodes name each thing, and what none names."""
    found = [f"{weight.what} in {weight.nodes:,}" for weight in weights if weight.nodes]
    lacking = [weight.what for weight in weights if not weight.nodes]
    none = f"no node names {' or '.join(filter(None, (', '.join(lacking[:-1]), lacking[-1])))}" if lacking else ""
    some = f"of {count:,} node{'s' * (count > 1)}, the labels name {', '.join(found)}" if found else ""
    return "; ".join(filter(None, (some, none)))
