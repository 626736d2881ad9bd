"""From a plan and a model to a strategy document: groups of ranks, stages, and a layout line for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dagtool.errors import DagtoolError
from dagtool.generators.phase import parse_phases
from dagtool.generators.plans.plan import Note, Plan, Span
from dagtool.generators.stages import format_counts
from dagtool.model.size import near_divisors
from dagtool.model.tree import Model
from dagtool.model.vocabulary import SYMBOLS

__all__ = ["Described", "Run", "Written", "write_document"]

DEFAULT_TOKENS = 4096
"""Tokens of a sequence, or of its cache, where a call does not say."""

_TOKEN_GROUPS = ("dp", "cp", "ulysses")
"""Groups of attention's ranks that run other tokens, outermost first; inside them lies the tensor group."""


_FOLLOWS = {
    "attention": "*",
    "attention.core": "attention",
    "attention.out": "attention",
    "mlp": "*",
    "router": "*",
    "experts": "router",
    "shared": "*",
    "embedding": "*",
    "head": "*",
}
"""The part that another one lies as, where no line says otherwise."""


class Described(NamedTuple):
    """A model to be deployed: its name, its tree, its sizes without those of a run, data types of weights by role."""

    name: str
    model: Model
    sizes: Mapping[str, Any]
    weight_dtypes: Mapping[str, str] = {}
    source: str = ""
    positions: int = 0
    """How long a sequence may be; 0 where nothing says it."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is run: the phase and its sizes; None where a call does not say."""

    phase: str = ""
    batch: int | None = None
    """Sequences of all data parallel groups together."""
    seq: int | None = None
    """New tokens of each sequence."""
    context: int | None = None
    """Tokens of each sequence in the cache, the new ones included."""


class Written(NamedTuple):
    """A strategy document with remarks on it."""

    document: dict[str, Any]
    notes: tuple[Note, ...]


def write_document(plan: Plan, model: Described, run: Run, *, name: str, summary: str = "") -> Written:
    """Return the document of a plan. Raises DagtoolError where the model has no such part, or no degree divides."""
    if len(phases := parse_phases(run.phase or "prefill")) > 1:
        return _write_phases(plan, model, run, len(phases) - 1, name=name, summary=summary)
    writer = _Writer(plan, model, run)
    writer.check(name)
    document: dict[str, Any] = {"name": _file_name(name), "summary": summary or writer.summary(name)}
    if model.source:
        document["document"] = model.source
    document["phase"] = writer.phase
    document["sizes"] = writer.sizes()
    document["model"] = _model_table(model.model)
    document |= writer.ranks()
    document["layout"] = writer.layout()
    document |= writer.rest()
    return Written(document, (*plan.notes, *writer.notes))


def _write_phases(plan: Plan, model: Described, run: Run, steps: int, *, name: str, summary: str) -> Written:
    """A prefill and decode steps in one graph, the steps with a layout of their own."""
    batch = run.batch or max(_Writer(plan, model, Run(phase)).ranks_of_batch for phase in ("prefill", "decode"))
    first = write_document(plan, model, Run("prefill", batch, run.seq), name=name, summary=summary)
    prompt = int(first.document["sizes"]["S"])
    room = run.context or prompt + steps
    second = write_document(plan, model, Run("decode", batch, 1, room), name=name, summary=summary)
    for key in ("degrees", "groups", "mesh", "stages"):
        if first.document.get(key) != second.document.get(key):
            raise DagtoolError(
                f"{name}: the ranks of prefill and decode are not numbered alike, so they cannot be in one graph",
                "--phase prefill and --phase decode, each by itself",
            )
    sizes = {"Q": 1, "T": room}
    document = {**first.document, "phase": run.phase, "sizes": {**first.document["sizes"], **sizes}}
    document["decode"] = {"layout": second.document["layout"]}
    return Written(document, first.notes)


def _file_name(name: str) -> str:
    return "".join(one if one.isalnum() or one in "_.-" else "_" for one in name)[:100].lstrip(".-") or "plan"


def _model_table(model: Model) -> dict[str, Any]:
    table: dict[str, Any] = {key: value for key, value in model.options.items() if value != ""}
    if model.pattern:
        table["layers"] = model.pattern
    return table | {kind: dict(own) for kind, own in model.kinds.items()}


@dataclass(slots=True)
class _Writer:
    plan: Plan
    model: Described
    run: Run
    notes: list[Note] = field(default_factory=list)

    # -- what the model has ---------------------------------------------------------------

    @property
    def phase(self) -> str:
        return self.run.phase or "prefill"

    @property
    def decoding(self) -> bool:
        return self.phase == "decode"

    @property
    def last_only(self) -> bool:
        """Whether only the last token of a sequence is projected onto the vocabulary."""
        return self.phase in ("prefill", "decode")

    @property
    def kinds(self) -> list[dict[str, Any]]:
        return [self.model.model.options_of(kind) for kind in self.model.model.kind_names]

    @property
    def latent(self) -> bool:
        return any(kind.get("attention") == "mla" for kind in self.kinds)

    @property
    def has_experts(self) -> bool:
        return any(kind.get("ffn") == "moe" for kind in self.kinds)

    @property
    def has_dense(self) -> bool:
        return any(kind.get("ffn", "dense") != "moe" for kind in self.kinds)

    @property
    def has_shared(self) -> bool:
        return any(kind.get("shared") for kind in self.kinds)

    @property
    def has_embedding(self) -> bool:
        return self.model.model.options.get("embedding") != "none"

    @property
    def tied(self) -> bool:
        return bool(self.model.model.options.get("tied"))

    @property
    def experts(self) -> str:
        return "R" if self.plan.redundant or self.plan.uneven_experts else "E"

    def widths(self, *, moe: bool) -> list[str]:
        """Sizes of the hidden dimension of dense networks, or of experts."""
        found = [str(kind.get("width", "F")) for kind in self.kinds if (kind.get("ffn") == "moe") == moe]
        return list(dict.fromkeys(found))

    # -- checks ---------------------------------------------------------------------------

    def check(self, name: str) -> None:
        """Raise DagtoolError where a degree does not fit the model."""
        plan = self.plan
        if not self.has_experts and (plan.expert > 1 or plan.redundant):
            what = f"{plan.expert} ranks of experts" if plan.expert > 1 else f"{plan.redundant} redundant experts"
            raise DagtoolError(f"{name}: {what}, but the model {self.model.name} has no experts", "leave ep out")
        if self.has_experts and plan.stage_ranks % (plan.expert * plan.expert_tensor) and not plan.apart:
            raise DagtoolError(
                f"{name}: ep={plan.expert} x etp={plan.expert_tensor} does not divide the {plan.stage_ranks} ranks",
                "experts lie on the same ranks as attention",
            )
        self.check_heads(name)
        layers = int(self.model.sizes["L"])
        if plan.pipeline > layers:
            raise DagtoolError(
                f"{name}: {plan.pipeline} stages for the {layers} layers of {self.model.name}", f"at most pp{layers}"
            )

    def check_heads(self, name: str) -> None:
        """Raise DagtoolError where heads cannot be dealt out to a tensor group."""
        heads, tensor, groups = self.model.sizes.get("N"), self.plan.tensor, self.key_heads
        if not isinstance(heads, int) or tensor == 1:
            return
        if heads % tensor:
            near = " and ".join(f"tp{degree}" for degree in near_divisors(heads, tensor))
            why = f"{name}: tp={tensor} does not divide the {heads} attention heads of {self.model.name}"
            raise DagtoolError(why, near)
        if groups is not None and groups % tensor and tensor % groups:
            why = f"{name}: tp={tensor} and the {groups} heads of keys and values: neither divides the other"
            raise DagtoolError(why, f"a divisor or a multiple of {groups}")

    def summary(self, name: str) -> str:
        plan = self.plan
        ranks = {
            "data": plan.data,
            "context": plan.context,
            "Ulysses": plan.ulysses,
            "tensor": plan.tensor,
            "pipeline": plan.pipeline,
        }
        parts = [f"{what} parallel {count}" for what, count in ranks.items() if count > 1]
        if self.has_experts and plan.expert > 1:
            parts.append(f"experts over {plan.expert}")
        gpus = f"{plan.gpus:,} GPU{'s' if plan.gpus > 1 else ''}"
        return f"{self.model.name} on {gpus}: {', '.join([self.phase, *parts])}"

    # -- sizes ----------------------------------------------------------------------------

    def sizes(self) -> dict[str, Any]:
        """The sizes of the model and of the run."""
        found: dict[str, Any] = {**self.run_sizes(), **self.model.sizes}
        found = {symbol: found[symbol] for symbol in (*SYMBOLS, *found) if symbol in found}
        plan = self.plan
        multiple = plan.vocabulary_multiple
        if isinstance(found["V"], int) and found["V"] % multiple:
            found["V"] = f"{found['V']} pad {multiple}"
        if plan.redundant or plan.uneven_experts:
            found["R"] = found["E"] + plan.redundant
        if plan.uneven_experts:
            found["R"] = f"{found['R']} pad {plan.expert} spread"
        if plan.expert_block > 1 and plan.expert_tensor > 1:
            for width in self.widths(moe=True):
                step = plan.expert_block * plan.expert_tensor
                if found[width] % step:
                    found[width] = f"{found[width]} pad {step} unstored"
        return found

    def run_sizes(self) -> dict[str, int]:
        """B, S and in decoding T: as the call says, else the fewest that can be cut."""
        plan, run = self.plan, self.run
        for option, value in (("--batch", run.batch), ("--seq", run.seq), ("--context", run.context)):
            if value is not None and value < 1:
                raise DagtoolError(f"{option} is {value}", "a whole number of at least 1")
        together = self.ranks_of_batch
        batch = run.batch or together
        found = {"B": batch}
        if self.decoding:
            tokens = run.seq or 1
            step = plan.context * plan.ulysses * plan.cache_context
            found |= {"S": tokens, "T": run.context or self.usual_tokens(step)}
        else:
            step = plan.context * plan.ulysses * (plan.tensor if plan.sequence or self.splits_tokens else 1)
            found["S"] = run.seq or run.context or self.usual_tokens(step)
            if run.context and run.seq:
                hint = "--seq gives the tokens of a prompt; --phase decode reads a cache of --context tokens"
                raise DagtoolError(f"--context beside --seq in the phase {self.phase!r}", hint)
        tokens = found.get("T", found["S"])
        assumed = [] if run.batch else [f"{batch} sequence{'s' if batch > 1 else ''} (--batch)"]
        if not (run.context if self.decoding else run.seq or run.context):
            assumed.append(f"{tokens:,} tokens of each ({'--context' if self.decoding else '--seq'})")
        if 0 < self.model.positions < tokens:
            more = f"{tokens:,} tokens are more than the {self.model.positions:,} positions of {self.model.name}"
            self.notes.append(Note(f"{more} (max_position_embeddings)"))
        if assumed:
            self.notes.append(Note(f"assumed: {', '.join(assumed)}"))
        return found

    def usual_tokens(self, step: int) -> int:
        """Tokens of a sequence where a call does not say: a multiple of ``step``, and no more than the model takes."""
        limit = self.model.positions or self.model.sizes.get("P")
        most = min(DEFAULT_TOKENS, int(limit)) if limit else DEFAULT_TOKENS
        return max(most // step, 1) * step

    @property
    def ranks_of_batch(self) -> int:
        """Over how many ranks sequences are spread: one new token of a sequence cannot be shared."""
        plan = self.plan
        if not self.decoding:
            return plan.data
        if self.splits_tokens:
            return plan.stage_ranks
        return plan.data * (plan.tensor if plan.sequence else 1)

    @property
    def splits_tokens(self) -> bool:
        """Whether ranks that have the same tokens each route a part of them, so that none is sent twice."""
        plan = self.plan
        if not self.has_experts or self.experts_follow or plan.apart or plan.gather_tokens:
            return False
        inside = plan.stage_ranks // plan.data if self.decoding else plan.tensor
        alike = inside > 1 and plan.expert_tensor < inside
        return alike and (plan.split_tokens or plan.expert * plan.expert_tensor > inside)

    # -- ranks ----------------------------------------------------------------------------

    def ranks(self) -> dict[str, Any]:
        """``[degrees]``, ``[groups]``, ``[mesh]`` and ``[stages]``."""
        plan = self.plan
        found: dict[str, Any] = {}
        degrees = {"pp": plan.pipeline} if plan.pipeline > 1 else {}
        groups = self.groups()
        if plan.apart:
            found["degrees"] = {name: count for row in groups.values() for name, count in row}
            found["mesh"] = {way: [name for name, _ in row] for way, row in groups.items()}
        elif len(groups) > 1:
            if degrees:
                found["degrees"] = degrees
            found["groups"] = {way: [f"{name}={count}" for name, count in row] for way, row in groups.items()}
        else:
            row = groups.get("attention", [])
            found["degrees"] = {**dict(row), **degrees}
            if row:
                found["mesh"] = {"all": [name for name, _ in row]}
        if stages := self.stages():
            found["stages"] = stages
        return found

    def groups(self) -> dict[str, list[tuple[str, int]]]:
        """The ways to number the ranks of a stage, each a list of groups, outermost first; one rank is no group."""
        plan = self.plan
        outer = [("copy", plan.copies), ("dp", plan.data // plan.copies)]
        outer += [("cp", plan.context), ("ulysses", plan.ulysses)]
        split = self.split_of_heads()
        ways = {"attention": [*outer, *(split or [("tp", plan.tensor)])]}
        if split:
            ways["dense"] = [*outer, ("tp", plan.tensor)]
        if self.has_experts and plan.apart:
            ways["experts"] = [("ep", plan.expert), ("etp", plan.expert_tensor)]
        elif self.has_experts and not self.experts_follow:
            left = plan.expert_data // plan.copies
            ways["experts"] = [("copy", plan.copies), ("edp", left), ("ep", plan.expert), ("etp", plan.expert_tensor)]
        kept = {way: [(name, count) for name, count in row if count > 1] for way, row in ways.items()}
        if kept.get("experts") == kept["attention"] and not plan.apart:
            del kept["experts"]
        return {way: row for way, row in kept.items() if row or way == "attention"}

    @property
    def experts_follow(self) -> bool:
        """Whether experts are cut over groups of attention's ranks: the tensor group, or all."""
        plan = self.plan
        return plan.expert == 1 and plan.expert_tensor in (1, plan.tensor, plan.stage_ranks)

    def split_of_heads(self) -> list[tuple[str, int]]:
        """How a tensor group is numbered where heads of keys, or tokens of the cache, do not lie as its ranks do.

        ``kv`` cuts heads of keys, ``rep`` holds each of them several times. Ranks that keep other tokens of the cache
        (``dcp``) share the heads; where they would have heads of their own, ``dcph`` is the part that cuts heads.
        """
        plan, groups = self.plan, self.key_heads
        shared = plan.cache_context if self.decoding else 1
        outer = plan.tensor // shared
        if groups is None:
            return [("rep", outer), ("dcp", shared)] if shared > 1 else []
        if outer >= groups:
            if outer % groups or (outer == groups and shared == 1):
                return []
            return [("kv", groups), ("rep", outer // groups), ("dcp", shared)]
        if shared == 1:
            return []
        heads = min(groups, plan.tensor) // outer
        return [("kv", outer), ("dcph", heads), ("dcp", shared // heads)]

    @property
    def key_heads(self) -> int | None:
        """Heads of keys and values, where they are grouped; None where each query has its own, or a latent."""
        groups = self.model.sizes.get("G")
        return int(groups) if groups and not self.latent else None

    def stages(self) -> dict[str, Any]:
        """``[stages]``: layers of each chunk where they are not equal, and how GPUs are numbered."""
        plan, layers = self.plan, int(self.model.sizes["L"])
        found: dict[str, Any] = {}
        count = plan.pipeline * plan.virtual
        chunks = list(plan.chunks)
        if not chunks and plan.pipeline > 1:
            each, left = divmod(layers, count)
            chunks = [each + (index < left) for index in range(count)]
        if len(chunks) > 1 and (len(set(chunks)) > 1 or len(chunks) > plan.pipeline):
            found["layers"] = format_counts(chunks)
        if plan.chunk_ranks:
            found["meshes"] = [f"s{rank}" for rank in plan.chunk_ranks]
        if plan.replicas_first and plan.pipeline > 1 and plan.data > 1:  # serving: each replica has its own stages
            found["within"] = "dp"
        return found

    # -- the layout -----------------------------------------------------------------------

    def layout(self) -> dict[str, str]:
        """A line for each part of the model that does not lie as the residual stream does."""
        plan = self.plan
        stream = self.tokens(tensor=plan.sequence)
        lines = {"*": self.region(stream), "attention": self.region({**self.tokens(), **self.heads()})}
        lines |= self.attention_core()
        if self.has_dense:
            lines["mlp"] = self.spread(plan.dense, *self.widths(moe=False))
        if self.has_experts:
            lines |= self.expert_lines()
        if self.has_embedding:
            lines["embedding"] = self.spread(plan.embedding, "V")
        head = plan.embedding if self.tied else plan.head  # one table lies in one way
        lines["head"] = self.spread(head, "V", last=self.last_only)
        return {place: text for place, text in lines.items() if self.is_needed(place, lines)}

    def is_needed(self, place: str, lines: Mapping[str, str]) -> bool:
        """Whether a part lies otherwise than the one it follows."""
        if place in ("*", "attention.keys"):
            return True
        parent = _FOLLOWS[place]
        while parent not in lines:
            parent = _FOLLOWS[parent]
        return lines[place] != lines[parent]

    def tokens(self, *, tensor: bool = False, last: bool = False) -> dict[str, tuple[str, ...]]:
        """Which groups cut the tokens; ``tensor``: the tensor group too. ``last``: where one token is left of each."""
        plan = self.plan
        batch = tuple(name for name in self.all_groups if name in ("copy", "dp"))
        rest = tuple(name for name, count in (("cp", plan.context), ("ulysses", plan.ulysses)) if count > 1)
        group = ("tp",) if tensor and plan.tensor > 1 else ()
        if self.decoding:
            return {"B": (*batch, *group)}
        return {"B": batch, "S": () if last else (*rest, *group)}

    def region(self, cuts: Mapping[str, tuple[str, ...]]) -> str:
        """Return a line of the layout."""
        words = [f"{symbol}/{'/'.join(axes)}" for symbol, axes in cuts.items() if axes]
        mesh = ["attention"] if self.plan.apart else []
        return " ".join([*mesh, *words]) or "all"

    def spread(self, span: Span, *symbols: str, last: bool = False) -> str:
        """Return the line of weights that are cut along one dimension over a span of ranks."""
        plan = self.plan
        if span == "whole" or (span == "tensor" and plan.tensor == 1):
            return self.region(self.tokens(tensor=plan.sequence, last=last))
        if span == "tensor":
            return self.region({**self.tokens(last=last), **dict.fromkeys(symbols, ("tp",))})
        return self.region(dict.fromkeys(symbols, self.all_groups))

    @property
    def all_groups(self) -> tuple[str, ...]:
        plan = self.plan
        counts = {"copy": plan.copies, "dp": plan.data // plan.copies, "cp": plan.context}
        counts |= {"ulysses": plan.ulysses, "tp": plan.tensor}
        return tuple(name for name, count in counts.items() if count > 1)

    def heads(self) -> dict[str, tuple[str, ...]]:
        """How heads are cut over a tensor group."""
        plan = self.plan
        if plan.tensor == 1:
            return {}
        split = self.split_of_heads()
        if not split:
            return {"G" if "G" in self.model.sizes and not self.latent else "N": ("tp",)}
        names = [name for name, count in split if count > 1]
        cut = tuple(name for name in names if name in ("kv", "dcph"))
        rest = tuple(name for name in names if name not in cut)
        return {**({"G": cut} if cut else {}), **({"N": rest} if rest else {})}

    def attention_core(self) -> dict[str, str]:
        """Where scores and caches lie, if not as the projections do."""
        plan = self.plan
        if self.decoding:
            return self.decode_core()
        if plan.ulysses == 1:
            return {}
        symbol = "N" if self.key_heads is None else "G"
        if int(self.model.sizes[symbol]) % (plan.ulysses * plan.tensor):
            symbol = "N"
        tensor = ("tp",) if plan.tensor > 1 else ()
        cp = ("cp",) if plan.context > 1 else ()
        cuts = {"B": self.tokens()["B"], "S": cp, symbol: ("ulysses", *tensor)}
        keys = {key: axes for key, axes in cuts.items() if key != "S"}
        if symbol == "N" and not self.latent:
            keys = {"B": cuts["B"]}
        return {"attention.core": self.region(cuts), "attention.keys": self.region(keys)}

    def decode_core(self) -> dict[str, str]:
        """The cache cut along tokens: over the ranks of a context, or over some of a tensor group."""
        plan = self.plan
        heads = self.heads()
        along: tuple[str, ...] = ()
        if not plan.whole_cache:
            along = tuple(name for name, count in (("cp", plan.context), ("ulysses", plan.ulysses)) if count > 1)
        inner = tuple(name for name, count in self.split_of_heads() if name in ("dcph", "dcp") and count > 1)
        if not along and not inner:
            return {}
        shared = {symbol: tuple(axis for axis in axes if axis not in inner) for symbol, axes in heads.items()}
        keys = {symbol: axes for symbol, axes in shared.items() if symbol == "G" or self.key_heads is None}
        if self.latent:
            keys = {}
        cut = dict.fromkeys(self.cached_sizes, (*along, *inner))
        return {
            "attention.core": self.region({**self.tokens(), **shared}),
            "attention.keys": self.region({**self.tokens(), **keys, **cut}),
            "attention.out": self.region({**self.tokens(), **self.heads()}),
        }

    @property
    def cached_sizes(self) -> tuple[str, ...]:
        """Sizes that count the tokens of a cache: that of a layer with a window is as long as the window."""
        short = (
            "W" in self.model.sizes and self.run.context is not None and self.run.context > int(self.model.sizes["W"])
        )
        return ("T", "W") if short or ("W" in self.model.sizes and self.run.context is None) else ("T",)

    # -- experts --------------------------------------------------------------------------

    def expert_lines(self) -> dict[str, str]:
        """The gate, the experts and the shared expert."""
        plan = self.plan
        widths = self.widths(moe=True)
        lines: dict[str, str] = {}
        if plan.apart:
            cuts = {self.experts: ("ep",) if plan.expert > 1 else ()}
            cuts |= dict.fromkeys(widths, ("etp",) if plan.expert_tensor > 1 else ())
            words = [f"{symbol}/{'/'.join(axes)}" for symbol, axes in cuts.items() if axes]
            lines["experts"] = " ".join(["experts", *words])
        elif self.experts_follow:
            if plan.sequence and plan.expert_tensor > 1:
                lines["router"] = self.region(self.tokens())  # ranks that share an expert need the same tokens
            span: Span = "whole" if plan.expert_tensor == 1 else "tensor"
            if plan.expert_tensor > plan.tensor:
                span = "all"
                lines["router"] = self.region({})  # every rank has a part of each expert, so it needs all tokens
            lines["experts"] = self.spread(span, *widths)
        else:
            lines |= self.spread_experts(widths)
        if self.has_shared:
            lines["shared"] = self.spread(plan.shared, "Fs")
            if plan.shared == "whole" and self.splits_tokens:
                lines["shared"] = self.region(self.routed_tokens())
        return lines

    def spread_experts(self, widths: list[str]) -> dict[str, str]:
        """Whole experts on different ranks: tokens are sent to them, or gathered."""
        plan = self.plan
        names = {name for row in self.groups().values() for name, _ in row}
        token_cuts = self.copies_of_experts()
        cuts = {**token_cuts, self.experts: ("ep",) if "ep" in names else ()}
        cuts |= dict.fromkeys(widths, ("etp",) if "etp" in names else ())
        lines = {"experts": self.region(cuts)}
        if plan.gather_tokens:
            lines["router"] = self.region(token_cuts)
        elif self.splits_tokens or plan.expert_tensor > (1 if plan.sequence else plan.tensor):
            lines["router"] = self.region(self.routed_tokens())
        return lines

    def routed_tokens(self) -> dict[str, tuple[str, ...]]:
        """How tokens are cut where the gate chooses: the ranks that share an expert all have the same ones."""
        kept = self.groups_outside_experts()
        if not self.decoding:
            tokens = self.tokens(tensor=True)
            return {
                symbol: tuple(part for group in groups for part in kept.get(group, ()))
                for symbol, groups in tokens.items()
            }
        if not self.splits_tokens:
            return {"B": tuple(part for group in self.tokens()["B"] for part in kept.get(group, ()))}
        return {"B": tuple(part for group in self.all_groups for part in kept.get(group, ()))}

    def groups_outside_experts(self) -> dict[str, tuple[str, ...]]:
        """Of each group of attention's ranks the part along which ranks do not share an expert."""
        plan, stride = self.plan, 1
        reach = plan.expert_tensor * plan.expert
        counts = {"copy": plan.copies, "dp": plan.data // plan.copies, "cp": plan.context}
        counts |= {"ulysses": plan.ulysses, "tp": plan.tensor}
        found: dict[str, tuple[str, ...]] = {}
        for name in reversed(self.all_groups):
            end = stride * counts[name]
            if stride >= plan.expert_tensor:
                found[name] = (name,)
            elif end > plan.expert_tensor:
                outer = (f"{name}_edp",) if end > reach else ()
                found[name] = (*outer, *((f"{name}_ep",) if plan.expert > 1 else ()))
            stride = end
        return found

    def copies_of_experts(self) -> dict[str, tuple[str, ...]]:
        """Which tokens go to which copy of all experts: the outermost groups of attention's ranks say it."""
        plan, left = self.plan, self.plan.expert_data
        found: dict[str, tuple[str, ...]] = {}
        counts = [("copy", plan.copies), ("dp", plan.data // plan.copies), ("cp", plan.context)]
        for name, count in (*counts, ("ulysses", plan.ulysses), ("tp", plan.tensor)):
            if left == 1 or count == 1:
                continue
            cuts_batch = name in ("copy", "dp") or (self.decoding and name == "tp")
            if self.decoding and name in ("cp", "ulysses"):
                raise DagtoolError(
                    "experts that are held more often than there are groups of sequences",
                    "in decoding ranks that share a sequence compute the same tokens",
                )
            symbol = "B" if cuts_batch else "S"
            axis = name if count <= left else f"{name}_edp"
            found[symbol] = (*found.get(symbol, ()), axis)
            left = left // count if count <= left else 1
        return found

    # -- the rest -------------------------------------------------------------------------

    def rest(self) -> dict[str, Any]:
        """Storage, data types, and how parts are drawn."""
        plan = self.plan
        found: dict[str, Any] = {}
        if store := self.store():
            found["store"] = store
        if dtypes := self.dtypes():
            found["dtypes"] = dtypes
        if plan.ring:
            found["operators"] = {"context": "ring"}
        if replicated := self.replicated():
            found["replicate"] = replicated
        return found

    def store(self) -> dict[str, str]:
        """``[store]``: over which groups parameters are stored in parts."""
        plan, found = self.plan, dict[str, str]()
        axes = [name for name in _TOKEN_GROUPS if name in self.all_groups] if plan.fully_sharded else []
        if axes:
            found["*"] = ",".join(axes)
        if plan.split_heads and any(name == "rep" and count > 1 for name, count in self.split_of_heads()):
            found["attention"] = ",".join([*axes, "rep"])
        if not plan.fully_sharded:
            return found
        if self.has_experts and not self.experts_follow:
            found["experts"] = "edp" if plan.expert_data > plan.copies else ""
        return found

    def replicated(self) -> list[str]:
        """Groups that cut nothing: in decoding the ranks of a context that each keep the whole cache."""
        plan = self.plan
        if not (self.decoding and plan.whole_cache and plan.context > 1):
            return []
        spread = self.has_experts and plan.expert * plan.expert_tensor > plan.tensor
        return [] if spread else ["cp"]

    def dtypes(self) -> dict[str, str]:
        """``[dtypes]``: the data types of weights by place, of the cache, of tokens on their way to experts."""
        plan, found = self.plan, dict[str, str]()
        if plan.weight_dtype:  # wider ones are how weights are stored; products take 16 bits
            found |= {"weights": plan.weight_dtype} if plan.weight_dtype in ("fp8", "fp4", "mxfp4", "int8") else {}
        else:
            places = {"attention": "attention", "mlp": "mlp", "moe": "experts", "shared": "shared"}
            for role, dtype in self.model.weight_dtypes.items():
                place = places.get(role.partition(".")[0])
                if place and dtype != "bf16" and self.has_place(place):
                    found[place] = dtype
        if plan.cache_dtype:
            found["cache"] = plan.cache_dtype
        if plan.dispatch_dtype and self.has_experts:
            found["dispatch"] = plan.dispatch_dtype
        return found

    def has_place(self, place: str) -> bool:
        return {"mlp": self.has_dense, "experts": self.has_experts, "shared": self.has_shared}.get(place, True)
