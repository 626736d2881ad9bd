"""The quotient: the critical path of the first ranks is that of all, node for node; where in doubt it expands."""

import pytest
from helpers.strategies import SIZES, fitting, strategies_
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagtool.cost.critical import critical_path
from dagtool.cost.seconds import node_seconds
from dagtool.cost.slowest import slowest_path
from dagtool.cost.span import spans
from dagtool.dag import algorithms
from dagtool.errors import DagtoolError
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.generators.presets import preset_names
from dagtool.generators.quotient import quotient
from dagtool.generators.settings import apply_settings
from dagtool.model.cluster import cluster

RANDOM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def same(strategy):
    """The quotient has the path of the whole: ids, terms, sum; and knows how many nodes the whole has."""
    found, whole = quotient(strategy), partition(strategy)
    one, other = critical_path(found.dag), critical_path(whole)
    assert [found.dag.ids[node] for node in one.nodes] == [whole.ids[node] for node in other.nodes]
    assert (one.expression, one.terms) == (other.expression, other.terms)
    assert [m.flops for _, m in one.products] == [m.flops for _, m in other.products]
    assert found.nodes == len(whole.ids)
    return found


@pytest.mark.parametrize("name", preset_names())
def test_presets(name):
    """Every preset is represented and loses nothing."""
    assert same(find_strategy(name)).expanded == ""


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("ep16_tp4", {"ep": "4", "tp": "2", "E": "16", "L": "5", "B": "16"}),
        ("ep16_tp4", {"ep": "1", "tp": "1", "L": "1"}),
        ("ma_separation", {"B": "B", "tp": "4", "ep": "2", "L": "7"}),
        ("pp2", {"pp": "4", "L": "8"}),
        ("dense_tp8_pp2", {"pp": "16", "tp": "4"}),
        ("moe_tp8_pp2", {"pp": "4", "tp": "2", "L": "8"}),
    ],
)
def test_presets_changed(name, changes):
    """More experts on a rank, axes of one rank, symbols, more stages, stages of one layer."""
    assert same(find_strategy(name, changes)).expanded == ""


@settings(RANDOM, max_examples=150)
@given(strategies_())
def test_random_strategies(document):
    """Whatever the model, the mesh and the operators."""
    assert same(apply_settings("mine", document, {})).expanded == ""


SKEWED = {
    "two pools with shared axes": {
        "degrees": {"tp": 4, "ep": 2},
        "mesh": {"attn": ["tp"], "moe": ["ep", "tp"]},
        "regions": {"stream": "attn", "attention": "attn N/tp", "ffn": "moe", "experts": "moe E/ep F/tp"},
    },
    "pools that share GPUs": {
        "degrees": {"tp": 4, "ep": 2},
        "mesh": {"attn": ["tp"], "moe": ["ep"]},
        "first_gpu": {"moe": 2},
        "regions": {"stream": "attn", "attention": "attn N/tp", "ffn": "moe", "experts": "moe E/ep"},
    },
    "input on a GPU of its own": {
        "degrees": {"tp": 4},
        "mesh": {"all": ["tp"], "entry": []},
        "first_gpu": {"entry": 3},
        "regions": {"stream": "all", "attention": "all N/tp", "input": "entry", "experts": "all E/tp"},
    },
    "experts over two axes, the minor one first": {
        "degrees": {"dp": 2, "ep": 4},
        "regions": {"stream": "all B/dp/ep", "experts": "all E/ep/dp"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SKEWED)
@pytest.mark.parametrize("kept", ["{gpu}", "default"])
def test_skewed_meshes(name, kept):
    """Meshes apart, overlapping, of different size; broadcasts in one node and in several."""
    names = {"attention.residual": "layer{l}_res_gpu{gpu}"} if kept == "{gpu}" else {}
    document = {"sizes": SIZES, "model": {"ffn": "moe"}, "names": names, **SKEWED[name]}
    same(apply_settings("mine", document, {}))


def weighted(dag, weight, device_class):
    """The heaviest sum and its way, for a weight by kind and device class."""
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    order = algorithms.topological_order(after, algorithms.degrees(count, dag.tails, dag.heads)[0])
    before = algorithms.successors(count, dag.heads, dag.tails)
    weights = [weight(dag.kind(node).role, device_class(dag.kind(node), dag.gpus(node))) for node in range(count)]
    first = [(min(dag.gpus(node)), node) for node in range(count)]
    ranks = [0] * count
    for rank, node in enumerate(sorted(range(count), key=first.__getitem__)):
        ranks[node] = rank
    total, path = algorithms.longest_path(order, before, weights, ranks)
    return total, [dag.ids[node] for node in path]


@settings(RANDOM, max_examples=150)
@given(strategies_(), st.data())
def test_weights_by_kind_and_device_class(document, data):
    """Hosts that cut groups anywhere, one slow GPU: seconds differ from rank to rank, the path stays the same."""
    strategy = apply_settings("mine", document, {})
    host, slow = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 31))

    def device_class(_, gpus):
        return len({gpu // host for gpu in gpus}), slow in gpus

    def weight(role, of_device):
        return 1 + len(role) * of_device[0] + 50 * of_device[1]

    found, whole = quotient(strategy, device_class), partition(strategy)
    assert weighted(found.dag, weight, device_class) == weighted(whole, weight, device_class)


@settings(RANDOM, max_examples=100)
@given(strategies_(), st.integers(1, 6))
def test_seconds_on_a_cluster(document, gpus_per_node):
    """Priced on any cluster: the same path and the same seconds, each node where its GPUs lie."""
    strategy = apply_settings("mine", document, {})
    where = cluster(f"128xh100x{gpus_per_node}")
    dags = (quotient(strategy, spans(where, strategy.meshes(), strategy.sizes)).dag, partition(strategy))
    one, other = (slowest_path(dag, node_seconds(dag, where)) for dag in dags)
    assert one.time_s == other.time_s
    assert [dags[0].ids[node] for node in one.path.nodes] == [dags[1].ids[node] for node in other.path.nodes]


@pytest.mark.parametrize("name", preset_names())
def test_seconds_of_presets(name):
    """Groups inside a node, across nodes, and cut by nodes of six."""
    strategy = find_strategy(name)
    for text in ("64xh100x8", "64xh100x6", "1xh100x64"):
        where = cluster(text)
        dags = (quotient(strategy, spans(where, strategy.meshes(), strategy.sizes)).dag, partition(strategy))
        one, other = (slowest_path(dag, node_seconds(dag, where)) for dag in dags)
        assert one.time_s == other.time_s
        assert [dags[0].ids[node] for node in one.path.nodes] == [dags[1].ids[node] for node in other.path.nodes]


def test_a_cluster_too_small_is_refused():
    """Also where none of the GPUs that stand for others is missing."""
    with pytest.raises(DagtoolError, match="has GPU 63, but 1xh100x8 has GPUs 0 to 7"):
        spans(cluster("1xh100x8"), find_strategy("ep16_tp4").meshes(), {})


def test_equal_hosts_keep_nothing_whole():
    """Groups that all span equally many hosts are one class: 1.5 million nodes are a thousand."""
    strategy = find_strategy("ep16_tp4", {"L": "61", "ep": "256", "tp": "8", "E": "256", "B": "2048"})
    found = quotient(strategy, lambda _, gpus: len({gpu // 8 for gpu in gpus}))
    assert (found.kept, len(found.dag.ids), found.nodes) == ((), 1046, 1_555_922)


def test_hosts_that_cut_groups_are_kept_whole():
    """A group of 4 on hosts of 6 lies on one or on two."""
    found = quotient(find_strategy("ep16_tp4"), lambda _, gpus: len({gpu // 6 for gpu in gpus}))
    assert found.kept == ("ep",)


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ({"attention.norm": "ln{l}{tp}"}, False),
        ({"attention.norm": "ln_{l}", "moe.norm": "ln_{l}"}, True),
        ({"attention.norm": "n1_{l}", "moe.norm": "n{l}_0"}, True),
        ({"attention.norm": "ln"}, True),
        ({"moe.up": "up_{l}_{tp}"}, True),
    ],
)
def test_doubtful_names_are_looked_at_one_by_one(names, refused):
    """Names that may collide: the whole DAG is built, and refused exactly where the generator refuses it."""
    document = {
        "sizes": SIZES,
        "model": {"ffn": "moe"},
        "degrees": {"tp": 4},
        "regions": {"stream": "all", "attention": "all N/tp", "experts": "all E/tp"},
        "names": names,
    }
    strategy = apply_settings("mine", document, {})
    if refused:
        with pytest.raises(DagtoolError, match="would be called"):
            quotient(strategy)
    else:
        assert "name" in same(strategy).expanded


@pytest.mark.parametrize(
    "changes",
    [
        {"regions": {"attention": "all D/tp"}},
        {"regions": {"attention": "all N/tp", "mlp": "all H/tp"}, "names": {"mlp.nrom": "x"}},
        {"regions": {"attention": "all N/tp"}, "names": {"attention.norm": "ln_{k}"}},
    ],
)
def test_refusals_are_those_of_the_generator(changes):
    """The same message as 'gen'."""
    strategy = apply_settings("mine", fitting({"sizes": SIZES, "degrees": {"tp": 2}, **changes}), {})
    with pytest.raises(DagtoolError) as one:
        quotient(strategy)
    with pytest.raises(DagtoolError) as other:
        partition(strategy)
    assert (one.value.message, one.value.hint) == (other.value.message, other.value.hint)
