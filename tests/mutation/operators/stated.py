"""Statements too many: attributes that a node cannot have, and nodes declared twice with contradicting facts."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Place, falsifies

from dagtool.ops import OPERATORS

_FACTS = ("op", "role", "gpu", "layer_index", "expert", "input", "output", "param")


def _experts(draft: Draft) -> list[str]:
    """The numbers of experts, or two numbers where no node has one."""
    return sorted({facts["expert"] for facts in draft.nodes.values() if "expert" in facts}) or ["0", "1"]


@falsifies
def expert_added(draft: Draft, rng: Random) -> Place | None:
    """A node that is no part of an expert says one."""
    name = draft.pick(rng, lambda one: not draft.get(one, "expert"))
    if name is None:
        return None
    draft.nodes[name]["expert"] = rng.choice(_experts(draft))
    return (name,)


@falsifies
def expert_added_to_a_role(draft: Draft, rng: Random) -> Place | None:
    """All nodes of a role that is no part of an expert say one, as by a default."""
    name = draft.pick(rng, lambda one: not draft.get(one, "expert"))
    if name is None:
        return None
    alike = (name, *draft.siblings(name))
    expert = rng.choice(_experts(draft))
    for one in alike:
        draft.nodes[one]["expert"] = expert
    return alike


@falsifies
def layer_added(draft: Draft, rng: Random) -> Place | None:
    """A node outside the layers says a layer."""
    name = draft.pick(rng, lambda one: not draft.get(one, "layer_index"))
    if name is None:
        return None
    draft.nodes[name]["layer_index"] = rng.choice("01")
    return (name,)


@falsifies
def phase_added(draft: Draft, rng: Random) -> Place | None:
    """A node says a phase in a graph that has one only."""
    name = draft.pick(rng, lambda one: not draft.get(one, "phase"))
    if name is None:
        return None
    draft.nodes[name]["phase"] = rng.choice(["prefill", "decode", "decode0"])
    return (name,)


@falsifies
def fused_added(draft: Draft, rng: Random) -> Place | None:
    """A product says that it is several in one."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "linear" and not draft.get(one, "fused"))
    if name is None:
        return None
    draft.nodes[name]["fused"] = rng.choice("234")
    return (name,)


@falsifies
def weight_added(draft: Draft, rng: Random) -> Place | None:
    """A node without a weight says one."""
    weights = sorted({facts["param"] for facts in draft.nodes.values() if "param" in facts})
    name = draft.pick(rng, lambda one: not draft.get(one, "param") and draft.get(one, "op") not in ("input", "output"))
    if name is None or not weights:
        return None
    draft.nodes[name]["param"] = rng.choice(weights)
    return (name,)


@falsifies
def parameter_added(draft: Draft, rng: Random) -> Place | None:
    """A node states a parameter of its operator that it left out, as another node has it."""
    held: dict[str, list[str]] = {}
    for facts in draft.nodes.values():
        for key, value in facts.items():
            if value not in held.setdefault(key, []):
                held[key].append(value)

    def missing(name: str) -> list[str]:
        op = draft.get(name, "op")
        own = OPERATORS[op].attributes if op in OPERATORS else ()
        return [one.name for one in own if one.name in held and not draft.get(name, one.name)]

    name = draft.pick(rng, missing)
    if name is None:
        return None
    key = rng.choice(missing(name))
    draft.nodes[name][key] = rng.choice(held[key])
    return (name,)


def _otherwise(draft: Draft, rng: Random) -> tuple[str, str, str] | None:
    """A node, one of its facts, and what another node says there."""
    key = rng.choice(_FACTS)
    values = sorted({facts[key] for facts in draft.nodes.values() if key in facts})
    name = draft.pick(rng, lambda one: draft.get(one, key))
    if name is None or len(values) < 2:
        return None
    return name, key, rng.choice([value for value in values if value != draft.get(name, key)])


@falsifies
def declared_again_otherwise(draft: Draft, rng: Random) -> Place | None:
    """A node is declared a second time, below, with another value of one fact: the second holds."""
    found = _otherwise(draft, rng)
    if found is None:
        return None
    name, key, value = found
    draft.again.append((name, {key: value}))
    return (name,)


@falsifies
def declared_otherwise_before(draft: Draft, rng: Random) -> Place | None:
    """A node is declared with a wrong value of one fact, and again with the right one, which holds."""
    found = _otherwise(draft, rng)
    if found is None:
        return None
    name, key, value = found
    draft.again.append((name, dict(draft.nodes[name])))
    draft.nodes[name][key] = value
    return (name,)


@falsifies
def id_written_for_another(draft: Draft, rng: Random) -> Place | None:
    """A script forgets a number in the id: the statement of one node declares another one again."""
    name = draft.pick(rng, draft.siblings)
    if name is None:
        return None
    other = rng.choice(draft.siblings(name))
    draft.again.append((name, draft.nodes.pop(other)))
    for edge in draft.edges:
        edge.tail, edge.head = (name if end == other else end for end in (edge.tail, edge.head))
    return name, other
