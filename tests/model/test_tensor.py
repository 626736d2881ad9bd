"""Tensor types: text form and local shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.model.size import Size
from dagtool.model.tensor import Dim, TensorType, TypeTextError, parse_ports, parse_type

AXES = ["dp", "ep", "tp", "cp"]


@st.composite
def tensor_types(draw):
    """Types in which each axis has one meaning."""
    axes = draw(st.permutations(AXES))
    cuts = [axes[:2], axes[2:3]]
    dims = [Dim(Size.of(symbol), tuple(cut)) for symbol, cut in zip("BH", cuts, strict=True)]
    partial = tuple(axes[3:]) if draw(st.booleans()) else ()
    varying = tuple(draw(st.lists(st.sampled_from(axes[:3]), unique=True)))
    return TensorType(tuple(dims), draw(st.sampled_from(["all", "s0"])), partial, varying)


@given(tensor_types())
def test_text_reads_back(tensor):
    """What is written is what is read."""
    assert parse_type(str(tensor)) == tensor


def test_ports():
    """Several named types in one text."""
    ports = parse_ports("q: [B/dp, S] @m; k: [B] sum(tp) @m")
    assert [(name, str(tensor)) for name, tensor in ports] == [("q", "[B/dp, S] @m"), ("k", "[B] sum(tp) @m")]


def test_local_shape():
    """Each axis divides the dimension it cuts, nothing else."""
    local = parse_type("[B/ep, S, H/tp] @m").local_shape({"ep": 16, "tp": 4})
    assert list(map(str, local)) == ["B/16", "S", "H/4"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[B",
        "[B]",
        "[B] @",
        "[b] @m",
        "[B/tp, S/tp] @m",
        "[B/tp] sum(tp) @m",
        "[B] sum(tp) vary(tp) @m",
        "[B] sum tp @m",
        "[B,,S] @m",
        "B @m",
    ],
)
def test_refused(text):
    """A type that is not well formed, or gives an axis two meanings, is an error."""
    with pytest.raises(TypeTextError):
        parse_type(text)
