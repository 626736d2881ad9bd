"""The partitioner on models and meshes no preset has: collectives where the golden cases expect them, always clean."""

from collections import Counter

import pytest
from helpers.strategies import SIZES, fitting, strategies_
from hypothesis import HealthCheck, given, settings

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

MEGATRON = {
    "embedding": "all V/tp",
    "attention": "all N/tp",
    "mlp": "all F/tp",
    "head": "all V/tp",
    "input": "all",
    "output": "all",
}


def build(**document):
    """A strategy document as a DAG."""
    return partition(apply_settings("mine", fitting({"sizes": SIZES, **document}), {}))


def per_layer(dag):
    """Operators of layer 0."""
    return Counter(dag.kind(n).op for n in range(len(dag.ids)) if dag.layer_of[n] == 0)


def check(dag):
    """Written, read and validated: nothing to find."""
    findings = to_dag(parse(dag.to_dot().encode())[0]).validate()
    assert findings == [], [(one.code, one.message) for one in findings[:3]]


def test_megatron_without_sequence_parallelism():
    """Two all-reduces per layer forward."""
    dag = build(degrees={"tp": 4}, regions={"stream": "all", **MEGATRON})
    found = per_layer(dag)
    assert (found["all_reduce"], found["all_gather"], found["reduce_scatter"]) == (2, 0, 0)
    check(dag)


def test_megatron_with_sequence_parallelism():
    """Two all-gathers and two reduce-scatters per layer forward, no all-reduce."""
    dag = build(degrees={"tp": 4}, regions={"stream": "all S/tp", **MEGATRON})
    found = per_layer(dag)
    assert (found["all_reduce"], found["all_gather"], found["reduce_scatter"]) == (0, 2, 2)
    check(dag)


def test_ep_with_tp_1_has_whole_groups():
    """EP > 1 with TP = 1: dispatch and combine over all of ep."""
    dag = build(
        model={"ffn": "moe"},
        degrees={"ep": 8},
        regions={"stream": "all B/ep", "experts": "all E/ep", "head": "all B/ep"},
    )
    groups = {dag.gpus(n) for n in range(len(dag.ids)) if dag.kind(n).op in {"dispatch", "combine"}}
    assert groups == {tuple(range(8))}
    check(dag)


def test_experts_in_order_on_their_owners():
    """16 experts over ep=4 x tp=2: expert x on the ranks of ep index x // 4."""
    dag = build(
        sizes={**SIZES, "E": 16},
        model={"ffn": "moe"},
        degrees={"ep": 4, "tp": 2},
        regions={
            "stream": "all B/ep",
            "attention": "all B/ep N/tp",
            "experts": "all E/ep F/tp",
            "head": "all B/ep V/tp",
        },
    )
    for n, expert in enumerate(dag.expert_of):
        if expert >= 0:
            assert {gpu // 2 for gpu in dag.gpus(n)} == {expert // 4}
    check(dag)


def test_separate_pools_conserve_bytes():
    """Attention on 4 GPUs, experts on 8: what leaves one pool arrives on the other, whole."""
    dag = build(
        model={"ffn": "moe"},
        degrees={"tp": 4, "ep": 8},
        mesh={"attn": ["tp"], "moe": ["ep"]},
        regions={
            "stream": "attn",
            "attention": "attn N/tp",
            "ffn": "moe B/ep",
            "experts": "moe E/ep",
            "head": "attn V/tp",
        },
    )
    crossing = [kind for kind in dag.kinds if len(kind.meshes) > 1]
    assert crossing
    for kind in crossing:
        given_dims, taken_dims = kind.inputs[0].type.dims, kind.outputs[0].type.dims
        assert [dim.size for dim in given_dims] == [dim.size for dim in taken_dims]
    check(dag)


@pytest.mark.parametrize(
    ("regions", "degrees"),
    [("G/tp", {"tp": 4}), ("G/kv N/rep", {"kv": 4, "rep": 2}), ("N/tp", {"tp": 2}), ("G/tp N/tp", {"tp": 4})],
)
@pytest.mark.parametrize("qkv", ["fused", "separate"])
@pytest.mark.parametrize("heads", ["inner", "outer"])
def test_grouped_query_attention(regions, degrees, qkv, heads):
    """Key and value heads cut like the queries' groups; with fewer of them than ranks, on a sub-axis."""
    axes = "/".join(degrees)
    dag = build(
        sizes={**SIZES, "G": 4, "N": 16},
        degrees=degrees,
        regions={"stream": "all", "attention": f"all {regions}", "mlp": f"all F/{axes}", "head": f"all V/{axes}"},
        operators={"qkv": qkv, "heads": heads},
    )
    findings = to_dag(parse(dag.to_dot().encode())[0]).validate()
    # Fewer key and value heads than ranks are held more than once: that may be worth a remark, no more.
    assert [one.code for one in findings if one.severity == "error"] == []
    assert {one.code for one in findings} <= {"SCH603"}
    assert prove(dag, seeds=(0,)).failure is None


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(strategies_())
def test_random_strategies_validate_clean(document):
    """Right by construction: no rule finds an error, FLOPs are conserved (SCH602), and it equals the model."""
    dag = partition(apply_settings("mine", document, {}))
    findings = to_dag(parse(dag.to_dot().encode())[0]).validate()
    errors = [(one.code, one.message) for one in findings if one.severity == "error"]
    assert errors == []
    proof = prove(dag, seeds=(0,))
    assert proof.failure is None, (dag.ids[proof.failure.node], proof.failure.message)


@pytest.mark.parametrize("layers", [1, 3])
def test_kinds_do_not_grow_with_layers(layers):
    """Typed once, instanced many times."""
    one = build(sizes={**SIZES, "L": layers}, degrees={"tp": 2}, regions={"stream": "all", **MEGATRON})
    assert len(one.kinds) == len({kind.role for kind in one.kinds})
