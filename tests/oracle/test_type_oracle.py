"""The oracle: type rules against what happens when operators really run, on 2 and 3 ranks, for every placement.

Sound: whatever a rule accepts is right. Complete: what a rule refuses although some layout of the result would have
been right is the list REFUSED_ON_PURPOSE, each entry with its reason.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from itertools import chain

import pytest
from oracle.cases import COLLECTIVES, DENSE, EACH_ELEMENT, ELSEWHERE, POSITIONS, REMOTE, TRANSFERS, TWO_AXES, X, routed
from oracle.judge import Case, Verdict, judge
from oracle.moved import judge_transfer, target_of
from oracle.ranks import mesh_of
from oracle.remote import judge_remote
from oracle.routed import crossed, judge_routing, tokens_alone

from dagtool.ops import OPERATORS

ONE_AXIS = [*DENSE, *POSITIONS, *COLLECTIVES, *routed("", "a")]
TOKENS_ALONE = replace(routed("")[-1], params={})

REFUSED_ON_PURPOSE = {
    "output: x=*": "what leaves the graph must be whole: nobody behind it puts parts together",
    "embedding tables=position*: x=P*": "ids are no numbers to add up; a position table only happens to ignore them",
    "scores * offset=a: *": "names an axis that does not cut the queries: untrue, though without consequence",
    "scores * key_offset=a: *": "as for the queries",
    "rotary * offset=a: *": "as for the queries",
    "append *: cache=P new=P": "a cache keeps values, not terms of sums: each decode step would reduce all of it again",
    "parallel_softmax over=a: x=R": "every rank has every logit: they would be counted once per rank",
    "parallel_argmax over=a: x=R": "every rank has every logit: nothing to exchange, argmax",
    "pair_bias: gate=[!P]* up=[!P]* param=R": "gate and up of one gated activation are cut alike",
    "ring_attention *: q=* k=R v=*": "every rank has all keys: nothing goes around",
    "ring_attention *: q=* k=S(0) v=S(0)*": "the tokens of queries and keys are cut alike: else gather the keys",
    "route*: x=S(2) route=R": "a token travels whole: its row is gathered before it is picked",
    "route*: x=P route=R": "a partial sum is reduced before tokens are picked: each would be sent once per term",
    "expert_linear*: x=S(2) route=R param=*H/a*": "as for route, of which it is a fusion",
    "expert_linear*: x=P route=R*": "as for route, of which it is a fusion",
    "dispatch: *": "without owner axes nothing is exchanged: that is a route node",
    "dispatch owner=a: x=R route=S(2)": "a routing decision is never cut along K",
    "*: tokens=* route=S(2)": "a routing decision is never cut along K",
    "*: tokens=W route=R": "a result travels whole, as the token did; the experts' type is then dispatch's, undone",
    "*: tokens=P route=R": "reduced first, so that combine is dispatch undone; weighting itself would be linear",
    "*: tokens=R route=S(?)": "would silently drop what other ranks put back: a split node says so",
    "route_back: tokens=B route=R": "would make a partial sum of cut tokens; their routing is cut as they are",
    "route_back owner=a: tokens=R route=R": "names owners, but every rank has all results: they would count as terms",
    "aggregate owner=a: *": "names owners, yet adds up on one rank: combine or combine_reduce",
    "combine owner=a: tokens=B *": "every rank has its tokens' results already: nothing to exchange, aggregate",
    "combine_reduce owner=a: tokens=B *": "every rank has its tokens' results already: nothing to reduce, aggregate",
    "combine_reduce owner=a: tokens=V route=S(?)": "would reduce everything and keep a part: combine sends less",
}
"""Pattern of the combination to the reason. R, S(d), P: placements; of routed tokens W is cut across the width,
B cut as the batch, V on the expert's owner only (see oracle/routed.py)."""


@cache
def verdicts(index: int, ranks: int, seed: int) -> tuple[Verdict, ...]:
    """Every placement of one case over one axis."""
    case, mesh = ONE_AXIS[index], mesh_of(a=ranks)
    if case.op in {one.op for one in routed("")}:
        return tuple(judge_routing(case, mesh, seed))
    return (*judge(case, mesh, seed, states="PV"),)


def wrong(found: object) -> list[str]:
    """The accepted combinations that are wrong."""
    return [str(one) for one in found if one.wrong]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("index", range(len(ONE_AXIS)), ids=lambda index: str(ONE_AXIS[index]))
def test_accepted_is_right(index, ranks, seed):
    """Whatever placement of the inputs a type rule accepts, the run gives what its output type promises."""
    found = verdicts(index, ranks, seed)
    assert wrong(found) == []
    if not (ONE_AXIS[index].op in {"dispatch", "aggregate"} or str(ONE_AXIS[index]).startswith("all_to_all")):
        assert any(one.accepted for one in found), "the case tries nothing that is accepted"


@pytest.mark.parametrize("ranks", [2, 3])
def test_refused_although_right(ranks):
    """Exactly the listed combinations are refused although the run would have given a layout of the result."""
    found = [one for index in range(len(ONE_AXIS)) for one in verdicts(index, ranks, 0) if one.although_right]
    unexpected = [str(one) for one in found if not any(fnmatchcase(one.key, key) for key in REFUSED_ON_PURPOSE)]
    assert unexpected == []
    idle = [key for key in REFUSED_ON_PURPOSE if not any(fnmatchcase(one.key, key) for one in found)]
    assert idle == []


@pytest.mark.parametrize("ranks", [2, 3])
def test_experts_accept_what_is_right(ranks):
    """An expert's linear over tokens as they lie: replicated, of a part of the batch, of the width, terms, owned."""
    found = list(judge_routing(TOKENS_ALONE, mesh_of(a=ranks), tries=tokens_alone))
    assert wrong(found) == []
    assert [one.key for one in found if one.although_right] == []
    assert sum(one.accepted for one in found) == 6


@pytest.mark.parametrize("axes", [{"a": 2, "b": 3}, {"b": 3, "a": 2}], ids=["a,b", "b,a"])
@pytest.mark.parametrize("case", TWO_AXES, ids=str)
def test_two_axes_accepted_is_right(case, axes):
    """As for one axis, with every order of two axes on one dimension, whichever of them is major in the mesh."""
    assert wrong(judge(case, mesh_of(**axes), search=False)) == []


@pytest.mark.parametrize("axes", [{"a": 2, "b": 3}, {"b": 3, "a": 2}], ids=["a,b", "b,a"])
@pytest.mark.parametrize("case", routed("", "a", "b", "a,b", "b,a"), ids=str)
def test_two_axes_routing_accepted_is_right(case, axes):
    """Experts over one axis or both, tokens cut along the other, weights cut: what is accepted is right."""
    if case.op == "expert_linear" and axes != {"a": 2, "b": 3}:
        pytest.skip("tried on one of the meshes: thousands of combinations")
    assert wrong(judge_routing(case, mesh_of(**axes), search=False)) == []


def test_axis_order_on_a_contraction():
    """Cut a,b on one side and b,a on the other: refused, and rightly, for the run has no layout (pytorch #166598)."""
    case = Case("linear", {"x": "[B, S]"}, "[S, F]")
    found = {one.placed: one for one in judge(case, mesh_of(a=2, b=3))}
    crossed = found["x=[B, S/a/b] param=[S/b/a, F]"]
    assert not crossed.accepted
    assert "order" in crossed.said
    assert crossed.although_right == ""
    assert found["x=[B, S/a/b] param=[S/a/b, F]"].accepted
    assert found["x=[B, S/b/a] param=[S/b/a, F]"].accepted


@pytest.mark.parametrize(
    ("case", "taken"),
    [
        (Case("all_reduce", X, "", {"over": "a"}), "P"),
        (Case("reduce_scatter", X, "", {"over": "a", "along": "1"}), "P"),
        (Case("all_gather", X, "", {"over": "a", "along": "1"}), "S(1)"),
        (Case("all_to_all", X, "", {"over": "a", "along": "1", "to_along": "2"}), "S(1)"),
        (Case("split", X, "", {"over": "a", "along": "1"}), "R"),
    ],
    ids=str,
)
def test_a_collective_takes_one_placement(case, taken):
    """Reducing twice, gathering what is whole, splitting what is cut: every other placement is refused."""
    accepted = [one.placed for one in judge(case, mesh_of(a=2), states="PV") if one.accepted]
    assert accepted == [f"x={taken}"]


@pytest.mark.parametrize(
    ("offsets", "taken"),
    [
        ({}, {"q=R k=R", "q=S(0) k=S(0)", "q=S(2) k=S(2)", "q=S(3) k=S(3)", "q=R k=P", "q=P k=R"}),
        ({"offset": "a"}, {"q=S(1) k=R"}),
        ({"key_offset": "a"}, {"q=R k=S(1)"}),
    ],
    ids=["none", "offset", "key_offset"],
)
def test_a_mask_takes_tokens_cut_as_stated(offsets, taken):
    """Cut queries or keys with their offset, everything else without one: no more, no less."""
    case = Case("scores", {"q": "[B, S, N, D]", "k": "[B, T, N, D]"}, "", {"mask": "causal", "past": "T-S", **offsets})
    found = list(judge(case, mesh_of(a=2), search=False))
    assert {one.placed for one in found if one.accepted} == taken
    assert wrong(found) == []


@pytest.mark.parametrize(
    ("offset", "taken"), [({}, ["R", "S(0)", "S(2)", "P"]), ({"offset": "a"}, ["S(1)"])], ids=["none", "offset"]
)
def test_a_rotation_takes_tokens_cut_as_stated(offset, taken):
    """As a mask does; a head is whole, a partial sum is rotated term by term."""
    case = Case("rotary", {"x": "[B, S, N, D]"}, "", {"pairs": "half", **offset})
    found = list(judge(case, mesh_of(a=2), search=False))
    assert [one.placed for one in found if one.accepted] == [f"x={name}" for name in taken]
    assert wrong(found) == []


def test_dispatch_takes_tokens_cut_along_the_owner():
    """x and its routing cut alike along the experts' axis, in either batch dimension, and nothing else."""
    (case,) = (one for one in routed("a") if one.op == "dispatch")
    accepted = [one.placed for one in judge_routing(case, mesh_of(a=2)) if one.accepted]
    assert accepted == ["x=S(0) route=S(0)", "x=S(1) route=S(1)"]


@pytest.mark.parametrize("case", ELSEWHERE, ids=str)
def test_routed_tokens_elsewhere(case):
    """Given routed tokens, an operator made for arrays is right or does not run; never is a value wrong."""
    found = wrong(judge_routing(case, mesh_of(a=2), tries=tokens_alone, search=False))
    assert [one for one in found if "cannot run" not in one] == []


@pytest.mark.parametrize("case", EACH_ELEMENT, ids=str)
def test_an_operator_of_each_element_takes_routed_tokens(case):
    """Given the tokens of one expert, in whatever layout it accepts."""
    found = list(judge_routing(case, mesh_of(a=2), tries=tokens_alone))
    assert wrong(found) == []
    assert [one.key for one in found if one.although_right] == []
    assert any(one.accepted for one in found)


@pytest.mark.xfail(
    strict=True,
    reason="[B*S*K/E/a, H] vary(a) does not say which dimension of the batch axis a cuts, so tokens taken under one"
    " routing fit another: the type would have to keep it, or a rule tie combine to the gate of its dispatch",
)
@pytest.mark.parametrize("op", ["route_back", "aggregate", "combine"])
def test_tokens_go_back_where_they_came_from(op):
    """Tokens taken from a batch cut in one dimension do not fit a routing cut in the other."""
    (case,) = (one for one in routed("") if one.op == op)
    found = list(judge_routing(case, mesh_of(a=2), tries=crossed))
    assert len(found) == 2
    assert wrong(found) == []


MESHES = [
    ({"a": 2}, {"a": 2}),
    ({"a": 3}, {"a": 3}),
    ({"a": 2, "b": 3}, {"a": 2, "b": 3}),
    ({"a": 2, "b": 3}, {"b": 3, "a": 2}),
    ({"a": 2, "b": 3}, {"a": 3, "b": 2}),
    ({"a": 2, "b": 3}, {"a": 6}),
    ({"a": 2}, {"a": 3}),
    ({"a": 2}, {"c": 2}),
]


@pytest.mark.parametrize(("source", "target"), MESHES, ids=str)
@pytest.mark.parametrize("op", TRANSFERS)
def test_delivered_is_right(op, source, target):
    """What a transfer delivers is what its type promises on the other mesh, whatever the shapes of the two meshes."""
    for over in ("a", ",".join(source)) if op == "reduce_broadcast" else ("",):
        assert wrong(judge_transfer(op, over, mesh_of(**source), target_of(6, **target))) == []


def test_meshes_alike_take_every_placement():
    """Between meshes of the same axes every layout passes rank by rank; a broadcast takes whole values only.

    What is whole or cut can be redistributed to what is whole or cut.
    """
    accepted = {
        op: sum(one.accepted for one in judge_transfer(op, "a", mesh_of(a=2), target_of(2, a=2))) for op in TRANSFERS
    }
    assert accepted == {"send": 4, "recv": 4, "send_recv": 4, "broadcast": 1, "reduce_broadcast": 1, "redistribute": 9}


APART = [
    ({"a": 2}, {"a": 3}, "a"),
    ({"a": 2}, {"c": 3, "d": 2}, "c"),
    ({"a": 2}, {"c": 3, "d": 2}, "d,c"),
    ({"a": 2, "b": 3}, {"a": 2, "b": 3}, "b"),
    ({"b": 3, "a": 2}, {"e": 6}, "e"),
]


@pytest.mark.parametrize(("attention", "experts", "owner"), APART, ids=str)
def test_tokens_reach_remote_experts(attention, experts, owner):
    """Attention on one mesh, its experts on another, of other axes: each owner of an expert has all its tokens."""
    axes = tuple(owner.split(","))
    found = list(judge_remote("remote_dispatch", axes, mesh_of(**attention), target_of(6, **experts)))
    assert wrong(found) == []
    taken = {one.placed for one in found if one.accepted}
    if len(attention) == 1:
        assert taken == {"x=R route=R", "x=S(0) route=S(0)", "x=S(1) route=S(1)"}
    assert len(taken) >= 3


@pytest.mark.parametrize(("attention", "experts", "owner"), APART, ids=str)
def test_results_come_back_from_remote_experts(attention, experts, owner):
    """To every placement of the batch, from experts that lie along the axes of their owner."""
    axes = tuple(owner.split(","))
    back = target_of(6, **attention)
    found = list(judge_remote("remote_combine", axes, mesh_of(**experts), back))
    assert wrong(found) == []
    taken = {one.placed for one in found if one.accepted}
    if len(attention) == 1:
        states = "".join("V" if axis in axes else "R" for axis in experts)
        assert taken == {f"tokens={states} route={route}" for route in ("R", "S(0)", "S(1)")}
    assert len(taken) >= 3


def test_every_operator_is_judged():
    """An operator the oracle does not know is noticed."""
    judged = {case.op for case in ONE_AXIS} | {*TRANSFERS, *REMOTE}
    assert judged == {name for name, operator in OPERATORS.items() if operator.slots}


# -- the oracle itself can fail --------------------------------------------------------------


def _accepts_cut_norm(types, params):
    return (types["x"],)


def _adds_anything(types, params):
    return (types["y"],)


def _forgets_the_sum(types, params):
    return tuple(replace(one, partial=()) for one in OPERATORS["linear"].infer(types, params))


def _ignores_variation(types, params):
    return tuple(replace(one, varying=()) for one in OPERATORS["copy"].infer(types, params))


@pytest.mark.parametrize(
    ("case", "rule", "example"),
    [
        (Case("norm", X, "[H]"), _accepts_cut_norm, "x=S(2) param=R"),
        (Case("norm", X, "[H]"), _accepts_cut_norm, "x=P param=R"),
        (Case("add", {"x": "[B, S]", "y": "[B, S]"}), _adds_anything, "x=R y=P"),
        (Case("linear", X, "[H, F]"), _forgets_the_sum, "x=S(2) param=S(0)"),
        (Case("copy", X), _ignores_variation, "x=V"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_wrong_rule_is_caught(case, rule, example):
    """Judged in place of the operator's own, a rule that accepts too much is found wrong at the right combination."""
    faults = {one.placed for one in judge(case, mesh_of(a=2), infer=rule, states="PV") if one.wrong}
    assert example in faults


def test_a_wrong_routing_rule_is_caught():
    """A dispatch that takes whole tokens would hand each of them out once per rank."""
    (case,) = (one for one in routed("a") if one.op == "dispatch")

    def rule(types, params):
        from dagtool.model.tensor import parse_type

        return (parse_type("[B*S*K/E, H] vary(a) @m"),)

    faults = {one.placed for one in judge_routing(case, mesh_of(a=2), infer=rule) if one.wrong}
    assert "x=R route=R" in faults
    assert "x=S(0) route=S(0)" not in faults


@pytest.mark.parametrize(
    ("module", "check", "op"),
    [
        ("pointwise", "require_no_partial", "norm"),
        ("pointwise", "require_whole", "norm"),
        ("pointwise", "require_no_partial", "activation"),
        ("pointwise", "require_no_partial", "gated_activation"),
        ("pointwise", "require_no_partial", "softcap"),
        ("attention", "require_no_partial", "softmax"),
        ("attention", "require_no_partial", "parallel_softmax"),
        ("attention", "require_no_partial", "scores"),
        ("attention", "require_whole", "softmax"),
        ("attention", "check_sinks", "softmax"),
        ("attention", "check_sinks", "parallel_softmax"),
        ("attention", "check_offset", "scores"),
        ("rotary", "check_offset", "rotary"),
        ("rotary", "require_whole", "rotary"),
        ("factors", "_check_axes", "linear"),
        ("factors", "_check_axes", "scores"),
        ("linear", "require_no_partial", "embedding"),
        ("routing", "require_no_partial", "gate"),
        ("routing", "require_whole", "route"),
    ],
)
def test_no_check_is_idle(module, check, op, monkeypatch):
    """Each check of the type rules is needed: without it something wrong is accepted, and found."""
    monkeypatch.setattr(import_module(f"dagtool.ops.{module}"), check, lambda *_: None)
    judging = judge_routing if op == "route" else judge
    one = (judging(case, mesh_of(a=2), search=False) for case in ONE_AXIS if case.op == op)
    two = (judging(case, mesh_of(a=2, b=3), search=False) for case in TWO_AXES if case.op == op)
    assert any(map(wrong, chain(one, two)))


def test_a_rule_too_strict_is_caught():
    """A rule that refuses everything is seen to refuse what is right."""

    def rule(types, params):
        from dagtool.ops import LayoutError

        raise LayoutError("no")

    case = Case("add", {"x": "[B]", "y": "[B]"})
    right = {one.placed: one.although_right for one in judge(case, mesh_of(a=2), infer=rule) if one.although_right}
    assert right == {"x=R y=R": "R", "x=S(0) y=S(0)": "S(0)", "x=P y=P": "P"}
