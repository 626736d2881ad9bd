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
    ("dispatch", "owner=ep;experts=E;dtype=fp8", {"x": "[B/ep, S, H]", "route": "[B/ep, S, K]"},
     ["[B*S*K/E, H] vary(ep) fp8"]),
    ("route", "owner=ep;experts=E", {"x": "[B, S, H]", "route": "[B, S, K]"}, ["[B*S*K/E, H] vary(ep)"]),
    ("expert_linear", "param=[H, F/tp]", {"x": "[B*S*K/E, H] vary(ep)"}, ["[B*S*K/E, F/tp] vary(ep)"]),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B/ep, S, K]"}, ["[B/ep, S, H]"]),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] sum(tp) vary(ep)", "route": "[B/ep, S, K]"},
     ["[B/ep, S, H] sum(tp)"]),
    ("combine_reduce", "owner=tp;experts=E", {"tokens": "[B*S*K/E, H] vary(tp)", "route": "[B, S, K]"}, ["[B, S, H]"]),
    ("route_back", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B, S, K]"},
     ["[B, S, H] sum(ep)"]),
    ("aggregate", "experts=E", {"tokens": "[B*S*K/E, H]", "route": "[B, S, K]"}, ["[B, S, H]"]),
    ("copy", "", {"x": "[B/dp] sum(tp)"}, ["[B/dp] sum(tp)"]),
    ("linear", "param=[H, V/tp];parameter=embedding.tokens", {"x": "[B, S, H]"}, ["[B, S, V/tp]"]),
    ("head_linear", "param=[F, N/tp, D];einsum=bsnd,rnd->bsnr;parameter=attention.k", {"x": "[B, S, N/tp, D]"},
     ["[B, S, N/tp, F]"]),
    ("head_linear", "param=[F, N, D/tp];einsum=bsnd,rnd->bsnr", {"x": "[B, S, N, D/tp]"}, ["[B, S, N, F] sum(tp)"]),
    ("embedding", "param=[V, H/tp];tables=token+position;positions=T;past=T-S", {"x": "[B, S/dp]"},
     ["[B, S/dp, H/tp]"]),
    ("norm", "param=[H];function=layer;bias=yes;epsilon=1e-6", {"x": "[B, S/tp, H]"}, ["[B, S/tp, H]"]),
    ("gated_activation", "function=swiglu_clamped;limit=7.0", {"gate": "[B, F/tp]", "up": "[B, F/tp]"}, ["[B, F/tp]"]),
    ("bias", "param=[N/tp, D]", {"x": "[B/dp, S, N/tp, D]"}, ["[B/dp, S, N/tp, D]"]),
    ("bias", "param=[F/tp]", {"x": "[B*S*K/E, F/tp] vary(ep)"}, ["[B*S*K/E, F/tp] vary(ep)"]),
    ("scale", "factor=sqrt(H)", {"x": "[B, S, H] sum(tp)"}, ["[B, S, H] sum(tp)"]),
    ("softcap", "cap=30.0", {"x": "[B, S, V/tp]"}, ["[B, S, V/tp]"]),
    ("rotary", "pairs=half", {"x": "[B, S, N/tp, D] sum(dp)"}, ["[B, S, N/tp, D] sum(dp)"]),
    ("rotary", "pairs=interleaved;theta=5e5;scaling=llama3:8,1,4,8192;past=T-S;offset=dp,tp", {"x": "[B, S/dp/tp, D]"},
     ["[B, S/dp/tp, D]"]),
    ("scores", "mask=causal;window=W;past=T-S;offset=dp;key_offset=tp;scale=rsqrt(D+H);softcap=50.0",
     {"q": "[B, S/dp, N, D]", "k": "[B, T/tp, N, D]"}, ["[B, N, S/dp, T/tp]"]),
    ("scores", "einsum=bsnr,btr->bnst;mask=causal", {"q": "[B, S, N/tp, F]", "k": "[B, T, F]"}, ["[B, N/tp, S, T]"]),
    ("scores", "mask=causal", {"q": "[B, S, N, D/tp]", "k": "[B, T, N, D/tp]"}, ["[B, N, S, T] sum(tp)"]),
    ("scores", "scale=0.5", {"q": "[B, S/dp, N, D]", "k": "[B, T, N, D] sum(tp)"}, ["[B, N, S/dp, T] sum(tp)"]),
    ("softmax", "param=[N/tp];parameter=attention.sinks", {"x": "[B, N/tp, S, T]"}, ["[B, N/tp, S, T]"]),
    ("parallel_softmax", "over=dp,tp", {"x": "[B, N, S, T/dp/tp]"}, ["[B, N, S, T/dp/tp]"]),
    ("parallel_softmax", "over=dp;param=[N/tp];parameter=attention.sinks", {"x": "[B, N/tp, S, T/dp]"},
     ["[B, N/tp, S, T/dp]"]),
    ("append", "past=T-S", {"cache": "[B/dp, T/tp, N, D]", "new": "[B/dp, S, N, D]"}, ["[B/dp, T/tp, N, D]"]),
    ("pair_bias", "param=[2, F/tp]", {"gate": "[B*S*K/E, F/tp] vary(ep)", "up": "[B*S*K/E, F/tp] vary(ep)"},
     ["[B*S*K/E, F/tp] vary(ep)"] * 2),
    ("cross_entropy", "", {"logits": "[B/dp, S, V]", "targets": "[B/dp, S]"}, ["[B/dp, S]"]),
    ("parallel_cross_entropy", "over=tp", {"logits": "[B/dp, S, V/tp]", "targets": "[B/dp, S]"}, ["[B/dp, S]"]),
    ("ring_attention", "over=cp;einsum=bsgrd,btgd->bgrst;mask=causal;window=W;offset=cp;scale=0.5;softcap=50.0;"
     "param=[K/tp, E];parameter=attention.sinks",
     {"q": "[B, S/cp, K/tp, E, D]", "k": "[B, S/cp, K/tp, D]", "v": "[B, S/cp, K/tp, D]"}, ["[B, S/cp, K/tp, E, D]"]),
    ("last_token", "", {"x": "[B/dp, S, H]"}, ["[B/dp, 1, H]"]),
    ("last_token", "", {"x": "[B, S/tp, H] sum(dp)"}, ["[B, 1, H] sum(dp,tp)"]),
    ("last_token", "tokens=K", {"x": "[B, S/tp, H]"}, ["[B, K, H] sum(tp)"]),
    ("argmax", "", {"x": "[B/dp, S, V]"}, ["[B/dp, S]"]),
    ("parallel_argmax", "over=dp,tp", {"x": "[B, S, V/dp/tp]"}, ["[B, S]"]),
    ("gate", "param=[H, E];scores=sigmoid;normalise=no;factor=2.5;bias=yes;correction=yes;groups=4;top_groups=2;"
     "group_score=top2;top_k=K", {"x": "[B, S/tp, H]"}, ["[B, S/tp, K]"]),
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
    ("norm", "param=[S]", {"x": "[B, S, H]"}, "not the last dimension"),
    ("gated_activation", "function=swiglu_clamped", {"gate": "[B]", "up": "[B] sum(tp)"}, "not linear"),
    ("bias", "param=[H]", {"x": "[B, S, H] sum(tp)"}, "every rank along tp would add its bias.*all_reduce over tp"),
    ("bias", "param=[H]", {"x": "[B, S, H/tp]"}, "differs from the last dimensions"),
    ("bias", "param=[B, H]", {"x": "[H]"}, "differs from the last dimensions"),
    ("scale", "", {"x": "[B]"}, "states no 'factor'"),
    ("softcap", "cap=30", {"x": "[B] sum(tp)"}, "not linear"),
    ("softcap", "cap=0", {"x": "[B]"}, "greater than 0"),
    ("softcap", "", {"x": "[B]"}, "states no 'cap'"),
    ("rotary", "pairs=half", {"x": "[B, S/tp, N, D]"}, "cut along tp but offset is not stated.*set offset=tp"),
    ("rotary", "pairs=half;offset=tp,dp", {"x": "[B, S/dp/tp, N, D]"}, "offset is tp,dp.*set offset=dp,tp"),
    ("rotary", "pairs=half;offset=tp", {"x": "[B, S, N/tp, D]"}, "not cut but offset is tp: remove"),
    ("rotary", "pairs=half", {"x": "[B, S, N, D/tp]"}, "all of D"),
    ("rotary", "pairs=half", {"x": "[S, D]"}, "expects"),
    ("rotary", "", {"x": "[B, S, D]"}, "states no 'pairs'"),
    ("rotary", "pairs=half;theta=1", {"x": "[B, S, D]"}, "theta is 1: expected a number greater than 1"),
    ("rotary", "pairs=half;scaling=llama3:8", {"x": "[B, S, D]"}, "expected linear:FACTOR, llama3:FACTOR,LOW"),
    ("rotary", "pairs=half;scaling=llama3:8,1,4,x", {"x": "[B, S, D]"}, "expected linear:FACTOR"),
    ("rotary", "pairs=half;scaling=llama3:8,4,4,512", {"x": "[B, S, D]"}, "LOW must be less than HIGH"),
    ("rotary", "pairs=half;scaling=linear:0", {"x": "[B, S, D]"}, "positive numbers"),
    ("rotary", "pairs=half;scaling=linear:4,2", {"x": "[B, S, D]"}, "expected linear:FACTOR"),
    ("rotary", "pairs=half;scaling=dynamic:4", {"x": "[B, S, D]"}, "expected linear:FACTOR"),
    ("scores", "mask=causal", {"q": "[B, S/tp, N, D]", "k": "[B, T, N, D]"}, "queries are cut along tp.*offset=tp"),
    ("scores", "mask=causal", {"q": "[B, S, N, D]", "k": "[B, T/tp, N, D]"}, "keys are cut along tp.*key_offset=tp"),
    ("scores", "window=W", {"q": "[B, S, N, D]", "k": "[B, T/tp, N, D]"}, "keys are cut along tp.*key_offset=tp"),
    ("scores", "mask=causal;offset=dp", {"q": "[B/dp, S, N, D]", "k": "[B/dp, T, N, D]"}, "not cut but offset is dp"),
    ("scores", "mask=causal;einsum=bsnd,btnd->bsnt", {"q": "[B, S, N, D]", "k": "[B, T, N, D]"}, "write them last"),
    ("scores", "mask=causal;einsum=bsnd,btnd->bnts", {"q": "[B, S, N, D]", "k": "[B, T, N, D]"}, "write them last"),
    ("scores", "softcap=50", {"q": "[B, S, N, D/tp]", "k": "[B, T, N, D/tp]"}, "a soft cap is not linear"),
    ("softmax", "param=[N]", {"x": "[B, N/tp, S, T]"}, r"sinks are \[N\] but the heads of .* are \[N/tp\]"),
    ("parallel_softmax", "over=tp", {"x": "[B, N, S, T/dp]"}, "sums over tp"),
    ("parallel_softmax", "over=tp", {"x": "[]"}, "sums over tp"),
    ("parallel_softmax", "", {"x": "[B, T/tp]"}, "states no 'over'"),
    ("parallel_softmax", "over=tp;param=[N]", {"x": "[B, N/dp, S, T/tp]"}, "cut both alike"),
    ("head_linear", "param=[F, N, D];einsum=bsnd,rnd->bsnr", {"x": "[B, S, N/tp, D]"}, "along nothing"),
    ("head_linear", "param=[F, N, D]", {"x": "[B, S, N, D]"}, "states no 'einsum'"),
    ("append", "", {"cache": "[B, T, N/tp, D]", "new": "[B, S, N, D]"}, "differ in more than the number of tokens"),
    ("append", "", {"cache": "[B, T/tp, D]", "new": "[B, S/tp, D]"}, "new tokens but they are cut along tp"),
    ("append", "", {"cache": "[B, T, D]", "new": "[B, S, D] sum(tp)"}, "caches no partial sums"),
    ("append", "", {"cache": "[B, T, D]", "new": "[B, S, D] vary(tp)"}, "do not vary along the same axes"),
    ("append", "", {"cache": "[B, T]", "new": "[B, S]"}, "expects a cache"),
    ("last_token", "", {"x": "[B]"}, "expects"),
    ("parameter", "", {}, "no input"),
    ("pair_bias", "param=[2, F]", {"gate": "[B, F]", "up": "[B, F] sum(tp)"}, "every rank along tp would add its bias"),
    ("pair_bias", "param=[2, F]", {"gate": "[B, F/tp]", "up": "[B, F/tp]"}, r"is not \[2, \.\.\]"),
    ("pair_bias", "param=[F]", {"gate": "[B, F]", "up": "[B, F]"}, r"is not \[2, \.\.\]"),
    ("pair_bias", "param=[]", {"gate": "[B, F]", "up": "[B, F]"}, r"is not \[2, \.\.\]"),
    ("cross_entropy", "", {"logits": "[B, S, V/tp]", "targets": "[B, S]"}, "needs all of V"),
    ("cross_entropy", "", {"logits": "[B, S, V]", "targets": "[B/dp, S]"}, "not cut as the tokens"),
    ("cross_entropy", "", {"logits": "[B, S, V]", "targets": "[B, S] sum(tp)"}, "not linear"),
    ("cross_entropy", "", {"logits": "[B, S, V] vary(tp)", "targets": "[B, S]"}, "not cut as the tokens"),
    ("parallel_cross_entropy", "over=tp", {"logits": "[B, S, V]", "targets": "[B, S]"}, "do not cut the vocabulary"),
    ("argmax", "", {"x": "[B, S, V/tp]"}, "needs all of V"),
    ("argmax", "", {"x": "[B, S, V] sum(tp)"}, "not linear"),
    ("parallel_argmax", "over=dp", {"x": "[B, S, V/tp]"}, "do not cut the vocabulary"),
    ("parallel_argmax", "over=dp", {"x": "[B, S, V/dp] sum(tp)"}, "not linear"),
    ("ring_attention", "over=cp;offset=cp", dict.fromkeys("qkv", "[B, S, N, D]"), "does not cut the tokens"),
    ("ring_attention", "over=cp;mask=causal", dict.fromkeys("qkv", "[B, S/cp, N, D]"), "set offset=cp"),
    ("ring_attention", "over=cp;offset=cp", {"q": "[B, S/cp, N, D]", "k": "[B, S/cp, N, D]", "v": "[B, S/cp, N, F]"},
     "do not lie alike"),
    ("ring_attention", "over=cp;offset=cp;einsum=bsnd,btnd->bnts", dict.fromkeys("qkv", "[B, S/cp, N, D]"),
     "write them last"),
    ("ring_attention", "over=cp;offset=cp", dict.fromkeys("qkv", "[S/cp, N, D]"), "does not fit"),
    ("redistribute", "to=n;layout=[B/ep, S]", {"x": "[B/dp, S] sum(tp)"}, "not linear"),
    ("redistribute", "to=n;layout=[B/ep, H]", {"x": "[B/dp, S]"}, "other sizes"),
    ("redistribute", "to=n", {"x": "[B/dp, S]"}, "states no 'layout'"),
    ("remote_dispatch", "to=m;experts=E;owner=ep", {"x": "[B, S, H]", "route": "[B, S, K]"}, "already is"),
    ("remote_combine", "to=n;experts=E;owner=ep", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B, S, K]"},
     "routed on m"),
    ("cache", "", {}, "no input"),
    ("gate", "param=[H, E];groups=2;top_groups=3", {"x": "[B, S, H]"}, "lower top_groups"),
    ("gate", "param=[H, E/ep]", {"x": "[B, S, H]"}, "whole weight"),
    ("gate", "param=[H, E]", {"x": "[B, S, H] sum(tp)"}, "not linear"),
    ("dispatch", "owner=ep;experts=E", {"x": "[B, S, H]", "route": "[B, S, K]"}, "not cut along it"),
    ("route", "owner=ep;experts=E", {"x": "[B/ep, S, H]", "route": "[B/ep, S, K]"}, "dispatch over ep"),
    ("combine", "owner=ep;experts=E", {"tokens": "[B*S*K/E, H]", "route": "[B/ep, S, K]"}, "hands out"),
    ("route_back", "experts=E", {"tokens": "[B*S*K/E, H] sum(tp)", "route": "[B, S, K]"}, "not linear"),
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


def test_tokens_travel_between_meshes():
    """Cut tokens become those of one expert, varying where experts lie; their results become cut tokens again."""
    params = {"to": "n", "experts": "E", "owner": "ep"}
    types = {"x": parse_type("[B/dp, S, H] @m"), "route": parse_type("[B/dp, S, K] @m")}
    (tokens,) = OPERATORS["remote_dispatch"].infer(types, params)
    assert str(tokens) == "[B*S*K/E, H] vary(ep) @n"
    (back,) = OPERATORS["remote_combine"].infer({"tokens": tokens, "route": types["route"]}, {**params, "to": "m"})
    assert str(back) == "[B/dp, S, H] @m"
    one = parse_type("[B*S*K/E, H] vary(dp) @n")
    with pytest.raises(LayoutError, match="this routing hands out"):
        OPERATORS["remote_combine"].infer({"tokens": one, "route": types["route"]}, {**params, "to": "m"})


def test_redistribution_cuts_as_stated():
    """On the mesh of the output."""
    (found,) = OPERATORS["redistribute"].infer({"x": parse_type("[B/dp, S] @m")}, {"to": "n", "layout": "[B, S/cp/tp]"})
    assert str(found) == "[B, S/cp/tp] @n"


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
