"""What cannot be deployed is refused: one clear message, the dimension and the degrees that fit."""

import re

import pytest

from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.settings import apply_settings, parse_settings

MODEL = {"B": 8, "S": 16, "H": 32, "N": 4, "D": 8, "F": 64, "V": 128, "L": 2}


def build(**document):
    """A strategy document made into a DAG, so that every check has run."""
    from dagtool.generators.partition import partition

    return partition(apply_settings("mine", {"sizes": MODEL, **document}, {}))


@pytest.mark.parametrize(
    ("name", "settings", "parts"),
    [
        ("tp8", {"N": "64", "tp": "7"}, ["tp=7", "heads N=64", "4 and 8"]),
        ("ep16", {"ep": "5"}, ["ep=5", "experts E=16", "batch_size B=128", "4 and 8"]),
        ("ma_separation", {"ep": "5"}, ["ep=5", "experts E=16", "4 and 8"]),
        ("dense_tp8_pp2", {"pp": "3"}, ["pp=3", "layers L=16", "2 and 4"]),
        ("ma_separation", {"V": "50265"}, ["tp=8", "vocab_size V=50265", "50272"]),
    ],
)
def test_degree_that_does_not_divide(name, settings, parts):
    """The message names degree, dimension and value; the hint the nearest that fit."""
    with pytest.raises(DagtoolError) as caught:
        generate(name, settings)
    text = f"{caught.value.message} {caught.value.hint}"
    assert all(part in text for part in parts), text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("degree", range(1, 33))
def test_suggested_degrees_really_fit(degree):
    """Whatever degree is refused, the suggested ones are accepted."""
    try:
        generate("tp8", {"tp": str(degree), "L": "1"})
    except DagtoolError as error:
        suggested = re.search(r"nearest degrees? that (?:do are|does is) (\d+)(?: and (\d+))?", error.hint).groups()
        suggested = [one for one in suggested if one]
        assert suggested
        for one in suggested:
            generate("tp8", {"tp": one, "L": "1"})


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({"size": {}}, "no key 'size'"),
        ({"sizes": {**MODEL, "Z": 1}}, "no key 'Z'"),
        ({"sizes": {**MODEL, "Q": 1}}, "the model has no size Q"),
        ({"sizes": {k: v for k, v in MODEL.items() if k != "H"}}, "does not give H"),
        ({"sizes": {**MODEL, "H": 0}}, "size H"),
        ({"sizes": {**MODEL, "H": True}}, "size H"),
        ({"sizes": {**MODEL, "L": "L"}}, "L cannot be a symbol"),
        ({"sizes": 3}, "not a table"),
        ({"model": {"gated": "yes"}}, "gated is 'yes'"),
        ({"model": {"norm": ["rms"]}}, "norm is ['rms']"),
        ({"degrees": {"TP": 2}}, "small letters"),
        ({"degrees": {"tp": 0}}, "degree tp is 0"),
        ({"degrees": {"tp": 2}, "mesh": {"all": "tp"}}, "list of axes"),
        ({"first_gpu": {"all": -1}}, "first_gpu all"),
        ({"differences": [{"says": "x"}]}, "takes the keys"),
        ({"differences": 3}, "not a list"),
        ({"stated": 3}, "not a table"),
        ({"stated": {"000": "x"}}, "not a list"),
        ({"stated": {"000": [["layers", "4"]]}}, "[stated] 000: ['layers', '4']"),
        ({"stated": {"000": [["layers", 4, "size L"]]}}, "[stated] 000"),
        ({"assumed": "V"}, "not a list"),
        ({"model": {"ffn": "sparse"}}, "known: dense, lowrank, moe"),
        ({"model": {"ffn": "moe"}}, "does not give K"),
        ({"degrees": {"tp": 2}, "mesh": {"all": ["tq"]}}, "axis 'tq'"),
        ({"degrees": {"tp": 2}, "regions": {"atention": "all"}}, "no key 'atention'"),
        ({"degrees": {"tp": 2}, "regions": {"attention": "al N/tp"}}, "no mesh"),
        ({"degrees": {"tp": 2}, "regions": {"attention": "all N/t"}}, "no axis 't'"),
        ({"degrees": {"tp": 2}, "regions": {"attention": "all N"}}, "cannot read 'N'"),
        ({"operators": {"qkv": "splt"}}, "qkv is 'splt'"),
        ({"names": {"attention.norm": "a-b"}}, "names have letters"),
        ({"names": {"attention.nrom": "ln_{l}"}}, "did you mean 'attention.norm'"),
        ({"names": {"attention.norm": "ln_{lay}"}}, "no field 'lay'"),
        ({"names": {"attention.norm": "ln"}}, "would be called 'ln'"),
        ({"degrees": {"tp": 2}, "regions": {"attention": "all N/tp"}, "names": {"attention.norm": "ln"}}, "would be"),
    ],
)
def test_strategy_file_mistakes(document, part):
    """Each mistake is one message that names the key."""
    with pytest.raises(DagtoolError) as caught:
        build(**document)
    assert part in " ".join(f"{error.message} {error.hint}" for error in caught.value.errors)


@pytest.mark.parametrize("text", ["L", "=4", "L=", ""])
def test_setting_that_is_none(text):
    """--set wants KEY=VALUE."""
    with pytest.raises(DagtoolError, match="KEY=VALUE"):
        parse_settings((text,))


@pytest.mark.parametrize(
    ("settings", "part"), [({"Q": "1"}, "no such size"), ({"L": "x"}, "whole number"), ({"tp": "tp"}, "whole number")]
)
def test_setting_that_does_not_fit(settings, part):
    """Unknown keys and values that are no number or symbol."""
    with pytest.raises(DagtoolError, match=part):
        generate("tp8", settings)


def test_unknown_preset():
    """Did you mean."""
    with pytest.raises(DagtoolError) as caught:
        generate("ep16tp4")
    assert "'ep16_tp4'" in caught.value.hint


def test_tokens_of_an_expert_are_a_mean():
    """Fewer tokens than experts, or a number that they do not divide: the mean over experts is a fraction."""
    dag = generate("pp2", {"E": "48", "L": "2"})
    tokens = next(kind for kind in dag.kinds if kind.role == "moe.up").outputs[0].type.dims[0].size
    assert (str(tokens), tokens.bind(dag.sizes).is_fraction) == ("B*S*K/E", True)
