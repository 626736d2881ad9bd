"""Layouts by path: which line wins, what follows what, what is refused; layers of several layouts are right."""

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.layout import PLACES
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

SIZES = {"B": 8, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 8}


def strategy_of(layout, **document):
    """A dense model on 2 x 2 x 2 GPUs."""
    document = {"degrees": {"dp": 2, "cp": 2, "tp": 2}, "replicate": ["dp", "cp", "tp"], **document}
    used = " ".join(map(str, layout.values()))
    document["replicate"] = [axis for axis in document["replicate"] if f"/{axis}" not in used]
    return apply_settings("mine", {"sizes": SIZES, "layout": layout, **document}, {})


def text(region):
    """``B/dp N/tp``."""
    return " ".join("/".join([symbol, *axes]) for symbol, axes in region.cuts.items())


def at(layout, place, layer=-1, **document):
    """The cuts of a place."""
    return text(strategy_of(layout, **document).layout.at(place, layer))


@pytest.mark.parametrize(
    ("layout", "place", "layer", "expected"),
    [
        ({}, "attention", 0, ""),
        ({"stream": "B/dp"}, "attention.cache", 3, "B/dp"),
        ({"stream": "B/dp"}, "input", -1, "B/dp"),
        ({"stream": "B/dp", "embedding": "V/tp"}, "input", -1, "V/tp"),
        ({"head": "V/tp"}, "output", -1, "V/tp"),
        ({"*": "B/dp"}, "stream", -1, "B/dp"),
        ({"*": "B/dp"}, "mlp", 2, "B/dp"),
        ({"*": "B/dp", "stream": "S/tp"}, "stream", 2, "S/tp"),
        ({"*": "B/dp", "stream": "S/tp"}, "mlp", 2, "B/dp"),
        ({"*": "B/dp", "head": "V/tp"}, "output", -1, "V/tp"),
        ({"*": "B/dp", "attention": "N/tp"}, "attention.core", 2, "N/tp"),
        ({"attention": "B/dp S/cp N/tp"}, "attention.core", 0, "B/dp S/cp N/tp"),
        ({"attention": "B/dp S/cp N/tp"}, "attention.keys", 0, "B/dp N/tp"),
        ({"attention": "B/dp S/cp N/tp"}, "attention.cache", 0, "B/dp N/tp"),
        ({"attention": "B/dp", "attention.core": "S/cp N/tp"}, "attention.keys", 0, "N/tp"),
        ({"attention": "B/dp", "attention.core": "S/cp"}, "attention.out", 0, "B/dp"),
        ({"attention.keys": "S/cp"}, "attention.keys", 0, "S/cp"),
        ({"attention.*": "N/tp", "attention.core": "N/cp"}, "attention.out", 0, "N/tp"),
        ({"attention.*": "N/tp", "attention.core": "N/cp"}, "attention.core", 0, "N/cp"),
        ({"layers.*.attention": "N/tp"}, "attention", 7, "N/tp"),
        ({"layers.0-2.mlp": "F/tp"}, "mlp", 2, "F/tp"),
        ({"layers.0-2.mlp": "F/tp"}, "mlp", 3, ""),
        ({"layers.3,5-7.attention": "N/tp"}, "attention.core", 6, "N/tp"),
        ({"layers.3,5-7.attention": "N/tp"}, "attention.core", 4, ""),
        ({"mlp": "F/tp", "layers.1-6.mlp": "F/cp", "layers.2.mlp": "F/dp"}, "mlp", 0, "F/tp"),
        ({"mlp": "F/tp", "layers.1-6.mlp": "F/cp", "layers.2.mlp": "F/dp"}, "mlp", 1, "F/cp"),
        ({"mlp": "F/tp", "layers.1-6.mlp": "F/cp", "layers.2.mlp": "F/dp"}, "mlp", 2, "F/dp"),
        ({"*": "B/dp", "layers.0": "B/cp"}, "mlp", 0, "B/cp"),
        ({"*": "B/dp", "layers.0": "B/cp"}, "mlp", 1, "B/dp"),
        ({"*": "B/dp", "layers.0": "B/cp"}, "head", -1, "B/dp"),
        ({"stream": "all B/dp"}, "stream", 0, "B/dp"),
        ({"attention": "N/tp"}, "attention.latent.q", 0, "N/tp"),
    ],
)
def test_the_most_special_line_wins(layout, place, layer, expected):
    """Path before glob, fewer layers before more, what no line gives follows."""
    assert at(layout, place, layer) == expected


def test_tables_are_paths():
    """``attention.core`` without quotes is a table in TOML."""
    assert at({"attention": {"core": "N/tp"}}, "attention.core") == "N/tp"


def test_regions_are_short_names():
    """The two tables go together."""
    found = strategy_of({"attention.core": "S/cp"}, regions={"attention": "all N/tp"}, replicate=["dp"])
    assert [text(found.layout.at(place)) for place in ("attention", "attention.core")] == ["N/tp", "S/cp"]


def test_unknown_place_is_a_mistake_of_the_caller():
    """Not of the file: a longer place has a parent, this one has not."""
    with pytest.raises(ValueError, match="no place"):
        strategy_of({}).layout.at("nowhere")


def test_signature_is_equal_exactly_for_equal_layouts():
    """Whatever lines they come from."""
    layout = strategy_of({"layers.0-2.mlp": "F/tp", "layers.3.mlp": "F/tp", "layers.6.attention.core": "N/tp"}).layout
    assert layout.signature(0) == layout.signature(3) != layout.signature(4)
    assert layout.signature(4) == layout.signature(7) != layout.signature(6)
    for one in range(8):
        for other in range(8):
            same = all(layout.at(place, one) == layout.at(place, other) for place in PLACES)
            assert (layout.signature(one) == layout.signature(other)) == same


@pytest.mark.parametrize(
    ("layout", "parts"),
    [
        ({"atention": "N/tp"}, ["'atention' matches no part", "did you mean 'attention'"]),
        ({"attention.cores": "N/tp"}, ["matches no part", "did you mean 'attention.core'"]),
        ({"decoder.*": "N/tp"}, ["'decoder.*' matches no part"]),
        ({"layers.8.mlp": "F/tp"}, ["no layer 8", "layers are 0 to 7"]),
        ({"layers.3-1.mlp": "F/tp"}, ["cannot read the layers '3-1'"]),
        ({"layers.a.mlp": "F/tp"}, ["cannot read the layers of 'layers.a.mlp'", "layers.0-2.mlp"]),
        ({"layers.1,.mlp": "F/tp"}, ["cannot read the layers ''"]),
        ({"layers.0.head": "V/tp"}, ["'head' is in no layer", "write 'head'"]),
        ({"experts": "B/dp"}, ["no part 'experts'", "ffn = 'moe'"]),
        ({"mlp": "F/tp", "layers.*.mlp": "F/cp"}, ["'mlp' is given twice"]),
        ({"*": "B/tp", "layers.*": "B/dp"}, ["'*' is given twice"]),
        ({"layers.0-3.mlp": "F/tp", "layers.2-5.mlp": "F/cp"}, ["'layers.0-3.mlp' are in part the same"]),
        ({"mlp": 3}, ["layout 'mlp' is 3"]),
        ({"mlp": ""}, ["names no mesh"]),
        ({"mlp": "F/tp F/dp"}, ["cuts F twice", "F/a/b"]),
        ({"mlp": "F/tp/tp"}, ["cuts twice along tp"]),
        ({"mlp": "L/tp"}, ["L cannot be cut", "[stages]"]),
        ({"mlp": "FV/tp"}, ["'FV' is no size", "did you mean 'F' or 'V'"]),
        ({"mlp": "E/tp"}, ["'E' is no size"]),
        ({"mlp": "F/tq"}, ["no axis 'tq'", "did you mean 'tp'"]),
        ({"mlp": "al F/tp"}, ["lies on 'al'", "did you mean 'all'"]),
        ({"mlp": "F/"}, ["cannot read 'F/'"]),
    ],
)
def test_mistakes(layout, parts):
    """Each says what, and what to do."""
    with pytest.raises(DagtoolError) as caught:
        strategy_of(layout)
    for part in parts:
        assert part in f"{caught.value.message} {caught.value.hint}"


def test_a_region_given_twice():
    """In both tables."""
    with pytest.raises(DagtoolError, match="given twice"):
        strategy_of({"mlp": "F/tp"}, regions={"mlp": "all F/tp"})


@pytest.mark.parametrize(
    "layout",
    [
        {"*": "B/dp", "attention": "B/dp N/cp/tp", "layers.0-2.mlp": "B/dp F/tp/cp", "layers.3-7.mlp": "B/dp F/cp"},
        {"stream": "B/dp/tp/cp", "layers.4-7.stream": "B/dp S/tp/cp", "layers.7.mlp": "B/dp F/cp/tp"},
        {"stream": "B/dp S/cp", "attention.core": "B/dp S/cp N/tp", "layers.2.attention.core": "B/dp N/tp/cp"},
    ],
)
@pytest.mark.parametrize("pipeline", [{}, {"pp": 2}])
def test_layers_of_several_layouts_are_right(layout, pipeline):
    """Generated, clean, and equal to the model."""
    document = {"operators": {"qkv": "separate"}, "degrees": {"dp": 2, "cp": 2, "tp": 2, **pipeline}}
    dag = to_dag(parse(partition(strategy_of(layout, **document)).to_dot().encode())[0])
    assert [one for one in dag.validate() if one.severity == "error"] == []
    proof = prove(dag, seeds=(0,))
    assert proof.failure is None, (dag.ids[proof.failure.node], proof.failure.message)
