"""GPUs that stand for others: each runs the very program of those it stands for."""

import pytest
from helpers.strategies import SIZES, strategies_
from hypothesis import HealthCheck, given, settings

from dagtool.cost.memory import memory
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.generators.presets import preset_names
from dagtool.generators.representatives import represent
from dagtool.generators.settings import apply_settings


def by_gpu(use):
    """Everything that is known of each GPU's memory, the node of the peak apart."""
    return {
        gpu: (group.weights, group.parts, group.live, group.largest_value_bytes)
        for group in use.groups
        for gpu in group.gpus
    }


def same(strategy):
    """The memory of every GPU is that of the one that stands for it."""
    found, whole = represent(strategy), partition(strategy)
    assert found.nodes == len(whole.ids)
    represented = memory(found.dag, standing_for=found.standing_for)
    assert by_gpu(represented) == by_gpu(memory(whole))
    first = {group.gpus: found.dag.ids[group.peak_node] for group in represented.groups}
    assert first == {group.gpus: whole.ids[group.peak_node] for group in memory(whole).groups}
    return found


@pytest.mark.parametrize("name", preset_names())
def test_presets(name):
    """Nothing is expanded and nothing lost."""
    assert same(find_strategy(name)).expanded == ""


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(strategies_())
def test_random_strategies(document):
    """Whatever the model and the mesh."""
    assert same(apply_settings("mine", document, {})).expanded == ""


OVERLAPPING = {
    "other axes over the same GPUs": ({"attn": ["tp"], "moe": ["ep", "etp"]}, {"moe": 0}, "moe E/etp/ep"),
    "the end of the other": ({"attn": ["tp"], "moe": ["ep"]}, {"moe": 2}, "moe E/ep"),
    "one inside the other": ({"attn": ["tp"], "moe": ["ep", "tp"]}, {"moe": 0}, "moe E/ep F/tp"),
}


@pytest.mark.parametrize("name", OVERLAPPING)
@pytest.mark.parametrize("residual", ["layer{l}_res", "layer{l}_res_gpu{gpu}"])
def test_meshes_that_share_gpus(name, residual):
    """GPUs in two meshes are classes of their own."""
    mesh, first_gpu, experts = OVERLAPPING[name]
    degrees = {axis: {"tp": 4}.get(axis, 2) for axes in mesh.values() for axis in axes}
    document = {
        "sizes": SIZES,
        "model": {"ffn": "moe"},
        "degrees": degrees,
        "mesh": mesh,
        "first_gpu": first_gpu,
        "regions": {"stream": "attn", "attention": "attn N/tp", "ffn": "moe", "experts": experts},
        "names": {"attention.residual": residual},
    }
    same(apply_settings("mine", document, {}))


def test_a_transfer_in_several_nodes_is_expanded():
    """A broadcast named by the axis of its source runs several times on each GPU of its target."""
    document = {
        "sizes": SIZES,
        "model": {"ffn": "moe"},
        "degrees": {"tp": 4, "ep": 2},
        "mesh": {"attn": ["tp"], "moe": ["ep"]},
        "regions": {"stream": "attn", "attention": "attn N/tp", "ffn": "moe", "experts": "moe E/ep"},
        "names": {"attention.residual.broadcast": "layer{l}_to_moe_{tp}"},
    }
    assert "transfer" in same(apply_settings("mine", document, {})).expanded


def test_two_thousand_gpus_are_one():
    """Only the nodes of one GPU are built."""
    strategy = find_strategy("ep16_tp4", {"L": "61", "ep": "256", "tp": "8", "E": "256", "B": "2048"})
    found = represent(strategy)
    assert {gpu: len(alike) for gpu, alike in found.standing_for.items()} == {0: 2048}
    assert (len(found.dag.ids), found.nodes) == (1046, 1_555_922)
