"""``routing = "nodes"``: a node for each expert and way, also on ranks that have all tokens and some of the experts."""

from collections import Counter
from itertools import product

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

SIZES = {"B": 4, "S": 4, "H": 8, "N": 4, "D": 4, "F": 8, "E": 4, "K": 2, "L": 2, "V": 16}
LAYOUTS = {
    "along the axis of the heads": {"experts": "E/tp", "attention": "N/tp"},
    "along an axis of their own": {"experts": "E/ep", "attention": "N/tp"},
    "along both axes": {"experts": "E/ep/tp", "attention": "N/tp"},
    "along both, the other way round": {"experts": "E/tp/ep", "attention": "N/tp"},
    "cut inside": {"experts": "E/ep F/tp", "attention": "N/tp"},
    "tokens cut along the other axis": {"*": "B/tp", "experts": "E/ep B/tp"},
    "tokens cut in the stream only": {"stream": "S/ep", "ffn": "all", "experts": "E/ep", "attention": "N/tp"},
    "one rank each for all": {"experts": "all", "attention": "N/tp"},
}
MODELS = {
    "experts": {"ffn": "moe"},
    "shared ones": {"ffn": "moe", "shared": "Fs"},
    "two kinds": {"layers": "dense, moe*", "moe": {"ffn": "moe", "post_norm": True}, "dense": {"ffn": "dense"}},
}


def build(layout, model, **document):
    """The DAG as read from its DOT."""
    sizes = {**SIZES, **document.pop("sizes", {}), **({"Fs": 8} if model.get("shared") else {})}
    used = {axis for text in layout.values() for word in text.split() for axis in word.split("/")[1:]}
    idle = [axis for axis in ("tp", "ep") if axis not in used]
    whole = {"sizes": sizes, "model": model, "degrees": {"ep": 2, "tp": 2}, "layout": layout, "replicate": idle}
    whole |= {"operators": {"routing": "nodes"}, **document}
    return to_dag(parse(partition(apply_settings("mine", whole, {})).to_dot().encode())[0])


def check(dag):
    """No finding but that some work is done on several GPUs; equal to the model."""
    assert [one.message for one in dag.validate() if one.code != "SCH603"] == []
    assert prove(dag, seeds=(0,)).failure is None


@pytest.mark.parametrize(("layout", "model"), list(product(LAYOUTS, MODELS)))
def test_experts_on_ranks_with_whole_tokens(layout, model):
    """Two experts a rank, or one: what experts put back is one sum, in which every rank takes part once."""
    dag = build(LAYOUTS[layout], MODELS[model])
    check(dag)
    ends = [node for node in range(len(dag.ids)) if dag.kind(node).role.startswith("moe.route_back.")]
    assert all(dag.expert_of[node] < 0 for node in ends)
    per_place = Counter((dag.layer_of[node], dag.kind(node).role, gpu) for node in ends for gpu in dag.gpus(node))
    assert set(per_place.values()) <= {1}


@pytest.mark.parametrize("sizes", [{"E": 8}, {"E": 4, "R": 6}, {"E": 6, "K": 3}, {"E": 2, "K": 1}])
@pytest.mark.parametrize("sums", ["combined", "each"])
def test_more_experts_or_as_many_as_ranks(sizes, sums):
    """Several experts a rank, one, and some of them twice."""
    experts = "R" if "R" in sizes else "E"
    layout = {"experts": f"{experts}/ep F/tp", "attention": "N/tp"}
    check(build(layout, MODELS["experts"], sizes=sizes, operators={"routing": "nodes", "expert_sums": sums}))


@pytest.mark.parametrize("routing", ["nodes", "fused"])
def test_a_degree_that_does_not_divide_the_experts_of_decode_steps(routing):
    """Refused also where only the steps' own layout spreads the experts."""
    sizes = {"Q": 1, "T": 8, "E": 4}
    decode = {"layout": {"experts": "E/cp"}}
    document = {"phase": "prefill decode", "degrees": {"cp": 3, "tp": 2}, "decode": decode, "replicate": []}
    with pytest.raises(DagtoolError, match="cp=3 does not divide experts E=4"):
        build({"attention": "N/tp"}, MODELS["experts"], sizes=sizes, operators={"routing": routing}, **document)


@pytest.mark.parametrize("phase", ["prefill", "decode", "loss", "prefill decode"])
def test_in_every_phase(phase):
    """Also with a cache, step by step, and over a pipeline."""
    sizes = {"decode": {"S": 1, "T": 8}, "prefill decode": {"Q": 1, "T": 8}}.get(phase, {})
    layout = {"experts": "E/ep/tp", "attention": "N/tp"}
    check(build(layout, MODELS["shared ones"], sizes=sizes, phase=phase, degrees={"ep": 2, "tp": 2, "pp": 2}))
