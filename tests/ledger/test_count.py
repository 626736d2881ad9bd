"""The ledger: equal to that of the whole DAG, to computations by hand, and to published sizes of checkpoints."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.checkpoint_tensors import rank_bytes

from dagtool.errors import DagtoolError
from dagtool.generators.partition import partition
from dagtool.generators.plans.document import Run
from dagtool.generators.request import Request, read_strategy
from dagtool.ledger.ask import ledger_of, plan_name
from dagtool.ledger.count import count_ledger
from dagtool.model.zoo import find_model, zoo_names, zoo_path

COUNTS = Path(__file__).parents[1] / "model" / "published_counts.csv"
PUBLISHED = {row["name"]: row for row in csv.DictReader(COUNTS.read_text(encoding="utf-8").splitlines())}


def count(words, model, **run):
    return ledger_of(plan_name(words, Request(model=model, run=Run(**run))))


# -- against the whole DAG ----------------------------------------------------------------------

WHOLE = [
    ("tp8_sp", "llama-3.1-8b", "prefill"),
    ("dp2_tp4_pp2", "llama-3.1-8b", "decode"),
    ("cp4_tp2_sp", "llama-3.1-8b", "loss"),
    ("fsdp8", "llama-3.1-8b", "loss"),
    ("tp16_dcp2", "llama-3.1-8b", "decode"),
    ("pp2_vpp2", "qwen3-0.6b", "prefill"),
    ("ep8_tp2", "mixtral-8x7b", "prefill"),
    ("dp4_tp2_ep8", "mixtral-8x7b", "decode"),
    ("attn:tp2_dp2|moe:ep4", "mixtral-8x7b", "decode"),
    ("attn:dp4|moe:ep8", "mixtral-8x7b", "decode"),
    ("tp2_sp_dp4_ep8", "deepseek-v3", "prefill"),
    ("ep8", "gpt-oss-120b", "decode"),
    ("cp2_tp2", "gemma-3-1b-it", "prefill"),
]


def reduced(words, model, phase, layers=4):
    planned = plan_name(words, Request(model=model, run=Run(phase), settings={"L": str(layers)}))
    return planned.strategy


@pytest.mark.parametrize(("words", "model", "phase"), WHOLE)
def test_is_that_of_the_whole_dag(words, model, phase):
    """One GPU of each class stands for the others: the same classes, bytes, FLOPs and collectives."""
    strategy = reduced(words, model, phase, 6)
    assert count_ledger(strategy, whole=partition(strategy)) == count_ledger(strategy)


@pytest.mark.parametrize("preset", ["ep16", "ep16_tp4", "moe_tp8_pp2", "ma_separation", "pp2", "tp8", "dense_tp8_pp2"])
def test_presets(preset):
    """Presets too, experts drawn in every way."""
    small = {"L": "4"} if preset not in ("ma_separation", "pp2") else {}
    strategy = read_strategy(preset, Request(small))
    assert count_ledger(strategy, whole=partition(strategy)) == count_ledger(strategy)


# -- published sizes ----------------------------------------------------------------------------


def test_every_model_of_the_zoo_has_published_counts():
    assert set(PUBLISHED) == set(zoo_names())
    families = [find_model(name).published.model_type for name in zoo_names()]
    few = {family for family in families if families.count(family) < 2} - {"kimi_k2"}
    assert not few


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_parameters_and_checkpoint_bytes(name):
    """All and active parameters equal; bytes of the tensors within the rounding of scales at the edges of blocks."""
    row, ledger = PUBLISHED[name], count("tp1", name)
    assert (ledger.parameters, ledger.active_parameters) == (int(row["parameters"]), int(row["active_parameters"]))
    assert ledger.classes[0].weight_bytes == pytest.approx(int(row["checkpoint_bytes"]), rel=1e-4)


CUT = [
    ("tp2", {"tensor": 2}),
    ("tp8", {"tensor": 8}),
    ("ep8", {"experts": 8}),
    ("ep8_tp2", {"experts": 8, "tensor": 2}),
]
"""Words, and how they cut a checkpoint's tensors."""


@pytest.mark.parametrize(("words", "degrees"), CUT, ids=[words for words, _ in CUT])
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_weights_of_a_rank(name, words, degrees):
    """Equal to the tensors of the checkpoint, cut one by one."""
    config = json.loads(Path(zoo_path(name)).read_text(encoding="utf-8"))
    if "experts" in degrees and not any(
        key in config for key in ("num_local_experts", "num_experts", "n_routed_experts")
    ):
        with pytest.raises(DagtoolError, match="has no experts"):
            count(words, name)
        return
    try:
        expected = rank_bytes(config, **degrees)
    except ValueError:  # a size that does not divide
        with pytest.raises(DagtoolError, match="does not divide"):
            count(words, name)
        return
    (one,) = count(words, name).classes
    assert one.weight_bytes == pytest.approx(expected, rel=1e-4)


# -- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "model", "expected"),
    [
        ("tp1", "llama-3.1-8b", 32 * 2 * 8 * 128 * 2),
        ("tp4", "llama-3.1-8b", 32 * 2 * 2 * 128 * 2),
        ("tp16", "llama-3.1-8b", 32 * 2 * 1 * 128 * 2),
        ("dp4", "llama-3.1-8b", 32 * 2 * 8 * 128 * 2),
        ("cp4", "llama-3.1-8b", 32 * 2 * 8 * 128 * 2 // 4),
        ("tp2_cp4", "llama-3.1-8b", 32 * 2 * 4 * 128 * 2 // 4),
        ("tp16_dcp2", "llama-3.1-8b", 32 * 2 * 1 * 128 * 2 // 2),
        ("tp8", "deepseek-v3", 61 * (512 + 64) * 2),
        ("dp8", "deepseek-v3", 61 * (512 + 64) * 2),
        ("tp8_dcp8", "deepseek-v3", 61 * (512 + 64) * 2 // 8),
        ("tp2", "gpt-oss-120b", 36 * 2 * 4 * 64 * 2),
        ("tp1", "mistral-7b-v0.1", 32 * 2 * 8 * 128 * 2),
    ],
)
def test_cache_of_a_token(words, model, expected):
    """Grouped-query, latent and windowed attention under tensor, data and context parallelism."""
    ledger = count(words, model, phase="decode", context=8192)
    assert {one.cache_bytes_per_token for one in ledger.classes} == {expected}


def test_cache_of_windowed_layers_stops_growing():
    """Of mistral-7b-v0.1 a window of 4,096 tokens is kept; of gpt-oss-120b 128 tokens on every other layer."""
    short, long = (count("tp1", "mistral-7b-v0.1", phase="decode", context=n).classes[0] for n in (4096, 32768))
    assert short.cache_bytes == long.cache_bytes == 4096 * short.cache_bytes_per_token
    (one,) = count("tp1", "gpt-oss-120b", phase="decode", context=8192).classes
    assert one.cache_bytes == (18 * 128 + 18 * 8192) * 2 * 8 * 64 * 2


def test_collectives_of_tensor_parallelism():
    """Two all-reduces a layer and one behind the embedding, each of B x S x H elements, and why."""
    ledger = count("tp8", "llama-3.1-8b", batch=2, seq=1024)
    rows = {one.module: one for one in ledger.collectives}
    assert set(rows) == {"attention.out", "mlp.down", "embedding.tokens"}
    assert {(one.op, one.group_size, one.groups) for one in rows.values()} == {("all_reduce", 8, 1)}
    assert [rows[name].count for name in ("attention.out", "mlp.down", "embedding.tokens")] == [32, 32, 1]
    assert {one.bytes_ for one in rows.values()} == {2 * 1024 * 4096 * 2}
    assert {one.sent_bytes for one in rows.values()} == {2 * 1024 * 4096 * 2 * 2 * 7 // 8}
    assert rows["mlp.down"].why == (
        "mlp.down sums over ffn F, cut along tp, so each rank has a partial sum;"
        " mlp.residual needs the whole sum on every rank"
    )


def test_what_is_sent_in_all():
    """Of a transfer one of two ranks sends: a pipeline of four stages sends its activation three times."""
    ledger = count("pp4", "llama-3.1-8b", batch=1, seq=1024)
    assert sum(one.total_bytes for one in ledger.collectives) == 3 * 1024 * 4096 * 2


def test_collectives_by_stage_and_replica():
    """40 and 40 layers on two stages, 4 replicas: groups are counted, and sends between the stages."""
    ledger = count("tp2_dp4_pp2", "llama-3.1-70b")
    rows = {(one.op, one.module): one for one in ledger.collectives}
    assert (rows["all_reduce", "mlp.down"].groups, rows["all_reduce", "mlp.down"].count) == (8, 40)
    assert (rows["send_recv", "entry"].groups, rows["send_recv", "entry"].group_size) == (8, 2)
    assert rows["all_reduce", "embedding.tokens"].groups == 4


def test_exchange_of_experts():
    ledger = count("ep8", "mixtral-8x7b", batch=8, seq=1024)
    rows = {one.op: one for one in ledger.collectives}
    tokens = 1024 * 2 * 4096 * 2
    for op in ("dispatch", "combine"):
        assert (rows[op].group_size, rows[op].count, rows[op].bytes_, rows[op].sent_bytes) == (
            8,
            32,
            tokens,
            tokens * 7 // 8,
        )
    assert "experts lie on different ranks" in rows["dispatch"].why


def test_flops_of_a_rank():
    """2 x parameters x tokens for the products of weights, and the half of all pairs that a causal mask keeps."""
    (one,) = count("tp8", "llama-3.1-8b", batch=1, seq=2048).classes
    products = 2 * 2048 * 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336) // 8
    pairs = 2 * 2 * 32 * 32 * 128 * (2048 * 2049 // 2) // 8
    assert sum(one.flops.values()) == products + pairs + 2 * 4096 * 128256 // 8


# -- whether it fits ----------------------------------------------------------------------------


def test_nearest_changes_are_changes_after_which_it_fits():
    request = Request(model="llama-3.1-70b", run=Run("decode", batch=64, context=32768))
    planned = plan_name("tp4", request)
    found = ledger_of(planned, gpu_memory_bytes=80 * 2**30)
    assert (found.fits, found.headroom_bytes < 0) == (False, True)
    texts = " ".join(found.changes)
    assert "--context" in texts
    assert "--batch" in texts
    for change in found.changes:
        kind, _, number = change.partition(" ")
        run = planned.run
        if kind in ("--context", "--batch"):
            run = replace(run, **{kind.lstrip("-"): int(number)})
            again = plan_name("tp4", Request(model="llama-3.1-70b", run=run))
        else:
            words = kind if kind.startswith("tp") else f"tp4_{kind}"
            again = plan_name(words, Request(model="llama-3.1-70b", run=run))
        assert ledger_of(again, gpu_memory_bytes=80 * 2**30).fits, change


def test_tokens_beyond_the_positions_of_a_model():
    (note,) = [one for one in count("tp8", "llama-3.1-8b", phase="decode", context=200_000).notes if "positions" in one]
    assert note.startswith("200,000 tokens are more than the 131,072 positions of llama-3.1-8b")
    assert not [one for one in count("tp8", "llama-3.1-8b").notes if "positions" in one]


def test_capacity():
    planned = plan_name("tp8", Request(model="llama-3.1-70b"))
    fits = ledger_of(planned, gpu_memory_bytes=80 * 2**30)
    assert (fits.fits, fits.changes) == (True, ())
    assert fits.headroom_bytes == 80 * 2**30 - fits.fullest.total_bytes
    unknown = ledger_of(planned)
    assert (unknown.fits, unknown.headroom_bytes) == (None, None)
