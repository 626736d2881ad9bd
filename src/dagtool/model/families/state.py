"""Weights beside a ``config.json``: numpy's .npz, or safetensors, whole or in shards, by the checkpoint's own names.

A safetensors file is eight bytes, little-endian, that say how long the header is; the header, JSON, with data type,
shape and place of every tensor; and their bytes. Nothing is unpickled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from math import prod
from operator import mul
from typing import TYPE_CHECKING, Any, NamedTuple

from dagtool.documents import parse_json
from dagtool.errors import DagtoolError
from dagtool.files import read_bytes
from dagtool.model.families.checkpoint import Checkpoint
from dagtool.model.limits import MOST_BYTES

if TYPE_CHECKING:
    from dagtool.model.families import PublishedModel
    from dagtool.model.families.checkpoint import Array, Arrays

__all__ = ["RECORD", "WEIGHTS", "ModelFolder", "open_folder", "read_npz", "read_state", "read_weights"]

RECORD = "run.npz"
"""The file of a model's folder with tokens and the logits that they gave."""

WEIGHTS = ("weights.npz", "model.safetensors", "model.safetensors.index.json")
"""What the weights of a folder may be called. The first that is there is read."""

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1",
}  # fmt: skip
"""Numpy's names of the data types of safetensors; BF16: its bits."""

_NUMBERS = "fiub"
"""Kinds of arrays that are numbers: floating point, integers, true and false."""


class ModelFolder(NamedTuple):
    """A folder with a ``config.json``, and the paths of what lies beside it; empty where it does not."""

    path: str
    weights: str
    record: str


def open_folder(path: str) -> ModelFolder:
    """Return what is in a model's folder. Raises DagtoolError for one without ``config.json``."""
    if not _lies_there(os.path.join(path, "config.json")):
        if _lies_there(os.path.join(path, "adapter_config.json")):
            hint = "merge it into its base model, or give the folder of that: 'base_model_name_or_path' names it"
            raise DagtoolError(f"{path}: holds an adapter (adapter_config.json), not a whole model", hint)
        raise DagtoolError(f"{path}: has no config.json", "--model takes the folder of a model as it is published")
    return ModelFolder(path, _first_of(path, WEIGHTS), _first_of(path, (RECORD,)))


def _first_of(folder: str, names: Iterable[str]) -> str:
    """Return the path of the first of several files that a folder has, or an empty text."""
    paths = (os.path.join(folder, name) for name in names)
    return next((path for path in paths if _lies_there(path)), "")


def _lies_there(path: str) -> bool:
    """Whether something has this name, were it a link to nothing: then reading it says so."""
    return os.path.lexists(path)


def read_weights(published: PublishedModel, path: str) -> Arrays:
    """Return the weights of a file by (role, layer, expert), in the shapes of the model.

    Raises DagtoolError for a file that cannot be read, a weight that is missing, one that is left over, and one whose
    shape is not that of the configuration.
    """
    import numpy as np

    hint = f"{os.path.basename(path)} must hold the weights of the config.json beside it"
    taken = _Strict(read_state(path), published.model, published.sizes)
    try:
        _checkpoint_of(published)(taken)
        arrays = taken.finish()
    except DagtoolError as error:
        raise DagtoolError(f"{path}: {error.message}", error.hint or hint) from None
    except (ValueError, IndexError) as error:
        raise DagtoolError(f"{path}: {taken.latest} does not fit config.json: {_line(error)}", hint) from None
    for (role, layer, _), array in arrays.items():
        if not np.isfinite(array).all():
            of = f" of layer {layer}" if layer >= 0 else ""
            raise DagtoolError(f"{path}: {role}{of} has values that are not finite", "nothing can be compared with it")
    return arrays


def _checkpoint_of(published: PublishedModel) -> Callable[[Checkpoint], None]:
    """Return what puts the arrays of a family's state dict into the shapes of the model."""
    from importlib import import_module

    from dagtool.model.families import model_types

    module = import_module(f"dagtool.model.families.{model_types()[published.model_type]}")
    read: Callable[[Checkpoint], None] = module.checkpoint
    return read


class _Strict(Checkpoint):
    """Takes no array whose axes are others than the model's: as many numbers in another order are not its weight."""

    latest = ""
    """The array taken last, and its shape."""

    def take(self, *names: str) -> Array:
        """As the base class."""
        array = super().take(*names)
        self.latest = f"{next(name for name in names if self.has(name))} {array.shape}"
        return array

    def put(self, role: str, layer: int, array: Array, *sizes: int | str, expert: int = -1) -> None:
        """As the base class, of shapes that are the model's but for neighbouring axes that are one."""
        shape = [size if isinstance(size, int) else self.sizes[size] for size in sizes]
        few, many = sorted((list(accumulate(one, mul)) for one in (array.shape, shape)), key=len)
        if few[-1:] != many[-1:] or not set(few) <= set(many):
            of = f" of layer {layer}" if layer >= 0 else ""
            raise DagtoolError(f"{self.latest} does not fit config.json, by which {role}{of} is {tuple(shape)}")
        super().put(role, layer, array, *sizes, expert=expert)


def read_state(path: str) -> dict[str, Any]:
    """Return the arrays of a file of weights by name: .npz, .safetensors or an index of shards. Raises DagtoolError."""
    if path.endswith(".json"):
        return _read_shards(path)
    _check_bytes(path, [path])
    return read_npz(path) if path.endswith(".npz") else _read_safetensors(path)


def _check_bytes(path: str, files: Iterable[str]) -> None:
    """Raise DagtoolError where weights are more than can be run in numpy."""
    try:
        held = sum(os.stat(file).st_size for file in files)
    except OSError as error:
        raise DagtoolError(f"cannot read {error.filename}: {error.strerror}") from None
    _check_count(path, held)


def _check_count(path: str, held: int) -> None:
    if held > MOST_BYTES:
        hint = "shorten the model (fewer layers and experts); --model FOLDER/config.json proves with random weights"
        most = f"at most {MOST_BYTES >> 30} GiB are run in numpy"
        raise DagtoolError(f"{path}: holds {held / (1 << 30):.1f} GiB of weights; {most}", hint)


# -- numpy's .npz -----------------------------------------------------------------------------


def read_npz(path: str) -> dict[str, Any]:
    """Return the arrays of an .npz file by name. Raises DagtoolError for anything else, and for pickled objects."""
    import zipfile
    import zlib
    from io import BytesIO

    import numpy as np

    data = BytesIO(read_bytes(path))
    if not zipfile.is_zipfile(data):
        raise DagtoolError(f"{path}: is no .npz file", "numpy.savez writes one")
    data.seek(0)
    try:
        with zipfile.ZipFile(data) as members:
            _check_count(path, sum(member.file_size for member in members.infolist()))
        data.seek(0)
        with np.load(data, allow_pickle=False) as held:
            arrays = dict(held)
    except (*_DAMAGED, zipfile.BadZipFile, zlib.error) as error:
        raise DagtoolError(f"{path}: is damaged, or holds no plain arrays: {_line(error)}", _PLAIN) from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in _NUMBERS:
            kind = array.dtype if isinstance(array, np.ndarray) else "no array"
            raise DagtoolError(f"{path}: {name} is not an array of numbers ({kind})", _PLAIN)
    return arrays


_DAMAGED = (ValueError, OSError, EOFError, LookupError, RuntimeError, MemoryError, OverflowError)
_PLAIN = "numpy.savez writes arrays of numbers; bfloat16 is written as float32"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


# -- safetensors ------------------------------------------------------------------------------


def _read_shards(path: str) -> dict[str, Any]:
    """Return the arrays of the files that an index names for each tensor."""
    index = parse_json(read_bytes(path), path)
    placed = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(placed, dict) or not all(isinstance(file, str) for file in placed.values()):
        raise DagtoolError(f"{path}: has no table 'weight_map' of tensors and their files")
    folder = os.path.dirname(path)
    files = {file: os.path.join(folder, file) for file in sorted(set(placed.values()))}
    if away := [file for file in files if file != os.path.basename(file) or not file]:
        raise DagtoolError(f"{path}: names the shard {away[0]!r}, which is not in its folder")
    _check_bytes(path, files.values())
    shards = {file: _read_safetensors(whole) for file, whole in files.items()}
    for name, file in placed.items():
        if name not in shards[file]:
            raise DagtoolError(f"{files[file]}: has no {name}, which {os.path.basename(path)} says is there")
    return {name: shards[file][name] for name, file in placed.items()}


def _read_safetensors(path: str) -> dict[str, Any]:
    """Return the tensors of a file by name."""
    data = read_bytes(path)
    header, start = _header(path, data)
    return {
        name: _tensor(f"{path}: {name}", told, memoryview(data)[start:])
        for name, told in header.items()
        if name != "__metadata__"
    }


def _header(path: str, data: bytes) -> tuple[Mapping[str, Any], int]:
    """Return the table of tensors and where their bytes begin."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        why = (
            f"its header has {length:,} bytes, and the file only {len(data):,}"
            if len(data) >= 8
            else "it has no header"
        )
        raise DagtoolError(f"{path}: is no safetensors file, or not all of it: {why}", _AGAIN)
    header = parse_json(data[8 : 8 + length], f"{path}: is no safetensors file: its header", _AGAIN)
    if not isinstance(header, dict):
        raise DagtoolError(f"{path}: is no safetensors file: its header is no table of tensors", _AGAIN)
    return header, 8 + length


_AGAIN = "copy or download it again; a file of Git LFS that was never fetched is only a pointer"


def _tensor(place: str, told: Any, data: memoryview) -> Any:
    """Return a tensor as an array of its shape, BF16 as float32."""
    import numpy as np

    fields = told if isinstance(told, dict) else {}
    dtype, shape, ends = fields.get("dtype"), _counts(fields.get("shape")), _counts(fields.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or ends is None or len(ends) != 2:
        raise DagtoolError(f"{place}: the header does not say its dtype, shape and data_offsets", _AGAIN)
    if dtype not in _DTYPES:
        hint = f"known: {', '.join(_DTYPES)}; write quantised weights as BF16"
        raise DagtoolError(f"{place}: data type {dtype} is not read", hint)
    kind, (first, end) = np.dtype(_DTYPES[dtype]), ends
    if end - first != prod(shape) * kind.itemsize:
        raise DagtoolError(f"{place}: {end - first:,} bytes are not {dtype} of shape {shape}", _AGAIN)
    if end > len(data):
        raise DagtoolError(f"{place}: the file ends {end - len(data):,} bytes before it does", _AGAIN)
    array = np.frombuffer(data[first:end], kind).reshape(shape)
    # The sixteen bits are the upper half of a number in single precision.
    return (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array


def _counts(value: Any) -> tuple[int, ...] | None:
    """Return a list of whole numbers, none of them negative; None for anything else."""
    return tuple(value) if isinstance(value, list) and all(type(one) is int and one >= 0 for one in value) else None
