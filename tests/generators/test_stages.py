"""Pipelines of uneven, interleaved and named stages: generated, clean, equal to the model; what is refused."""

import pytest

from dagtool.cost.schedule import schedule
from dagtool.cost.seconds import node_seconds
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.quotient import quotient
from dagtool.generators.representatives import represent
from dagtool.generators.settings import apply_settings
from dagtool.generators.stages import format_counts
from dagtool.model.cluster import cluster

SIZES = {"B": 8, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128}


def strategy_of(layers=6, pp=2, **document):
    """A dense model, tensor parallel 2."""
    degrees = {"pp": pp, "tp": 2} if pp else {"tp": 2}
    layout = {"attention": "all N/tp", "mlp": "all F/tp", "head": "all V/tp"}
    return apply_settings(
        "mine", {"sizes": {**SIZES, "L": layers}, "degrees": degrees, "layout": layout, **document}, {}
    )


def chunks(**document):
    """``3 on s0, …``."""
    return ", ".join(f"{chunk.layers} on {chunk.mesh}" for chunk in strategy_of(**document).chunks)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, "3 on s0, 3 on s1"),
        ({"pp": 0}, "6 on all"),
        ({"pp": 1}, "6 on all"),
        ({"stages": {"layers": [2, 4]}}, "2 on s0, 4 on s1"),
        ({"stages": {"layers": "2 4"}}, "2 on s0, 4 on s1"),
        ({"stages": {"layers": ["2", 4]}}, "2 on s0, 4 on s1"),
        ({"stages": {"layers": "3*2"}}, "3 on s0, 3 on s1"),
        ({"stages": {"layers": "1*4 2"}, "pp": 5}, "1 on s0, 1 on s1, 1 on s2, 1 on s3, 2 on s4"),
        ({"stages": {"layers": "1*2 2*2"}}, "1 on s0, 1 on s1, 2 on s0, 2 on s1"),
        (
            {"stages": {"layers": "1*2 2*2", "meshes": ["s0", "s1", "s1", "s0"]}},
            "1 on s0, 1 on s1, 2 on s1, 2 on s0",
        ),
    ],
)
def test_chunks(document, expected):
    """Equal runs without the table; a multiple of pp goes round."""
    assert chunks(**document) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"stages": {"layers": [1, 5]}},
        {"stages": {"layers": "1*2 2 1*2"}, "pp": 5},
        {"stages": {"layers": "1*2 2*2"}},
        {"stages": {"layers": "1*6"}},
        {"stages": {"layers": "1*6"}, "operators": {"transfer": "send_and_recv"}},
        {"stages": {"layers": "1*2 2*2", "meshes": ["s0", "s1", "s1", "s0"]}},
        {"stages": {"layers": "1*6"}, "pp": 3, "names": {"pipeline.send_recv": "from_{s}_to_{next}"}},
        {"layers": 5, "stages": {"layers": "1*5"}, "pp": 5},
    ],
)
def test_pipelines_are_right(document):
    """Clean, equal to the model; the first ranks have its path; it can be scheduled with micro-batches."""
    strategy = strategy_of(**document)
    dag = to_dag(parse(partition(strategy).to_dot().encode())[0])
    assert dag.validate() == []
    proof = prove(dag, seeds=(0,))
    assert proof.failure is None, (dag.ids[proof.failure.node], proof.failure.message)
    assert quotient(strategy).expanded == ""
    whole = [dag.ids[node] for node in dag.critical_path().nodes]
    first = quotient(strategy).dag
    assert [first.ids[node] for node in first.critical_path().nodes] == whole
    assert represent(strategy).nodes == len(dag.ids)
    times = node_seconds(dag, cluster("8xh100x8"))
    plan = schedule(dag, times.time_s, microbatches=2)
    moves = [one for one, other in zip(strategy.chunks, strategy.chunks[1:], strict=False) if one.mesh != other.mesh]
    assert plan.stages == len(moves) + 1


def test_names_by_stage_are_looked_at():
    """{s} tells layers apart only where every stage has one."""
    names = {"attention.norm": "norm_{s}_{tp}"}
    assert quotient(strategy_of(stages={"layers": "1*6"}, pp=6, names=names)).expanded == ""
    with pytest.raises(DagtoolError, match="would be called"):
        quotient(strategy_of(stages={"layers": "1*4 2"}, pp=5, names=names))


def test_stages_of_different_width():
    """Stages on declared meshes; layers of each say how they are cut."""
    document = {
        "sizes": {**SIZES, "L": 3},
        "degrees": {"tp": 4, "dp": 2},
        "mesh": {"wide": ["tp"], "narrow": ["dp"]},
        "stages": {"layers": [2, 1], "meshes": ["wide", "narrow"]},
        "layout": {
            "layers.0-1.attention": "wide N/tp",
            "layers.0-1.mlp": "wide F/tp",
            "layers.2.attention": "narrow B/dp",
            "head": "V/dp",
        },
    }
    with pytest.raises(DagtoolError, match="no axis 'dp'"):
        apply_settings("mine", document, {})
    document["layout"]["head"] = "narrow V/dp"
    dag = to_dag(parse(partition(apply_settings("mine", document, {})).to_dot().encode())[0])
    assert [one for one in dag.validate() if one.severity == "error"] == []
    assert prove(dag, seeds=(0,)).failure is None
    assert dag.kind(dag.ids.index("layer2_mlp_up_dp0")).meshes == ("narrow",)


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"layers": 7}, ["pp=2 does not divide layers L=7", "[stages] layers = '4 3'", "1 and 7"]),
        ({"layers": 16, "pp": 6}, ["[stages] layers = '3*4 2*2'"]),
        ({"layers": 126, "pp": 16}, ["[stages] layers = '8*14 7*2'"]),
        ({"layers": 2, "pp": 4}, ["pp=4 stages, but only L=2", "at most pp=2"]),
        ({"stages": {"layers": [3, 2]}}, ["add up to 5, but L=6", "1 too few"]),
        ({"stages": {"layers": [3, 4]}}, ["add up to 7, but L=6", "1 too many"]),
        ({"stages": {"layers": []}}, ["layers is []"]),
        ({"stages": {"layers": ""}}, ["layers is ''"]),
        ({"stages": {"layers": [3, 0, 3]}}, ["a stage in the middle has no layers", "only the first stage"]),
        ({"stages": {"layers": "0*3 6"}}, ["stages without layers", "only the first stage"]),
        ({"stages": {"layers": [0, 0]}}, ["has no layers"]),
        ({"stages": {"within": "xx"}}, ["not the outermost axes"]),
        ({"stages": {"layers": [2, 2, 2]}}, ["3 entries for pp=2", "multiple"]),
        ({"stages": {"layers": "3 x"}}, ["cannot read 'x'"]),
        ({"stages": {"layers": [3, True, 2]}}, ["cannot read True"]),
        ({"stages": {"layers": 6}}, ["layers is 6"]),
        ({"stages": {"layer": [3, 3]}}, ["no key 'layer'", "did you mean 'layers'"]),
        ({"stages": {"meshes": ["s0", "s1"]}}, ["does not give 'layers'"]),
        ({"stages": {"layers": "3*2", "meshes": ["s0", "s2"]}}, ["'s2' is no mesh", "did you mean"]),
        ({"stages": {"layers": "3*2", "meshes": ["s0", "s0"]}}, ["stage 's1' has no layers"]),
        ({"stages": {"layers": "3*2", "meshes": ["s0"]}}, ["a mesh for each of the 2"]),
        ({"stages": {"layers": "3*2"}, "pp": 0}, ["one stage", "pp = 2"]),
    ],
)
def test_mistakes(document, parts):
    """Each says what, and what to do."""
    with pytest.raises(DagtoolError) as caught:
        strategy_of(**document)
    errors = getattr(caught.value, "errors", [caught.value])
    text = " ".join(f"{error.message} {error.hint}" for error in errors)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(("counts", "text"), [([7, 8, 8, 7], "7 8*2 7"), ([2], "2"), ([1] * 4, "1*4")])
def test_counts_as_text(counts, text):
    """Runs together."""
    assert format_counts(counts) == text
