"""Ranks kept apart along an axis: all nodes are still there, and no drawn node mixes two places."""

from __future__ import annotations

import pytest

from dagtool.dag.apart import apart, axes_of
from dagtool.dag.folding import fold
from dagtool.generators import generate
from dagtool.generators.presets import preset_names

SMALL = {"L": "2"}


@pytest.mark.parametrize("preset", preset_names())
def test_every_node_is_there_and_places_along_the_axis_are_not_mixed(preset):
    dag = generate(preset, SMALL)
    for axis in axes_of(dag):
        folded = fold(apart(dag, [axis]))
        members = folded.members()
        assert sorted(node for held in members for node in held) == list(range(len(dag.ids)))
        for node, held in zip(folded.nodes, members, strict=True):
            if not node.whole_box:  # the layers of a second stage, all of their ranks
                assert len({_places(dag, member, axis) for member in held}) == 1


def _places(dag, node, axis):
    return frozenset(
        mesh.position(gpu).get(axis) for gpu in dag.gpus(node) for mesh in dag.meshes.values() if gpu in mesh.gpus
    )


def test_one_axis_of_two_is_unfolded_and_the_other_stays_folded():
    dag = generate("ep16_tp4", SMALL)
    folded = fold(apart(dag, ["tp"]))
    scores = [node for node in folded.nodes if node.roles == ("attention.scores",)]
    assert [node.gpus for node in scores] == [tuple(range(rank, 64, 4)) for rank in range(4)]
    assert len(folded.boxes) == 1


def test_without_such_an_axis_the_graph_stays_as_it_is():
    dag = generate("pp2", SMALL)
    assert apart(dag, ["tp"]) == dag
