"""Random combinations of a model, a layout and a phase: strategy documents, legal or not.

``draw(seed, number)`` is always the same document. Three ways to a layout: pieces of known plans on random axes, which
fit; such a plan bent at a random place; cuts of anything by anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from helpers import plans
from helpers.plans import Draft, Situation, cut, degree, together

from dagtool.generators.layout import PLACES

__all__ = ["WAYS", "Combination", "draw"]

WAYS = ("fitting", "bent", "anything")
"""How a layout is drawn. Whether the first one is accepted is no question."""

PHASES = ("forward", "prefill", "decode", "loss", "prefill decode", "prefill decode*2")

Document = dict[str, Any]


@dataclass(frozen=True)
class Combination:
    """A document, and how it was drawn."""

    seed: int
    number: int
    way: str
    document: Document


def draw(seed: int, number: int) -> Combination:
    """Return the combination of that number."""
    random = Random(f"{seed} {number}")
    way = random.choices(WAYS, (50, 32, 18))[0]
    model = draw_model(random)
    phase = random.choice(PHASES)
    if " " in phase:  # step by step: no token sees a later one
        model["mask"] = "causal"
    s = Situation(model, draw_sizes(random, model, phase), phase)
    document = anything(random, s) if way == "anything" else plans.document_of(s, fitting(random, s))
    if " " in phase and random.random() < 0.4:
        lay_steps_otherwise(random, s, document)
    document["operators"] = draw_operators(random) | draw_ring(random, s, document, way)
    document |= draw_store(random, document) | draw_dtypes(random, s)
    pad(random, document)
    if way == "bent":
        for bend in random.sample(BENDS, random.choice((1, 1, 2))):
            bend(random, document)
    if random.random() < 0.5:  # what lies as the place it follows need not be said
        leave_out_followers(document)
    return Combination(seed, number, way, document)


# -- models -----------------------------------------------------------------------------------


def maybe(random: Random, share: float, **options: Any) -> Document:
    """Some options, or none."""
    return options if random.random() < share else {}


def draw_model(random: Random) -> Document:
    """The table of a model: options of all layers, kinds of layer in a pattern."""
    table: Document = {
        "norm": random.choice(("layer", "rms")),
        "mask": random.choices(("causal", "none"), (9, 1))[0],
        **maybe(random, 0.3, norm_bias=True),
        **maybe(random, 0.2, post_norm=True),
        **maybe(random, 0.3, epsilon=1e-6),
        **draw_ends(random),
    }
    names = random.choice(((), (), ("one", "two"), ("one", "two"), ("one", "two", "three")))
    shared = {**draw_attention(random), **draw_ffn(random)}
    if not names:
        return {**table, **shared}
    for name in names:
        table[name] = dict(shared)
        if random.random() < 0.6:
            table[name] = {key: value for key, value in table[name].items() if key in ATTENTION_OPTIONS}
            table[name] |= draw_ffn(random) | {"width": random.choice(("F", "Fe"))}
        if random.random() < 0.6:
            table[name] = {key: value for key, value in table[name].items() if key not in ATTENTION_OPTIONS}
            table[name] |= draw_attention(random)
    rest = ",".join(names)
    pattern = random.choice((f"({rest})*", f"{','.join(names[:-1])},{names[-1]}*"))
    return {"layers": pattern, **table}


def draw_ends(random: Random) -> Document:
    """Embedding and head."""
    embedding = random.choices(("token", "token+position", "token,position", "none"), (6, 2, 2, 1))[0]
    found: Document = {"embedding": embedding, **maybe(random, 0.15, logit_softcap=30.0)}
    found |= maybe(random, 0.1, draft_heads=random.choice((1, 2)))
    if "position" in embedding:
        found["positions"] = "P"
    if embedding != "none":
        found |= maybe(random, 0.25, tied=True) | maybe(random, 0.15, embedding_scale="sqrt(H)")
    return found


ATTENTION_OPTIONS = frozenset(
    {
        "attention", "rope", "rope_theta", "rope_scaling", "query_latent", "query_scale", "window", "sinks",
        "qk_norm", "attention_bias", "attention_softcap", "lora", "lora_scale",
    }
)  # fmt: skip
SCALINGS = ("linear:2", "llama3:8,1,4,16", "yarn:4,16,32,1,1.2,true", "yarn:4,16,32,1,1,false")


def draw_attention(random: Random) -> Document:
    """A mixer: grouped-query or latent attention."""
    found: Document = {}
    if random.random() < 0.75:
        found["rope"] = random.choice(("half", "interleaved"))
        found |= maybe(random, 0.4, rope_theta=500.0) | maybe(random, 0.4, rope_scaling=random.choice(SCALINGS))
    found |= maybe(random, 0.15, query_scale=random.choice(("0.25", "rsqrt(H)")))
    if random.random() < 0.25:
        return {**found, "attention": "mla", **maybe(random, 0.4, query_latent=False)}
    return {
        **found,
        **maybe(random, 0.35, window="W"),
        **maybe(random, 0.2, sinks=True),
        **maybe(random, 0.25, qk_norm=True),
        **maybe(random, 0.4, attention_bias=random.choice(("qkv", "qkvo"))),
        **maybe(random, 0.15, attention_softcap=20.0),
        **maybe(random, 0.15, lora=random.choice(("q", "qv", "qkv")), lora_scale=random.choice((0.5, 1.0))),
    }


def draw_ffn(random: Random) -> Document:
    """A feed-forward network: low-rank, dense or experts, with every option of the gate."""
    if random.random() < 0.08:
        return {"ffn": "lowrank", "activation": random.choice(("gelu", "silu"))}
    gated = random.random() < 0.6
    activations = ("gelu", "relu", "silu", "gelu_erf", *(("swiglu_clamped",) if gated else ()))
    found: Document = {"activation": random.choice(activations), "gated": gated, **maybe(random, 0.25, ffn_bias=True)}
    if random.random() < 0.5:
        return {**found, "ffn": "dense"}
    return {
        **found,
        "ffn": "moe",
        **maybe(random, 0.3, gate="sigmoid"),
        **maybe(random, 0.3, normalise=False),
        **maybe(random, 0.25, routed_scale=2.5),
        **maybe(random, 0.25, gate_bias=True),
        **maybe(random, 0.25, correction=True),
        **maybe(random, 0.3, groups=2, top_groups=random.choice((1, 2)), group_score=random.choice(("max", "top2"))),
        **maybe(random, 0.35, shared="Fs"),
    }


def draw_sizes(random: Random, model: Document, phase: str) -> dict[str, int]:
    """The sizes that a model has, small ones that most degrees divide."""
    kinds = Situation(model, {}, phase).kinds
    gqa = any(kind.get("attention") != "mla" for kind in kinds)
    mla = any(kind.get("attention") == "mla" for kind in kinds)
    heads = random.choice((4, 8))
    sizes = {
        "B": random.choice((2, 4, 8)),
        **draw_tokens(random, phase),
        "H": random.choice((8, 12, 16)),
        "N": heads,
        "D": random.choice((4, 6)),
        "V": random.choice((24, 40)),
        "L": random.choice((2, 3, 4)),
    }
    if gqa and not mla and random.random() < 0.6:
        sizes["G"] = random.choice([count for count in (1, 2, 4, 8) if heads % count == 0])
    if gqa and any(kind.get("window") for kind in kinds):
        sizes["W"] = random.choice((2, 3, 4))
    if mla:
        sizes |= {"Dr": 4, "Dv": random.choice((4, 6)), "Rkv": random.choice((6, 8))}
        sizes |= {"Rq": 10} if any(_has_query_latent(kind) for kind in kinds) else {}
    sizes |= {str(kind.get("width", "F")): random.choice((8, 12, 16)) for kind in kinds}
    if any(kind["ffn"] == "moe" for kind in kinds):
        sizes |= {"E": random.choice((4, 6, 8)), "K": random.choice((1, 2))}
        sizes |= maybe(random, 0.2, R=sizes["E"] + random.choice((1, 2, 4)))
    if any(kind["ffn"] == "moe" and kind.get("shared") for kind in kinds):
        sizes["Fs"] = random.choice((8, 16))
    if model.get("positions"):
        sizes["P"] = random.choice((16, 24))
    if any(kind.get("lora") for kind in kinds):
        sizes["Rl"] = random.choice((2, 4))
    if any(kind["ffn"] == "lowrank" for kind in kinds):
        sizes["Rf"] = random.choice((4, 6))
    return sizes


def draw_tokens(random: Random, phase: str) -> dict[str, int]:
    """New tokens of a sequence, and the room of a cache."""
    if phase == "decode":
        return {"S": random.choice((1, 1, 2)), "T": random.choice((8, 12))}
    tokens = random.choice((4, 8, 12))
    if "decode" not in phase:
        return {"S": tokens}
    new, steps = random.choice((1, 1, 2)), 2 if "*2" in phase else 1
    return {"S": tokens, "Q": new, "T": -(-(tokens + steps * new) // 4) * 4 + random.choice((0, 4))}


def _has_query_latent(kind: Document) -> bool:
    return kind.get("attention") == "mla" and bool(kind.get("query_latent", True))


# -- layouts that fit -------------------------------------------------------------------------

Piece = Callable[[Random, Situation], Draft | None]


def fitting(random: Random, s: Situation) -> Draft:
    """One to three pieces of plans, each on axes of its own, which cut everything into equal parts."""
    found = Draft()
    pieces = random.sample(PIECES, random.choice((0, 1, 1, 2, 2, 3)))
    for piece in pieces:
        added = piece(random, s)
        if (
            added is None
            or set(added.degrees) & set(found.degrees)
            or (found.degrees and (added.meshes or found.meshes))
        ):
            continue  # several meshes have axes of their own
        if plans.fits(s, both := together(found, added)):
            found = both
    return _in_use(s, found)


def _in_use(s: Situation, draft: Draft) -> Draft:
    """A draft of which every axis cuts something that the model has."""
    used = {axis for place in s.places for axes in draft.cuts.get(place, {}).values() for axis in axes}
    idle = [axis for axis in draft.degrees if axis != "pp" and axis not in used]
    if not idle:
        return draft
    tables = {**draft.tables, "replicate": idle}
    return Draft(draft.degrees, draft.cuts, draft.meshes, tables)


def lay_steps_otherwise(random: Random, s: Situation, document: Document) -> None:
    """Decode steps get a layout of their own on the same GPUs, if its axes go with those of the prefill."""
    steps = Situation(s.table, {**s.sizes, "S": 1}, "decode")
    draft = fitting(random, steps)
    used = {axis for held in draft.cuts.values() for axes in held.values() for axis in axes}
    degrees = document["degrees"]
    other = any(degrees.get(axis, count) != count for axis, count in draft.degrees.items())
    if other or {"pp"} & {*degrees, *draft.degrees} or draft.meshes or "mesh" in document:
        return
    document["decode"] = {"layout": plans.document_of(steps, draft)["layout"]}
    document["degrees"] = {**degrees, **draft.degrees}
    idle = [*document.pop("replicate", []), *draft.tables.get("replicate", [])]
    cutting = {axis for text in document["layout"].values() for word in text.split() for axis in word.split("/")[1:]}
    if idle := [axis for axis in dict.fromkeys(idle) if axis not in used | cutting]:
        document["replicate"] = idle


def _degree(random: Random) -> int:
    return random.choice((2, 2, 2, 3, 4))


def a_batch(random: Random, s: Situation) -> Draft:
    return together(degree(dp=_degree(random)), plans.batch(s))


def a_tensor(random: Random, s: Situation) -> Draft:
    made = together(degree(tp=_degree(random)), plans.tensor(s))
    if random.random() < 0.7:
        made = together(made, plans.expert_width(s))
    if random.random() < 0.4:
        made = together(made, plans.stream_parts(s))
    if random.random() < 0.3:
        made = together(made, cut("tp", "V", "embedding"))
    if random.random() < 0.3 and s.phase != "loss":
        made = together(made, cut("tp", "V", "output"))
    return made


def a_context(random: Random, s: Situation) -> Draft:
    if s.decoding:
        return together(degree(cp=_degree(random)), cut("cp", "T", "attention.keys"))
    way = random.choice((plans.sequence, plans.sequence, plans.ulysses, None))
    inner = way(s, "cp") if way else cut("cp", "S", "attention.keys")
    if (
        "T" in s.sizes and way is plans.sequence and random.random() < 0.6
    ):  # the cache that is filled lies in parts of its tokens
        inner = together(inner, cut("cp", "T", *random.choice((("attention.cache",), ("attention.keys",)))))
    return together(degree(cp=_degree(random)), inner)


def some_experts(random: Random, s: Situation) -> Draft | None:
    """Experts over an axis of their own: exchanged, or in place."""
    if not s.experts:
        return None
    way = random.choice(("exchanged", "by tokens", "in place", "in place, wide"))
    made = together(degree(ep=_degree(random)), cut("ep", s.physical, "experts"))
    if way == "exchanged":
        return together(made, plans.batch(s, "ep"))
    if way == "by tokens":
        return together(made, plans.sequence(s, "ep"))
    if way == "in place, wide":  # the rest of the model cut over the same ranks
        return together(made, plans.tensor(s, "ep"))
    return made


def a_pipeline(random: Random, s: Situation) -> Draft:
    layers = s.sizes["L"]
    count = random.randint(2, layers)
    if layers % count == 0 and random.random() < 0.5:
        return plans.pipeline(count)
    ends = sorted(random.sample(range(1, layers), count - 1))
    runs = [after - before for before, after in zip((0, *ends), (*ends, layers), strict=True)]
    if count > 2 and random.random() < 0.5:  # back to the first stage
        return plans.pipeline(count - 1, " ".join(map(str, runs)), [*(f"s{stage}" for stage in range(count - 1)), "s0"])
    return plans.pipeline(count, " ".join(map(str, runs)))


def replicated_heads(random: Random, s: Situation) -> Draft | None:
    """Heads of keys and values over one axis, the heads of queries that each serves over another."""
    if not s.grouped or s.latent:
        return None
    kv, rep = random.choice((1, 2, 4)), 2
    if s.sizes["N"] // s.sizes["G"] % rep:
        return None
    return together(
        degree(kv=kv, rep=rep),
        cut("kv", "G", *plans.ATTENTION),
        cut("rep", "N", *plans.ATTENTION),
        *(cut(axis, width, "mlp") for axis in ("kv", "rep") for width in s.widths("dense")),
    )


def two_meshes(random: Random, s: Situation) -> Draft:
    """Attention and feed-forward on GPUs of their own."""
    wide = ("ffn", "router", "mlp", "experts", "shared")
    meshes = dict.fromkeys(plans.PLACES, "attn") | dict.fromkeys(wide, "wide")
    inner: list[Draft] = [Draft({"a": _degree(random), "w": _degree(random)}, meshes=meshes)]
    inner.append(Draft(tables={"mesh": {"attn": ["a"], "wide": ["w"]}}))
    if random.random() < 0.5:
        inner.append(cut("a", "B", *plans.ATTENTION, "stream", *plans.ENDS))
    else:
        inner.append(cut("a", s.heads, *plans.ATTENTION))
    by_rows = random.random() < 0.5
    if by_rows:
        inner.append(cut("w", "B", "ffn", "router", "mlp", "shared"))
    else:
        inner += [cut("w", width, "mlp") for width in s.widths("dense")]
    if s.experts:
        whole = by_rows or random.random() < 0.5
        inner.append(cut("w", s.physical, "experts") if whole else plans.expert_width(s, "w"))
    return together(*inner)


PIECES: tuple[Piece, ...] = (
    a_batch, a_batch, a_tensor, a_tensor, a_tensor, a_context, a_context, some_experts, some_experts, some_experts,
    a_pipeline, a_pipeline, replicated_heads, two_meshes,
)  # fmt: skip


# -- layouts of anything ----------------------------------------------------------------------


def anything(random: Random, s: Situation) -> Document:
    """Cuts of any size along any axes at any place."""
    axes = random.sample(("dp", "tp", "cp", "ep", "xp"), random.choice((1, 2, 2, 3)))
    degrees = {axis: random.choice((1, 2, 2, 2, 3, 4)) for axis in axes}
    layout = {"*": _some_cuts(random, s, axes)} if random.random() < 0.5 else {}
    for place in random.sample(s.places, random.randint(1, len(s.places))):
        layout[place] = _some_cuts(random, s, axes)
    document: Document = {"phase": s.phase, "model": dict(s.table), "sizes": dict(s.sizes)}
    used = {axis for text in layout.values() for word in text.split()[1:] for axis in word.split("/")[1:]}
    replicate = [axis for axis in axes if axis not in used]
    if random.random() < 0.2:
        degrees["pp"] = 2
    return {**document, "degrees": degrees, "layout": layout, **({"replicate": replicate} if replicate else {})}


def _some_cuts(random: Random, s: Situation, axes: list[str]) -> str:
    sizes = random.sample([size for size in s.sizes if size not in ("K", "L")], random.choice((0, 1, 1, 1, 2)))
    free = list(axes)
    words = ["all"]
    for size in sizes:
        taken = random.sample(free, min(len(free), random.choice((1, 1, 1, 2))))
        if taken:
            words.append("/".join([size, *taken]))
        if random.random() < 0.9:  # else an axis cuts two sizes
            free = [axis for axis in free if axis not in taken]
    return " ".join(words)


def draw_operators(random: Random) -> dict[str, str]:
    """How finely parts are drawn."""
    choices = {
        "qkv": "separate", "heads": "outer", "merge_heads": "yes", "copies": "yes", "routing": "nodes",
        "transfer": "send_and_recv",
    }  # fmt: skip
    return {key: value for key, value in choices.items() if random.random() < 0.3}


def draw_ring(random: Random, s: Situation, document: Document, way: str) -> dict[str, str]:
    """Keys and values in a ring: where tokens are cut and attention is not latent; elsewhere it is refused."""
    cut_tokens = "S/" in document["layout"].get("attention.core", "")
    can = cut_tokens and not s.latent and not s.decoding
    return {"context": "ring"} if random.random() < (0.5 if can else 0.05 if way != "fitting" else 0.0) else {}


def draw_store(random: Random, document: Document) -> Document:
    """Parameters that are stored in more parts than they are used in."""
    axes = [axis for axis, count in document["degrees"].items() if axis != "pp" and count > 1]
    if not axes or "mesh" in document or random.random() > 0.25:
        return {}
    chosen = random.sample(axes, random.randint(1, min(2, len(axes))))
    place = random.choice(("*", "*", *(one for one in STORED if one in document["layout"])))
    return {"store": {place: ",".join(chosen)}}


STORED = ("attention", "mlp", "experts", "embedding", "head")


def draw_dtypes(random: Random, s: Situation) -> Document:
    """Data types that are not the default."""
    found = maybe(random, 0.1, weights=random.choice(("fp8", "mxfp4")))
    found |= maybe(random, 0.1, cache="fp8") if "T" in s.sizes else {}
    found |= maybe(random, 0.1, dispatch="fp8") if s.experts else {}
    return {"dtypes": found} if found else {}


def pad(random: Random, document: Document) -> None:
    """The vocabulary is the next multiple of what it would not divide by."""
    size = document["sizes"]["V"]
    if random.random() < 0.1:
        document["sizes"]["V"] = f"{size - random.choice((1, 3))} pad {random.choice((4, 8))}"


def leave_out_followers(document: Document) -> None:
    """Take out of a layout the lines that say what the place they follow says."""
    layout = document["layout"]
    for place in [] if "*" in layout else reversed(list(layout)):
        followed = next((one for one in _chain(place) if one in layout), "")
        followers = [other for other in layout if place in _chain(other)]
        if layout[place] == layout.get(followed) and not followers and place != "attention.keys":
            del layout[place]


def _chain(place: str) -> list[str]:
    """The places that a place follows, the nearest first."""
    found: list[str] = []
    while place := PLACES.get(place, ""):
        found.append(place)
    return found


# -- bends ------------------------------------------------------------------------------------


def another_cut(random: Random, document: Document) -> None:
    """A place is cut by another size or axis."""
    layout = _some_layout(random, document)
    place = random.choice(list(layout))
    words = layout[place].split()
    mesh = words[0] if words else "all"
    axes = document.get("mesh", {}).get(mesh, [axis for axis in _axes(document) if axis != "pp"])
    if axes:
        sizes = [size for size in document["sizes"] if size not in ("K", "L")]
        layout[place] = " ".join([*words, f"{random.choice(sizes)}/{random.choice(axes)}"])


def _some_layout(random: Random, document: Document) -> Document:
    """The layout of all phases, or that of decode steps."""
    return random.choice([document["layout"], *(table["layout"] for table in [document.get("decode")] if table)])


def _axes(document: Document) -> list[str]:
    return list(document.get("degrees", {}))


def cut_left_out(random: Random, document: Document) -> None:
    """A place is no longer cut."""
    layout = _some_layout(random, document)
    place = random.choice(list(layout))
    layout[place] = layout[place].split()[0]


def line_left_out(random: Random, document: Document) -> None:
    """A place follows another one."""
    del document["layout"][random.choice(list(document["layout"]))]


def axes_exchanged(random: Random, document: Document) -> None:
    """The major axis of some cut becomes the minor one."""
    for place, text in document["layout"].items():
        words = [word.split("/") for word in text.split()]
        if any(len(word) > 2 for word in words):
            document["layout"][place] = " ".join("/".join([word[0], *word[:0:-1]]) for word in words)
            return


def another_degree(random: Random, document: Document) -> None:
    """An axis has another number of ranks."""
    if axes := _axes(document):
        document["degrees"][random.choice(axes)] = random.choice((2, 3, 4, 5, 7, 8))


def another_size(random: Random, document: Document) -> None:
    """A size is another number."""
    size = random.choice(list(document["sizes"]))
    document["sizes"][size] = random.choice((1, 2, 3, 5, 6, 7, 9))


def open_size(random: Random, document: Document) -> None:
    """A size is a symbol."""
    size = random.choice(list(document["sizes"]))
    document["sizes"][size] = size


def size_left_out(random: Random, document: Document) -> None:
    """A size is not given."""
    del document["sizes"][random.choice(list(document["sizes"]))]


def misspelt_place(random: Random, document: Document) -> None:
    """The key of a layout is no place."""
    place = random.choice(list(document["layout"]))
    document["layout"][place[:-1]] = document["layout"].pop(place)


def misspelt_axis(random: Random, document: Document) -> None:
    """A cut names an axis that is not there."""
    for place, text in document["layout"].items():
        if "/" in text:
            document["layout"][place] = text + "x"
            return


def absent_place(random: Random, document: Document) -> None:
    """A layout speaks of what the model has not."""
    place = random.choice(("mlp", "experts", "router", "shared", "embedding", "attention.cache"))
    document["layout"].setdefault(place, "all")


def some_layers(random: Random, document: Document) -> None:
    """Some layers lie otherwise."""
    place = random.choice(("attention", "mlp", "stream", "ffn", "attention.core"))
    axes = [axis for axis in _axes(document) if axis != "pp"]
    if place in document["layout"] and axes and "mesh" not in document:
        size = random.choice([size for size in document["sizes"] if size in "BSNGF"])
        document["layout"][f"layers.{random.choice(('0', '1', '0-1', '9'))}.{place}"] = (
            f"all {size}/{random.choice(axes)}"
        )


def other_stages(random: Random, document: Document) -> None:
    """Stages that do not go with the layers."""
    document.setdefault("degrees", {})["pp"] = random.choice((2, 3, 5))
    if random.random() < 0.5:
        document["stages"] = {"layers": random.choice(("1 1", "2 1", "1*3", "2*2", "1 3", "5 1"))}


def other_option(random: Random, document: Document) -> None:
    """An option of the model that does not go with the others, or has a wrong value."""
    table = document["model"]
    kinds = [table, *(value for value in table.values() if isinstance(value, dict))]
    random.choice(kinds).update(
        random.choice(
            (
                {"activation": "swiglu_clamped", "gated": False},
                {"rope": "half", "rope_scaling": "dynamic:2"},
                {"groups": 3, "top_groups": 1},
                {"groups": 2, "top_groups": 3},
                {"query_scale": "cbrt(D)"},
                {"attention": "mamba"},
                {"activation": "gleu"},
                {"window": "Q"},
                {"embedding": "none", "tied": True},
                {"layers": "one*9"},
                {"positions": "S"},
                {"mask": "none"},
            )
        )
    )


def other_mesh(random: Random, document: Document) -> None:
    """A place lies on a mesh that is not there, or on the other one."""
    place = random.choice(list(document["layout"]))
    words = document["layout"][place].split()
    names = [*document.get("mesh", {}), "al", "stage"]
    document["layout"][place] = " ".join([random.choice(names), *words[1:]])


BENDS = [
    another_cut, another_cut, another_cut, another_cut, cut_left_out, cut_left_out, line_left_out, axes_exchanged,
    another_degree, another_degree, another_size, open_size, size_left_out, misspelt_place, misspelt_axis,
    absent_place, some_layers, some_layers, other_stages, other_option, other_option, other_mesh,
]  # fmt: skip
