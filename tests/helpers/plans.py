"""Plans: every way to deploy a model that this table knows, as strategy documents.

A piece (``tensor``, ``batch``, ``sequence``, …) says how one axis cuts the places of a model; pieces are put
together to a draft, and a draft is a document. ``PLANS`` is the table: to add a plan, write a function below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from math import prod
from typing import Any

__all__ = ["PLANS", "Draft", "Situation", "document_of", "fits", "plans_of", "situation_of", "together"]

ENDS = ("input", "embedding", "head", "output")
ATTENTION = ("attention", "attention.core", "attention.keys", "attention.out")
TOKENS = ("stream", "ffn", "router", "mlp", "shared", *ENDS)
PLACES = (*TOKENS, *ATTENTION, "experts")


@dataclass(frozen=True)
class Situation:
    """What is deployed: the model as a table, all its sizes, and the phase it runs."""

    table: Mapping[str, Any]
    sizes: Mapping[str, int]
    phase: str

    @cached_property
    def kinds(self) -> list[dict[str, Any]]:
        """The options of each kind of layer."""
        own = [value for value in self.table.values() if isinstance(value, Mapping)]
        outer = {key: value for key, value in self.table.items() if not isinstance(value, Mapping)}
        return [{**outer, **kind} for kind in own] or [outer]

    def widths(self, ffn: str) -> list[str]:
        """The sizes of the hidden dimension of dense networks, or of experts."""
        found = [str(kind.get("width", "F")) for kind in self.kinds if (kind.get("ffn") == "moe") == (ffn == "moe")]
        return list(dict.fromkeys(found))

    @property
    def latent(self) -> bool:
        """Whether some layer has latent attention."""
        return any(kind.get("attention") == "mla" for kind in self.kinds)

    @property
    def grouped(self) -> bool:
        """Whether there are fewer heads of keys and values than of queries."""
        return "G" in self.sizes and not self.latent

    @property
    def heads(self) -> str:
        """The size that cuts heads."""
        return "G" if self.grouped else "N"

    @property
    def experts(self) -> bool:
        """Whether some layer has experts."""
        return "E" in self.sizes

    @property
    def physical(self) -> str:
        """The size that cuts experts: of physical ones where some are there more than once."""
        return "R" if "R" in self.sizes else "E"

    @property
    def all_logits(self) -> bool:
        """Whether every token is projected onto the vocabulary."""
        return self.phase in ("forward", "loss")

    @property
    def shared(self) -> list[str]:
        """The widths of shared experts."""
        return list(dict.fromkeys(str(kind["shared"]) for kind in self.kinds if kind.get("shared")))

    @property
    def decoding(self) -> bool:
        """Whether it reads a cache."""
        return self.phase == "decode"

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The places of a layout that the model has."""
        absent = set() if self.widths("dense") else {"mlp"}
        absent |= set() if self.experts else {"router", "experts"}
        absent |= set() if self.shared else {"shared"}
        absent |= {"output"} if self.phase == "loss" else set()
        absent |= {"embedding"} if self.table.get("embedding") == "none" else set()
        return tuple(place for place in PLACES if place not in absent)


def situation_of(published: Any, phase: str, **run: int) -> Situation:
    """The situation of a published model with the sizes of a run, B and S, in decoding also T."""
    model = published.model
    table = {**model.options, **({"layers": model.pattern} if model.pattern else {})}
    table |= {kind: dict(own) for kind, own in model.kinds.items()}
    return Situation(table, {**published.sizes, **run}, phase)


@dataclass(frozen=True)
class Draft:
    """A plan before it is written down: degrees of axes, what they cut at each place, other tables."""

    degrees: Mapping[str, int] = field(default_factory=dict)
    cuts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By place and size the axes, major first."""
    meshes: Mapping[str, str] = field(default_factory=dict)
    """By place the mesh, where it is not the only one."""
    tables: Mapping[str, Any] = field(default_factory=dict)


def together(*drafts: Draft) -> Draft:
    """One draft of several: at each place the cuts of all, those of earlier drafts major."""
    return reduce(_joined, drafts, Draft())


def _joined(one: Draft, other: Draft) -> Draft:
    cuts = {place: dict(held) for place, held in one.cuts.items()}
    for place, held in other.cuts.items():
        for size, axes in held.items():
            cuts.setdefault(place, {})[size] = (*cuts.get(place, {}).get(size, ()), *axes)
    tables = dict(one.tables)
    for name, table in other.tables.items():
        tables[name] = {**tables.get(name, {}), **table} if isinstance(table, Mapping) else table
    return Draft({**one.degrees, **other.degrees}, cuts, {**one.meshes, **other.meshes}, tables)


def cut(axis: str, size: str, *places: str) -> Draft:
    """One size cut along an axis at some places; of which degree the axis is, another draft says."""
    return Draft({}, {place: {size: (axis,)} for place in places})


def degree(**degrees: int) -> Draft:
    """Degrees alone."""
    return Draft(degrees)


def fits(s: Situation, draft: Draft) -> bool:
    """Whether every cut of a draft is into equal parts; one new token is never cut."""
    for place, held in draft.cuts.items():
        for size, axes in held.items():
            if place in s.places and s.sizes.get(size, 0) % prod(draft.degrees[axis] for axis in axes):
                return False
            if size not in s.sizes or (size == "S" and s.sizes["S"] == 1):
                return False
    return True


def document_of(s: Situation, draft: Draft) -> dict[str, Any]:
    """The strategy document of a draft."""
    layout = {}
    for place in s.places:
        held = draft.cuts.get(place, {})
        words = ["/".join([size, *axes]) for size, axes in held.items()]
        layout[place] = " ".join([draft.meshes.get(place, "all"), *words])
    degrees = dict(draft.degrees)
    document = {"phase": s.phase, "model": dict(s.table), "sizes": dict(s.sizes), "layout": layout}
    return {**document, **({} if "groups" in draft.tables else {"degrees": degrees}), **draft.tables}


# -- pieces -----------------------------------------------------------------------------------


def tensor(s: Situation, axis: str = "tp", *, heads: str = "") -> Draft:
    """Megatron's tensor parallelism: heads, hidden sizes and vocabulary cut; the stream whole."""
    return together(
        cut(axis, heads or s.heads, *ATTENTION),
        *(cut(axis, width, "mlp") for width in s.widths("dense")),
        *(cut(axis, width, "shared") for width in s.shared),
        cut(axis, "V", "head"),
    )


def expert_width(s: Situation, axis: str = "tp") -> Draft:
    """Each expert cut along its hidden size."""
    return together(*(cut(axis, width, "experts") for width in s.widths("moe")))


def whole_tensor(s: Situation, axis: str = "tp") -> Draft:
    """Tensor parallelism of everything, experts too."""
    return together(tensor(s, axis), expert_width(s, axis))


def batch(s: Situation, axis: str = "dp") -> Draft:
    """Sequences of the batch cut everywhere."""
    return cut(axis, "B", *TOKENS, *ATTENTION)


def stream_parts(s: Situation, axis: str = "tp") -> Draft:
    """Megatron's sequence parallelism: tokens of the residual stream and its norms cut."""
    return cut(axis, "S", "stream", "ffn")


def sequence(s: Situation, axis: str = "cp") -> Draft:
    """Context parallelism: tokens cut everywhere, except for keys and values and, after a prefill, logits."""
    ends = ENDS if s.all_logits else ("input", "embedding")
    places = [place for place in TOKENS if place not in ENDS]
    return cut(axis, "S", *places, *ends, "attention", "attention.core", "attention.out")


def ulysses(s: Situation, axis: str = "cp") -> Draft:
    """Tokens cut everywhere but in attention itself, which cuts heads (DeepSpeed-Ulysses)."""
    ends = ENDS if s.all_logits else ("input", "embedding")
    places = [place for place in TOKENS if place not in ENDS]
    return together(
        cut(axis, "S", *places, *ends, "attention", "attention.out"),
        cut(axis, s.heads, "attention.core", "attention.keys"),
    )


def pipeline(count: int, layers: str = "", meshes: Iterable[str] = ()) -> Draft:
    """Stages: equal ones, or a list of layers and of the meshes they lie on."""
    stages: dict[str, Any] = {"layers": layers} if layers else {}
    stages |= {"meshes": list(meshes)} if meshes else {}
    return Draft({"pp": count}, tables={"stages": stages} if stages else {})


def operators(**choices: str) -> Draft:
    """How finely parts are drawn."""
    return Draft(tables={"operators": choices})


# -- the table --------------------------------------------------------------------------------

PLANS: dict[str, Callable[[Situation], Draft | None]] = {}
"""By name: a draft for a situation, or None where it means nothing there."""


def plan(function: Callable[[Situation], Draft | None]) -> Callable[[Situation], Draft | None]:
    """Put a function into the table under its name."""
    PLANS[function.__name__] = function
    return function


def plans_of(s: Situation) -> dict[str, dict[str, Any]]:
    """The documents of all plans that fit a situation, by name."""
    drafts = {name: make(s) for name, make in PLANS.items()}
    return {name: document_of(s, draft) for name, draft in drafts.items() if draft is not None and fits(s, draft)}


@plan
def one(s: Situation) -> Draft:
    return Draft()


@plan
def dp2(s: Situation) -> Draft:
    return together(degree(dp=2), batch(s))


@plan
def tp2(s: Situation) -> Draft:
    return together(degree(tp=2), whole_tensor(s))


@plan
def tp4(s: Situation) -> Draft:
    return together(degree(tp=4), whole_tensor(s))


@plan
def tp2_sp(s: Situation) -> Draft:
    return together(degree(tp=2), stream_parts(s), whole_tensor(s))


@plan
def tp2_vocabulary(s: Situation) -> Draft:
    """Table, projection and logits cut by words."""
    return together(degree(tp=2), whole_tensor(s), cut("tp", "V", "embedding", "output"))


@plan
def tp2_sp_vocabulary(s: Situation) -> Draft:
    return together(degree(tp=2), stream_parts(s), whole_tensor(s), cut("tp", "V", "embedding"))


@plan
def tp2_hidden(s: Situation) -> Draft:
    """Table and projection cut by the hidden size."""
    ends = together(cut("tp", "H", "embedding", "head"))
    inner = Draft({}, {place: held for place, held in whole_tensor(s).cuts.items() if place != "head"})
    return together(degree(tp=2), inner, ends)


@plan
def cp2(s: Situation) -> Draft:
    """Keys and values of all tokens are gathered."""
    return together(degree(cp=2), sequence(s))


@plan
def cp5(s: Situation) -> Draft:
    return together(degree(cp=5), sequence(s))


@plan
def ulysses2(s: Situation) -> Draft:
    return together(degree(cp=2), ulysses(s))


@plan
def keys_cut(s: Situation) -> Draft | None:
    """Every rank has all queries and a part of the keys: a softmax over several ranks."""
    return None if s.decoding else together(degree(cp=2), cut("cp", "S", "attention.keys"))


@plan
def cache_cut(s: Situation) -> Draft | None:
    """The tokens of the cache cut (flash decoding)."""
    return together(degree(cp=2), cut("cp", "T", "attention.keys")) if s.decoding else None


@plan
def cache_cut3(s: Situation) -> Draft | None:
    return together(degree(cp=3), cut("cp", "T", "attention.keys")) if s.decoding else None


@plan
def cache_cut_tp2(s: Situation) -> Draft | None:
    if not s.decoding:
        return None
    return together(degree(cp=2, tp=2), cut("cp", "T", "attention.keys"), whole_tensor(s))


@plan
def kv2_rep2(s: Situation) -> Draft | None:
    """Each head of keys and values on two ranks, its heads of queries shared out."""
    if not s.grouped:
        return None
    return together(
        degree(kv=2, rep=2),
        cut("kv", "G", *ATTENTION),
        cut("rep", "N", *ATTENTION),
        *(cut(axis, width, "mlp") for axis in ("kv", "rep") for width in s.widths("dense")),
        *(expert_width(s, axis) for axis in ("kv", "rep")),
        *(cut(axis, "V", "head") for axis in ("kv", "rep")),
    )


@plan
def pp3(s: Situation) -> Draft:
    return pipeline(3)


@plan
def pp2_uneven(s: Situation) -> Draft:
    return pipeline(2, "2 1")


@plan
def pp2_interleaved(s: Situation) -> Draft:
    return pipeline(2, "1*3", ["s0", "s1", "s0"])


@plan
def pp3_send_recv(s: Situation) -> Draft:
    return together(pipeline(3), operators(transfer="send_and_recv"))


@plan
def pp2_tp2_sp(s: Situation) -> Draft:
    return together(degree(tp=2), pipeline(2, "1 2"), stream_parts(s), whole_tensor(s))


@plan
def pp3_dp2_tp2(s: Situation) -> Draft:
    return together(degree(dp=2, tp=2), pipeline(3), batch(s), whole_tensor(s))


@plan
def dp2_tp2(s: Situation) -> Draft:
    return together(degree(dp=2, tp=2), batch(s), whole_tensor(s))


@plan
def dp2_tp2_sp_vocabulary(s: Situation) -> Draft:
    ends = cut("tp", "V", "embedding", "output")
    return together(degree(dp=2, tp=2), batch(s), stream_parts(s), whole_tensor(s), ends)


@plan
def dp2_cp5(s: Situation) -> Draft:
    return together(degree(dp=2, cp=5), batch(s), sequence(s))


@plan
def dp2_ulysses2(s: Situation) -> Draft:
    return together(degree(dp=2, cp=2), batch(s), ulysses(s))


@plan
def cp5_tp2_sp(s: Situation) -> Draft:
    """Tokens cut by context and then by sequence parallelism."""
    return together(degree(cp=5, tp=2), sequence(s), stream_parts(s), whole_tensor(s))


@plan
def cp5_ulysses2(s: Situation) -> Draft:
    """All-gather between groups, all-to-all inside them."""
    return together(degree(cp=5, up=2), sequence(s), ulysses(s, "up"))


# -- experts ----------------------------------------------------------------------------------


@plan
def ep2(s: Situation) -> Draft | None:
    """Dispatch and combine between ranks that have other sequences."""
    return together(degree(ep=2), batch(s, "ep"), cut("ep", "E", "experts")) if s.experts else None


@plan
def ep2_in_place(s: Situation) -> Draft | None:
    """Every rank has all tokens and some experts: what they make is added up."""
    return together(degree(ep=2), cut("ep", "E", "experts")) if s.experts else None


@plan
def ep4_in_place(s: Situation) -> Draft | None:
    return together(degree(ep=4), cut("ep", "E", "experts")) if s.experts else None


@plan
def ep2_by_tokens(s: Situation) -> Draft | None:
    """Dispatch and combine between ranks that have other tokens of the same sequences."""
    return together(degree(ep=2), sequence(s, "ep"), cut("ep", "E", "experts")) if s.experts else None


@plan
def ep2_tp2(s: Situation) -> Draft | None:
    """Attention and each expert cut alike."""
    if not s.experts:
        return None
    return together(degree(ep=2, tp=2), batch(s, "ep"), whole_tensor(s), cut("ep", "E", "experts"))


@plan
def ep4_of_dp2_tp2(s: Situation) -> Draft | None:
    """Attention dp2 x tp2 with sequence parallelism, experts over all four (DeepSeek-V3's prefill)."""
    if not s.experts:
        return None
    router = together(batch(s), stream_parts(s), tensor(s), cut("tp", "S", "router"))
    return together(degree(dp=2, tp=2), router, cut("dp", "E", "experts"), cut("tp", "E", "experts"))


@plan
def tp2_experts_apart(s: Situation) -> Draft | None:
    """Attention tensor parallel, experts spread over the same ranks, in place."""
    return together(degree(tp=2), tensor(s), cut("tp", "E", "experts")) if s.experts else None


@plan
def etp_by_finer_axes(s: Situation) -> Draft | None:
    """Attention cut four times, each expert twice."""
    if not s.experts:
        return None
    heads = together(
        cut("ep", s.heads, *ATTENTION), cut("etp", "N", *ATTENTION) if s.grouped else cut("etp", s.heads, *ATTENTION)
    )
    dense = together(*(cut(axis, width, "mlp") for axis in ("ep", "etp") for width in s.widths("dense")))
    return together(degree(ep=2, etp=2), heads, dense, cut("ep", "E", "experts"), expert_width(s, "etp"))


@plan
def etp_by_groups(s: Situation) -> Draft | None:
    """The same ranks numbered in two ways: dp2 x tp2 for attention, ep4 for experts."""
    if not s.experts:
        return None
    made = ep4_of_dp2_tp2(s)
    assert made is not None
    cuts = {**made.cuts, "experts": {"E": ("ep",)}}
    groups = {"attention": ["dp=2", "tp=2"], "experts": ["ep=4"]}
    return Draft({**made.degrees, "ep": 4}, cuts, tables={"groups": groups})


@plan
def etp_narrower_by_groups(s: Situation) -> Draft | None:
    """tp4 for attention (its heads of queries), ep2 x etp2 for experts."""
    if not s.experts or s.grouped:
        return None
    made = together(degree(tp=4, ep=2, etp=2), tensor(s), cut("ep", "E", "experts"), expert_width(s, "etp"))
    groups = {"attention": ["tp=4"], "experts": ["ep=2", "etp=2"]}
    return Draft(made.degrees, made.cuts, tables={"groups": groups})


@plan
def pp3_ep2(s: Situation) -> Draft | None:
    made = ep2(s)
    return together(made, pipeline(3)) if made else None


# -- several meshes ---------------------------------------------------------------------------


def _apart(s: Situation, *drafts: Draft) -> Draft:
    meshes = dict.fromkeys(PLACES, "attn") | dict.fromkeys(("ffn", "mlp", "router", "experts", "shared"), "wide")
    return together(Draft(meshes=meshes), *drafts)


@plan
def apart(s: Situation) -> Draft:
    """Attention on one GPU, feed-forward on another."""
    return _apart(s, Draft(tables={"mesh": {"attn": [], "wide": []}}))


@plan
def apart_by_batch(s: Situation) -> Draft:
    """Attention tensor parallel on two GPUs, feed-forward on two others, each with half of the sequences."""
    inner = tensor(s)
    heads = Draft({}, {place: inner.cuts[place] for place in (*ATTENTION, "head")})
    rows = cut("ep", "B", "ffn", "router", "mlp", "shared")
    experts = cut("ep", "E", "experts") if s.experts else Draft()
    return _apart(s, degree(tp=2, ep=2), heads, rows, experts, Draft(tables={"mesh": {"attn": ["tp"], "wide": ["ep"]}}))


@plan
def apart_of_other_width(s: Situation) -> Draft:
    """Attention by batch on two GPUs, feed-forward tensor parallel on four, experts in place."""
    rows = cut("dp", "B", *ATTENTION, "stream", *ENDS)
    wide = together(
        *(cut("ep", width, "mlp") for width in s.widths("dense")),
        *(cut("ep", width, "shared") for width in s.shared),
        cut("ep", "E", "experts") if s.experts else Draft(),
    )
    return _apart(s, degree(dp=2, ep=4), rows, wide, Draft(tables={"mesh": {"attn": ["dp"], "wide": ["ep"]}}))


# -- how finely parts are drawn ---------------------------------------------------------------


@plan
def drawn_separate(s: Situation) -> Draft:
    return together(degree(tp=2), whole_tensor(s), operators(qkv="separate"))


@plan
def drawn_outer(s: Situation) -> Draft:
    stream = Draft() if s.decoding else stream_parts(s)
    return together(degree(tp=2), stream, whole_tensor(s), operators(heads="outer"))


@plan
def drawn_merged(s: Situation) -> Draft:
    return together(degree(tp=2), whole_tensor(s), operators(merge_heads="yes"))


@plan
def drawn_with_copies(s: Situation) -> Draft:
    return together(degree(tp=2), whole_tensor(s), operators(copies="yes", merge_heads="yes"))


@plan
def drawn_routing(s: Situation) -> Draft | None:
    made = ep2_in_place(s)
    return together(made, operators(routing="nodes")) if made else None


@plan
def drawn_routing_whole(s: Situation) -> Draft | None:
    return together(degree(tp=2), whole_tensor(s), operators(routing="nodes")) if s.experts else None


@plan
def drawn_finely(s: Situation) -> Draft:
    """Everything as fine as it can be, on a context parallel pipeline."""
    heads = operators(qkv="separate", heads="outer", merge_heads="yes", copies="yes")
    inner = batch(s) if s.decoding else ulysses(s, "dp")
    return together(degree(dp=2), inner, pipeline(3), heads, operators(routing="nodes", transfer="send_and_recv"))
