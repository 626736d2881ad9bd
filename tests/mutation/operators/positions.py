"""Masks and positions: which keys a query sees, where the tokens of a rank begin, how queries and keys turn."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Place, falsifies


def _with(draft: Draft, rng: Random, attribute: str, *ops: str) -> str | None:
    return draft.pick(rng, lambda one: draft.get(one, attribute) and (not ops or draft.get(one, "op") in ops))


def _removed(draft: Draft, rng: Random, attribute: str, *ops: str) -> Place | None:
    name = _with(draft, rng, attribute, *ops)
    if name is None:
        return None
    del draft.nodes[name][attribute]
    return (name,)


def _everywhere(draft: Draft, name: str) -> list[str]:
    """A node and those of its role in its layer."""
    return [name, *draft.siblings(name, "layer_index")]


def _set_everywhere(draft: Draft, name: str | None, attribute: str, value: str) -> Place | None:
    """An attribute changed on all ranks; removed where the value is empty."""
    if name is None:
        return None
    for one in _everywhere(draft, name):
        draft.nodes[one].pop(attribute, None)
        if value:
            draft.nodes[one][attribute] = value
    return tuple(_everywhere(draft, name))


@falsifies
def offset_forgotten(draft: Draft, rng: Random) -> Place | None:
    """A rank takes its tokens for the first of the sequence."""
    return _removed(draft, rng, "offset")


@falsifies
def offset_forgotten_everywhere(draft: Draft, rng: Random) -> Place | None:
    """All ranks take their tokens for the first of the sequence."""
    return _set_everywhere(draft, _with(draft, rng, "offset"), "offset", "")


@falsifies
def key_offset_forgotten(draft: Draft, rng: Random) -> Place | None:
    """A rank takes its keys for the first of the sequence."""
    return _removed(draft, rng, "key_offset")


@falsifies
def offset_of_whole_tokens(draft: Draft, rng: Random) -> Place | None:
    """An offset where every rank holds all tokens."""
    attribute = rng.choice(["offset", "key_offset"])
    ops = ("scores",) if attribute == "key_offset" else ("scores", "rotary")
    name = draft.pick(rng, lambda one: draft.get(one, "op") in ops and not draft.get(one, attribute))
    if name is None or not (axes := list(draft.mesh(name).sizes)):
        return None
    draft.nodes[name][attribute] = rng.choice(axes)
    return (name,)


@falsifies
def mask_changed(draft: Draft, rng: Random) -> Place | None:
    """Scores of one rank are masked otherwise than the model's."""
    name = draft.pick_op(rng, "scores")
    if name is None:
        return None
    if draft.get(name, "mask"):
        for attribute in ("mask", "window", "past", "offset", "key_offset"):
            draft.nodes[name].pop(attribute, None)
    else:
        draft.nodes[name]["mask"] = "causal"
    return (name,)


@falsifies
def mask_left_out_of_a_layer(draft: Draft, rng: Random) -> Place | None:
    """The scores of a layer see later tokens on all ranks."""
    name = _with(draft, rng, "mask", "scores")
    if name is None:
        return None
    for one in _everywhere(draft, name):
        for attribute in ("mask", "window", "past", "offset", "key_offset"):
            draft.nodes[one].pop(attribute, None)
    return tuple(_everywhere(draft, name))


@falsifies
def window_changed(draft: Draft, rng: Random) -> Place | None:
    """The window of a layer has another size on all ranks."""
    name = _with(draft, rng, "window", "scores")
    return _set_everywhere(draft, name, "window", rng.choice(["1", "2", "S", "W/3"]))


@falsifies
def window_removed(draft: Draft, rng: Random) -> Place | None:
    """A layer sees all keys before, on all ranks."""
    return _set_everywhere(draft, _with(draft, rng, "window", "scores"), "window", "")


@falsifies
def window_added(draft: Draft, rng: Random) -> Place | None:
    """A layer of full attention has a window on all ranks."""
    if "W=" not in draft.header["sizes"]:
        return None
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "scores" and not draft.get(one, "window"))
    return _set_everywhere(draft, name, "window", "W")


def windows_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two layers exchange their windows on all ranks."""
    first = _with(draft, rng, "window", "scores")
    second = draft.pick(rng, lambda one: draft.get(one, "op") == "scores" and not draft.get(one, "window"))
    if first is None or second is None:
        return None
    window = draft.get(first, "window")
    return (
        *(_set_everywhere(draft, first, "window", "") or ()),
        *(_set_everywhere(draft, second, "window", window) or ()),
    )


@falsifies
def past_forgotten(draft: Draft, rng: Random) -> Place | None:
    """New tokens take the positions of the first ones."""
    return _removed(draft, rng, "past")


@falsifies
def past_forgotten_everywhere(draft: Draft, rng: Random) -> Place | None:
    """New tokens of a layer take the positions of the first ones on all ranks."""
    return _set_everywhere(draft, _with(draft, rng, "past"), "past", "")


@falsifies
def past_changed(draft: Draft, rng: Random) -> Place | None:
    """New tokens stand elsewhere than behind the earlier ones."""
    name = _with(draft, rng, "past")
    if name is None:
        return None
    draft.nodes[name]["past"] = rng.choice([one for one in ("1", "S", "2", "T-2*S") if one != draft.get(name, "past")])
    return (name,)


@falsifies
def rotation_changed(draft: Draft, rng: Random) -> Place | None:
    """Queries or keys turn at another speed, or in other pairs."""
    name = draft.pick_op(rng, "rotary")
    if name is None:
        return None
    attribute = rng.choice(["theta", "pairs", "scaling"])
    pairs = "half" if draft.get(name, "pairs") == "interleaved" else "interleaved"
    draft.nodes[name][attribute] = {"theta": "500.0", "pairs": pairs, "scaling": "linear:4"}[attribute]
    return (name,)


@falsifies
def rotation_of_another_layer(draft: Draft, rng: Random) -> Place | None:
    """The rotations of a layer have the speed of another kind of layer on all ranks."""
    speeds = {facts.get("theta", "") for facts in draft.nodes.values() if facts.get("op") == "rotary"}
    name = draft.pick_op(rng, "rotary")
    if name is None or len(speeds) < 2:
        return None
    return _set_everywhere(draft, name, "theta", rng.choice(sorted(speeds - {draft.get(name, "theta")})))


def rotation_skipped(draft: Draft, rng: Random) -> Place | None:
    """A rotation is left out on one rank: its users take what it takes."""
    name = draft.pick_op(rng, "rotary")
    if name is None:
        return None
    (before,) = draft.into(name)
    users = draft.out_of(name)
    for edge in users:
        edge.tail = before.tail
        if "out" in before.facts:
            edge.facts["out"] = before.facts["out"]
    draft.remove(name)
    return (before.tail, *(edge.head for edge in users))


@falsifies
def scale_changed(draft: Draft, rng: Random) -> Place | None:
    """Scores are scaled by another factor."""
    name = draft.pick_op(rng, "scores")
    if name is None:
        return None
    draft.nodes[name]["scale"] = rng.choice(["0.5", "rsqrt(H)", "rsqrt(2*D)"])
    return (name,)


@falsifies
def sinks_left_out(draft: Draft, rng: Random) -> Place | None:
    """The softmax of a rank has no sinks."""
    name = _with(draft, rng, "param", "softmax", "parallel_softmax")
    if name is None:
        return None
    del draft.nodes[name]["param"]
    draft.nodes[name].pop("parameter", None)
    return (name,)
