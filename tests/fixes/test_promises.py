"""Whatever the file: a fix loses nothing that could be read, breaks nothing, and a second call changes nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random

import pytest
from dot.test_random import damaged, texts
from helpers.promises import CHECK, hold_promises, parses
from hypothesis import HealthCheck, example, given, settings
from mutation.catalogue import mutations
from mutation.draft import Draft
from mutation.subjects import subject

from dagtool.dot import DotSyntaxError, parse
from dagtool.dot.recover import recover
from dagtool.fixes import mend

EXAMPLES = settings(
    max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
FILES = sorted(CORPUS.glob("*.dot")) if CORPUS.is_dir() else []

DAMAGES = (
    "types.dimension_changed",
    "types.cut_removed",
    "types.sum_forgotten",
    "types.both_ends_changed",
    "collectives.deleted_and_joined",
    "collectives.bypassed_by_all",
    "edges.duplicate_edge",
    "text.id_misspelt_in_an_edge",
    "text.lines_doubled",
    "placement.gpu_changed",
    "layers.block_added_to_itself",
)
RESTORED = ("types.dimension_changed", "types.cut_removed", "edges.duplicate_edge")


@EXAMPLES
@given(text=texts())
@example(text="strict digraph { a -> b -> c [style=dashed]; a -> b }")
@example(text="digraph { a [shape=bx] [] ; b, c [shape=parallelogam]; a -> {b c} -> a }")
def test_of_a_file_that_parses(text: str) -> None:
    for unsafe in (False, True):
        assert parses(hold_promises(text.encode(), unsafe=unsafe).data)


@EXAMPLES
@given(text=damaged())
@example(text="digraph { a [style=x,y] ; ... ; b /* c")
@example(text='digraph { a [label="é];\n b -> a;\n}')
def test_of_a_damaged_file(text: str) -> None:
    for unsafe in (False, True):
        hold_promises(text.encode(), unsafe=unsafe)


@EXAMPLES
@given(text=damaged())
def test_unsafe_fixes_make_parse_whatever_recovery_can_read(text: str) -> None:
    data = text.encode()
    try:
        recovered = recover(data)
    except DotSyntaxError:
        return
    if recovered.graphs and "\0" not in text:
        assert parses(mend(data, CHECK, unsafe=True).data)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["ep16_tp4", "dense_tp8_pp2"])
def test_of_a_damaged_preset(name: str, damage: str) -> None:
    draft = Draft.read(subject(name))
    assert mutations()[damage](draft, Random(7)) is not None
    mended = hold_promises(draft.text().encode(), unsafe=True)
    if damage in RESTORED:
        assert mended.report.findings == []


@pytest.mark.parametrize("name", ["dense_tp8_pp2", "ep16_tp4", "dp2_tp2_three_layers", "sequence_parallel"])
def test_a_missing_reduction_is_put_back(name: str) -> None:
    whole = Draft.read(subject(name))
    reductions = [one for one, facts in whole.nodes.items() if facts["op"] in ("all_reduce", "reduce_scatter")]
    for role in {whole.nodes[one]["role"] for one in reductions}:
        draft = whole.copy()
        for one in reductions:
            if whole.nodes[one]["role"] == role:
                draft.join_over(one)
                draft.remove(one)
        mended = hold_promises(draft.text().encode(), unsafe=True)
        assert mended.report.findings == []
        (graph,) = parse(mended.data)
        assert (len(graph.node_ids), len(graph.tails)) == (len(whole.nodes), len(whole.edges))


def test_a_correct_file_is_left_as_it_is() -> None:
    text = subject("ep16_tp4").encode()
    mended = mend(text, CHECK, unsafe=True)
    assert (mended.data, mended.kept, mended.refused) == (text, [], [])


@pytest.mark.skipif(not FILES, reason="the corpus is not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[-40:])
def test_of_real_files(path: Path) -> None:
    data = path.read_bytes()
    safe = mend(data, partial(CHECK), unsafe=False)
    if safe.kept:
        hold_promises(data, unsafe=False)
    assert parses(safe.data)
    if mend(data, CHECK, unsafe=True).kept:
        hold_promises(data, unsafe=True)
