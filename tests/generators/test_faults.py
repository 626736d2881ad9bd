"""Mistakes of a strategy file: what says nothing is refused; each has its place; all come in one run."""

import pytest
from helpers.strategies import SIZES, fitting

from dagtool.errors import CollectedError, DagtoolError
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

MODEL = {"B": 8, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 4}
TP = {"attention": "all N/tp", "mlp": "all F/tp", "head": "all V/tp"}


def strategy_of(settings=None, **document):
    """A dense model."""
    return apply_settings("mine", {"sizes": MODEL, **document}, settings or {})


def said(error):
    """Every message and hint."""
    return "\n".join(f"{one.message}\n{one.hint}" for one in error.errors)


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"regions": {"attention": "all HN/tp"}}, ["'HN' is no size"]),
        ({"regions": {"attention": "all /tp"}}, ["cannot read '/tp'"]),
        ({"regions": {"attention": "all N//tp"}}, ["cannot read 'N//tp'"]),
        ({"regions": {"mlp": "all F/tp F/tp"}}, ["cuts F twice"]),
        ({"regions": {"attention": "all G/tp"}}, ["'G' is no size"]),
        ({"regions": {**TP, "experts": "all E/tp"}}, ["no part 'experts'", "ffn = 'moe'"]),
        ({"regions": {**TP, "router": "all"}}, ["no part 'router'"]),
        ({"regions": {**TP, "embedding": "all V/tp"}, "model": {"embedding": "none"}}, ["no part 'embedding'"]),
        ({"sizes": {**MODEL, "E": 8, "K": 2}}, ["no size E (experts)", "no size K (top_k)", "ffn = 'moe'"]),
        ({"sizes": {**MODEL, "hidden": 8}}, ["no key 'hidden'", "hidden is called H"]),
        ({"sizes": {**MODEL, "num_attention_heads": 8}}, ["num_attention_heads is called N"]),
        ({"sizes": {**MODEL, "B": "batch"}}, ["size B (batch_size) is 'batch'", "'B' itself to leave it open"]),
        ({"sizes": {**MODEL, "B": 10**24}}, ["25 digits", "at most 18"]),
        ({"sizes": {**MODEL, "L": 10**12}}, ["size L (layers) is 1,000,000,000,000", "at most 10,000"]),
        ({"degrees": {"tp": 1 << 21}}, ["more than 1,048,576 GPUs"]),
        ({"sizes": {**MODEL, "G": 16}}, ["heads N=8 are no multiple of kv_heads G=16"]),
        ({"degrees": {"tp": 2, "dp": 2}}, ["dp=2 cuts nothing", "replicate = ['dp']", "like stream = '… B/dp'"]),
        ({"degrees": {"tp": 2}, "replicate": ["tq"]}, ["replicate: 'tq' is no axis", "did you mean 'tp'"]),
        ({"degrees": {"tp": 2}, "replicate": ["tp"]}, ["replicate names 'tp', but tp cuts sizes"]),
        ({"degrees": {"tp": 2}, "replicate": "tp"}, ["'replicate' is not a list"]),
        ({"mesh": {"all": ["tp"], "spare": ["tp"]}}, ["no part of the model lies on mesh 'spare'"]),
        (
            {"degrees": {"tp": 4, "cp": 4}, "mesh": {"all": ["tp"], "more": ["cp"]}, "first_gpu": {"more": 2}},
            ["mesh 'more' (GPUs 2-5) and mesh 'all' (GPUs 0-3) share GPUs 2-3", "[first_gpu]"],
        ),
        ({"degrees": {"pp": 2, "tp": 2}, "mesh": {"a": ["tp"], "b": ["tp"]}}, ["no mesh is called 'stage'"]),
        ({"degrees": {"tp": 2}, "mesh": {"s0": ["tp"]}}, ["cannot be called 's0'"]),
        ({"degrees": {"tp": 2}, "mesh": {"all": ["tp", "tp"]}}, ["has an axis twice"]),
        ({"degrees": {"tp": 2, "pp": 2}, "mesh": {"all": ["pp", "tp"]}}, ["has pp as an axis"]),
        ({"degrees": {"tp": 2, "dp": 2}, "mesh": {"all": ["tp"]}}, ["degree 'dp' is an axis of no mesh"]),
        ({"layouts": {}}, ["no key 'layouts'", "did you mean 'layout'"]),
        ({"first_gpu": {"al": 1}}, ["first_gpu 'al' is no mesh", "did you mean 'all'"]),
    ],
)
def test_refused(document, parts):
    """What, why, and what to do."""
    with pytest.raises(DagtoolError) as caught:
        strategy_of(**{"degrees": {"tp": 2}, "regions": TP, **document})
    for part in parts:
        assert part in said(caught.value)


def test_replicas_on_purpose():
    """An axis that cuts nothing, where the file says so."""
    strategy = strategy_of(degrees={"tp": 2, "dp": 2}, regions=TP, replicate=["dp"])
    dag = partition(strategy)
    assert {gpu for node in range(len(dag.ids)) for gpu in dag.gpus(node)} == {0, 1, 2, 3}


@pytest.mark.parametrize("first", [0, 2])
def test_meshes_over_the_same_gpus(first):
    """Two views of the same GPUs, or of a part of them, are no accident."""
    document = {
        "sizes": SIZES,
        "model": {"ffn": "moe"},
        "degrees": {"tp": 4, "ep": 4 if first == 0 else 2},
        "mesh": {"attn": ["tp"], "moe": ["ep"]},
        "first_gpu": {"moe": first},
        "regions": {"stream": "attn", "attention": "attn N/tp", "ffn": "moe", "experts": "moe E/ep"},
    }
    assert apply_settings("mine", fitting(document), {}).meshes()["moe"].gpus[0] == first


@pytest.mark.parametrize(
    ("degrees", "axes"),
    [
        ({"tp": 2, "dp": 2}, ("dp", "tp")),
        ({"tp": 2, "cp": 2, "zz": 2, "etp": 2, "aa": 2, "ep": 2, "dp": 2}, ("dp", "aa", "zz", "ep", "cp", "etp", "tp")),
        ({"tp2": 2, "dp2": 2, "tp1": 2, "kv": 2}, ("dp2", "kv", "tp1", "tp2")),
    ],
)
def test_order_of_degrees_means_nothing(degrees, axes):
    """Tensor parallel ranks lie side by side, whatever line comes first."""
    for order in (degrees, dict(reversed(degrees.items()))):
        strategy = strategy_of(degrees=order, regions={"stream": f"all B/{'/'.join(axes)}"}, sizes={**MODEL, "B": 256})
        assert strategy.meshes()["all"].axes == tuple((axis, 2) for axis in axes)


def test_mesh_states_the_order():
    """Against the usual one."""
    strategy = strategy_of(degrees={"dp": 2, "tp": 2}, mesh={"all": ["tp", "dp"]}, regions={"stream": "all B/dp/tp"})
    assert strategy.meshes()["all"].axes == (("tp", 2), ("dp", 2))


@pytest.mark.parametrize(
    "document",
    [
        {"regions": TP},
        {"regions": {key: text.replace("all", "stage") for key, text in TP.items()}},
        {"regions": {key: text.replace("all ", "") for key, text in TP.items()}},
        {"regions": TP, "mesh": {"all": ["tp"]}},
        {"regions": {key: text.replace("all", "gpus") for key, text in TP.items()}, "mesh": {"gpus": ["tp"]}},
    ],
)
@pytest.mark.parametrize("settings", [{"pp": "2"}, {"pp": "1"}, {}])
def test_a_pipeline_needs_no_other_regions(document, settings):
    """The mesh is laid once for each stage, under the name the file has for it."""
    strategy = strategy_of(settings, degrees={"tp": 2}, **document)
    meshes = list(strategy.meshes())
    assert len(meshes) == int(settings.get("pp", 1))
    assert partition(strategy).kinds


FILE = """\
summary = "six mistakes"
[sizes]
B = 8
S = 0
H = 32
N = 8
D = 8
F = 64
E = 8
V = 128
L = 4

[degrees]
tp = 2

[regions]
attention = "all N/tp"
atention = "all"

[operators]
qkv = "fussed"
[names]
"attention.norm" = "a-b"
[[differences]]
says = "x"
"""


def test_every_mistake_in_one_run_with_its_place(tmp_path):
    """In the order of the file."""
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    with pytest.raises(CollectedError) as caught:
        find_strategy(str(file))
    places = [one.message.removeprefix(f"{file}:").split(":")[:2] for one in caught.value.errors]
    assert places == [["4", "1"], ["9", "1"], ["18", "1"], ["21", "1"], ["23", "1"], ["24", "3"]]
    assert caught.value.message == caught.value.errors[0].message
    assert str(caught.value).count("\n") == 5


@pytest.mark.parametrize(
    ("change", "settings", "place", "part"),
    [
        (("tp = 2", "tp = 3"), {}, ":13:1: ", "tp=3 does not divide heads N=8"),
        (("", ""), {"tp": "3"}, "--set: ", "tp=3 does not divide heads N=8"),
        (("", ""), {"N": "3"}, "--set: ", "tp=2 does not divide heads N=3"),
        (("F = 64\n", ""), {}, ":2:2: ", "does not give F"),
        (('"all N/tp"', '"all N/tq"'), {}, ":16:1: ", "no axis 'tq'"),
        (('"all N/tp"', '"all D/tp"'), {}, ":16:1: ", "attention.softmax"),
        (("tp = 2", "tp = 2\ndp = 2"), {}, ":14:1: ", "dp=2 cuts nothing"),
        (("tp = 2", "tp = 2\npp = 3"), {}, ":14:1: ", "pp=3 does not divide layers"),
        (('"ln_{l}_{tp}"', '"ln_{k}"'), {}, ":19:1: ", "no field 'k'"),
        (('"ln_{l}_{tp}"', '"ln"'), {}, ":19:1: ", "would be called"),
        (('"attention.norm"', '"attention.nrm"'), {}, ":19:1: ", "no part of the model"),
        (("[sizes]", "[sizes"), {}, ":2:7: ", "is not TOML: Expected ']'"),
        (("tp = 2", "tp = 2\ntp = 4"), {}, ":14:7: ", "is not TOML"),
        (("tp = 2", 'tp = "2'), {}, ":13:8: ", "is not TOML"),
    ],
)
def test_places(tmp_path, change, settings, place, part):
    """file:line:column of the key at fault, or that --set gave it."""
    text = (
        "name = 'x'\n[sizes]\nB = 8\nS = 16\nH = 32\nN = 8\nD = 8\nF = 64\nV = 128\nL = 4\n\n[degrees]\ntp = 2\n\n"
        '[regions]\nattention = "all N/tp"\n\n[names]\n"attention.norm" = "ln_{l}_{tp}"\n'
    )
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(*change, 1) if change[0] else text)
    with pytest.raises(DagtoolError) as caught:
        partition(find_strategy(str(file), settings))
    expected = place if place.startswith("--") else f"{file}{place}"
    assert caught.value.errors[0].message.startswith(expected)
    assert part in caught.value.message


def test_byte_order_mark(tmp_path):
    """As some editors write it."""
    file = tmp_path / "mine.toml"
    sizes = "".join(f"{symbol} = {value}\n" for symbol, value in MODEL.items())
    text = f'[sizes]\n{sizes}[degrees]\ntp = 2\n[regions]\nmlp = "F/tp"'
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert find_strategy(str(file)).sizes["B"] == 8


def test_nested_too_deeply(tmp_path):
    """Refused, whatever the recursion limit."""
    file = tmp_path / "mine.toml"
    file.write_text("a = " + "[" * 100_000)
    with pytest.raises(DagtoolError, match="is not TOML"):
        find_strategy(str(file))


def test_the_layout_of_a_phase_is_named_where_it_stands(tmp_path):
    """The line of [decode.layout], not that of [layout], which is right."""
    sizes = "\n".join(f"{size} = {number}" for size, number in {**MODEL, "Q": 1, "T": 20}.items())
    text = f"""phase = "prefill decode"
[sizes]
{sizes}
[degrees]
tp = 2
dp = 2
[layout]
"*" = "B/dp"
"mlp" = "B/dp F/tp"
[decode.layout]
"*" = "B/dp"
"mlp" = "B/dp F/tp H/dp"
"""
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(DagtoolError) as caught:
        partition(find_strategy(str(file), {}))
    line = text.splitlines().index('"mlp" = "B/dp F/tp H/dp"') + 1
    assert caught.value.message.startswith(f"{file}:{line}:1: mlp.norm.split")
    assert caught.value.hint == "it can with [decode.layout] mlp = 'all B/dp F/tp'"


def test_sizes_of_a_model_that_cannot_be_read_are_no_mistakes():
    """Only the model is at fault; a word that cannot be a size is one all the same."""
    with pytest.raises(DagtoolError) as caught:
        strategy_of(model={"ffn": "lowrnk"}, sizes={**MODEL, "Rf": 4, "hidden_size": 32})
    assert [one.message.partition(": ")[2] or one.message for one in caught.value.errors] == [
        "[model] model ffn is 'lowrnk'",
        "[sizes] has no key 'hidden_size'",
    ]


MODEL_FILE = """\
[sizes]
B = 8
S = 16
H = 32
N = 8
D = 8
V = 128
L = 4
[model]
layers = "one, two*"
[model.one]
ffn = "dense"
[model.two]
ffn = "denes"
[degrees]
tp = 2
[layout]
"attenion" = "N/tp"
"mlp" = "F/tq"
[store]
"*" = "dp"
"""


@pytest.mark.parametrize(
    ("ffn", "places"), [("denes", ["14:1", "18:1", "19:1", "21:1"]), ("dense", ["1:2", "18:1", "19:1", "21:1"])]
)
def test_a_mistake_in_the_model_hides_none_in_the_layout(tmp_path, ffn, places):
    """The option that is wrong has its line; without it the missing size is the mistake, not the cut that names it."""
    file = tmp_path / "mine.toml"
    file.write_text(MODEL_FILE.replace("denes", ffn))
    with pytest.raises(CollectedError) as caught:
        find_strategy(str(file))
    assert [":".join(one.message.removeprefix(f"{file}:").split(":")[:2]) for one in caught.value.errors] == places
