"""Strategies in words: what they come to, that each computes what the model computes, how mistakes are said."""

import pytest

from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.plans.build import complete_plan, describe_model
from dagtool.generators.plans.document import Run, write_document
from dagtool.generators.plans.toml import format_toml
from dagtool.generators.plans.words import WORDS, are_words, parse_words
from dagtool.generators.request import Request, open_document, read_strategy
from dagtool.generators.strategy_file import parse_strategy

LAYERS = {"deepseek-v3": 5, "gemma-3-1b-it": 6}
"""So many that every kind of layer occurs; four of the others."""

PROVED = {
    "llama-3.1-8b": "tp1 tp8 tp8_sp tp2_sp_pp2 dp4 dp2_tp4_pp2 cp4 cp4_ring cp4_tp2_sp ulysses4 cp16_ulysses4"
    " cp8_ulysses4_tp2 fsdp8 tp2_fsdp4 pp2_vpp2 tp16 tp4_dcp2 tp16_dcp2",
    "qwen3-0.6b": "tp2 tp4_sp pp2 fsdp4",
    "gemma-3-1b-it": "tp4 cp2 pp2",
    "mixtral-8x7b": "tp2 ep8 ep8_tp2 ep4_tp2_sp dp4_tp2_ep8 dp4_tp2_sp_ep8 tp8_ep8_etp1 dp8_ep4 dp8_ep4_tp2"
    " attn:dp4|moe:ep8 attn:tp2_dp4|moe:ep8 attn:tp2_dp2|moe:ep8 cp4_tp2_ep4 fsdp8_ep4 pp2_dp2_ep2 ep3",
    "qwen3-235b-a22b": "tp8 tp8_dcp2 dp2_tp4_ep8 ep8_tp2",
    "deepseek-v3": "tp8 tp4_sp_dp8_ep32 ep8_tp2 dp8_tp2_ep16 tp8_dcp2 cp4 tp2_sp_cp2_dp2_ep8 ep8_red8",
    "gpt-oss-120b": "tp8 ep8 dp4_tp2_sp_ep8",
}


def shortened(name):
    """A published model with few layers and experts: other sizes are made small by the proof anyway."""
    model = describe_model(name)
    experts = {"E": min(model.sizes["E"], 64)} if "E" in model.sizes else {}
    return model._replace(sizes={**model.sizes, "L": LAYERS.get(name, 4), **experts})


def strategy_of(name, words, phase):
    model = shortened(name)
    written = write_document(complete_plan(parse_words(words), model), model, Run(phase), name=words)
    return parse_strategy(words, written.document)


CASES = [(name, words, phase) for name, listed in PROVED.items() for words in listed.split() for phase in
         ("prefill", "decode", "loss")]  # fmt: skip


@pytest.mark.parametrize(("name", "words", "phase"), CASES, ids=["-".join(case) for case in CASES])
def test_words_compute_what_the_model_computes(name, words, phase):
    """Run on simulated GPUs, every node against what its type promises."""
    dag = partition(strategy_of(name, words, phase))
    proof = prove(dag, (0,))
    assert proof.failure is None, (dag.ids[proof.failure.node], proof.failure.message)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("llama-3.1-8b", "tp4_sp_pp2"),
        ("mixtral-8x7b", "dp4_tp2_sp_ep8"),
        ("deepseek-v3", "tp2_dp2"),
        ("qwen3-8b", "cp2"),
    ],
)
def test_prefill_and_decode_steps_in_one_graph(name, words):
    """The steps have a layout of their own; what they read is what the prefill leaves."""
    strategy = strategy_of(name, words, "prefill decode*2")
    assert "decode" in strategy.phase_layouts
    assert prove(partition(strategy), (0,)).failure is None


@pytest.mark.parametrize(
    ("words", "gpus"),
    [
        ("tp8_sp_pp2", 16),
        ("tp4_sp_dp8_ep32", 32),
        ("cp16_ulysses4", 16),
        ("attn:dp4|moe:ep8", 12),
        ("attn:tp2_dp4|moe:ep8", 8),
        ("ep8_tp2", 16),
        ("tp4_ep4_etp1", 4),
        ("dp8_tp4_ep8", 32),
        ("tp8_pp16_dp8", 1024),
        ("fsdp64", 64),
        ("ulysses8", 8),
    ],
)
def test_gpus(words, gpus):
    assert parse_words(words).gpus == gpus


def test_degrees_that_are_not_given():
    """Experts without dp lie on ep x tp ranks, each cut over tp; with dp on the ranks there are."""
    assert (parse_words("ep8_tp2").expert_tensor, parse_words("ep8_tp2").data) == (2, 8)
    plan = parse_words("tp4_sp_dp8_ep32")
    assert (plan.expert, plan.expert_tensor, plan.expert_data) == (32, 1, 1)
    assert "etp1 is not given" in plan.notes[0].text
    assert parse_words("dp8_tp4_ep8").expert_tensor == 4
    assert (parse_words("cp16_ulysses4").context, parse_words("cp16_ulysses4").ulysses) == (4, 4)
    assert parse_words("tp2_fsdp4").fully_sharded
    assert (parse_words("ep8_fsdp").data, parse_words("dp4_fsdp").data) == (8, 4)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("tp8_xx4", ["'xx4' is no word", "words: tpN"]),
        ("tpx8", ["did you mean 'tp'"]),
        ("tp_sp", ["'tp' needs a number", "tp8"]),
        ("tp8_sp2", ["'sp2' takes no number"]),
        ("tp8_tp4", ["tp is given twice"]),
        ("tp0", ["counts ranks"]),
        ("sp", ["sp shares tokens", "add tp"]),
        ("tp2_ring", ["ring needs", "add cp"]),
        ("vpp2", ["one stage", "add pp"]),
        ("cp6_ulysses4", ["ulysses4 does not divide cp6"]),
        ("tp4_dcp3", ["dcp3 does not divide tp4"]),
        ("tp16_ep8_etp1", ["8 x 1 ranks of experts are not a multiple of the 16 ranks"]),
        ("dp6_ep4", ["ep4 x etp1 does not divide the 6 ranks"]),
        ("attn:dp4|ffx:ep8", ["'ffx' is no part"]),
        ("attn:dp4", ["degrees of one part only"]),
        ("attn:dp4|moe:ep8_dp2", ["dp does not apply to experts"]),
        ("attn:ep4|moe:ep8", ["ep does not apply to attention"]),
        ("attn:dp4_pp2|moe:ep8", ["both need as many"]),
        ("dp8_fsdp4", ["dp8 and fsdp4 differ"]),
        ("tp8_fsdp", ["there is one", "fsdpN"]),
        ("tp8_yy_zz3", ["'yy'", "'zz3'"]),
        ("dp1048576_tp4", ["at most 1,048,576"]),
    ],
)
def test_mistakes(words, parts):
    """Every wrong word in one run, with what to write instead."""
    with pytest.raises(DagtoolError) as caught:
        parse_words(words)
    text = " ".join(f"{error.message} {error.hint}" for error in caught.value.errors)
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    ("name", "words", "parts"),
    [
        ("llama-3.1-8b", "ep8", ["has no experts"]),
        ("llama-3.1-8b", "tp3", ["tp=3 does not divide"]),
        ("llama-3.1-8b", "pp64", ["64 stages for the 32 layers", "at most pp32"]),
    ],
)
def test_words_that_a_model_does_not_fit(name, words, parts):
    with pytest.raises(DagtoolError) as caught:
        read_strategy(words, Request(model=name))
    text = " ".join(f"{error.message} {error.hint}" for error in caught.value.errors)
    assert [part for part in parts if part not in text] == []


def test_which_names_are_words():
    """Presets are found before words are; files and other names are none."""
    assert all(map(are_words, ("tp8", "sp_tp2", "attn:dp4|moe:ep8", "ep16_tpx4", "fsdp8")))
    assert not any(map(are_words, ("plan.toml", "outputs/tp8.dot", "tp8.dot", "foo", "ma_separation", "sps", "tp")))


def test_every_word_is_read():
    """A word that nothing reads would be a promise: with and without it a plan differs."""
    base = {"sp": "tp4", "ring": "cp4", "vpp": "pp4", "etp": "ep4_tp4", "dcp": "tp4", "ulysses": "cp4", "red": "ep4"}
    for word in WORDS:
        before = base.get(word.name, "tp2" if word.name != "tp" else "dp2")
        text = f"{before}_{word.name}{'' if word.number is False else 2}"
        assert parse_words(text) != parse_words(before), word.name


def test_documents_are_strategy_files():
    """What --print-strategy shows is the strategy: read as a file it is equal."""
    for words, phase in (("tp4_sp_dp8_ep32", "decode"), ("tp16", "prefill"), ("fsdp8_ep4_pp2", "loss")):
        request = Request(model="mixtral-8x7b" if "ep" in words else "llama-3.1-8b", run=Run(phase))
        opened = open_document(words, request)
        import tomllib

        text = format_toml(opened.document, ["a remark"], {"B": "sequences"})
        assert tomllib.loads(text) == opened.document


def test_words_without_a_model_take_that_of_a_preset():
    """As many experts as the ranks need; both are said."""
    strategy = read_strategy("ep32_tp2")
    assert (strategy.sizes["E"], strategy.degrees["dp"]) == (32, 32)
    assert "preset ep16_tp4" in strategy.notes[0]
    assert "E=32 experts" in strategy.notes[1]
    assert read_strategy("tp4_sp").sizes.get("E") is None


def test_a_run_changes_files_and_presets_too():
    strategy = read_strategy("tp8", Request(run=Run(batch=16, seq=64)))
    assert (strategy.sizes["B"], strategy.sizes["S"]) == (16, 64)
    with pytest.raises(DagtoolError, match="has a model of its own"):
        read_strategy("plan.toml", Request(model="llama-3.1-8b"))
    with pytest.raises(DagtoolError, match="--context beside --seq"):
        read_strategy("tp8", Request(model="llama-3.1-8b", run=Run("prefill", 1, 64, 64)))
