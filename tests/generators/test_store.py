"""Parameters that are stored in more parts than they are used in, and attention in a ring, however parts are drawn."""

import pytest

from dagtool.cost.memory import memory
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

SIZES = {"B": 4, "S": 8, "H": 16, "N": 8, "G": 4, "D": 4, "F": 16, "V": 32, "L": 2}
EXPERTS = {"E": 4, "K": 2}
CHOICES = [{}, {"qkv": "separate"}, {"heads": "outer"}, {"merge_heads": "yes"}, {"qkv": "separate", "heads": "outer"}]


def build(**document):
    """The DAG of a document, as read from its DOT."""
    whole = {"sizes": SIZES, "degrees": {"dp": 2}, "layout": {"*": "B/dp"}, **document}
    return to_dag(parse(partition(apply_settings("mine", whole, {})).to_dot().encode())[0])


def bytes_by_weight(dag):
    """What the first GPU holds, by the name of the parameter."""
    return {item.role: item.bytes_ for item in memory(dag).groups[0].weights}


@pytest.mark.parametrize("operators", CHOICES)
def test_stored_in_parts_and_right(operators):
    """Clean and equal; every GPU holds half of each parameter."""
    dag = build(store={"*": "dp"}, operators=operators)
    assert dag.validate() == []
    assert prove(dag, seeds=(0,)).failure is None
    whole = bytes_by_weight(build(operators=operators))
    assert bytes_by_weight(dag) == {name: size // 2 for name, size in whole.items()}


@pytest.mark.parametrize(
    ("model", "sizes", "further"),
    [
        ({"ffn": "moe", "correction": True, "gate_bias": True}, EXPERTS, {"moe.gate_bias": 16, "moe.correction": 16}),
        ({"norm_bias": True}, {}, {"attention.norm_bias": 64, "mlp.norm_bias": 64, "head.norm_bias": 32}),
        ({"embedding": "token+position"}, {}, {"embedding.positions": 8 * 16 * 2}),
    ],
)
def test_parameters_beside_a_stored_one_are_counted(model, sizes, further):
    """A node to which its matrix is brought still holds its vectors."""
    dag = build(store={"*": "dp"}, model=model, sizes={**SIZES, **sizes})
    held = bytes_by_weight(dag)
    assert {name: held.get(name) for name in further} == further
    assert prove(dag, seeds=(0,)).failure is None


def test_experts_are_stored_where_they_lie():
    """Along the axis of the experts there is nothing more to cut; along the other there is."""
    layout = {"*": "B/ep/dp", "experts": "E/ep"}
    dag = build(
        model={"ffn": "moe"},
        sizes={**SIZES, **EXPERTS},
        degrees={"ep": 2, "dp": 2},
        layout=layout,
        store={"experts": "ep,dp"},
    )
    assert dag.validate() == []
    assert prove(dag, seeds=(0,)).failure is None
    stored = {
        str(kind.outputs[0].type) for kind in dag.kinds if kind.role == "moe.up_weight" and kind.op == "parameter"
    }
    assert stored == {"[H/dp, F] @all"}
    owners = {
        (dag.expert_of[node], dag.meshes["all"].position(gpu)["ep"])
        for node in range(len(dag.ids))
        for gpu in dag.gpus(node)
        if dag.kind(node).role == "moe.up_weight" and dag.kind(node).op == "parameter"
    }
    assert owners == {(0, 0), (1, 0), (2, 1), (3, 1)}


@pytest.mark.parametrize("operators", CHOICES)
@pytest.mark.parametrize("model", [{"rope": "half", "sinks": True}, {"lora": "qv", "attention_bias": "qkv"}])
def test_a_ring_however_heads_are_drawn(model, operators):
    """Clean and equal to the model, also with every parameter in parts."""
    sizes = {**SIZES, **({"Rl": 2} if "lora" in model else {})}
    for store in ({}, {"*": "dp"}):
        document = {"layout": {"*": "S/dp"}, "model": model, "sizes": sizes, "store": store}
        dag = build(**document, operators={**operators, "context": "ring"})
        assert {kind.op for kind in dag.kinds if kind.role == "attention.weighted"} == {"ring_attention"}
        assert dag.validate() == []
        assert prove(dag, seeds=(0,)).failure is None


def test_experts_of_a_token_that_are_left_open():
    """A proof takes two of them, or as many as there are in the groups a token may use."""
    dag = build(model={"ffn": "moe", "groups": 4}, sizes={**SIZES, **EXPERTS, "K": "K"}, layout={"*": "B/dp"})
    proof = prove(dag, seeds=(0,))
    assert proof.failure is None
    assert proof.sizes["K"] == 1
    dag = build(model={"ffn": "moe"}, sizes={**SIZES, **EXPERTS, "K": "K"}, layout={"*": "B/dp"})
    assert prove(dag, seeds=(0,)).sizes["K"] == 2


def test_a_model_without_mask_is_not_decoded():
    """Earlier tokens would see later ones."""
    with pytest.raises(DagtoolError, match="mask = 'none', but phase 'prefill decode' decodes") as caught:
        build(model={"mask": "none"}, phase="prefill decode", sizes={**SIZES, "Q": 1, "T": 16})
    assert caught.value.hint == "mask = 'causal', or one phase"
