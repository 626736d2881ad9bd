"""Data types: widths with their scales by hand, in types of tensors, in memory and in seconds; parameters counted."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from helpers.models import CONFIGS, build, document

from dagtool.cost.dtypes import WIDTH_BYTES, dtype_bytes
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.memory import Assumptions, memory
from dagtool.cost.seconds import node_seconds
from dagtool.errors import DagtoolError
from dagtool.generators.parameters import parameter_count
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings
from dagtool.model.cluster import cluster
from dagtool.model.families import read_config
from dagtool.model.tensor import DTYPES, TypeTextError, parse_type
from dagtool.ops import OPERATORS

PUBLISHED = Path(__file__).resolve().parents[2].parent / "shared" / "models"
ONE_H100 = cluster("1xh100x1")


@pytest.mark.parametrize(
    ("dtype", "use", "bits"),
    [
        ("fp32", "weight", 32),
        ("bf16", "activation", 16),
        ("fp8", "cache", 8),
        ("fp8", "weight", 8 + Fraction(32, 128 * 128)),
        ("fp8", "activation", 8 + Fraction(32, 128)),
        ("fp4", "weight", 4.5),
        ("mxfp4", "weight", 4.25),
        ("int8", "weight", 8),
    ],
)
def test_bits_of_an_element_with_its_part_of_the_scales(dtype, use, bits):
    """Scales of 32 bits for 128 x 128 weights or 128 activations in fp8, of 8 bits for 16 (NVFP4) or 32 (MXFP4)."""
    assert dtype_bytes(dtype, use) * 8 == bits


def test_every_type_that_a_tensor_states_has_a_width():
    """And nothing else has."""
    assert set(WIDTH_BYTES) == set(DTYPES)
    with pytest.raises(DagtoolError, match="no data type 'mxpf4'"):
        dtype_bytes("mxpf4")


@pytest.mark.parametrize("text", ["[B, S] fp8 @m", "[B/dp, S] sum(tp) vary(ep) mxfp4 @m", "[H, F/tp] int8 @m"])
def test_a_type_states_its_data_type(text):
    """Written as it is read; a type without one is another type."""
    found = parse_type(text)
    assert (str(found), found.dtype in DTYPES) == (text, True)
    assert found != replace(found, dtype="")


def test_an_unknown_data_type_is_refused():
    """With the nearest one."""
    with pytest.raises(TypeTextError, match=r"no data type 'bf61' \(did you mean 'bf16'"):
        parse_type("[B, S] bf61 @m")


def test_operators_keep_a_data_type_unless_they_make_something_new():
    """Layout changes and collectives keep it, products give the default one, sums need equal ones."""
    x = parse_type("[B, S, H/tp] fp8 @m")
    assert OPERATORS["all_gather"].infer({"x": x}, {"over": "tp", "along": "2"})[0].dtype == "fp8"
    split = parse_type("[B, S, N*D] fp8 @m")
    assert OPERATORS["head_split"].infer({"x": split}, {"einsum": "bs(nd)->bsnd"})[0].dtype == "fp8"
    assert OPERATORS["linear"].infer({"x": x}, {"param": "[H/tp, F] mxfp4"})[0].dtype == ""
    with pytest.raises(ValueError, match="do not lie alike"):
        OPERATORS["add"].infer({"x": x, "y": replace(x, dtype="")}, {})
    tokens = {"x": parse_type("[B/ep, S, H] @m"), "route": parse_type("[B/ep, S, K] @m")}
    assert OPERATORS["dispatch"].infer(tokens, {"experts": "E", "owner": "ep", "dtype": "fp8"})[0].dtype == "fp8"


# -- parameters -------------------------------------------------------------------------------


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published configurations are not here")
@pytest.mark.parametrize("phase", ["forward", "decode"])
@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.json")), ids=lambda path: path.stem)
def test_weights_are_the_parameters_of_published_models(file, phase):
    """One GPU holds every parameter once: tied tables, biases, sinks, corrections, absorbed projections."""
    model = read_config(file)
    sizes = {"B": 1, "S": 1, "T": 8} if phase == "decode" else {"B": 1, "S": 4}
    dag = partition(apply_settings("one", document(model, phase, sizes), {}))
    (group,) = memory(dag, assumptions=Assumptions(weight_width_bytes=1.0)).groups
    assert group.weights_bytes == parameter_count(model.model, model.sizes)


TIED = {"config": {"tie_word_embeddings": True}}


@pytest.mark.parametrize(
    ("layout", "degrees", "tables"),
    [
        ({}, {}, [1]),
        ({"embedding": "V/tp", "head": "V/tp"}, {"tp": 4}, [Fraction(1, 4)]),
        ({"head": "V/tp"}, {"tp": 4}, [1]),  # a rank that has the whole table has its part of it
        ({"embedding": "V/tp", "head": "H/tp"}, {"tp": 4}, [Fraction(1, 2)]),  # two parts that only overlap
        ({"*": "stage"}, {"pp": 2}, [1, 1]),  # on two stages it is there twice
    ],
)
def test_a_tied_table_is_there_once(layout, degrees, tables):
    """128,256 x 4,096 parameters, on a GPU that has both the embedding and the head."""
    more = {"mesh": {"stage": []}} if "pp" in degrees else {}
    dag = build("llama-3-8b", "forward", {"B": 1, "S": 4, "L": 2}, layout, degrees=degrees, **TIED, **more)
    found = [
        sum(item.bytes_ for item in group.weights if item.role == "embedding.tokens") for group in memory(dag).groups
    ]
    assert found == [part * 128256 * 4096 * 2 for part in tables]
    assert not [item for group in memory(dag).groups for item in group.weights if item.role == "head.projection"]


def test_stored_parts_of_parameters_are_what_a_rank_holds():
    """FSDP over 4 ranks: a quarter of every parameter, whatever is gathered before it is used."""
    whole, stored = (
        build("llama-3-8b", "forward", {"B": 4, "S": 4, "L": 1}, {"*": "B/dp"}, degrees={"dp": 4}, **more)
        for more in ({}, {"store": {"*": "dp"}})
    )
    assert memory(stored).groups[0].weights_bytes * 4 == memory(whole).groups[0].weights_bytes


# -- weights of their own type ------------------------------------------------------------------


def test_gpt_oss_by_hand():
    """Its experts in MXFP4, everything else in 16 bits: 60.8 GiB, as its card says."""
    model = read_config(CONFIGS["gpt-oss-120b"])
    experts = 36 * 128 * 3 * 2880 * 2880
    others = parameter_count(model.model, model.sizes) - experts
    dag = build("gpt-oss-120b", "decode", {"B": 1, "S": 1, "T": 2})
    (group,) = memory(dag, assumptions=Assumptions(weight_dtypes=model.weight_dtypes)).groups
    assert group.weights_bytes == experts * 17 // 32 + others * 2
    assert f"{group.weights_bytes / 2**30:.1f}" == "60.8"


def test_deepseek_by_hand():
    """Products in fp8 with a scale of 4 bytes for 128 x 128, gates, norms and tables in 16 bits."""
    model = read_config(CONFIGS["deepseek-v3"])
    heads = 128 * 128
    attention = 7168 * (1536 + 512 + 64) + 1536 * 128 * 192 + 512 * 2 * heads + heads * 7168
    narrow = 61 * attention + 3 * 3 * 7168 * 18432 + 58 * 257 * 3 * 7168 * 2048
    others = parameter_count(model.model, model.sizes) - narrow
    dag = build("deepseek-v3", "forward", {"B": 1, "S": 1})
    (group,) = memory(dag, assumptions=Assumptions(weight_dtypes=model.weight_dtypes)).groups
    assert group.weights_bytes == pytest.approx(narrow * (1 + 4 / 128**2) + others * 2, rel=1e-9)


def test_a_fused_projection_has_the_type_of_its_parts():
    """Families name q, k and v; the graph has them side by side."""
    dag = build("llama-3-8b", "forward", {"B": 1, "S": 4, "L": 1})
    types = {"attention.k": "fp8", "attention.v": "fp8"}
    wide, small = (
        {item.role: item.bytes_ for item in memory(dag, assumptions=given).groups[0].weights}
        for given in (Assumptions(), Assumptions(weight_dtypes=types))
    )
    assert {role for role in wide if wide[role] != small[role]} == {"attention.kv"}
    assert small["attention.kv"] == 4096 * 2 * 1024 * (1 + Fraction(4, 128**2))


def with_weights(dag, role, dtype):
    """The DAG with a data type for the weight of a role."""

    def typed(params):
        return tuple((key, f"{value} {dtype}" if key == "param" else value) for key, value in params)

    kinds = [replace(kind, params=typed(kind.params)) if kind.role == role else kind for kind in dag.kinds]
    return replace(dag, kinds=kinds)


def test_a_type_in_the_graph_comes_before_what_is_assumed():
    """The weight of one product in fp8, stated beside its dimensions."""
    dag = with_weights(build("llama-3-8b", "forward", {"B": 1, "S": 4, "L": 1}), "mlp.down", "fp8")
    given = Assumptions(weight_dtypes={"*": "fp32"})
    found = {item.role: item.bytes_ for item in memory(dag, assumptions=given).groups[0].weights}
    assert found["mlp.down"] == 14336 * 4096 * (1 + Fraction(4, 128**2))
    assert found["mlp.up"] == 2 * 14336 * 4096 * 4


@pytest.mark.parametrize(("dtype", "bits"), [("fp8", 8), ("mxfp4", 4.25), ("int8", 8)])
def test_a_step_reads_narrow_weights_in_less_time(dtype, bits):
    """One token: the time is that of the weight's bytes, unpacked on the way where the GPU cannot multiply in it."""
    dag = build("llama-3-8b", "decode", {"B": 1, "S": 1, "T": 8, "L": 1})
    at = next(node for node in range(len(dag.ids)) if dag.kind(node).role == "mlp.down")
    fit = kernel_fit(ONE_H100.gpu)
    found = node_seconds(with_weights(dag, "mlp.down", dtype), ONE_H100).time_s[at] - fit.launch_s
    read = 14336 * 4096 * bits / 8 / (ONE_H100.gpu.memory_bytes_per_s * fit.memory)
    assert found == pytest.approx(read, rel=0.01)
    assert node_seconds(dag, ONE_H100).time_s[at] > found * 1.8
