"""Edits that change nothing of what is computed: nothing may be reported."""

from __future__ import annotations

import re
from random import Random

from mutation.draft import GRAPH, Draft, Edge, Place


def ids_renamed(draft: Draft, rng: Random) -> Place | None:
    """Every node has another id."""
    names = {name: f"n{number}" for number, name in enumerate(rng.sample([*draft.nodes], len(draft.nodes)))}
    draft.nodes = {names[name]: facts for name, facts in draft.nodes.items()}
    draft.again = [(names.get(name, name), facts) for name, facts in draft.again]
    for edge in draft.edges:
        edge.tail, edge.head = names.get(edge.tail, edge.tail), names.get(edge.head, edge.head)
    return tuple(names.values())


def statements_shuffled(draft: Draft, rng: Random) -> Place | None:
    """Nodes stand in another order."""
    rows = list(draft.nodes.items())
    rng.shuffle(rows)
    draft.nodes = dict(rows)
    return GRAPH


def edges_shuffled(draft: Draft, rng: Random) -> Place | None:
    """Edges stand in another order."""
    rng.shuffle(draft.edges)
    return GRAPH


def labels_changed(draft: Draft, rng: Random) -> Place | None:
    """Labels and colours are other ones."""
    for name, facts in draft.nodes.items():
        facts["label"] = f"{name}\\n{rng.randrange(100)}"
        facts["fillcolor"] = rng.choice(["white", "#dddddd"])
    return tuple(draft.nodes)


def labels_removed(draft: Draft, rng: Random) -> Place | None:
    """There are no labels."""
    for facts in (*draft.nodes.values(), *(facts for _, facts in draft.again)):
        facts.pop("label", None)
    return tuple(draft.nodes) if rng else None


def sizes_doubled(draft: Draft, rng: Random) -> Place | None:
    """A size is twice as large."""
    symbol = rng.choice("BSHDFV")
    text = draft.header["sizes"]
    draft.header["sizes"] = re.sub(rf"\b{symbol}=(\d+)", lambda m: f"{symbol}={2 * int(m[1])}", text)
    return GRAPH


def batch_left_open(draft: Draft, rng: Random) -> Place | None:
    """The batch is a symbol."""
    symbol = rng.choice("BS")
    draft.header["sizes"] = re.sub(rf"\b{symbol}=\d+", f"{symbol}={symbol}", draft.header["sizes"])
    return GRAPH


def preset_removed(draft: Draft, rng: Random) -> Place | None:
    """The graph does not say from which preset it was made, and has another name."""
    draft.header.pop("preset", None)
    draft.name = f"mine{rng.randrange(1000)}"
    return GRAPH


def terms_exchanged(draft: Draft, rng: Random) -> Place | None:
    """The two terms of an add stand in the other order."""
    name = draft.pick_op(rng, "add")
    if name is None:
        return None
    edges = draft.into(name)
    draft.edges = [edge for edge in draft.edges if edge.head != name] + edges[::-1]
    return (name,)


def term_named(draft: Draft, rng: Random) -> Place | None:
    """An edge into an add says which term it is."""
    name = draft.pick_op(rng, "add")
    if name is None:
        return None
    for edge, slot in zip(draft.into(name), rng.sample("xy", 2), strict=False):
        edge.facts["arg"] = slot
    return (name,)


def first_input_named(draft: Draft, rng: Random) -> Place | None:
    """An edge says that it fills the first input."""
    edge = draft.pick_edge(rng, lambda one: not one.facts and draft.ports(one.head, "input"))
    if edge is None:
        return None
    ports = draft.ports(edge.head, "input")
    if len(ports) != 1 or len(draft.ports(edge.tail, "output")) != 1:
        return None
    edge.facts["arg"] = ports[0][0] or "x"
    return edge.tail, edge.head


def gpus_spelt_out(draft: Draft, rng: Random) -> Place | None:
    """GPUs are listed one by one."""
    for name, facts in draft.nodes.items():
        if "-" in facts.get("gpu", ""):
            facts["gpu"] = ",".join(map(str, draft.gpus(name)))
    return tuple(draft.nodes) if rng else None


def gpus_in_another_order(draft: Draft, rng: Random) -> Place | None:
    """A node lists its GPUs in another order."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) > 1)
    if name is None:
        return None
    draft.set_gpus(name, rng.sample(draft.gpus(name), len(draft.gpus(name))))
    return (name,)


def gpus_renumbered(draft: Draft, rng: Random) -> Place | None:
    """Every GPU has another number, throughout."""
    every = sorted({gpu for mesh in draft.meshes().values() for gpu in mesh.gpus})
    number = dict(zip(every, rng.sample(range(2 * len(every)), len(every)), strict=True))
    for name in draft.nodes:
        draft.set_gpus(name, [number[gpu] for gpu in draft.gpus(name)])
    parts = []
    for mesh in draft.meshes().values():
        axes = "".join(f"{axis}={size} " for axis, size in mesh.axes)
        parts.append(f"{mesh.name}: {axes}gpus={','.join(str(number[gpu]) for gpu in mesh.gpus)}")
    draft.header["meshes"] = "; ".join(parts)
    return GRAPH


def axes_renamed(draft: Draft, rng: Random) -> Place | None:
    """An axis has another name, throughout."""
    axes = sorted({axis for mesh in draft.meshes().values() for axis in mesh.sizes})
    if not axes:
        return None
    axis, name = rng.choice(axes), f"ax{rng.randrange(9)}"
    draft.header["meshes"] = re.sub(rf"\b{axis}=", f"{name}=", draft.header["meshes"])
    for facts in draft.nodes.values():
        for key in ("input", "output", "param"):
            if key in facts:
                facts[key] = re.sub(rf"(?<=[/(,]){axis}\b", name, facts[key])
        for key in ("over", "owner", "offset", "key_offset"):
            if key in facts:
                facts[key] = re.sub(rf"\b{axis}\b", name, facts[key])
    return GRAPH


def mesh_renamed(draft: Draft, rng: Random) -> Place | None:
    """A mesh has another name, throughout."""
    mesh = rng.choice([*draft.meshes()])
    draft.header["meshes"] = re.sub(rf"\b{mesh}:", "fleet:", draft.header["meshes"])
    for facts in draft.nodes.values():
        for key in ("input", "output"):
            facts[key] = re.sub(rf"@{mesh}\b", "@fleet", facts[key])
        if facts.get("to") == mesh:
            facts["to"] = "fleet"
    return GRAPH


def attributes_added(draft: Draft, rng: Random) -> Place | None:
    """Attributes that mean nothing to us are added."""
    name = draft.pick(rng, lambda one: True)
    if name is None:
        return None
    draft.nodes[name] |= {"tooltip": "checked", "comment": "by hand", "penwidth": "2"}
    return (name,)


def declared_again(draft: Draft, rng: Random) -> Place | None:
    """A node is declared a second time, with nothing or what it says already."""
    name = draft.pick(rng, lambda one: True)
    if name is None:
        return None
    draft.again.append((name, rng.choice([{}, dict(draft.nodes[name])])))
    return (name,)


def restyled_below(draft: Draft, rng: Random) -> Place | None:
    """A node is declared a second time, with another colour."""
    name = draft.pick(rng, lambda one: True)
    if name is None:
        return None
    draft.again.append((name, {"fillcolor": "#ffcc00", "penwidth": "2", "tooltip": "look here"}))
    return (name,)


def two_groups_in_one_node(draft: Draft, rng: Random) -> Place | None:
    """Two whole groups of a collective are one node."""
    name = draft.pick(
        rng,
        lambda one: (
            draft.get(one, "op") in ("all_reduce", "all_gather") and draft.siblings(one, "layer_index", "expert")
        ),
    )
    if name is None:
        return None
    other = rng.choice(draft.siblings(name, "layer_index", "expert"))
    place = draft.around([name]) | draft.around([other])
    draft.set_gpus(name, sorted({*draft.gpus(name), *draft.gpus(other)}))
    for edge in list(draft.edges):
        tail, head = (name if end == other else end for end in (edge.tail, edge.head))
        if other in (edge.tail, edge.head) and not draft.joined(tail, head):
            draft.edges.append(Edge(tail, head, dict(edge.facts)))
    draft.remove(other)
    return tuple(sorted(place - {other}))


def replicas_apart(draft: Draft, rng: Random) -> Place | None:
    """A replicated node is one node on each of its GPUs."""
    name = draft.pick(
        rng,
        lambda one: draft.get(one, "op") in ("norm", "add", "copy", "gate", "embedding") and len(draft.gpus(one)) > 1,
    )
    if name is None:
        return None
    around = draft.around([name])
    made = {gpu: f"{name}_on{gpu}" for gpu in draft.gpus(name)}
    for gpu, one in made.items():
        draft.insert_after(name, one, {**draft.nodes[name], "gpu": str(gpu)})
    for edge in draft.into(name):
        draft.edges += [
            Edge(edge.tail, one, dict(edge.facts)) for gpu, one in made.items() if gpu in draft.gpus(edge.tail)
        ]
    for edge in draft.out_of(name):
        draft.edges += [
            Edge(one, edge.head, dict(edge.facts)) for gpu, one in made.items() if gpu in draft.gpus(edge.head)
        ]
    draft.remove(name)
    return tuple(sorted({*around, *made.values()} - {name}))


def a_copy_between(draft: Draft, rng: Random) -> Place | None:
    """A value passes a copy on its way."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") in ("norm", "add") and not one.facts)
    if edge is None:
        return None
    name, held = f"{edge.tail}_f", draft.nodes[edge.tail]
    tensor = draft.get(edge.tail, "output")
    facts = {"shape": "parallelogram", "op": "copy", "role": f"{held['role']}.copy"}
    facts |= draft.place_of(edge.tail) | {"input": tensor, "output": tensor}
    draft.insert_after(edge.tail, name, facts)
    draft.edges.append(Edge(edge.tail, name))
    edge.tail = name
    return draft.edges[-1].tail, name, edge.head


def size_written_as_a_product(draft: Draft, rng: Random) -> Place | None:
    """A size is written as what it is worth, in an expression: `1*H`."""
    name = draft.pick(rng, lambda one: "[B, S, H]" in draft.get(one, "output"))
    if name is None:
        return None
    draft.nodes[name]["output"] = draft.get(name, "output").replace("H]", "1*H]")
    return (name,)


def edges_of_attention_in_another_order(draft: Draft, rng: Random) -> Place | None:
    """The edges of an attention stand in another order, each saying what it fills."""
    name = draft.pick_op(rng, "scores", "weighted_sum")
    if name is None:
        return None
    edges = draft.into(name)
    for edge in edges:
        edge.facts.setdefault("arg", {"scores": "q", "weighted_sum": "p"}[draft.get(name, "op")])
    draft.edges = edges[::-1] + [edge for edge in draft.edges if edge.head != name]
    return (name,)
