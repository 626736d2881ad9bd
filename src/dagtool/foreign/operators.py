"""The operator a title or an id names. Precise before complete: what is not plainly named stays unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

__all__ = ["FAMILIES", "UNKNOWN", "Operation", "is_way", "narrowed", "operation_of", "without_addresses"]

FAMILIES = ("compute", "communication", "norm", "gate", "routing", "residual", "io", "placeholder")
"""The coarse kinds."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator's name, its coarse kind, and how sure that is: 1.0 plainly named in the label, less by the id."""

    op: str = ""
    family: str = ""
    confidence: float = 0.0
    doubt: int = 0
    """0: a technical term names it. 1: a word of everyday English or of other programs does (``score``). 2: such a word in prose does."""

    def __bool__(self) -> bool:
        return bool(self.op)


UNKNOWN = Operation()

_TABLE = (
    ("placeholder", "placeholder", 1.0, r"^\W*(?:\.\.\.|…)\W*$|\.\.\.|…|\bellipsis\b|\bomitted\b|\bsimilar\b|\brepeat(?:ed|ing) (?:layers?|pattern|structure)\b"),
    ("all_reduce", "communication", 1.0, r"\ball ?reduce\b|\bpsum\b(?! scatter)"),
    ("reduce_scatter", "communication", 1.0, r"\breduce ?scatter\b|\bpsum scatter\b"),
    ("all_gather", "communication", 1.0, r"\ball ?gather\b"),
    ("all_to_all", "communication", 1.0, r"\ball ?(?:to|2|#) ?all\b|(?<![\w#])a ?(?:2|#) ?a\b(?!#\w)"),
    ("broadcast", "communication", 1.0, r"\b(?:broadcast|bcast)\b"),
    ("send_recv", "communication", 1.0, r"\bsend(?:ing)? ?(?:and |& |/ ?)?(?:recv|receive)\b|\b(?:pipeline|pp|p2p|stage|inter stage) ?comm(?:unication)?\b|\bp2p\b"),
    ("recv", "communication", 1.0, r"\b(?:recv|receive|receives|receiver)\b"),
    ("send", "communication", 1.0, r"\bsend\b"),
    ("transfer", "communication", 0.8, r"\b(?:comm|communication|transfer|sync)\b|\b(?:pipeline|stage) transition\b"),
    ("head_split", "compute", 0.9, r"\bsplit heads?\b|\bhead split\b"),
    ("head_merge", "compute", 0.9, r"\b(?:merge|combine|recombine) heads?\b|\bheads? merge\b"),
    ("rearrange", "compute", 0.8, r"\breshape\b|\btranspose\b"),
    ("route_back", "routing", 1.0, r"\broute back\b"),
    ("route", "routing", 0.9, r"\bexpert route\b|\broute to expert\b|\broute expert\b"),
    ("dispatch", "routing", 1.0, r"\bdispatch\b|\btoken distribut(?:or|ion)\b|\bdistribute tokens\b"),
    ("combine", "routing", 1.0, r"\bcombine\b"),
    ("aggregate", "routing", 1.0, r"\b(?:agg|aggr|aggregate|aggregation|aggregator)\b"),
    ("concat", "routing", 1.0, r"\b(?:concat|concatenate|concatenation)\b"),
    ("split", "routing", 0.9, r"\b(?:split|splitter|scatter)\b"),
    ("gather", "routing", 0.7, r"\bgather\b|\bmerge\b"),
    ("residual", "residual", 1.0, r"\bresidual\b|\bresidual add\b|\bskip connection\b|\bres(?: add)?$|\bmoe res\b|\badd residual\b"),
    ("norm", "norm", 1.0, r"\b(?:layer ?norm|rms ?norm|layer ?normalization|norm|ln|normalization)\b"),
    ("embedding", "compute", 1.0, r"\b(?:embedding|embeddings|embed|positional encoding|position encoding|rope|rotary)\b"),
    ("scale", "compute", 0.9, r"\b(?:scale|scaling)$"),
    ("softmax", "compute", 1.0, r"\bsoftmax\b(?! ?[×x*·@] ?v\b)"),
    ("scores", "compute", 0.9, r"\bqk ?\^? ?t\b|\bqk ?\b(?!v)|\b(?:attention|attn) scores?\b|\bscores?\b|\bq ?[×x*·@] ?k\b"),
    ("weighted_sum", "compute", 0.9, r"\b(?:attention|attn|scores?|weights?|softmax|a|p) ?[×x*·@] ?v\b|\bpv\b|\b(?:attention|attn) weighted\b|\bweighted (?:sum|values?)\b|\bapply (?:attention |attn )?(?:weights|scores|probabilities)\b"),
    ("linear", "compute", 0.9, r"\bgate (?:proj|projection|linear|up)\b|\b(?:mlp|ffn) gate\b|\bexpert gate (?:proj|projection|linear)\b|\bexpert # gate$"),
    ("activation", "compute", 1.0, r"\b(?:gelu|silu|relu|swiglu|swish|activation|act|gate mul|elementwise mul|element wise mul)\b"),
    ("gate", "gate", 0.9, r"\b(?:gate|gating|router|gate network|expert select|expert selection|top ?k)\b"),
    ("routing", "routing", 0.8, r"\b(?:routing|route|router)\b"),
    ("linear", "compute", 1.0, r"\b(?:linear|linear#?|proj|projection|projections|[qkvo] proj(?:ection)?|dense|fc|fc#|lm head|qkv|unembedding)\b|\b(?:up|down)$|\b(?:up|down)\b(?= (?:gpu|tp|#))"),
    ("cache", "compute", 0.9, r"\bkv ?cache\b"),
    ("attention", "compute", 0.9, r"\b(?:attention|attn|mha|gqa|mla|self attention)\b"),
    ("experts", "compute", 0.9, r"\b(?:expert|experts|exp)\b(?! parallelism)"),
    ("mlp", "compute", 0.9, r"\b(?:mlp|ffn|feed ?forward|moe)\b"),
    ("matmul", "compute", 0.7, r"\b(?:mat ?mul|batch ?mat ?mul|gemm|einsum)\b"),
    ("dropout", "compute", 1.0, r"\bdropout\b"),
    ("add", "residual", 0.7, r"(?<!bias )\badd\b"),
)  # fmt: skip
_RULES = tuple((Operation(op, family, sure), re.compile(pattern)) for op, family, sure, pattern in _TABLE)
_EVERYDAY_WORDS = (
    "similar omitted repeated send sending receive receives receiver recv comm communication transfer sync broadcast dispatch"
    " combine aggregate aggregation agg aggr scatter split splitter gather merge concat residual res norm normalization"
    " embed embedding embeddings scale scaling score scores act activation gate gating router route routing linear dense"
    " proj projection projections up down attention expert experts exp add reshape transpose matmul gemm"
)
"""Operators whose names are words of everyday English or of other programs too."""
_EVERYDAY = frozenset({"mat mul", *_EVERYDAY_WORDS.split()})
_WORDS_BESIDE = (
    "a an and all each per over across to from for of on in with before after into then pre post inter intra local global"
    " partial full total final first last base main shared sharded fused async optimized balanced distributed hierarchical"
    " complete weighted scaled masked causal model models network module transformer decoder encoder block blocks layer layers group groups parallel"
    " pipeline stage tp ep dp pp sp cp ring rank ranks gpu gpus device devices node nodes column columns row rows col data"
    " batch micro microbatch sequence seq token tokens position positions pos positional word vocab hidden dim dims dimension"
    " dimensions head heads multi single grouped self cross flash paged latent sparse sliding window dot product sum top k q"
    " v o w x y n t s b d kv key keys value values query queries weight weights bias logits prob probs probabilities mask"
    " input inputs output outputs in out result results states cache selection select load compute forward backward fwd bwd"
    " grad grads gradient decode prefill sqrt partials tensor tensors matrix half quarter core nccl hccl"
)
"""Words beside an operator that are no prose."""
_BESIDE = frozenset(_WORDS_BESIDE.split())
_JOINING = re.compile(r"[+&]|\band\b|/")
_IO = {
    "input": re.compile(r"\A(?:(?:total|model|global|raw|layer #?|final|stage #?|batch|token|text|prompt|user|the) )*inputs?(?: (?:tokens?|layer|ids?|data|sequence|batch|#))*$"),
    "output": re.compile(r"\A(?:(?:(?:total|model|global|layer #?|final|stage #?|batch|token|the) )*outputs?(?: (?:tokens?|layer|logits|probabilities|#))*$|(?:final )?logits$)"),
}  # fmt: skip

_PARENTHESES = re.compile(r"\([^()]*\)")
_PLACE = re.compile(
    r"\bexperts?:\s?\d+|\b(?:layers?|stage|gpus?|device|tp|pp|ep|dp|sp|rank|node|block|head|heads|pipeline stage|l|s|e|g|t|d)\s?[_#:=.-]?\s?\d+(?:\s?[-–]\s?\d+)?\b"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_KEEP_WHOLE = re.compile(
    r"QK\^?T|LayerNorm|RMSNorm|AllReduce|AllGather|AllToAll|ReduceScatter|KVCache|SwiGLU|GeLU|SiLU|ReLU|MoE|TopK|ElementWise",
    re.I,
)
_MARKS = re.compile(r"[_:;,.|\"'’=?!<>{}\[\]-]+")
_NUMBER = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]+")
_SCOPE = re.compile(r"/?(?:[a-z][\w.]*+/){2,}+[\w.]++\Z")
"""The path of an operator in the scopes of a program: ``encoder/layer_0/attention/MatMul``."""


_LEFT_OUT = re.compile(
    r"[\W\d_]*+(?:(?:layers?|experts?|blocks?|stages?|gpus?|devices?|ranks?|heads?|nodes?|tokens?|micro|batch(?:es)?|more|others?"
    r"|remaining|rest|same|similar|repeat(?:ed|s)?|omitted|and|to|of|on|for|in|each|all|as|x|times|transformer|decoder|moe"
    r"|distributed|across|etc)(?![a-z])[\W\d_]*+)*+\Z",
    re.IGNORECASE,
)
"""A text with dots that says what is left out, and nothing else: dots in prose, in code and behind a number do not.

What is left out must be named, unless the dots stand alone: ``... and 12 more`` is no part of a model.
"""
_NOUN = re.compile(
    r"(?:layer|expert|block|stage|gpu|device|rank|head|node|token|batch|transformer|decoder)", re.IGNORECASE
)
_NUMBER_ALONE = re.compile(r"[^\Wa-z_]++[\W\d_]*+\Z|[\W\d_]*+\d[\W\d_]*+\Z", re.IGNORECASE)


_CHINESE = {
    "全归约": "all reduce", "全收集": "all gather", "归约散射": "reduce scatter", "全对全": "all to all", "广播": "broadcast",
    "残差": "residual", "归一化": "norm", "词嵌入": "embedding", "注意力": "attention", "前馈": "ffn", "专家": "experts",
    "门控": "gate", "线性": "linear", "投影": "projection", "激活": "activation", "输入": "input", "输出": "output",
}  # fmt: skip
_CHINESE_WORD = re.compile("|".join(_CHINESE))


def _words(text: str) -> str:
    """Small words; numbers as #, places (layer 3, gpu 1) and what stands in parentheses left out."""
    if not text.isascii():
        text = _CHINESE_WORD.sub(lambda match: f" {_CHINESE[match[0]]} ", text)
    if "..." in text or "…" in text:
        left_out = _LEFT_OUT.match(text) and not _NUMBER_ALONE.match(text)
        if left_out and (_NOUN.search(text) or not text.strip(".… ")):
            return "..."
        text = text.replace("...", " ").replace("…", " ")
    text = _PARENTHESES.sub(" ", text)
    text = _KEEP_WHOLE.sub(lambda match: f" {match[0].lower()} ", text)
    text = _CAMEL.sub(" ", text).replace("_", " ").lower()
    text = re.sub(r"(?<=[a-z]{3})(?=\d)", " ", text)
    text = _MARKS.sub(" ", _PLACE.sub(" ", text))
    return _SPACES.sub(" ", _NUMBER.sub("#", text)).strip()


@lru_cache(maxsize=1 << 14)
def _named(text: str) -> Operation:
    if _SCOPE.match(text):
        text = _last_part(text)
    words = _words(text)
    if not words:
        return UNKNOWN
    for op, pattern in _IO.items():
        if pattern.match(words):
            return Operation(op, "io", 0.9)
    found = [(one, pattern) for one, pattern in _RULES if pattern.search(words)]
    if not found:
        return UNKNOWN
    first = replace(found[0][0], doubt=_doubt(words, [pattern for _, pattern in found]))
    if first.op in ("send_recv", "placeholder"):
        return first
    if _JOINING.search(words) and len({_first(part) for part in _JOINING.split(words)} - {""}) > 1:
        return replace(first, op="fused", family="compute", confidence=0.8)
    if first.op in ("attention", "mlp", "experts") and words.endswith(" input"):
        return UNKNOWN
    return first


def _first(words: str) -> str:
    """The operator of one part of a joined title; empty where there is none."""
    return next((one.op for one, pattern in _RULES if pattern.search(words)), "")


def _doubt(words: str, patterns: Iterable[re.Pattern[str]]) -> int:
    """Say how doubtful it is that words in which these patterns occur name an operator: see ``Operation.doubt``."""
    named = {match[0].rstrip("# ") for pattern in patterns for match in pattern.finditer(words)}
    if not named <= _EVERYDAY:
        return 0
    beside = set(_WORD.findall(words)).difference(*map(str.split, named))
    return 1 if _BESIDE.issuperset(beside) else 2


def _last_part(path: str) -> str:
    """The last part of a path that is no mere place: ``MatMul`` of ``layer_0/attention/MatMul``, ``attn`` of ``attn/gpu0``.

    A part of a part needs the one before it: ``attn/out``.
    """
    parts = [part for part in path.split("/") if _WORD.search(_words(part))]
    needed = 2 if parts and _BESIDE.issuperset(_WORD.findall(_words(parts[-1]))) else 1
    return " ".join(parts[-needed:])


_SURE_BY_ID = 0.7
Names = tuple[str, ...]
_BLOCKS = ("attention", "mlp", "experts")
_PART_OF_ATTENTION = re.compile(r"\bout(?:put)?\b|\bproj")
_PART_OF_MLP = re.compile(r"(?:mlp|ffn)[ _-]?\d", re.I)
_WAY = re.compile(r"(?<![a-z])(?:col(?:umn)?|row)(?=[\W_]|\Z|parallel|wise)", re.I)
_ONLY_WAY = re.compile(r"\W*(?:col(?:umn)?|row)[\s_-]?(?:parallel|wise|split)\W*\Z", re.I)
_ROUTER = re.compile(r"\brouter\b|\b(?P<gate>gate|gating|select)", re.I)


_ADDRESS = re.compile(
    r"0x[0-9a-fA-F]++|(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[0-9a-f]{6,}+(?![0-9A-Za-z])"
)


def _drop_address(match: re.Match[str]) -> str:
    """Blank out an address, a UUID or a mark of a commit: the ``a2a`` inside names no collective."""
    text = match[0]
    return " " if text.startswith("0x") or sum(map(str.isdigit, text)) > 1 else text


@lru_cache(maxsize=1 << 14)
def _plain(text: str) -> str:
    """A text without addresses, and every number in it as 0."""
    return _NUMBER.sub("0", without_addresses(text))


def without_addresses(text: str) -> str:
    """Blank out addresses, UUIDs and marks of commits."""
    return _ADDRESS.sub(_drop_address, text)


def operation_of(title: str, name: str, shape: str = "") -> Operation:
    """The operator by the title of the label; by the id where the title names none."""
    found = _named(_plain(title)) if title else UNKNOWN
    if not found and (by_id := _named(_plain(name))):
        found = replace(by_id, confidence=by_id.confidence * _SURE_BY_ID)
    if shape in ("ellipse", "oval"):  # drawn as communication
        if found.op == "gather":
            return Operation("all_gather", "communication", 0.6)
        if found.op == "gate" and _routes(title):
            return Operation("routing", "routing", 0.6)
    return found


def _routes(title: str) -> bool:
    """Whether the title names a router, and no gate after it."""
    named = [match["gate"] for match in _ROUTER.finditer(title)]
    return bool(named) and named[-1] is None


def is_way(text: str) -> bool:
    """Whether a line only says how a matrix is cut: ``(Column Parallel)``, ``ColParallel``."""
    return bool(_ONLY_WAY.match(text))


@lru_cache(maxsize=1 << 12)
def _is_part_of_attention(title: str) -> bool:
    return bool(_PART_OF_ATTENTION.search(_words(title)))


def narrowed(operation: Operation, title: str, rest: tuple[str, ...], taken: Names, given: Names) -> Operation:
    """What is named after a block and is one matrix product of it; else what it is.

    Only a matrix product is cut by columns or by rows (``MLP1``, ``column parallel``); both ways in one label is the whole
    block. An attention output that gives no heads is the output projection, and the weighted sum if scores go in.
    ``taken`` and ``given`` are the names of the dimensions of the inputs and outputs.
    """
    if operation.op == "attention":
        if not _is_part_of_attention(_NUMBER.sub("0", title)):
            return operation
        if taken.count("seq_len") > 1 and "hidden" not in taken:
            return replace(operation, op="weighted_sum")
    elif operation.op not in _BLOCKS or not (part := _PART_OF_MLP.search(title)):
        return operation
    elif operation.op == "experts" and part[0][-2].isalpha():
        return replace(operation, op="linear")  # "Expert 0 FFN2"
    ways = {way[0].lower() for text in (title, *rest) for way in _WAY.findall(text)}
    merges = operation.op == "attention" and bool(taken and given) and not {"heads", "d_k"} & set(given) and not ways
    return replace(operation, op="linear") if merges or len(ways) == 1 else operation
