"""Slips of an editor that knows nothing of what it edits: lines lost, doubled, moved; words and numbers changed."""

from __future__ import annotations

import re
from random import Random

from mutation.draft import GRAPH, Draft, Edge, Place, falsifies

_FACTS = (
    "op",
    "role",
    "gpu",
    "input",
    "output",
    "param",
    "over",
    "owner",
    "along",
    "einsum",
    "contract",
    "fused",
    "to",
)


def lines_lost(draft: Draft, rng: Random) -> Place | None:
    """A run of edge lines is lost."""
    start, count = rng.randrange(len(draft.edges)), rng.randrange(2, 6)
    gone = draft.edges[start : start + count]
    del draft.edges[start : start + count]
    return tuple({end for edge in gone for end in (edge.tail, edge.head)})


def node_lines_lost(draft: Draft, rng: Random) -> Place | None:
    """A run of node lines is lost; edges still name them."""
    names = [*draft.nodes]
    start, count = rng.randrange(len(names)), rng.randrange(2, 6)
    for name in names[start : start + count]:
        del draft.nodes[name]
    return tuple(names[start : start + count])


def file_cut_off(draft: Draft, rng: Random) -> Place | None:
    """The last part of the edges is missing."""
    start = rng.randrange(len(draft.edges) // 2, len(draft.edges))
    gone = draft.edges[start:]
    del draft.edges[start:]
    return tuple({end for edge in gone for end in (edge.tail, edge.head)})


def lines_doubled(draft: Draft, rng: Random) -> Place | None:
    """A run of edge lines is pasted twice."""
    start, count = rng.randrange(len(draft.edges)), rng.randrange(1, 5)
    held = draft.edges[start : start + count]
    draft.edges += [Edge(edge.tail, edge.head, dict(edge.facts)) for edge in held]
    return tuple({end for edge in held for end in (edge.tail, edge.head)})


@falsifies
def attribute_removed(draft: Draft, rng: Random) -> Place | None:
    """Some attribute of some node is gone."""
    key = rng.choice(_FACTS)
    name = draft.pick(rng, lambda one: key in draft.nodes[one] and draft.get(one, "op") not in ("input", "output"))
    if name is None:
        return None
    del draft.nodes[name][key]
    return (name,)


@falsifies
def attribute_of_another_node(draft: Draft, rng: Random) -> Place | None:
    """Some attribute is copied from another node that has it."""
    key = rng.choice((*_FACTS, "layer_index", "expert", "function"))
    name = draft.pick(rng, lambda one: key in draft.nodes[one])
    if name is None:
        return None
    values = sorted({facts[key] for facts in draft.nodes.values() if key in facts} - {draft.get(name, key)})
    if not values:
        return None
    draft.nodes[name][key] = rng.choice(values)
    return (name,)


@falsifies
def number_changed(draft: Draft, rng: Random) -> Place | None:
    """Some number in some attribute is one larger."""
    name = draft.pick(rng, lambda one: _numbers(draft, one))
    if name is None:
        return None
    key = rng.choice(_numbers(draft, name))
    found = list(re.finditer(r"\d+", draft.get(name, key)))
    at = rng.choice(found)
    text = draft.get(name, key)
    draft.nodes[name][key] = text[: at.start()] + str(int(at[0]) + 1) + text[at.end() :]
    return (name,)


def _numbers(draft: Draft, name: str) -> list[str]:
    return [key for key in (*_FACTS, "layer_index", "expert") if re.search(r"\d", draft.get(name, key))]


@falsifies
def word_replaced(draft: Draft, rng: Random) -> Place | None:
    """Some word in some attribute is replaced by another of its kind."""
    key = rng.choice([key for key in _FACTS if key != "gpu"])
    name = draft.pick(rng, lambda one: key in draft.nodes[one])
    if name is None:
        return None
    words = sorted({w for facts in draft.nodes.values() for w in re.findall(r"[A-Za-z_]+", facts.get(key, ""))})
    found = list(re.finditer(r"[A-Za-z_]+", draft.get(name, key)))
    if not found or len(words) < 2:
        return None
    at = rng.choice(found)
    text = draft.get(name, key)
    word = rng.choice([word for word in words if word != at[0]])
    draft.nodes[name][key] = text[: at.start()] + word + text[at.end() :]
    return (name,)


@falsifies
def character_lost(draft: Draft, rng: Random) -> Place | None:
    """A character is lost in some attribute."""
    key = rng.choice(_FACTS)
    name = draft.pick(rng, lambda one: draft.get(one, key))
    if name is None:
        return None
    text = draft.get(name, key)
    at = rng.randrange(len(text))
    draft.nodes[name][key] = text[:at] + text[at + 1 :]
    return (name,)


def ends_of_two_edges_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Any two edges exchange their heads."""
    first, second = rng.sample(draft.edges, 2)
    first.head, second.head = second.head, first.head
    return first.tail, first.head, second.tail, second.head


def any_edge_added(draft: Draft, rng: Random) -> Place | None:
    """An edge between any two nodes, in the order of the file."""
    names = [*draft.nodes]
    first, second = sorted(rng.sample(range(len(names)), 2))
    if draft.joined(names[first], names[second]):
        return None
    draft.edges.append(Edge(names[first], names[second]))
    return names[first], names[second]


def id_misspelt_in_an_edge(draft: Draft, rng: Random) -> Place | None:
    """An edge names a node that is not there."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    old = edge.head
    edge.head = f"{old}_"
    return edge.tail, old, edge.head


@falsifies
def header_number_changed(draft: Draft, rng: Random) -> Place | None:
    """Some number among the sizes or meshes is one larger."""
    key = rng.choice(["sizes", "meshes"])
    text = draft.header[key]
    at = rng.choice(list(re.finditer(r"\d+", text)))
    draft.header[key] = text[: at.start()] + str(int(at[0]) + 1) + text[at.end() :]
    return GRAPH


@falsifies
def argument_misspelt(draft: Draft, rng: Random) -> Place | None:
    """An edge fills an input that is not there, or takes an output that is not there."""
    edge = draft.pick_edge(rng, lambda one: "arg" in one.facts)
    if edge is None:
        return None
    edge.facts[rng.choice(["arg", "out"])] = rng.choice(["z", "query", "o"])
    return edge.tail, edge.head
