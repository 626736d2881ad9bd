from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.foreign.dims import ValueKind, canonical, parse_dim, parse_shapes


@pytest.mark.parametrize(
    ("text", "name", "kind", "value"),
    [
        ("heads=16", "heads", ValueKind.INT, 16),
        ("128", "", ValueKind.INT, 128),
        ("num_heads = 8", "heads", ValueKind.INT, 8),
        ("d_model=4096/8", "hidden", ValueKind.EXPRESSION, 512),
        ("hidden=1024×16", "hidden", ValueKind.EXPRESSION, 16384),
        ("3*(4+2)", "", ValueKind.EXPRESSION, 18),
        ("12x4", "", ValueKind.EXPRESSION, 48),
        ("4096/3", "", ValueKind.EXPRESSION, None),
        ("1/0", "", ValueKind.EXPRESSION, None),
        ("B*S", "", ValueKind.EXPRESSION, None),
        ("vocab_size=V", "vocab_size", ValueKind.SYMBOL, None),
        ("batch_size=batch_size", "batch_size", ValueKind.SYMBOL, None),
        ("tokens", "", ValueKind.SYMBOL, None),
        ("seq=10K", "seq_len", ValueKind.SYMBOL, None),
        ("tokens=?", "tokens", ValueKind.UNKNOWN, None),
        ("?", "", ValueKind.UNKNOWN, None),
        ("batch_size=~8", "batch_size", ValueKind.UNKNOWN, None),
        ("seq_len=1-2048", "seq_len", ValueKind.RANGE, None),
        ("8 heads", "heads", ValueKind.INT, 8),
        ("8×32=256", "", ValueKind.INT, 256),
    ],
)
def test_one_dimension(text: str, name: str, kind: ValueKind, value: int | None) -> None:
    dim = parse_dim(text)
    assert (dim.name, dim.kind, dim.value) == (name, kind, value)


@pytest.mark.parametrize(
    ("text", "shapes", "rest"),
    [
        ("[128, 2048, 64]", ["[128, 2048, 64]"], ""),
        ("[batch_size=128,seq=?]", ["[batch_size=128, seq_len=?]"], ""),
        ("[seq_len=4, seq_len=4]", ["[seq_len=4, seq_len=4]"], ""),
        ("8×[512]", ["8×[512]"], ""),
        ("[4, 2] x 16", ["16×[4, 2]"], ""),
        ("[4,2]×3", ["3×[4, 2]"], ""),
        ("[1], [2], [3]", ["[1]", "[2]", "[3]"], ""),
        ("[tokens,8192] from 2 experts", ["[tokens, 8192]"], "from 2 experts"),
        ("[128 10000 32]", ["[128, 10000, 32]"], ""),
        ("batch_size=64,seq_len=1024,hidden_size=8", ["[batch_size=64, seq_len=1024, hidden=8]"], ""),
        ("routing decisions", [], "routing decisions"),
        ("[tokens 32:48S/16]", [], "[tokens 32:48S/16]"),
        ("Q=[1], K,V=[2]", ["[1]", "[2]"], ""),
        ("[]", [], "[]"),
        ("", [], ""),
    ],
)
def test_shapes(text: str, shapes: list[str], rest: str) -> None:
    found, left = parse_shapes(text)
    assert [str(shape) for shape in found] == shapes
    assert left == rest


def test_names_and_sizes() -> None:
    (q, k), _ = parse_shapes("Q=[2,3], K=2×[3]")
    assert (q.name, q.size, q.values) == ("Q", 6, (2, 3))
    assert (k.name, k.size, k.count) == ("K", 6, 2)
    assert parse_shapes("[B, 3]")[0][0].size is None


def test_synonyms() -> None:
    assert {canonical(name) for name in ("hidden", "hidden_size", "d_model", "EMBED_DIM")} == {"hidden"}
    assert canonical("B") == canonical("bs") == "batch_size"
    assert canonical("Colour") == "colour"


@given(st.text(alphabet="[]()=,?*/+-x×0123456789abcKS ~", max_size=40))
def test_any_text_is_read_without_failing(text: str) -> None:
    parse_shapes(text)
    parse_dim(text)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(1, 99))
def test_numbers_come_back(sizes: list[int], count: int) -> None:
    (shape,), rest = parse_shapes(f"{count}×[{', '.join(map(str, sizes))}]")
    assert (shape.values, shape.count, rest) == (tuple(sizes), count, "")
