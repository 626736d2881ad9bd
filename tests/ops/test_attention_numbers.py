"""The inside of attention against loops over single numbers: masks, scales, sinks, cut softmax, cache."""

from math import exp, inf, log, sqrt, tanh

import numpy as np
import pytest
from ops.one_rank import run
from oracle.ranks import Node, Rank, mesh_of, numeric

from dagtool.model.tensor import parse_type
from dagtool.ops import OPERATORS, LayoutError

RNG = np.random.default_rng(0)


# -- scores -------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [None, 1, 3])
@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("past", [0, 4])
def test_masked_scores(mask, window, past):
    q, k = RNG.standard_normal((2, 3, 2, 4)), RNG.standard_normal((2, 7, 2, 4))
    found = run("scores", {"mask": mask, "window": window or "", "past": past}, q=q, k=k)
    assert found.shape == (2, 2, 3, 7)
    for (batch, head, i, j), score in np.ndenumerate(found):
        position = past + i
        hidden = (mask == "causal" and j > position) or (window is not None and j <= position - window)
        expected = -inf if hidden else sum(q[batch, i, head] * k[batch, j, head]) / sqrt(4)
        assert score == pytest.approx(expected)


def test_scale_comes_before_the_soft_cap_and_this_before_the_mask():
    q, k = RNG.standard_normal((1, 3, 1, 4)), RNG.standard_normal((1, 3, 1, 4))
    found = run("scores", {"mask": "causal", "scale": "2.0*rsqrt(4+5)", "softcap": 0.5}, q=q, k=k)
    for (_, _, i, j), score in np.ndenumerate(found):
        product = sum(q[0, i, 0] * k[0, j, 0])
        assert score == pytest.approx(0.5 * tanh(product * 2 / 3 / 0.5) if j <= i else -inf)


def test_scores_are_scaled_by_the_size_of_a_head_whatever_its_letter():
    q, k = RNG.standard_normal((2, 3, 2, 9)), RNG.standard_normal((2, 4, 9))
    found = run("scores", {"einsum": "bsnr,btr->bnst"}, q=q, k=k)
    np.testing.assert_allclose(found, np.einsum("bsnr,btr->bnst", q, k) / 3)


def test_grouped_queries_share_keys():
    q, k = RNG.standard_normal((1, 4, 2, 3, 5)), RNG.standard_normal((1, 4, 2, 5))
    grouped = run("scores", {"einsum": "bsgrd,btgd->bgrst", "mask": "causal"}, q=q, k=k)
    repeated = run("scores", {"mask": "causal"}, q=q.reshape(1, 4, 6, 5), k=k.repeat(3, axis=2))
    np.testing.assert_allclose(grouped.reshape(1, 6, 4, 4), repeated)


# -- softmax ------------------------------------------------------------------------------------


def shares(row, sink=None):
    """The softmax of one row, by its definition."""
    total = sum(exp(one) for one in row) + (0 if sink is None else exp(sink))
    return [exp(one) / total for one in row]


def test_softmax_with_sinks():
    x, sinks = RNG.standard_normal((2, 3, 2, 5)), RNG.standard_normal(3)
    x[..., -1] = -inf
    found = run("softmax", {}, {"weight": sinks}, x=x)
    for batch, head, i in np.ndindex(2, 3, 2):
        np.testing.assert_allclose(found[batch, head, i], shares(x[batch, head, i], sinks[head]))
    assert (found.sum(axis=-1) < 1).all()


@pytest.mark.parametrize("sink", [-2000.0, 2000.0])
def test_softmax_of_large_logits(sink):
    """No number overflows: a sink of no weight changes nothing, one of all weight leaves nothing."""
    x = np.array([[[[1000.0, 999.0]]]])
    found = run("softmax", {}, {"weight": np.array([sink])}, x=x)[0, 0, 0]
    np.testing.assert_allclose(found, shares([1.0, 0.0]) if sink < 0 else [0.0, 0.0])


@pytest.mark.parametrize("with_sinks", [False, True])
def test_parallel_softmax_is_the_softmax_of_whole_rows(with_sinks):
    """Six ranks along two axes, one of which sees nothing of some rows."""
    x, sinks = 2 * RNG.standard_normal((2, 4, 3, 12)), RNG.standard_normal(4)
    x[:, :, 1, :2] = -inf
    mesh, whole = mesh_of(b=3, a=2), parse_type("[2, 4, 3, 12/a/b] @m")
    params = {"over": "a,b", **({"param": "[4]", "parameter": "sinks"} if with_sinks else {})}
    assert OPERATORS["parallel_softmax"].infer({"x": whole}, params) == (whole,)
    node = Node(OPERATORS["parallel_softmax"], mesh, {"x": whole}, params, {"sinks": sinks})
    parts = {gpu: Rank(mesh, gpu, {}, {}).part(whole) for gpu in mesh.gpus}
    found = node.run({gpu: {"x": [x[part]]} for gpu, part in parts.items()})
    for batch, head, i in np.ndindex(2, 4, 3):
        expected = shares(x[batch, head, i], sinks[head] if with_sinks else None)
        for gpu, part in parts.items():
            np.testing.assert_allclose(found[gpu][0][batch, head, i], np.array(expected)[part[-1]], atol=1e-15)


def test_parallel_softmax_sends_two_numbers_a_row():
    """Each of them by a ring all-reduce, 2(k-1)/k."""
    x = parse_type("[B, N, S, T/tp] @m")
    work = OPERATORS["parallel_softmax"].work({"x": x}, [x], {"over": "tp"}, {"tp": 8})
    assert work.elements_sent.bind({"B": 1, "N": 1, "S": 16}).value == 16 * 2 * 2 * 7 // 8


# -- ring attention -----------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"mask": "causal"}, {"mask": "causal", "window": "3"}, {"window": "2"}])
def test_ring_attention_is_scores_softmax_and_weighted_sum(params):
    q, k, v = RNG.standard_normal((3, 2, 6, 4, 5))
    weights = run("softmax", {}, x=run("scores", params, q=q, k=k))
    expected = run("weighted_sum", {}, p=weights, v=v)
    held, mesh = parse_type("[2, 6/a, 4, 5] @m"), mesh_of(a=3)
    node = Node(OPERATORS["ring_attention"], mesh, dict.fromkeys("qkv", held), {"over": "a", "offset": "a", **params})
    assert node.operator.infer(node.types, node.params) == (held,)
    parts = {gpu: slice(2 * gpu, 2 * gpu + 2) for gpu in mesh.gpus}
    found = node.run({gpu: {"q": [q[:, at]], "k": [k[:, at]], "v": [v[:, at]]} for gpu, at in parts.items()})
    for gpu, at in parts.items():
        np.testing.assert_allclose(found[gpu][0], expected[:, at])


def test_work_around_a_ring():
    """Each rank multiplies its queries with all keys, and sends its keys and values to all others."""
    held = parse_type("[B, S/a, N, D] @m")
    types, params = dict.fromkeys("qkv", held), {"over": "a", "offset": "a"}
    work = OPERATORS["ring_attention"].work(types, [held], params, {"a": 4})
    assert [[str(one) for one in (matmul.m, matmul.k, matmul.n)] for matmul in work.matmuls] == [
        ["B*S*N/4", "D", "S"],
        ["B*S*N/4", "S", "D"],
    ]
    assert str(work.elements_sent) == "3*B*S*N*D/2"


# -- loss ---------------------------------------------------------------------------------------


def test_cross_entropy():
    """Minus the logarithm of the target's share; large logits do not overflow."""
    logits, targets = 3 * RNG.standard_normal((2, 3, 6)), RNG.integers(0, 6, (2, 3))
    expected = [[-log(shares(logits[at])[targets[at]]) for at in ((b, 0), (b, 1), (b, 2))] for b in (0, 1)]
    np.testing.assert_allclose(run("cross_entropy", {}, logits=logits, targets=targets), expected)
    np.testing.assert_allclose(run("cross_entropy", {}, logits=logits + 2000, targets=targets), expected)
    cut, mesh = {"logits": parse_type("[2, 3, 6/a] @m"), "targets": parse_type("[2, 3] @m")}, mesh_of(a=3)
    node = Node(OPERATORS["parallel_cross_entropy"], mesh, cut, {"over": "a"})
    found = node.run({gpu: {"logits": [logits[..., 2 * gpu : 2 * gpu + 2]], "targets": [targets]} for gpu in mesh.gpus})
    for gpu in mesh.gpus:
        np.testing.assert_allclose(found[gpu][0], expected)


# -- next token -----------------------------------------------------------------------------------


def test_argmax():
    """The id of the largest logit counts from the first of the whole vocabulary, also where that is cut."""
    logits = RNG.standard_normal((2, 3, 6))
    expected = [[max(range(6), key=row.__getitem__) for row in batch] for batch in logits]
    np.testing.assert_array_equal(run("argmax", {}, x=logits), expected)
    cut, mesh = {"x": parse_type("[2, 3, 6/a] @m")}, mesh_of(a=3)
    node = Node(OPERATORS["parallel_argmax"], mesh, cut, {"over": "a"})
    found = node.run({gpu: {"x": [logits[..., 2 * gpu : 2 * gpu + 2]]} for gpu in mesh.gpus})
    for gpu in mesh.gpus:
        np.testing.assert_array_equal(found[gpu][0], expected)
    # Two numbers for each of six tokens, from each of the other two ranks.
    assert (
        str(OPERATORS["parallel_argmax"].work(cut, [parse_type("[2, 3] @m")], {"over": "a"}, {"a": 3}).elements_sent)
        == "24"
    )


# -- cache --------------------------------------------------------------------------------------


def test_append_writes_behind_the_past():
    cache, new = RNG.standard_normal((2, 7, 3)), RNG.standard_normal((2, 2, 3))
    before = cache.copy()
    found = run("append", {"past": 4}, cache=cache, new=new)
    np.testing.assert_array_equal(found, np.concatenate([before[:, :4], new, before[:, 6:]], axis=1))
    np.testing.assert_array_equal(cache, before)


@pytest.mark.parametrize("past", [6, -1])
def test_append_refuses_what_does_not_fit(past):
    with pytest.raises(LayoutError, match=f"2 new tokens behind {past} do not fit a cache of 7"):
        run("append", {"past": past}, cache=np.zeros((2, 7, 3)), new=np.ones((2, 2, 3)))


def test_last_token_of_cut_tokens():
    """The last rank has it, the others zeros, whatever they hold."""
    x = RNG.standard_normal((2, 6, 3))
    x[:, 1] = inf
    held = parse_type("[2, 6/a, 3] @m")
    mesh = mesh_of(a=3)
    node = Node(OPERATORS["last_token"], mesh, {"x": held}, {})
    found = node.run({gpu: {"x": [x[:, 2 * gpu : 2 * gpu + 2]]} for gpu in mesh.gpus})
    np.testing.assert_array_equal(found[2][0], x[:, 5:])
    assert not found[0][0].any()
    assert not found[1][0].any()


def test_last_tokens_that_no_rank_holds():
    """Three of six tokens do not lie on one rank of three."""
    mesh, held = mesh_of(a=3), {"x": parse_type("[2, 6/a, 3] @m")}
    node = Node(OPERATORS["last_token"], mesh, held, {"tokens": "3"})
    with pytest.raises(LayoutError, match="keeps 3 tokens of each sequence, but one rank holds 2"):
        node.run({gpu: {"x": [np.zeros((2, 2, 3))]} for gpu in mesh.gpus})
    np.testing.assert_array_equal(run("last_token", {"tokens": 2}, x=np.arange(6).reshape(1, 6, 1)), [[[4], [5]]])


# -- latent attention ---------------------------------------------------------------------------


def test_absorbed_queries_meet_latents_as_queries_meet_keys():
    """q . (c W) = (q W^T) . c for every head: DeepSeek-V2, section 2.1.2; and values likewise."""
    q, latent, up = RNG.standard_normal((2, 3, 4, 6)), RNG.standard_normal((2, 5, 8)), RNG.standard_normal((8, 4, 6))
    keys = run("linear", {}, {"weight": up}, x=latent)
    expected = run("scores", {"scale": 1.0}, q=q, k=keys)
    absorbed = run("head_linear", {"einsum": "bsnd,rnd->bsnr"}, {"weight": up}, x=q)
    found = run("scores", {"einsum": "bsnr,btr->bnst", "scale": 1.0}, q=absorbed, k=latent)
    np.testing.assert_allclose(found, expected)
    mixed = run("weighted_sum", {"einsum": "bnst,btr->bsnr"}, p=expected, v=latent)
    late = run("head_linear", {"einsum": "bsnr,rnd->bsnd"}, {"weight": up}, x=mixed)
    np.testing.assert_allclose(late, run("weighted_sum", {}, p=expected, v=keys))


def test_work_of_a_head_linear_is_a_product_for_each_head():
    x, out = parse_type("[B, S, N, D] @m"), parse_type("[B, S, N, F] @m")
    params = {"param": "[F, N, D]", "einsum": "bsnd,rnd->bsnr"}
    (matmul,) = OPERATORS["head_linear"].work({"x": x}, [out], params, {}).matmuls
    assert [str(one) for one in (matmul.m, matmul.k, matmul.n)] == ["B*S*N", "D", "F"]


# -- learned positions --------------------------------------------------------------------------


def test_learned_positions_count_the_past():
    ids, table, positions = RNG.integers(0, 9, (2, 3)), RNG.standard_normal((9, 4)), RNG.standard_normal((8, 4))
    found = run(
        "embedding", {"tables": "token+position", "positions": 8, "past": 5},
        {"weight": table, "embedding.positions": positions}, x=ids,
    )  # fmt: skip
    alone = run("embedding", {"tables": "position", "past": 5}, {"weight": positions}, x=ids)
    for batch, token in np.ndindex(2, 3):
        np.testing.assert_allclose(found[batch, token], table[ids[batch, token]] + positions[5 + token])
        np.testing.assert_allclose(alone[batch, token], positions[5 + token])


def test_shapes_that_do_not_fit_are_named():
    node = Node(OPERATORS["head_linear"], mesh_of(tp=1), {"x": numeric((1, 2, 3, 4))},
                {"param": "[5, 3, 4]", "einsum": "bsnd,rnd->bsnr"}, {"module.node": np.ones((5, 3, 4))})  # fmt: skip
    with pytest.raises(LayoutError, match=r"local shapes \(1, 2, 2, 4\) and \(5, 3, 4\) do not fit"):
        node.run({0: {"x": [np.ones((1, 2, 2, 4))]}})
