"""What one phase leaves to the next: caches of keys and values, and the token that is chosen."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies

from dagtool.model.roles import NEXT_TOKEN


def _append_edge(draft: Draft, rng: Random, slot: str) -> Edge | None:
    return draft.pick_edge(rng, lambda one: draft.get(one.head, "op") == "append" and _slot(one) == slot)


def _slot(edge: Edge) -> str:
    """The input of an append that an edge fills: the cache unless it says otherwise."""
    return edge.facts.get("arg", "cache")


def cache_of_another_layer(draft: Draft, rng: Random) -> Place | None:
    """New tokens are appended to the cache of another layer."""
    edge = _append_edge(draft, rng, "cache")
    others = draft.siblings(edge.tail, "gpu", "phase") if edge else []
    if edge is None or not others:
        return None
    old, edge.tail = edge.tail, rng.choice(others)
    return old, edge.tail, edge.head


@falsifies
def caches_of_keys_and_values_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Keys and values of a rank are appended to each other's cache."""
    return _exchanged(draft, rng, "cache")


@falsifies
def appended_keys_and_values_exchanged(draft: Draft, rng: Random) -> Place | None:
    """New keys go to the cache of values and the other way round."""
    return _exchanged(draft, rng, "new")


def _exchanged(draft: Draft, rng: Random, slot: str) -> Place | None:
    edge = _append_edge(draft, rng, slot)
    if edge is None:
        return None
    others = [
        one
        for one in draft.edges
        if draft.get(one.head, "op") == "append"
        and _slot(one) == slot
        and draft.get(one.head, "role") != draft.get(edge.head, "role")
        and all(draft.get(one.head, key) == draft.get(edge.head, key) for key in ("gpu", "layer_index", "phase"))
    ]
    if not others:
        return None
    other = rng.choice(others)
    edge.tail, other.tail = other.tail, edge.tail
    mine, theirs = edge.facts.pop("out", ""), other.facts.pop("out", "")
    edge.facts |= {"out": theirs} if theirs else {}
    other.facts |= {"out": mine} if mine else {}
    return edge.tail, edge.head, other.tail, other.head


def cache_read_before_the_append(draft: Draft, rng: Random) -> Place | None:
    """What takes the keys or values takes those of the earlier tokens only."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "append")
    if edge is None:
        return None
    before = next(one for one in draft.into(edge.tail) if _slot(one) == "cache")
    old, edge.tail = edge.tail, before.tail
    return old, edge.tail, edge.head


def cache_from_the_wrong_phase(draft: Draft, rng: Random) -> Place | None:
    """A step takes the cache as an earlier phase left it than the one before it."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.head, "op") == "append"
            and draft.get(one.tail, "op") == "append"
            and any(draft.get(before.tail, "op") == "append" for before in draft.into(one.tail))
        ),
    )
    if edge is None:
        return None
    before = next(one for one in draft.into(edge.tail) if draft.get(one.tail, "op") == "append")
    old, edge.tail = edge.tail, before.tail
    return old, edge.tail, edge.head


def value_of_another_phase(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from the same node of another phase."""

    def others(name: str) -> list[str]:
        return [one for one in draft.siblings(name, "layer_index", "gpu") if _phase(draft, one) != _phase(draft, name)]

    edge = draft.pick_edge(rng, lambda one: others(one.tail))
    if edge is None:
        return None
    old, edge.tail = edge.tail, rng.choice(others(edge.tail))
    return old, edge.tail, edge.head


def _phase(draft: Draft, name: str) -> str:
    return draft.get(name, "phase")


@falsifies
def phase_of_a_node_changed(draft: Draft, rng: Random) -> Place | None:
    """A node says another phase, or none."""
    phases = sorted({_phase(draft, one) for one in draft.nodes})
    name = draft.pick(rng, lambda one: _phase(draft, one))
    if name is None:
        return None
    draft.nodes[name]["phase"] = rng.choice([one for one in (*phases, "decode9", "") if one != _phase(draft, name)])
    return (name,)


@falsifies
def cache_of_another_length(draft: Draft, rng: Random) -> Place | None:
    """A cache has the length of the new tokens."""
    name = draft.pick_op(rng, "cache")
    if name is None:
        return None
    tokens = "Q" if "Q=" in draft.header["sizes"] else "S"
    draft.nodes[name]["output"] = draft.get(name, "output").replace("T", tokens, 1)
    return (name,)


def token_of_an_earlier_step(draft: Draft, rng: Random) -> Place | None:
    """A step begins with the token with which the step before it began."""
    edge = _edge_of_a_token(draft, rng)
    others = [
        name
        for name in draft.nodes
        if draft.get(name, "role") == NEXT_TOKEN
        and edge is not None
        and _phase(draft, name) != _phase(draft, edge.tail)
    ]
    if edge is None or not others:
        return None
    old, edge.tail = edge.tail, rng.choice(others)
    return old, edge.tail, edge.head


def token_from_outside(draft: Draft, rng: Random) -> Place | None:
    """A step begins with a token that is given, and does not wait for the one that the step before chooses."""
    edge = _edge_of_a_token(draft, rng)
    if edge is None:
        return None
    old, name = edge.tail, f"{edge.head}_given"
    held = draft.get(old, "output")
    own = {"op": "input", "role": "input", "input": held, "output": held}
    draft.insert_after(old, name, {**draft.place_of(old), "phase": _phase(draft, edge.head), **own})
    for one in draft.out_of(old):
        if _phase(draft, one.head) != _phase(draft, old):
            one.tail = name
    return old, name, edge.head


def _edge_of_a_token(draft: Draft, rng: Random) -> Edge | None:
    """An edge that brings a chosen token to a step."""
    return draft.pick_edge(rng, lambda one: draft.get(one.tail, "role") == NEXT_TOKEN)
