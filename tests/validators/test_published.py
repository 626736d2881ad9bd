"""Published families under layouts, in every phase: nothing is found but work that a plan really repeats."""

import re
from functools import cache

import pytest
from helpers.published import CONFIGS

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators.partition import partition
from dagtool.generators.strategy_file import parse_strategy
from dagtool.model.families import read_config
from dagtool.validators.catalogue import select_rules
from dagtool.validators.context import Context
from dagtool.validators.engine import check_context

STEP = {"S": 1, "T": 10}
SIZES = {"forward": {"S": 10}, "prefill": {"S": 10}, "decode": STEP, "prefill decode*2": {"S": 8, "Q": 1, "T": 12}}
REPEATED = "SCH603"
"""Work that several GPUs repeat: of a plan that cuts the experts only."""


@cache
def published(name):
    """A family's small configuration."""
    return read_config(CONFIGS[name])


def table(model):
    """The model as a strategy file has it."""
    kinds = {kind: dict(own) for kind, own in model.kinds.items()}
    return {**model.options, **({"layers": model.pattern} if model.pattern else {}), **kinds}


def has_dense(model):
    """Whether some kind of layer has a dense feed-forward."""
    return any(model.options_of(kind).get("ffn", "dense") == "dense" for kind in model.kind_names)


def regions(name, *, batch="", stream="", attention="", width=""):
    """Where everything lies; ``width`` is the axis that cuts hidden sizes of feed-forwards and the vocabulary."""
    sizes, model = published(name).sizes, published(name).model

    def at(*cuts):
        return " ".join(filter(None, ("all", batch, *cuts)))

    def cut(symbol):
        return f"{symbol}/{width}" if width else ""

    found = {
        **{place: at(stream) for place in ("stream", "ffn")},
        **{place: at() for place in ("input", "embedding", "output")},
        "attention": at(attention),
        "head": at(cut("V")),
    }
    if has_dense(model):
        found["mlp"] = at(cut("F"))
    if "E" in sizes:
        found |= {"router": at(), "experts": at(cut("Fe" if "Fe" in sizes else "F"))}
    if "Fs" in sizes:
        found["shared"] = at(cut("Fs"))
    return found


def heads(name):
    """What cuts the heads."""
    return "G/tp" if "G" in published(name).sizes else "N/tp"


def layouts(name, phase):
    """(label, the tables of a strategy file)."""
    moe = "E" in published(name).sizes
    tensor = {"degrees": {"tp": 2}, "regions": regions(name, attention=heads(name), width="tp")}
    yield "tp2", tensor
    stages = {place: lying.replace("all", "stage") for place, lying in tensor["regions"].items()}
    yield "uneven stages", {
        "degrees": {"tp": 2, "pp": 2}, "mesh": {"stage": ["tp"]}, "stages": {"layers": [2, 1]}, "regions": stages,
        "operators": {"transfer": "send_and_recv"},
    }  # fmt: skip
    if moe:
        apart = {"degrees": {"dp": 2, "ep": 2}, "mesh": {"all": ["dp"], "moe": ["ep"]}}
        yield "experts apart", {**apart, "regions": {**regions(name, batch="B/dp"), "experts": "moe E/ep"}}
        yield "ep2", {"degrees": {"ep": 2}, "regions": {**regions(name, batch="B/ep"), "experts": "all E/ep"}}
    if phase in ("forward", "decode"):
        yield "one", {"degrees": {}, "regions": regions(name)}
        yield "dp2", {"degrees": {"dp": 2}, "regions": regions(name, batch="B/dp")}
        if moe:
            in_place = {**regions(name), "experts": "all E/ep"}
            yield "experts in place", {"degrees": {"ep": 2}, "regions": in_place}
    if phase == "decode":
        lying = {"attention.core": "all", "attention.keys": "all T/cp"}
        yield "context cut", {"degrees": {"cp": 2}, "regions": {**regions(name, batch="B/cp"), **lying}}
    if phase in ("forward", "prefill"):
        yield from _of_cut_tokens(name, phase, tensor)
    if phase == "forward":
        yield "stored apart", {"degrees": {"dp": 2}, "regions": regions(name, batch="B/dp"), "store": {"*": "dp"}}


def _of_cut_tokens(name, phase, tensor):
    """Those that cut the tokens of a sequence."""
    ends = "all S/cp" if phase == "forward" else "all"
    cut = {**dict.fromkeys(regions(name), "all S/cp"), "head": ends, "output": ends}
    cut |= {"experts": "all"} if "E" in published(name).sizes else {}
    yield "context parallel", {"degrees": {"cp": 2}, "regions": {**cut, "attention.keys": "all"}}
    if phase == "forward":
        stream = dict.fromkeys(("stream", "ffn"), "all S/tp")
        yield "sequence parallel", {**tensor, "regions": {**tensor["regions"], **stream}}
        if "attention" not in published(name).model.options:
            yield "ring", {"degrees": {"cp": 2}, "regions": cut, "operators": {"context": "ring"}}


def plans():
    """Every layout of every family and phase."""
    return [
        pytest.param(name, phase, label, id=f"{name}-{phase}-{label}".replace(" ", "_"))
        for name in CONFIGS
        for phase in SIZES
        for label, _ in layouts(name, phase)
    ]


def build(name, phase, label):
    """A plan as a graph, read back from its DOT."""
    one = published(name)
    document = {
        "phase": phase, "sizes": {**one.sizes, "B": 4, **SIZES[phase]}, "model": table(one.model),
        **dict(layouts(name, phase))[label],
    }  # fmt: skip
    if "mesh" not in document:
        document["mesh"] = {"all": list(document["degrees"])}
    return to_dag(parse(partition(parse_strategy("mine", document)).to_dot().encode())[0])


def findings(dag):
    """What the rules of all profiles say of a graph."""
    return check_context(Context(dag), select_rules())[0]


@pytest.mark.parametrize(("name", "phase", "label"), plans())
def test_nothing_is_found(name, phase, label):
    """Every rule of every profile is silent, apart from the work that the plan repeats."""
    found = [one for one in findings(build(name, phase, label)) if one.severity != "info"]
    if label in ("experts in place", "context parallel", "ring"):
        found = [one for one in found if one.code != REPEATED]
    assert [(one.code, one.message) for one in found] == []


def changed(name, phase, label, old, new, *, layer=None):
    """What is found where lines that match a pattern are changed in the file of a plan, in one layer or in all."""
    lines = build(name, phase, label).to_dot().splitlines()
    wanted = [line for line in lines if re.search(old, line) and (layer is None or f'layer_index="{layer}"' in line)]
    assert wanted
    text = "\n".join(re.sub(old, new, line) if line in wanted else line for line in lines)
    return [one for one in findings(to_dag(parse(text.encode())[0])) if one.severity == "error"]


def test_a_window_is_that_of_its_kind_of_layer():
    """gpt-oss has windows in layers 0 and 2: left out of one, or in the layer between, they are found there."""
    (found,) = changed("gpt_oss", "forward", "one", ", window=W", "", layer=2)
    assert (found.code, found.node) == ("MOD704", "layer2_attention_scores")
    assert "has window=none; expected W in a layer of kind" in found.message
    (found,) = changed("gpt_oss", "forward", "one", "mask=causal", "mask=causal, window=W", layer=1)
    assert (found.code, found.node) == ("MOD704", "layer1_attention_scores")


def test_a_rotation_is_that_of_its_kind_of_layer():
    """gemma3 turns slower in layers of full attention."""
    found = changed("gemma3", "forward", "one", "theta=1000000.0", "theta=10000.0", layer=1)
    assert [(one.code, one.node) for one in found] == [
        ("MOD704", "layer1_attention_q_rotary"), ("MOD704", "layer1_attention_k_rotary")
    ]  # fmt: skip
    assert "has theta=10000.0; expected 1000000.0 in a layer of kind full" in found[0].message


def test_positions_of_new_tokens():
    """A decode step whose scores or rotations begin with position 0."""
    for op in ("attention.scores", "attention.k_rotary", "attention.k_cache_append"):
        found = changed("llama", "decode", "one", rf'(role="{re.escape(op)}".*), past="T-S"', r"\1", layer=1)
        assert [one.code for one in found] == ["MOD704"]
        assert "past" in found[0].message


def test_offsets_of_cut_tokens():
    """Scores of a rank that holds the second half of the tokens, as if it were the first."""
    found = changed("mistral", "forward", "context parallel", r'(role="attention.scores".*), offset=cp', r"\1")
    assert {one.code for one in found} == {"SHD301"}
    assert "its queries are cut along cp" in found[0].message


def test_parts_of_one_kind_in_a_layer_of_another():
    """Experts in the first layer of DeepSeek-V3, which is dense."""
    found = changed("deepseek_v3", "forward", "one", r'layer_index="1"', 'layer_index="0"')
    assert any("a layer of kind dense has none" in one.message for one in found if one.code == "MOD703")


def test_a_phase_or_model_that_is_none():
    """An unknown phase, option or number of layers is said with what there is."""
    (found,) = changed("llama", "decode", "one", "phase=decode", "phase=decoding")
    assert found.code == "DIM201"
    assert "did you mean 'decode'" in found.message
    (found,) = changed("llama", "forward", "one", "rope=half", "ropes=half")
    assert found.code == "DIM201"
    assert "did you mean 'rope'" in found.message
    (found,) = changed("deepseek_v3", "forward", "one", r"layers=\S+", "layers=dense*1,moe*5")
    assert "gives 6 layers, not L=3" in found.message


def without(name, phase, label, pattern):
    """What SCH601 says where edges that match a pattern are left out."""
    lines = build(name, phase, label).to_dot().splitlines()
    kept = [line for line in lines if not re.search(pattern, line)]
    assert len(kept) < len(lines)
    dag = to_dag(parse("\n".join(kept).encode())[0])
    return [one.message for one in check_context(Context(dag), select_rules(("SCH601",)))[0]]


@pytest.mark.parametrize(
    ("name", "phase", "edges", "missed"),
    [
        ("mistral", "forward", "layer1_mlp_down -> layer1_mlp_residual", "mlp.up (layer 1), mlp.down (layer 1)"),
        ("deepseek_v3", "forward", "layer1_moe_shared_sum -> layer1_moe_residual", "moe.gate (layer 1), "),
        ("deepseek_v3", "forward", "layer0_mlp_down -> layer0_mlp_residual", "mlp.up (layer 0), mlp.down (layer 0)"),
        ("deepseek_v3", "decode", "layer2_attention_out -> ", "attention.out (layer 2)"),
    ],
)
def test_a_product_that_the_critical_path_skips(name, phase, edges, missed):
    """The residual goes round a block whose result is not added; of experts that one layer has only that is asked."""
    (message,) = without(name, phase, "one", edges)
    assert missed in message


def test_the_critical_path_of_several_phases():
    """It goes from a phase to the next by the token that is chosen, and so passes all of each."""
    (message,) = without("qwen3", "prefill decode*2", "tp2", "decode1_layer1_mlp_down_all_reduce -> ")
    assert message.endswith("mlp.up (layer 1, phase decode1), mlp.down (layer 1, phase decode1)")
    (message,) = without("qwen3", "prefill decode*2", "tp2", "layer1_mlp_down_all_reduce -> ")
    assert re.search(r"mlp.up \(layer 1, phase \w+\), mlp.down \(layer 1, phase \w+\)", message)
