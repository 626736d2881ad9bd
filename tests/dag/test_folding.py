"""Folding the documented systems: what becomes one node, one box, and what must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagtool.dag.detail import parse_detail
from dagtool.dag.folded import FoldedGraph, Way
from dagtool.dag.folding import FoldingError, fold, unfolded
from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.foreign.guessed_dag import guess_dag
from dagtool.generators import generate
from dagtool.generators.presets import preset_names


def _foreign(text: str) -> Dag:
    return to_dag(parse(text.encode())[0])


def _node(dag: Dag, folded: FoldedGraph, role: str) -> int:
    return next(index for index, node in enumerate(folded.nodes) if role in node.roles)


def _without_edges_of(dag: Dag, name: str) -> Dag:
    """The same graph without the edges that leave one node."""
    lost = dag.ids.index(name)
    kept = [edge for edge, tail in enumerate(dag.tails) if tail != lost]
    return replace(
        dag,
        tails=[dag.tails[edge] for edge in kept],
        heads=[dag.heads[edge] for edge in kept],
        edge_kind_of=[dag.edge_kind_of[edge] for edge in kept],
    )


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_fits_on_a_page(preset: str) -> None:
    assert len(fold(generate(preset)).nodes) < 40


def test_equal_layers_are_one_box() -> None:
    folded = fold(generate("ep16_tp4"))
    assert [box.layers for box in folded.boxes] == [tuple(range(16))]
    assert folded.boxes[0].gpus == tuple(range(64))


def test_sixty_layers_are_no_more_nodes_than_two() -> None:
    assert len(fold(generate("ep16_tp4", {"L": "60"})).nodes) == len(fold(generate("ep16_tp4", {"L": "2"})).nodes)


def test_a_second_stage_with_the_same_program_is_one_node() -> None:
    folded = fold(generate("dense_tp8_pp2"))
    assert [(box.layers, box.program, box.folded) for box in folded.boxes] == [
        (tuple(range(8)), 0, False),
        (tuple(range(8, 16)), 0, True),
    ]
    [whole] = [node for node in folded.nodes if node.whole_box]
    assert whole.count == 8 * 104
    assert whole.gpus == tuple(range(8, 16))


def test_transfers_between_stages_stand_outside_the_layers() -> None:
    folded = fold(generate("dense_tp8_pp2"))
    transfers = [node for node in folded.nodes if node.roles and node.roles[0].startswith("pipeline.")]
    assert [node.box for node in transfers] == [-1, -1]


def test_layers_view_draws_the_first_layer_and_the_others_as_one_node_each() -> None:
    folded = fold(generate("dense_tp8_pp2"), parse_detail("0:op"))
    assert [box.folded for box in folded.boxes] == [False] + [True] * 15
    assert sum(node.whole_box for node in folded.nodes) == 15


def test_ranks_experts_and_twins_are_counted() -> None:
    dag = generate("ep16_tp4")
    folded = fold(dag)
    up = folded.nodes[_node(dag, folded, "moe.up")]
    assert (up.count, up.per_layer, up.ranks, up.experts, len(up.gpus)) == (1024, 64, 64, 16, 64)
    dag = generate("tp8")
    folded = fold(dag)
    q = folded.nodes[_node(dag, folded, "attention.q")]
    assert q.roles == ("attention.q", "attention.k", "attention.v")
    assert (q.per_layer, q.ranks) == (24, 8)


def test_the_way_to_the_next_layer_is_not_drawn_back_into_the_box() -> None:
    folded = fold(generate("tp8"))
    onward = [edge for edge in folded.edges if edge.way is Way.NEXT]
    assert [folded.nodes[edge.tail].roles for edge in onward] == [("moe.residual",)] * 2
    assert [edge.count for edge in onward] == [3, 3]


def test_a_layer_that_differs_stays_apart() -> None:
    dag = generate("tp8")
    node = dag.ids.index("tp_layer2_softmax_gpu3")
    dag.kinds.append(replace(dag.kind(node), params=(("function", "other"),)))
    dag.kind_of[node] = len(dag.kinds) - 1
    assert [box.layers for box in fold(dag).boxes] == [(0, 1), (2,), (3,)]


def test_a_rank_that_lost_an_edge_does_not_hide() -> None:
    dag = generate("tp8", {"L": "1"})
    broken = _without_edges_of(dag, "tp_layer0_out_proj_gpu5")
    counts = sorted(node.count for node in fold(broken).nodes if "attention.out" in node.roles)
    assert counts == [1, 7]


def test_layers_fold_only_next_to_each_other() -> None:
    dag = generate("tp8")
    dag.layer_of = [layer + 1 if layer >= 2 else layer for layer in dag.layer_of]
    assert [box.layers for box in fold(dag).boxes] == [(0, 1), (3, 4)]


def test_what_lies_between_two_equal_layers_separates_them() -> None:
    folded = fold(guess_dag(_foreign("digraph {in -> l0_attn -> l1_attn -> wire -> l2_attn -> l3_attn -> out}")))
    assert [(box.layers, box.folded) for box in folded.boxes] == [((0, 1), False), ((2, 3), True)]


def test_a_foreign_file_folds_by_its_names() -> None:
    folded = fold(_foreign("digraph {in -> {q_0 q_1 q_2} -> out}"))
    assert [node.count for node in folded.nodes] == [1, 3, 1]
    assert [edge.count for edge in folded.edges] == [3, 3]


def test_equal_names_in_a_row_do_not_become_a_cycle() -> None:
    folded = fold(_foreign("digraph {in -> step_0 -> step_1 -> step_2 -> out}"))
    assert [node.count for node in folded.nodes] == [1] * 5


def test_a_cycle_cannot_be_folded() -> None:
    dag = _foreign("digraph {a -> b -> c -> b}")
    with pytest.raises(FoldingError, match="has a cycle"):
        fold(dag)
    assert len(unfolded(dag).edges) == 3
