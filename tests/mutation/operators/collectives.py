"""Collectives dropped, bypassed, doubled, of the wrong kind, over the wrong group, in the wrong order."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies

_REDUCTIONS = ("all_reduce", "reduce_scatter")
_WITHIN = (*_REDUCTIONS, "all_gather", "all_to_all")
_ALL = (*_WITHIN, "dispatch", "combine", "combine_reduce")


def deleted_and_joined(draft: Draft, rng: Random) -> Place | None:
    """A collective is deleted, its ends joined."""
    name = draft.pick_op(rng, *_ALL, "broadcast", "reduce_broadcast", "split")
    if name is None:
        return None
    place = draft.around([name])
    draft.join_over(name)
    draft.remove(name)
    return tuple(sorted(place))


def deleted_with_its_edges(draft: Draft, rng: Random) -> Place | None:
    """A collective is deleted, nothing joined."""
    name = draft.pick_op(rng, *_ALL, "split")
    if name is None:
        return None
    place = draft.around([name])
    draft.remove(name)
    return tuple(sorted(place))


def bypassed_by_one_rank(draft: Draft, rng: Random) -> Place | None:
    """One rank's user takes the value from before the collective, which stays."""
    name = draft.pick_op(rng, *_ALL)
    if name is None:
        return None
    edge = rng.choice(draft.out_of(name))
    gpus = set(draft.gpus(edge.head))
    found = [one.tail for one in draft.into(name) if gpus & set(draft.gpus(one.tail))]
    if not found:
        return None
    edge.tail = rng.choice(found)
    return name, edge.tail, edge.head


def bypassed_by_all(draft: Draft, rng: Random) -> Place | None:
    """All users take the value from before the collective, which stays as a dead end."""
    name = draft.pick_op(rng, *_ALL)
    if name is None:
        return None
    place = draft.around([name])
    draft.join_over(name)
    draft.edges = [edge for edge in draft.edges if edge.tail != name]
    return tuple(sorted(place))


@falsifies
def kind_changed(draft: Draft, rng: Random) -> Place | None:
    """Another kind of collective, its types left as they were."""
    name = draft.pick_op(rng, *_WITHIN, "combine", "dispatch", "combine_reduce")
    if name is None:
        return None
    facts = draft.nodes[name]
    facts["op"] = rng.choice([op for op in (*_WITHIN, "combine_reduce") if op != facts["op"]])
    facts.setdefault("over", facts.get("owner", ""))
    if facts["op"] != "all_reduce":
        facts.setdefault("along", str(rng.randrange(2)))
    if facts["op"] == "all_to_all":
        facts.setdefault("to_along", "0" if facts["along"] != "0" else "1")
    return (name,)


@falsifies
def made_a_copy(draft: Draft, rng: Random) -> Place | None:
    """A collective becomes a local node that claims the collective's result."""
    name = draft.pick_op(rng, *_WITHIN)
    if name is None:
        return None
    draft.nodes[name] |= {"op": "copy", "shape": "parallelogram"}
    return (name,)


@falsifies
def over_another_axis(draft: Draft, rng: Random) -> Place | None:
    """Runs over another axis than it should."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in (*_ALL, "split") and len(draft.mesh(one).axes) > 1)
    if name is None:
        return None
    key = "over" if "over" in draft.nodes[name] else "owner"
    old = draft.get(name, key)
    draft.nodes[name][key] = rng.choice([axis for axis, _ in draft.mesh(name).axes if axis != old])
    return (name,)


@falsifies
def over_unknown_axis(draft: Draft, rng: Random) -> Place | None:
    """Runs over an axis that is not there, or over none."""
    name = draft.pick(rng, lambda one: draft.get(one, "over"))
    if name is None:
        return None
    draft.nodes[name]["over"] = rng.choice(["sp", "world", ""])
    return (name,)


@falsifies
def over_one_axis_more(draft: Draft, rng: Random) -> Place | None:
    """Runs over an axis too many, its group left as it was."""
    name = draft.pick(rng, lambda one: draft.get(one, "over") and len(draft.mesh(one).axes) > 1)
    if name is None:
        return None
    held = draft.get(name, "over").split(",")
    more = [axis for axis, _ in draft.mesh(name).axes if axis not in held]
    if not more:
        return None
    draft.nodes[name]["over"] = ",".join([*held, rng.choice(more)])
    return (name,)


@falsifies
def over_one_axis_less(draft: Draft, rng: Random) -> Place | None:
    """Runs over an axis too few."""
    name = draft.pick(rng, lambda one: "," in draft.get(one, "over"))
    if name is None:
        return None
    held = draft.get(name, "over").split(",")
    held.remove(rng.choice(held))
    draft.nodes[name]["over"] = ",".join(held)
    return (name,)


def member_missing(draft: Draft, rng: Random) -> Place | None:
    """A rank is not in the group; its value goes straight on."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL and len(draft.gpus(one)) > 1)
    if name is None:
        return None
    gpu = rng.choice(draft.gpus(name))
    place = draft.around([name])
    for giver in [one.tail for one in draft.into(name) if draft.gpus(one.tail) == (gpu,)]:
        for edge in draft.out_of(name):
            if draft.gpus(edge.head) == (gpu,):
                draft.edges.append(Edge(giver, edge.head, dict(edge.facts)))
    draft.edges = [
        edge
        for edge in draft.edges
        if not (edge.head == name and draft.gpus(edge.tail) == (gpu,))
        and not (edge.tail == name and draft.gpus(edge.head) == (gpu,))
    ]
    draft.set_gpus(name, [one for one in draft.gpus(name) if one != gpu])
    return tuple(sorted(place))


def member_not_named(draft: Draft, rng: Random) -> Place | None:
    """A rank's number is missing in `gpu`, its edges are there."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL and len(draft.gpus(one)) > 1)
    if name is None:
        return None
    gone = rng.choice(draft.gpus(name))
    draft.set_gpus(name, [gpu for gpu in draft.gpus(name) if gpu != gone])
    return (name,)


def member_too_many(draft: Draft, rng: Random) -> Place | None:
    """A rank of another group is named too."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL)
    if name is None:
        return None
    others = [gpu for mesh in draft.meshes().values() for gpu in mesh.gpus if gpu not in draft.gpus(name)]
    if not others:
        return None
    draft.set_gpus(name, [*draft.gpus(name), rng.choice(others)])
    return (name,)


def members_of_two_groups_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two groups of one collective exchange a member, with its edges."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL and draft.siblings(one, "layer_index", "expert"))
    if name is None:
        return None
    other = rng.choice(draft.siblings(name, "layer_index", "expert"))
    here, there = set(draft.gpus(name)) - set(draft.gpus(other)), set(draft.gpus(other)) - set(draft.gpus(name))
    if not here or not there:
        return None
    mine, theirs = rng.choice(sorted(here)), rng.choice(sorted(there))
    for one, gone, came in ((name, mine, theirs), (other, theirs, mine)):
        draft.set_gpus(one, [came if gpu == gone else gpu for gpu in draft.gpus(one)])
    place = draft.around([name, other])
    for edge in draft.edges:
        for end, far in (("tail", edge.head), ("head", edge.tail)):
            at = getattr(edge, end)
            if (at, draft.gpus(far)) == (name, (mine,)):
                setattr(edge, end, other)
            elif (at, draft.gpus(far)) == (other, (theirs,)):
                setattr(edge, end, name)
    return tuple(sorted(place))


def two_groups_made_of_wrong_ranks(draft: Draft, rng: Random) -> Place | None:
    """Groups of the right size along the wrong axis: every collective of a role is regrouped."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL and draft.siblings(one, "layer_index", "expert"))
    if name is None:
        return None
    names = sorted([name, *draft.siblings(name, "layer_index", "expert")])
    held = [draft.gpus(one) for one in names]
    if len({len(gpus) for gpus in held}) > 1 or len(held[0]) < 2:
        return None
    place = draft.around(names)
    every = sorted({gpu for gpus in held for gpu in gpus})
    if len(every) != len(held) * len(held[0]):
        return None
    regrouped = [tuple(every[i :: len(held)]) for i in range(len(held))]
    if regrouped == held:
        regrouped = [tuple(every[i * len(held[0]) : (i + 1) * len(held[0])]) for i in range(len(held))]
    owner = {gpu: one for one, gpus in zip(names, regrouped, strict=True) for gpu in gpus}
    for edge in draft.edges:
        if edge.tail in names and len(draft.gpus(edge.head)) == 1 and edge.head not in names:
            edge.tail = owner.get(draft.gpus(edge.head)[0], edge.tail)
        elif edge.head in names and len(draft.gpus(edge.tail)) == 1 and edge.tail not in names:
            edge.head = owner.get(draft.gpus(edge.tail)[0], edge.head)
    for one, gpus in zip(names, regrouped, strict=True):
        draft.set_gpus(one, gpus)
    return tuple(sorted(place))


def split_in_two_halves(draft: Draft, rng: Random) -> Place | None:
    """A group's collective becomes two, each on half of the ranks."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _ALL and len(draft.gpus(one)) > 1)
    if name is None:
        return None
    gpus = draft.gpus(name)
    half = set(gpus[len(gpus) // 2 :])
    place = draft.around([name])
    second = f"{name}_b"
    draft.insert_after(name, second, dict(draft.nodes[name]))
    draft.set_gpus(name, [gpu for gpu in gpus if gpu not in half])
    draft.set_gpus(second, sorted(half))
    for edge in list(draft.edges):
        if edge.head == name and set(draft.gpus(edge.tail)) <= half:
            edge.head = second
        elif edge.tail == name and set(draft.gpus(edge.head)) <= half:
            edge.tail = second
        elif edge.tail == name and set(draft.gpus(edge.head)) & half:
            draft.edges.append(Edge(second, edge.head, dict(edge.facts)))
        elif edge.head == name and set(draft.gpus(edge.tail)) & half:
            draft.edges.append(Edge(edge.tail, second, dict(edge.facts)))
    return tuple(sorted({*place, second}))


def reduced_twice(draft: Draft, rng: Random) -> Place | None:
    """The same reduction once more, after the first."""
    return _again(draft, rng, keep_type=True)


def reduced_twice_with_types_repaired(draft: Draft, rng: Random) -> Place | None:
    """The same reduction once more; the second says that it takes what the first gives."""
    return _again(draft, rng, keep_type=False)


def _again(draft: Draft, rng: Random, *, keep_type: bool) -> Place | None:
    name = draft.pick_op(rng, "all_reduce", "all_gather", "combine_reduce", "reduce_scatter")
    if name is None:
        return None
    second, place = f"{name}_again", draft.around([name])
    facts = dict(draft.nodes[name])
    if not keep_type:
        facts["input"] = facts["output"]
    draft.insert_after(name, second, facts)
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges.append(Edge(name, second))
    return tuple(sorted({*place, second}))


def done_twice_side_by_side(draft: Draft, rng: Random) -> Place | None:
    """A second collective of the same values, feeding the same users."""
    name = draft.pick_op(rng, *_ALL)
    if name is None:
        return None
    second, place = f"{name}_too", draft.around([name])
    draft.insert_after(name, second, dict(draft.nodes[name]))
    for edge in list(draft.edges):
        if edge.tail == name:
            draft.edges.append(Edge(second, edge.head, dict(edge.facts)))
        elif edge.head == name:
            draft.edges.append(Edge(edge.tail, second, dict(edge.facts)))
    return tuple(sorted({*place, second}))


def order_exchanged_on_one_rank(draft: Draft, rng: Random) -> Place | None:
    """One rank meets two collectives of its group in the other order."""
    name = draft.pick_op(rng, *_ALL)
    if name is None:
        return None
    gpus = draft.get(name, "gpu")
    others = [
        one for one in draft.nodes if one != name and draft.get(one, "gpu") == gpus and draft.get(one, "op") in _ALL
    ]
    if not others:
        return None
    other, gpu = rng.choice(others), rng.choice(draft.gpus(name))
    place = draft.around([name, other])
    for edge in draft.edges:
        if draft.gpus(edge.tail) == (gpu,) and edge.head in (name, other):
            edge.head = other if edge.head == name else name
        elif draft.gpus(edge.head) == (gpu,) and edge.tail in (name, other):
            edge.tail = other if edge.tail == name else name
    return tuple(sorted(place))


def waits_for_the_next(draft: Draft, rng: Random) -> Place | None:
    """One rank enters a collective only after a later one that waits for it."""
    name = draft.pick_op(rng, *_ALL)
    if name is None:
        return None
    later = [
        one
        for one in draft.nodes
        if one != name
        and draft.get(one, "op") in _ALL
        and set(draft.gpus(one)) & set(draft.gpus(name))
        and name in draft.before(one)
    ]
    if not later:
        return None
    edge = rng.choice(draft.into(name))
    last = rng.choice(later)
    draft.edges.append(Edge(last, edge.tail))
    return last, edge.tail, name


@falsifies
def along_changed(draft: Draft, rng: Random) -> Place | None:
    """Puts together or cuts another dimension."""
    name = draft.pick(rng, lambda one: draft.get(one, "along"))
    if name is None:
        return None
    count = len(draft.ports(name, "input")[0][1].dims)
    key = rng.choice([key for key in ("along", "to_along") if key in draft.nodes[name]])
    draft.nodes[name][key] = rng.choice([str(at) for at in range(count + 1) if str(at) != draft.get(name, key)])
    return (name,)


@falsifies
def along_removed(draft: Draft, rng: Random) -> Place | None:
    """Does not say which dimension."""
    name = draft.pick(rng, lambda one: draft.get(one, "along"))
    if name is None:
        return None
    del draft.nodes[name][rng.choice([key for key in ("along", "to_along") if key in draft.nodes[name]])]
    return (name,)


def along_and_to_along_exchanged(draft: Draft, rng: Random) -> Place | None:
    """An all-to-all the other way round."""
    name = draft.pick_op(rng, "all_to_all")
    if name is None:
        return None
    facts = draft.nodes[name]
    facts["along"], facts["to_along"] = facts["to_along"], facts["along"]
    return (name,)


def moved_behind_its_user(draft: Draft, rng: Random) -> Place | None:
    """A reduction stands after the residual add instead of before it."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _REDUCTIONS and _added(draft, one))
    if name is None:
        return None
    adds = _added(draft, name)
    place = draft.around([name, *adds])
    draft.join_over(name)
    draft.edges = [edge for edge in draft.edges if name not in (edge.tail, edge.head)]
    for add in adds:
        for edge in [one for one in draft.edges if one.tail == add]:
            edge.tail = name
        draft.edges.append(Edge(add, name))
    seen: set[tuple[str, str]] = set()
    draft.edges = [e for e in draft.edges if (e.tail, e.head) not in seen and not seen.add((e.tail, e.head))]  # type: ignore[func-returns-value]
    return tuple(sorted(place))


def _added(draft: Draft, name: str) -> list[str]:
    return [edge.head for edge in draft.out_of(name) if draft.get(edge.head, "op") == "add"]


def a_needless_collective(draft: Draft, rng: Random) -> Place | None:
    """An all-reduce of what is already whole, with types that say so."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.tail, "gpu") == draft.get(one.head, "gpu")
            and len(draft.gpus(one.tail)) > 1
            and draft.mesh(one.tail).axes
        ),
    )
    if edge is None or len(ports := draft.ports(edge.tail, "output")) != 1:
        return None
    name, tensor = f"{edge.tail}_sync", str(ports[0][1])
    axis = rng.choice(draft.mesh(edge.tail).axes)[0]
    facts = {"shape": "ellipse", "op": "all_reduce", "role": f"{draft.get(edge.tail, 'role')}.all_reduce", "over": axis}
    facts |= draft.place_of(edge.tail) | {"input": tensor, "output": tensor}
    draft.insert_after(edge.tail, name, facts)
    draft.edges.append(Edge(edge.tail, name))
    old, edge.tail = edge.tail, name
    return old, name, edge.head
