"""Every operator's type rule: what it accepts, what it gives, what it refuses and why."""

import pytest

from dagtool.model.tensor import parse_type
from dagtool.ops import OPERATORS, LayoutError


def infer(op, params="", **inputs):
    """Output types as texts; params as ``a=b;c=d``."""
    types = {slot: parse_type(f"{text} @m") for slot, text in inputs.items()}
    given = dict(part.split("=", 1) for part in params.split(";") if part)
    return [str(t).removesuffix(" @m") for t in OPERATORS[op].infer(types, given)]


COLUMN, ROW = "param=[H, F/tp]", "param=[F/tp, H]"

ACCEPTED = [
    ("linear", COLUMN, {"x": "[B, S, H]"}, ["[B, S, F/tp]"]),
    ("linear", ROW, {"x": "[B, S, F/tp]"}, ["[B, S, H] sum(tp)"]),
    ("linear", "param=[H, F]", {"x": "[B/dp, S, H] sum(tp)"}, ["[B/dp, S, F] sum(tp)"]),
    ("linear", "param=[N/tp, D, H];contract=2", {"x": "[B, S, N/tp, D]"}, ["[B, S, H] sum(tp)"]),
    ("linear", "param=[H, 3, N/tp, D];fused=3", {"x": "[B, S, H]"}, ["[B, S, N/tp, D]"] * 3),
    ("embedding", "param=[V/tp, H]", {"x": "[B, S]"}, ["[B, S, H] sum(tp)"]),
    ("embedding", "param=[V, H/tp]", {"x": "[B/dp, S]"}, ["[B/dp, S, H/tp]"]),
    ("norm", "", {"x": "[B/dp, S/tp, H]"}, ["[B/dp, S/tp, H]"]),
    ("scores", "", {"q": "[B/dp, S, N/tp, D]", "k": "[B/dp, S, N/tp, D]"}, ["[B/dp, N/tp, S, S]"]),
    ("weighted_sum", "", {"p": "[B, N/tp, S, S]", "v": "[B, S, N/tp, D]"}, ["[B, S, N/tp, D]"]),
    ("weighted_sum", "", {"p": "[B, N, S, S]", "v": "[B, S, N, D] sum(tp)"}, ["[B, S, N, D] sum(tp)"]),
    ("softmax", "", {"x": "[B, N/tp, S, S]"}, ["[B, N/tp, S, S]"]),
    ("head_split", "einsum=bsnd->bnsd", {"x": "[B, S, N/tp, D]"}, ["[B, N/tp, S, D]"]),
    ("head_split", "einsum=bs(nd)->bsnd", {"x": "[B, S, N*D/tp]"}, ["[B, S, N/tp, D]"]),
    ("head_merge", "einsum=bsnd->bs(nd)", {"x": "[B, S, N/tp, D]"}, ["[B, S, N*D/tp]"]),
    ("add", "", {"x": "[B] sum(tp)", "y": "[B] sum(tp)"}, ["[B] sum(tp)"]),
    ("gated_activation", "", {"gate": "[B, F]", "up": "[B, F] sum(tp)"}, ["[B, F] sum(tp)"]),
    ("all_reduce", "over=tp", {"x": "[B] sum(tp,dp)"}, ["[B] sum(dp)"]),
    ("reduce_scatter", "over=tp;along=1", {"x": "[B, S] sum(tp)"}, ["[B, S/tp]"]),
    ("all_gather", "over=tp;along=0", {"x": "[B/dp/tp]"}, ["[B/dp]"]),
    ("all_to_all", "over=tp;along=0;to_along=1", {"x": "[B/tp, N]"}, ["[B, N/tp]"]),
    ("split", "over=tp;along=0", {"x": "[B/dp]"}, ["[B/dp/tp]"]),
    ("concat", "count=3;along=1", {"x": "[B, H]"}, ["[B, 3*H]"]),
    ("gate", "param=[H, E]", {"x": "[B/dp, S, H]"}, ["[B/dp, S, K]"]),
    ("dispatch", "owner=ep;experts=E", {"x": "[B/ep, S, H]", "route": "[B/ep, S, K]"}, ["[B*S*K/E, H] vary(ep)"]),
    ("route", "owner=ep;experts=E", {"x": "[B, S, H]", "route": "[B, S, K]"}, ["[B*S*K/E, H] vary(ep)"]),
    ("expert_linear", "param=[H, F/tp]", {"x": "[B*S*K/E, H] vary(ep)"}, ["[B*S*K/E, F/tp] vary(ep)"]),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B/ep, S, K]"}, ["[B/ep, S, H]"]),
    ("combine_reduce", "owner=tp;experts=E", {"tokens": "[B*S*K/E, H] vary(tp)", "route": "[B, S, K]"}, ["[B, S, H]"]),
    ("route_back", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B, S, K]"},
     ["[B, S, H] sum(ep)"]),
    ("aggregate", "experts=E", {"tokens": "[B*S*K/E, H]", "route": "[B, S, K]"}, ["[B, S, H]"]),
    ("copy", "", {"x": "[B/dp] sum(tp)"}, ["[B/dp] sum(tp)"]),
]  # fmt: skip

REFUSED = [
    ("linear", "param=[H, F]", {"x": "[B, S, H/tp]"}, "contracted but cut"),
    ("linear", "param=[H/tp, F]", {"x": "[B, S, H]"}, "contracted but cut"),
    ("linear", "param=[H/a/b, F]", {"x": "[B, H/b/a]"}, "order"),
    ("linear", "param=[F, H]", {"x": "[B, S, H]"}, "factor"),
    ("linear", COLUMN, {"x": "[B/tp, S, H]"}, "two different factors"),
    ("linear", COLUMN, {"x": "[B, S, H] sum(tp)"}, "reduce first"),
    ("linear", "param=[H, 3, N, D];fused=2", {"x": "[B, S, H]"}, "fused"),
    ("linear", "", {"x": "[B, S, H]"}, "states no 'param'"),
    ("embedding", "param=[V/dp, H]", {"x": "[B/dp, S]"}, "axis dp"),
    ("norm", "", {"x": "[B, S, H/tp]"}, "all_gather over tp"),
    ("norm", "", {"x": "[B, S, H] sum(tp)"}, "all_reduce over tp"),
    ("scores", "", {"q": "[B, S, N, D] sum(tp)", "k": "[B, S, N, D] sum(tp)"}, "sum of products"),
    ("scores", "", {"q": "[B, S, N/tp, D]", "k": "[B, S, N, D]"}, "on the other"),
    ("softmax", "", {"x": "[B, N, S, S/cp]"}, "all of S"),
    ("activation", "function=gelu", {"x": "[B] sum(tp)"}, "gelu is not linear"),
    ("gated_activation", "", {"gate": "[B] sum(tp)", "up": "[B]"}, "not linear"),
    ("add", "", {"x": "[B]", "y": "[B] sum(tp)"}, "partial sum over tp to a full value"),
    ("add", "", {"x": "[B/dp]", "y": "[B]"}, "do not lie alike"),
    ("all_reduce", "over=tp", {"x": "[B]"}, "count tp times over"),
    ("all_reduce", "over=tp", {"x": "[B/tp]"}, "all_gather"),
    ("all_reduce", "", {"x": "[B] sum(tp)"}, "states no 'over'"),
    ("all_gather", "over=dp;along=0", {"x": "[B/dp/tp]"}, "innermost"),
    ("all_gather", "over=tp;along=0", {"x": "[B] sum(tp)"}, "innermost"),
    ("reduce_scatter", "over=tp;along=5", {"x": "[B] sum(tp)"}, "no dimension"),
    ("split", "over=tp;along=0", {"x": "[B] sum(tp)"}, "already uses"),
    ("head_merge", "einsum=bsnd->bs(nd)", {"x": "[B, S, N, D/tp]"}, "strided"),
    ("concat", "count=2;along=0", {"x": "[B/dp]"}, "all_gather"),
    ("gate", "param=[H, E/ep]", {"x": "[B, S, H]"}, "whole weight"),
    ("gate", "param=[H, E]", {"x": "[B, S, H] sum(tp)"}, "not linear"),
    ("dispatch", "owner=ep;experts=E", {"x": "[B, S, H]", "route": "[B, S, K]"}, "not cut along it"),
    ("route", "owner=ep;experts=E", {"x": "[B/ep, S, H]", "route": "[B/ep, S, K]"}, "dispatch over ep"),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H]", "route": "[B/ep, S, K]"}, "hands out"),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] sum(tp) vary(ep)", "route": "[B/ep, S, K]"},
     "not linear"),
    ("aggregate", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B, S, K]"}, "across GPUs"),
    ("output", "", {"x": "[B/dp, V] sum(tp)"}, "partial or varying along tp"),
    ("output", "", {"x": "[B*S*K/E, H] vary(ep)"}, "partial or varying along ep"),
    ("broadcast", "to=n", {"x": "[B/dp]"}, "not whole"),
    ("send_recv", "to=m", {"x": "[B]"}, "already is"),
    ("reduce_broadcast", "over=ep;to=n", {"x": "[B]"}, "no such partial sum"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "params", "inputs", "expected"), ACCEPTED)
def test_accepted(op, params, inputs, expected):
    """The output type that follows."""
    assert infer(op, params, **inputs) == expected


@pytest.mark.parametrize(("op", "params", "inputs", "reason"), REFUSED)
def test_refused(op, params, inputs, reason):
    """The reason names what is wrong."""
    with pytest.raises(LayoutError, match=reason):
        infer(op, params, **inputs)


def test_every_operator_is_tested():
    """An operator without an accepted row here is noticed."""
    tested = {row[0] for row in ACCEPTED} | {row[0] for row in REFUSED}
    trivial = {"input", "activation", "recv", "send"}
    assert set(OPERATORS) - tested - trivial == set()


@pytest.mark.parametrize("op", ["send", "recv", "send_recv", "broadcast"])
def test_transfers_keep_the_tensor(op):
    """What crosses meshes is the same tensor; only the sending half stays where it is."""
    (output,) = OPERATORS[op].infer({"x": parse_type("[B, S, H] @m")}, {"to": "n"})
    assert str(output) == f"[B, S, H] @{'m' if op == 'send' else 'n'}"


def test_work_of_a_fused_projection():
    """One matmul of three times the width."""
    x = parse_type("[B/ep, S, H] @m")
    params = {"param": "[H, 3, N/tp, D]", "fused": "3"}
    operator = OPERATORS["linear"]
    work = operator.work({"x": x}, operator.infer({"x": x}, params), params, {"ep": 16, "tp": 4})
    sizes = {"B": 128, "S": 128, "H": 512, "N": 8, "D": 64}
    assert [str(s.bind(sizes)) for s in (work.matmuls[0].m, work.matmuls[0].k, work.matmuls[0].n)] == [
        "1024",
        "512",
        "384",
    ]


def test_all_reduce_sends_twice_what_all_gather_sends():
    """Ring algorithms: 2(k-1)/k against (k-1)/k of the whole buffer."""
    reduced = OPERATORS["all_reduce"].work(
        {"x": parse_type("[B] sum(tp) @m")}, [parse_type("[B] @m")], {"over": "tp"}, {"tp": 8}
    )
    gathered = OPERATORS["all_gather"].work(
        {"x": parse_type("[B/tp] @m")}, [parse_type("[B] @m")], {"over": "tp", "along": "0"}, {"tp": 8}
    )
    assert str(reduced.elements_sent) == "7*B/4"
    assert str(gathered.elements_sent) == "7*B/8"
