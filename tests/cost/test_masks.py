"""Masks in FLOPs and seconds: pairs of query and key by hand, on every rank, through softmax to the weighted sum."""

from fractions import Fraction
from itertools import product

import pytest
from helpers.models import build
from hypothesis import given
from hypothesis import strategies as st

from dagtool.analysis.sections.products import conservation
from dagtool.analysis.subject import Subject
from dagtool.cost.critical import critical_path
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import attention_time
from dagtool.cost.masks import find_masks
from dagtool.cost.seconds import node_seconds
from dagtool.cost.slowest import slowest_path
from dagtool.cost.span import pair_shares
from dagtool.cost.work import role_flops
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators import generate
from dagtool.generators.partition import partition
from dagtool.generators.quotient import quotient
from dagtool.generators.settings import apply_settings
from dagtool.model.amount import parse_amount
from dagtool.model.cluster import cluster
from dagtool.model.pairs import KeptPairs
from dagtool.model.size import Size

ONE_H100 = cluster("1xh100x1")
TINY = {"B": 2, "S": 16, "H": 8, "N": 4, "D": 4, "F": 16, "V": 32, "L": 2}


def tiny(model=None, **document):
    """A small dense model on an axis cp of four ranks."""
    sizes = {**TINY, **document.pop("sizes", {})}
    changed = {"sizes": sizes, "model": model or {}, "degrees": {"cp": 4}, "mesh": {"all": ["cp"]}, **document}
    return apply_settings("tiny", changed, {})


def shares(dag, op):
    """The share of the pairs of each node of an operator, by GPU."""
    masks = find_masks(dag)
    nodes = [node for node in range(len(dag.ids)) if dag.kind(node).op == op]
    return {dag.gpus(node): masks.share(node) for node in nodes}


# -- counting -----------------------------------------------------------------------------------


PARTS = st.tuples(st.integers(1, 4), st.integers(1, 5))
"""Into how many parts, each of how many."""


@given(PARTS, PARTS, st.integers(0, 9), st.one_of(st.none(), st.integers(1, 12)), st.booleans())
def test_what_ranks_see_is_that_of_counting(query_parts, key_parts, past, window, causal):
    """Pairs and keys of every part of queries and keys, one by one; the parts add up to the whole."""
    (query_ranks, queries), (key_ranks, keys) = query_parts, key_parts
    size = None if window is None else Size(window)
    all_queries, all_keys = queries * query_ranks, keys * key_ranks
    mask = KeptPairs(Size(all_queries), Size(all_keys), parse_amount(str(past)), size, causal=causal)
    total = 0
    for one, other in product(range(query_ranks), range(key_ranks)):
        pairs = {
            (query, key)
            for query in range(one * queries, (one + 1) * queries)
            for key in range(other * keys, (other + 1) * keys)
            if (not causal or key <= past + query) and (window is None or past + query - key < window)
        }
        found = mask.seen({}, (one, query_ranks), (other, key_ranks))
        assert (found.pairs, found.of_pairs) == (len(pairs), queries * keys)
        assert found.keys == len({key for _, key in pairs})
        total += len(pairs)
    assert mask.share({}) == Fraction(total, all_queries * all_keys)


@pytest.mark.parametrize("tokens", [1, 2, 16])
def test_a_causal_prefill_computes_half_and_half_a_token(tokens):
    """(S + 1)/(2 S) of all pairs, for scores, softmax and weighted sum alike."""
    dag = partition(tiny(sizes={"S": tokens, "N": 4}, layout={"*": "all", "attention": "N/cp"}))
    for op in ("scores", "softmax", "weighted_sum"):
        assert {share.mean for share in shares(dag, op).values()} == {Fraction(tokens + 1, 2 * tokens)}


def test_without_a_mask_all_pairs_are_computed():
    """The model says so."""
    dag = partition(tiny({"mask": "none"}, layout={"*": "all", "attention": "N/cp"}))
    assert find_masks(dag).masks == ()
    assert {one.kept for one in role_flops(dag)} == {1}


def test_a_symbol_leaves_all_pairs():
    """Nobody knows how many of S*S pairs a mask keeps: the products' shapes are counted in full."""
    dag = generate("ma_separation", {"S": "S"})
    assert {one.kept for one in role_flops(dag)} == {1}
    assert "S" in critical_path(dag).expression


def test_layers_with_a_window_and_without_share_kinds_but_not_masks():
    """Weighted sums and softmaxes of both kinds of layer are alike; each has the mask of its own layer's scores."""
    model = {"layers": "(near,far)*", "near": {"window": "W"}, "far": {}}
    dag = partition(tiny(model, sizes={"W": 4}, layout={"*": "all", "attention": "N/cp"}))
    masks = find_masks(dag)
    near, far = Fraction(16 * 4 - 6, 256), Fraction(17, 32)  # 1 + 2 + 3 keys, then four each
    for op in ("scores", "softmax", "weighted_sum"):
        found = {(dag.layer_of[n], masks.share(n).mean) for n in range(len(dag.ids)) if dag.kind(n).op == op}
        assert found == {(0, near), (1, far)}
    kinds = {dag.kind_of[node] for node in range(len(dag.ids)) if dag.kind(node).op == "weighted_sum"}
    assert len(kinds) == 1


def test_scores_that_are_added_up_pass_their_mask_on():
    """Latent attention adds scores without and with position; the sum is inside the kernel as they are."""
    dag = build("deepseek-v3", "forward", {"B": 1, "S": 8, "L": 4})
    masks = find_masks(dag)
    assert {dag.kinds[index].role for index in masks.inside} == {
        "attention.scores_nope", "attention.scores_pe", "attention.scores", "attention.softmax"
    }  # fmt: skip
    assert {share.mean for share in shares(dag, "weighted_sum").values()} == {Fraction(9, 16)}


# -- ranks that hold parts of the sequence --------------------------------------------------------

CONTEXT = {
    "gathered": {"layout": {"*": "S/cp"}, "operators": {"qkv": "separate"}},
    "ring": {"layout": {"*": "S/cp"}, "operators": {"qkv": "separate", "context": "ring"}},
}


@pytest.mark.parametrize("way", CONTEXT)
def test_context_parallel_ranks_have_their_own_pairs(way):
    """16 tokens on 4 ranks: rank r has 4 (4 r) + 10 of its 64 pairs, and reads 4 (r + 1) keys."""
    dag = partition(tiny(**CONTEXT[way]))
    op = "ring_attention" if way == "ring" else "scores"
    each = shares(dag, op)
    if way == "ring":  # one node on all ranks: it takes as long as the last one
        (share,) = each.values()
        assert (share.most, share.mean) == (Fraction(58, 64), Fraction(17, 32))
    else:
        assert {gpus[0]: share.mean for gpus, share in each.items()} == {
            rank: Fraction(16 * rank + 10, 64) for rank in range(4)
        }
        assert {gpus[0]: share.keys for gpus, share in each.items()} == {
            rank: Fraction(rank + 1, 4) for rank in range(4)
        }


@pytest.mark.parametrize("way", [*CONTEXT, "heads"])
def test_ranks_together_do_the_models_pairs(way):
    """However the pairs are cut, their sum is that of the model on one GPU."""
    strategy = tiny(**CONTEXT.get(way, {"layout": {"*": "all", "attention": "N/cp"}}))
    found = conservation(Subject("tiny", partition(strategy)))
    assert found.distinct.number == found.model.number
    pairs = TINY["B"] * TINY["S"] * (TINY["S"] + 1) // 2 * TINY["N"] * TINY["D"]
    tokens, hidden = TINY["B"] * TINY["S"], TINY["H"]
    width = TINY["N"] * TINY["D"]
    layer = 2 * tokens * (4 * hidden * width + 2 * hidden * TINY["F"]) + 4 * pairs
    assert found.distinct.number == TINY["L"] * layer + 2 * tokens * hidden * TINY["V"]


def test_the_path_passes_the_rank_with_most_pairs():
    """By FLOPs and in seconds; the first ranks do not stand for the others where masks leave them other pairs."""
    sizes = {"S": 65536, "B": 1, "H": 4096, "N": 32, "D": 128, "F": 4096}
    strategy = tiny(sizes=sizes, **CONTEXT["gathered"])
    whole = partition(strategy)
    found = quotient(strategy, pair_shares(strategy.meshes(), strategy.sizes))
    assert found.kept == ("cp",)
    for dag in (whole, found.dag):
        path = critical_path(dag)
        ranks = {dag.gpus(node) for node in path.nodes if dag.kind(node).op == "scores"}
        assert ranks == {(3,)}
        assert max(path.shares) == 1
        assert min(path.shares) == Fraction(3 * 16384 * 16384 + 16384 * 16385 // 2, 16384 * 65536)
    times = node_seconds(whole, cluster("1xh100x4"))
    each = [times.time_s[n] for n in range(len(whole.ids)) if whole.kind(n).op == "scores" and whole.layer_of[n] == 0]
    assert each == sorted(each)
    assert each[3] > 6 * each[0]


def test_a_single_node_for_all_ranks_takes_as_long_as_the_last():
    """A file may draw one node for the group: seconds by the rank with most pairs, FLOPs by all."""
    dag = to_dag(parse(
        'digraph { graph [dagtool=1 sizes="B=1 S=8 N=1 D=4" meshes="m: cp=2 gpus=0-1"] '
        's [op=scores gpu="0-1" einsum="bsnd,btnd->bnst" mask=causal offset=cp '
        'input="q: [B, S/cp, N, D] @m; k: [B, S, N, D] @m" output="[B, N, S/cp, S] @m"] }'
    )[0])  # fmt: skip
    (share,) = shares(dag, "scores").values()
    assert (share.mean, share.most) == (Fraction(36, 64), Fraction(26, 32))
    (row,) = role_flops(dag)
    assert (row.executed.value * row.kept, row.executed.value) == (2 * 4 * 36, 2 * 4 * 64)


# -- seconds --------------------------------------------------------------------------------------


def attention_seconds(dag, **options):
    """Seconds of scores and weighted sums on the path."""
    found = slowest_path(dag, node_seconds(dag, ONE_H100, **options))
    return sum(
        one.count * one.time_s for one in found.shares(dag) if one.role in ("attention.scores", "attention.weighted")
    )


def test_fused_attention_of_a_long_prompt_takes_half():
    """Llama-3-8B, 131,072 tokens: 32 layers of 4 S (S + 1)/2 N D FLOPs; unfused kernels compute all pairs."""
    dag = build("llama-3-8b", "forward", {"B": 1, "S": 131072})
    pairs = 131072 * 131073 // 2
    gpu, fit = ONE_H100.gpu, kernel_fit(ONE_H100.gpu)
    one = attention_time(2 * pairs * 4096, 0, dtype="bf16", gpu=gpu, fit=fit).time_s
    assert attention_seconds(dag) == pytest.approx(2 * 32 * one, rel=1e-9)
    moved = 2 * (131072 * (4096 + 1024) + 32 * 131072**2)
    whole = attention_time(2 * 131072**2 * 4096, moved, dtype="bf16", gpu=gpu, fit=fit).time_s
    assert attention_seconds(dag, fused_attention=False) == pytest.approx(2 * 32 * whole, rel=1e-9)


def test_the_kernel_of_a_masked_prefill_was_measured():
    """32,768 tokens, 32 heads of 128 over 8, causal, on an H100: cuDNN 14.62 ms, FlashAttention-2 25.04 ms."""
    dag = build("llama-3-8b", "forward", {"B": 1, "S": 32768, "L": 1})
    assert 14.62e-3 < attention_seconds(dag) < 25.04e-3


def test_terms_stay_shapes_of_products():
    """Get_Time(m, k, n) of scores is that of all pairs; the FLOPs of the term are those that are kept."""
    dag = generate("moe_tp8_pp2")
    term = next(term for term in critical_path(dag).terms if term.kept != 1)
    assert str(term) == "Get_Time(5120000,128,10000)"
    assert (term.kept, term.flops.value) == (
        Fraction(10001, 20000), 2 * 128 * 4 * 128 * (10_000 * 10_001 // 2) * term.count
    )  # fmt: skip


def test_a_window_saves_pairs_in_prefill_and_keys_in_decode():
    """gpt-oss: a layer of 128 tokens beside a full one; decode reads 128 of the 4096 keys."""
    prefill = build("gpt-oss-120b", "forward", {"B": 1, "S": 4096, "L": 2, "E": 4})
    masks = find_masks(prefill)
    near = {masks.share(n) for n in range(len(prefill.ids)) if prefill.layer_of[n] == 0} - {masks.shares[0]}
    assert {one.mean for one in near} == {Fraction(128 * 4096 - 128 * 127 // 2, 4096 * 4096)}
    decode = build("gpt-oss-120b", "decode", {"B": 64, "S": 1, "T": 4096, "L": 2, "E": 4})
    times = node_seconds(decode, ONE_H100).time_s
    found = {decode.layer_of[n]: times[n] for n in range(len(decode.ids)) if decode.kind(n).op == "scores"}
    fit = kernel_fit(ONE_H100.gpu)
    bandwidth = ONE_H100.gpu.memory_bytes_per_s * fit.memory
    read = {layer: 2 * 64 * 64 * (64 + keys * 8) / bandwidth for layer, keys in ((0, 128), (1, 4096))}
    assert found == pytest.approx({layer: time + fit.launch_s for layer, time in read.items()})


def test_a_window_hides_keys_of_a_cache_that_keeps_all():
    """Two new tokens on a cache of 32: a window of 4 reads 5 of the keys, the rest of the cache stays where it is."""
    model = {"window": "W"}
    strategy = apply_settings(
        "tiny",
        {"phase": "decode", "sizes": {**TINY, "S": 2, "T": 32, "W": 4}, "model": model, "layout": {"*": "all"},
         "degrees": {}, "mesh": {"all": []}}, {},
    )  # fmt: skip
    (share, *_) = set(shares(partition(strategy), "scores").values())
    assert (share.mean, share.keys) == (Fraction(4, 32), Fraction(5, 32))


PHASES = {
    "forward": {"S": 12},
    "prefill": {"S": 12},
    "decode": {"S": 2, "T": 12},
    "prefill decode*2": {"S": 8, "T": 12, "Q": 2},
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", ["llama-3-8b", "gpt-oss-120b", "deepseek-v3"])
def test_every_phase_does_its_models_pairs(name, phase):
    """Windows, latent attention, caches, several phases in one graph: what a graph does is what its model needs."""
    few = {"E": 16} if name != "llama-3-8b" else {}
    found = conservation(Subject(name, build(name, phase, {"B": 1, "L": 4, **few, **PHASES[phase]})))
    assert found.model is not None
    assert found.holds
