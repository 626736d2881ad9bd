"""Weights, parameters and functions of operators; query, key and value."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies

from dagtool.model.tensor import parse_type


def _weight(draft: Draft, name: str) -> list[str]:
    return [part.strip() for part in draft.get(name, "param").strip("[] ").split(",")]


def _with_weight(draft: Draft, rng: Random, *, cut: bool = False, dims: int = 1) -> str | None:
    def fits(name: str) -> bool:
        param = draft.get(name, "param")
        return bool(param) and (not cut or "/" in param) and len(_weight(draft, name)) >= dims

    return draft.pick(rng, fits)


def _set(draft: Draft, name: str, dims: list[str]) -> Place:
    draft.nodes[name]["param"] = f"[{', '.join(dims)}]"
    return (name,)


@falsifies
def cut_removed_on_one_rank(draft: Draft, rng: Random) -> Place | None:
    """One rank's weight is whole."""
    name = _with_weight(draft, rng, cut=True)
    return None if name is None else _set(draft, name, [dim.split("/")[0] for dim in _weight(draft, name)])


@falsifies
def cut_removed_on_all_ranks(draft: Draft, rng: Random) -> Place | None:
    """The weight is whole on every rank."""
    name = _with_weight(draft, rng, cut=True)
    if name is None:
        return None
    place = (name, *draft.siblings(name, "layer_index"))
    for one in place:
        _set(draft, one, [dim.split("/")[0] for dim in _weight(draft, one)])
    return place


@falsifies
def cut_moved(draft: Draft, rng: Random) -> Place | None:
    """The weight is cut along another dimension: rows for columns."""
    name = _with_weight(draft, rng, cut=True, dims=2)
    if name is None:
        return None
    dims = _weight(draft, name)
    at = next(at for at, dim in enumerate(dims) if "/" in dim)
    to = rng.choice([other for other in range(len(dims)) if other != at])
    size, _, axes = dims[at].partition("/")
    dims[at], dims[to] = size, f"{dims[to]}/{axes}"
    return _set(draft, name, dims)


@falsifies
def cut_along_another_axis(draft: Draft, rng: Random) -> Place | None:
    """The weight is cut along another axis of the mesh."""
    name = draft.pick(rng, lambda one: "/" in draft.get(one, "param") and len(draft.mesh(one).axes) > 1)
    if name is None:
        return None
    dims = _weight(draft, name)
    at = next(at for at, dim in enumerate(dims) if "/" in dim)
    size, _, held = dims[at].partition("/")
    dims[at] = f"{size}/{rng.choice([axis for axis, _ in draft.mesh(name).axes if axis != held])}"
    return _set(draft, name, dims)


@falsifies
def cut_added(draft: Draft, rng: Random) -> Place | None:
    """A whole weight is cut."""
    name = draft.pick(rng, lambda one: draft.get(one, "param") and draft.mesh(one).axes)
    if name is None:
        return None
    dims = _weight(draft, name)
    at = rng.randrange(len(dims))
    dims[at] += f"/{rng.choice(draft.mesh(name).axes)[0]}"
    return _set(draft, name, dims)


@falsifies
def transposed(draft: Draft, rng: Random) -> Place | None:
    """Rows and columns of a weight are exchanged."""
    name = _with_weight(draft, rng, dims=2)
    return None if name is None else _set(draft, name, _weight(draft, name)[::-1])


@falsifies
def dimension_changed(draft: Draft, rng: Random) -> Place | None:
    """A weight has another size."""
    name = _with_weight(draft, rng)
    if name is None:
        return None
    dims = _weight(draft, name)
    at = rng.randrange(len(dims))
    _, slash, axes = dims[at].partition("/")
    dims[at] = rng.choice(["H", "F", "V", "4*H", "D", "128"]) + slash + axes
    return _set(draft, name, dims)


@falsifies
def removed(draft: Draft, rng: Random) -> Place | None:
    """No weight is stated."""
    name = _with_weight(draft, rng)
    if name is None:
        return None
    del draft.nodes[name]["param"]
    return (name,)


@falsifies
def fused_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of fused outputs."""
    name = draft.pick(rng, lambda one: draft.get(one, "fused"))
    if name is None:
        return None
    choice = rng.choice(["2", "3", "1", ""])
    draft.nodes[name]["fused"] = choice
    if not choice:
        del draft.nodes[name]["fused"]
    return (name,)


@falsifies
def contract_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of contracted dimensions."""
    name = draft.pick_op(rng, "linear")
    if name is None:
        return None
    held = draft.get(name, "contract") or "1"
    draft.nodes[name]["contract"] = rng.choice([one for one in ("1", "2", "3") if one != held])
    return (name,)


@falsifies
def einsum_letters_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two letters of one side of an einsum are exchanged."""
    name = draft.pick(rng, lambda one: draft.get(one, "einsum"))
    if name is None:
        return None
    ins, _, out = draft.get(name, "einsum").partition("->")
    sides = [*ins.split(","), out]
    at = rng.randrange(len(sides))
    letters = [letter for letter in sides[at] if letter.isalpha()]
    first, second = rng.sample(letters, 2)
    sides[at] = sides[at].translate(str.maketrans({first: second, second: first}))
    draft.nodes[name]["einsum"] = ",".join(sides[:-1]) + "->" + sides[-1]
    return (name,)


def einsum_removed(draft: Draft, rng: Random) -> Place | None:
    """No einsum is stated."""
    name = draft.pick(rng, lambda one: draft.get(one, "einsum"))
    if name is None:
        return None
    del draft.nodes[name]["einsum"]
    return (name,)


@falsifies
def function_changed(draft: Draft, rng: Random) -> Place | None:
    """Another activation, another norm."""
    name = draft.pick(rng, lambda one: draft.get(one, "function"))
    if name is None:
        return None
    held = draft.get(name, "function")
    choices = ("layer", "rms") if held in ("layer", "rms") else ("gelu", "relu", "silu", "tanh")
    draft.nodes[name]["function"] = rng.choice([one for one in choices if one != held])
    return (name,)


def function_changed_on_all(draft: Draft, rng: Random) -> Place | None:
    """Another activation everywhere."""
    name = draft.pick_op(rng, "activation", "gated_activation", "norm")
    if name is None:
        return None
    held = draft.get(name, "function")
    other = {"layer": "rms", "rms": "layer"}.get(held) or rng.choice(
        [one for one in ("gelu", "relu", "silu") if one != held]
    )
    place = [one for one in draft.nodes if draft.get(one, "function") == held]
    for one in place:
        draft.nodes[one]["function"] = other
    return tuple(place)


@falsifies
def tables_changed(draft: Draft, rng: Random) -> Place | None:
    """An embedding looks up other tables."""
    name = draft.pick_op(rng, "embedding")
    if name is None:
        return None
    held = draft.get(name, "tables") or "token"
    draft.nodes[name]["tables"] = rng.choice([one for one in ("token", "position", "token+position") if one != held])
    return (name,)


@falsifies
def operator_changed(draft: Draft, rng: Random) -> Place | None:
    """Another operator with the same inputs."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _SWAPS)
    if name is None:
        return None
    draft.nodes[name]["op"] = rng.choice(_SWAPS[draft.get(name, "op")])
    return (name,)


_SWAPS = {
    "norm": ("softmax", "activation", "copy"),
    "activation": ("softmax", "copy", "norm"),
    "softmax": ("activation", "copy", "norm"),
    "copy": ("activation", "softmax"),
    "add": ("copy", "concat", "gated_activation"),
    "linear": ("expert_linear", "activation", "matmul"),
    "expert_linear": ("linear", "activation"),
    "scores": ("weighted_sum", "add"),
    "weighted_sum": ("scores",),
    "gate": ("linear",),
    "gated_activation": ("add",),
    "head_split": ("head_merge", "copy"),
    "route_back": ("route", "aggregate"),
    "aggregate": ("route_back", "combine"),
    "split": ("copy", "all_gather"),
}


@falsifies
def role_changed(draft: Draft, rng: Random) -> Place | None:
    """A node says another role of the same operator: q uses k's weight."""
    name = draft.pick(rng, lambda one: draft.get(one, "param"))
    if name is None:
        return None
    roles = sorted({facts["role"] for facts in draft.nodes.values() if facts.get("op") == draft.get(name, "op")})
    others = [role for role in roles if role != draft.get(name, "role")]
    if not others:
        return None
    draft.nodes[name]["role"] = rng.choice(others)
    return (name,)


def roles_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two projections exchange their weights."""
    name = draft.pick(rng, lambda one: draft.get(one, "param") and draft.get(one, "layer_index"))
    if name is None:
        return None
    others = [
        one
        for one in draft.nodes
        if draft.get(one, "gpu") == draft.get(name, "gpu")
        and draft.get(one, "layer_index") == draft.get(name, "layer_index")
        and draft.get(one, "op") == draft.get(name, "op")
        and draft.get(one, "role") != draft.get(name, "role")
    ]
    if not others:
        return None
    other = rng.choice(others)
    first, second = draft.nodes[name], draft.nodes[other]
    first["role"], second["role"] = second["role"], first["role"]
    return name, other


def query_and_key_exchanged(draft: Draft, rng: Random) -> Place | None:
    """The scores are K Q^T."""
    name = draft.pick_op(rng, "scores")
    if name is None:
        return None
    for edge in draft.into(name):
        slots = edge.facts.get("arg", "q").split(",")
        turned = [{"q": "k", "k": "q"}.get(slot.strip(), slot) for slot in slots]
        edge.facts["arg"] = ",".join(turned)
        if len(slots) > 1:
            edge.facts["out"] = ",".join(slots)
    return tuple(sorted(draft.around([name])))


def value_from_key(draft: Draft, rng: Random) -> Place | None:
    """The weighted sum is over keys."""
    name = draft.pick_op(rng, "weighted_sum")
    if name is None:
        return None
    edge = next((one for one in draft.into(name) if one.facts.get("arg") == "v"), None)
    if edge is None:
        return None
    if len(draft.ports(edge.tail, "output")) > 1:
        edge.facts["out"] = rng.choice(["k", "q"])
        return edge.tail, name
    old = edge.tail
    role = draft.get(old, "role")
    other = role.replace(".v", rng.choice([".k", ".q"]))
    found = [
        one
        for one in draft.nodes
        if draft.get(one, "role") == other
        and draft.get(one, "gpu") == draft.get(old, "gpu")
        and draft.get(one, "layer_index") == draft.get(old, "layer_index")
    ]
    if not found:
        return None
    edge.tail = found[0]
    return old, found[0], name


def scores_weigh_themselves(draft: Draft, rng: Random) -> Place | None:
    """The softmax is left out: the weighted sum takes the scores."""
    name = draft.pick_op(rng, "weighted_sum")
    if name is None:
        return None
    for edge in draft.into(name):
        if draft.get(edge.tail, "op") == "softmax" and (before := draft.into(edge.tail)):
            old, edge.tail = edge.tail, before[0].tail
            return old, edge.tail, name
    return None


def one_weight_for_two(draft: Draft, rng: Random) -> Place | None:
    """A node is deleted, a like one with another role takes its users."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in ("linear", "norm") and draft.get(one, "layer_index"))
    if name is None:
        return None
    keys = ("op", "gpu", "layer_index", "input", "output")
    like = [
        one for one in draft.nodes if one != name and all(draft.get(one, key) == draft.get(name, key) for key in keys)
    ]
    if not like:
        return None
    other = rng.choice(like)
    place = draft.around([name])
    draft.edges += [Edge(other, edge.head, dict(edge.facts)) for edge in draft.out_of(name)]
    draft.remove(name)
    return tuple(sorted({*place, other}))


def output_names_exchanged(draft: Draft, rng: Random) -> Place | None:
    """A fused projection names its outputs in another order."""
    name = draft.pick(rng, lambda one: len(draft.ports(one, "output")) > 1)
    if name is None:
        return None
    ports = draft.ports(name, "output")
    first, second = rng.sample(range(len(ports)), 2)
    names = [slot for slot, _ in ports]
    names[first], names[second] = names[second], names[first]
    draft.set_ports(name, "output", [(slot, tensor) for slot, (_, tensor) in zip(names, ports, strict=True)])
    assert parse_type(str(ports[0][1]))
    return (name,)
