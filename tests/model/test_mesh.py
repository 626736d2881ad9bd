"""Meshes: coordinates, members, text forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.mesh import Mesh, MeshError, format_gpus, parse_gpus, parse_meshes

MESH = Mesh("m", (("ep", 3), ("tp", 2)), tuple(range(10, 16)))


def test_last_axis_is_fastest():
    """Rank order is row-major."""
    assert MESH.members({"ep": 1}) == (12, 13)
    assert MESH.members({"tp": 0}) == (10, 12, 14)
    assert MESH.members({}) == MESH.gpus
    assert list(MESH.coordinates(["ep"])) == [{"ep": 0}, {"ep": 1}, {"ep": 2}]


@pytest.mark.parametrize("gpu", MESH.gpus)
def test_position_undoes_members(gpu):
    """A GPU is the only member at its own position."""
    assert MESH.members(MESH.position(gpu)) == (gpu,)


@given(st.lists(st.integers(0, 60), unique=True).map(sorted))
def test_gpu_text_reads_back(gpus):
    """Ranges lose nothing."""
    if gpus:
        assert list(parse_gpus(format_gpus(gpus))) == gpus


def test_meshes_text_reads_back():
    """Several meshes, one without axes."""
    text = "attn: tp=8 gpus=0-7; one: gpus=9"
    assert "; ".join(map(str, parse_meshes(text).values())) == text


@pytest.mark.parametrize(
    "text", ["m", "m: tp=2 gpus=0", "m: tp=2", "m: gpus=3-1", "m: tp=2 gpus=0,0", "m: gpus=0-x", "m: y=1p=2 gpus=1"]
)
def test_refused_meshes(text):
    """A mesh that does not fit its GPUs is an error."""
    with pytest.raises(MeshError):
        parse_meshes(text)


@pytest.mark.parametrize("text", ["", "a", "1-", "5-2", "1,,2", "0-99999999"])
def test_refused_gpus(text):
    """So is a list that cannot be read, or one that would fill the memory."""
    with pytest.raises(MeshError):
        parse_gpus(text)
