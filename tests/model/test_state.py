"""Weights beside a config.json: .npz, safetensors, shards; and everything that is none."""

import contextlib
import json
import struct

import numpy as np
import pytest
from helpers.published import CONFIGS

from dagtool.errors import DagtoolError
from dagtool.model.families import read_config
from dagtool.model.families import state as module
from dagtool.model.families.state import open_folder, read_npz, read_state, read_weights

NUMBERS = np.array([[1.5, -2.25, 0.0], [3.0, 1e-3, -1e4]])


def safetensors(tensors, **changes):
    """The bytes of a file; ``tensors``: dtype, shape and bytes by name."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, held) in tensors.items():
        ends = [len(data), len(data) + len(held)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": ends, **changes}
        data += held
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def written(array, dtype):
    """An array as a tensor of a data type."""
    if dtype == "BF16":  # the upper half of single precision
        return dtype, list(array.shape), (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?", "U8": "u1", "I8": "i1", "I32": "<i4", "I64": "<i8"}
    return dtype, list(array.shape), array.astype(kinds[dtype]).tobytes()


def shapes_of_llama(config):
    """The arrays of a checkpoint of Llama by its own names."""
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    width = hidden // heads
    found = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    found["lm_head.weight"] = (vocabulary, hidden)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        rows = {"self_attn.q_proj": heads * width, "self_attn.k_proj": groups * width}
        rows |= {"self_attn.v_proj": groups * width, "self_attn.o_proj": hidden}
        rows |= {"mlp.gate_proj": inner, "mlp.up_proj": inner, "mlp.down_proj": hidden}
        for name, count in rows.items():
            found[f"{at}.{name}.weight"] = (count, inner if name == "mlp.down_proj" else hidden)
            found[f"{at}.{name}.bias"] = (count,)
        found |= dict.fromkeys([f"{at}.input_layernorm.weight", f"{at}.post_attention_layernorm.weight"], (hidden,))
    return found


LLAMA = read_config(CONFIGS["llama"])


@pytest.fixture
def state():
    """Random weights of the small Llama."""
    drawn = np.random.default_rng(5)
    return {name: drawn.standard_normal(shape) for name, shape in shapes_of_llama(CONFIGS["llama"]).items()}


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
def test_floating_point(tmp_path, dtype):
    """To the precision of the type; bfloat16 has eight bits."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(safetensors({"a": written(NUMBERS, dtype), "b": written(NUMBERS[:, :0], dtype)}))
    found = read_state(str(file))
    bits = {"F64": 0.0, "F32": 1e-7, "F16": 1e-3, "BF16": 2.0**-7}[dtype]
    np.testing.assert_allclose(found["a"].astype(float), NUMBERS, rtol=bits)
    assert (found["b"].shape, set(found)) == ((2, 0), {"a", "b"})


def test_bfloat16_is_exact(tmp_path):
    """Numbers of eight bits come back as they were."""
    file, numbers = tmp_path / "model.safetensors", np.array([1.0, -0.15625, 3.0e38, 2.0**-126, 0.0])
    numbers = (numbers.astype("<f4").view("<u4") & 0xFFFF0000).view("<f4")
    file.write_bytes(safetensors({"a": written(numbers, "BF16")}))
    assert (read_state(str(file))["a"] == numbers).all()


@pytest.mark.parametrize("dtype", ["BOOL", "U8", "I8", "I32", "I64"])
def test_whole_numbers(tmp_path, dtype):
    file = tmp_path / "model.safetensors"
    file.write_bytes(safetensors({"a": written(np.array([0, 1, 1]), dtype), "scalar": written(np.array(1), dtype)}))
    found = read_state(str(file))
    assert found["a"].astype(int).tolist() == [0, 1, 1]
    assert found["scalar"].shape == ()


def sharded(folder, state, shards):
    """Write each array to a shard by turns, and the index."""
    placed = {name: f"model-{number % shards}.safetensors" for number, name in enumerate(state)}
    for file in set(placed.values()):
        held = {name: written(array, "F64") for name, array in state.items() if placed[name] == file}
        (folder / file).write_bytes(safetensors(held))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": placed}))
    return str(index)


def test_every_form_holds_the_same(tmp_path, state):
    """The weights by role are those of the arrays themselves."""
    np.savez(tmp_path / "weights.npz", **state)
    (tmp_path / "model.safetensors").write_bytes(safetensors({k: written(v, "F64") for k, v in state.items()}))
    files = [str(tmp_path / "weights.npz"), str(tmp_path / "model.safetensors"), sharded(tmp_path, state, 3)]
    expected = LLAMA.checkpoint(state)
    for file in files:
        found = read_weights(LLAMA, file)
        assert set(found) == set(expected)
        assert all((found[key] == array).all() for key, array in expected.items())


def test_folder(tmp_path):
    """The first of the names that is there; a link to nothing is there too."""
    with pytest.raises(DagtoolError, match=r"has no config\.json"):
        open_folder(str(tmp_path))
    (tmp_path / "config.json").touch()
    assert open_folder(str(tmp_path)) == (str(tmp_path), "", "")
    (tmp_path / "model.safetensors").symlink_to("blobs/gone")
    (tmp_path / "run.npz").touch()
    found = open_folder(str(tmp_path))
    assert (found.weights, found.record) == (str(tmp_path / "model.safetensors"), str(tmp_path / "run.npz"))
    with pytest.raises(DagtoolError, match="cannot read"):
        read_state(found.weights)
    (tmp_path / "weights.npz").touch()
    assert open_folder(str(tmp_path)).weights == str(tmp_path / "weights.npz")


def test_folder_of_an_adapter(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "x"}')
    with pytest.raises(DagtoolError, match="holds an adapter") as error:
        open_folder(str(tmp_path))
    assert "base model" in error.value.hint


# -- what does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("model.layers.1.self_attn.k_proj.weight", None, r"no model\.layers\.1\.self_attn\.k_proj\.weight"),
        ("model.layers.1.self_attn.k_proj.weight", np.transpose, r"k_proj\.weight \(24, 12\) does not fit config"),
        ("model.layers.0.mlp.up_proj.weight", lambda array: array[:-1], r"up_proj\.weight \(19, 24\) does not fit"),
        ("model.layers.0.mlp.down_proj.weight", np.transpose, r"down_proj\.weight \(20, 24\) does not fit config"),
        ("model.norm.weight", lambda array: array[:-1], r"norm\.weight \(23,\) does not fit config\.json"),
        ("model.norm.weight", lambda array: array * np.nan, r"head\.norm has values that are not finite"),
        ("lm_head.bias", lambda _: np.zeros(40), r"has lm_head\.bias, which this model does not read"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, state, name, change, part):
    """The tensor is named, and the file."""
    changed = None if change is None else change(state.get(name))
    state = {**state, name: changed} if changed is not None else {k: v for k, v in state.items() if k != name}
    np.savez(tmp_path / "weights.npz", **state)
    with pytest.raises(DagtoolError, match=part) as error:
        read_weights(LLAMA, str(tmp_path / "weights.npz"))
    assert error.value.message.startswith(str(tmp_path / "weights.npz"))
    assert error.value.hint


def test_too_many_weights(tmp_path, state, monkeypatch):
    """A whole model is not run in numpy: packed or not, in one file or several."""
    np.savez_compressed(tmp_path / "weights.npz", **{name: 0 * array for name, array in state.items()})
    index = sharded(tmp_path, state, 2)
    size = (tmp_path / "weights.npz").stat().st_size
    monkeypatch.setattr(module, "MOST_BYTES", size + 1)
    for file in (str(tmp_path / "weights.npz"), index):
        with pytest.raises(DagtoolError, match="GiB of weights"):
            read_state(file)


# -- files that are damaged -------------------------------------------------------------------

GOOD = safetensors({"a": written(NUMBERS, "F32")})


def header(text):
    """A file with this header and a few bytes."""
    return struct.pack("<Q", len(text)) + text + bytes(24)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "it has no header"),
        (b"\x01\x02", "it has no header"),
        (GOOD[:40], "its header has"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "its header has"),
        (GOOD[:-1], "a: the file ends 1 bytes before it does"),
        (header(b"{"), r"its header:.* is no JSON"),
        (header(b"\xff\xfe{}"), r"its header:.* is no JSON"),
        (header(b"[" * 100_000), r"its header:.* is no JSON"),
        (header(b"[1]"), "its header is no table"),
        (header(b'{"a": 3}'), "does not say its dtype, shape and data_offsets"),
        (header(b'{"a": {"dtype": "F32", "shape": [6]}}'), "does not say"),
        (safetensors({"a": written(NUMBERS, "F32")}, shape=[2, -3]), "does not say"),
        (safetensors({"a": written(NUMBERS, "F32")}, shape=[2, 3.0]), "does not say"),
        (safetensors({"a": written(NUMBERS, "F32")}, shape=[2, 4]), r"24 bytes are not F32 of shape \(2, 4\)"),
        (safetensors({"a": written(NUMBERS, "F32")}, shape=[1 << 62, 1 << 62]), "24 bytes are not F32"),
        (safetensors({"a": written(NUMBERS, "F32")}, data_offsets=[24, 0]), "-24 bytes are not F32"),
        (safetensors({"a": written(NUMBERS, "F32")}, data_offsets=[8, 32]), "the file ends 8 bytes before"),
        (safetensors({"a": written(NUMBERS, "F32")}, dtype="F8_E4M3"), "a: data type F8_E4M3 is not read"),
    ],
)
def test_damaged_safetensors(tmp_path, data, part):
    """One error with the path, and what to do."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(data)
    with pytest.raises(DagtoolError, match=part) as error:
        read_state(str(file))
    assert error.value.message.startswith(str(file))
    assert error.value.hint


@pytest.mark.parametrize("length", range(0, len(GOOD), 5))
def test_safetensors_that_end_too_early(tmp_path, length):
    file = tmp_path / "model.safetensors"
    file.write_bytes(GOOD[:length])
    with pytest.raises(DagtoolError):
        read_state(str(file))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is no JSON"),
        ("[]", "has no table 'weight_map'"),
        ('{"weight_map": {"a": 1}}', "has no table 'weight_map'"),
        ('{"weight_map": {"a": "../other.safetensors"}}', "which is not in its folder"),
        ('{"weight_map": {"a": ""}}', "which is not in its folder"),
        ('{"weight_map": {"a": "gone.safetensors"}}', "cannot read .*gone.safetensors: No such file"),
        ('{"weight_map": {"b": "here.safetensors"}}', "here.safetensors: has no b, which model.safetensors.index.json"),
    ],
)
def test_damaged_index(tmp_path, text, part):
    (tmp_path / "here.safetensors").write_bytes(GOOD)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(DagtoolError, match=part):
        read_state(str(index))


def npz_of(folder, **arrays):
    """The bytes of an .npz."""
    np.savez(folder / "made.npz", **arrays)
    return (folder / "made.npz").read_bytes()


def test_npz_that_is_none(tmp_path):
    """Text, an array alone, an empty file, a part of one."""
    np.save(tmp_path / "alone.npy", NUMBERS)
    whole = npz_of(tmp_path, a=NUMBERS, b=NUMBERS)
    for data in (b"", b"no archive", (tmp_path / "alone.npy").read_bytes(), whole[:100], whole[:-30]):
        (tmp_path / "weights.npz").write_bytes(data)
        with pytest.raises(DagtoolError, match=r"weights\.npz: is no \.npz file"):
            read_npz(str(tmp_path / "weights.npz"))


def test_npz_with_other_things(tmp_path):
    """Pickled objects are not loaded; words, raw bytes and damaged arrays are told from numbers."""
    objects, words = np.array([{"a": 1}], dtype=object), np.array(["a", "b"])
    damaged = npz_of(tmp_path, a=NUMBERS).replace(NUMBERS.tobytes(), bytes(NUMBERS.nbytes))
    for data, part in (
        (npz_of(tmp_path, a=objects), "holds no plain arrays: .*allow_pickle=False"),
        (npz_of(tmp_path, a=words), "a is not an array of numbers"),
        (npz_of(tmp_path, a=np.zeros(3, "V2")), "a is not an array of numbers"),
        (damaged, "is damaged"),
    ):
        (tmp_path / "weights.npz").write_bytes(data)
        with pytest.raises(DagtoolError, match=part) as error:
            read_npz(str(tmp_path / "weights.npz"))
        assert "float32" in error.value.hint


def test_every_damaged_byte_of_an_npz_is_an_error_or_no_matter(tmp_path):
    """Nothing but DagtoolError comes out."""
    whole = npz_of(tmp_path, a=np.arange(3))
    for place in range(len(whole)):
        (tmp_path / "weights.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with contextlib.suppress(DagtoolError):
            read_npz(str(tmp_path / "weights.npz"))
