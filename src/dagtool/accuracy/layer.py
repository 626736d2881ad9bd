"""The work of one layer on one GPU: products of ``reference_matmuls`` cut as Megatron-LM does, and bytes moved.

Columns of the first product of a block and rows of the second are cut over the tensor parallel ranks; experts over
the expert parallel ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dagtool.accuracy.architecture import Architecture
from dagtool.accuracy.machine import ACTIVATION_BYTES
from dagtool.accuracy.measured import Row
from dagtool.generators.products import Product as ModelProduct
from dagtool.generators.products import products as model_products
from dagtool.model.amount import parse_amount
from dagtool.model.pairs import KeptPairs
from dagtool.model.size import parse_size

__all__ = [
    "STREAM_PASSES",
    "Degrees",
    "Product",
    "attention_flops",
    "causal_share",
    "computed_share",
    "degrees_of",
    "expert_products",
    "head_product",
    "layer_moved_bytes",
    "products",
]


@dataclass(frozen=True, slots=True)
class Degrees:
    """Parallel degrees."""

    tp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1
    cp: int = 1


def degrees_of(row: Row) -> Degrees:
    """What a row states; 1 where it states nothing. Raises UnpredictableError."""
    tp, pp, dp, ep = (row.count(name, 1) or 1 for name in ("tp", "pp", "dp", "ep"))
    return Degrees(tp, pp, dp, ep)


@dataclass(frozen=True, slots=True)
class Product:
    """``count`` products [m, k] x [k, n]."""

    m: float
    k: float
    n: float
    count: float = 1.0

    @property
    def weights(self) -> float:
        """Elements of their weights."""
        return self.k * self.n * self.count


STREAM_PASSES = 10
"""Reads and writes of the residual stream in a layer: two norms (2 each), two additions (3 each)."""

_CUT = {
    "attention.q": "n", "attention.out": "k", "mlp.up": "n", "mlp.down": "k", "moe.gate": "",
    "moe.up": "n", "moe.down": "k", "head.projection": "n",
}  # fmt: skip
"""Which dimension of a product's weight the tensor parallel ranks divide among them."""


@cache
def _reference(arch: Architecture) -> tuple[ModelProduct, ...]:
    return model_products(arch.model, {**dict.fromkeys(arch.sizes(1)), "L": None})


def _bound(one: ModelProduct, arch: Architecture, tokens: float) -> tuple[float, float, float]:
    values = arch.sizes(tokens)
    bound = [size.bind(values) for size in (one.m, one.k, one.n)]
    m, k, n = (size.numerator / size.denominator for size in bound)
    return m, k, n


def _parts(arch: Architecture, tokens: float, tp: int) -> Iterator[tuple[str, Product]]:
    """Products with a weight, those that run side by side on the same input as one."""
    held: tuple[str, Product] | None = None
    for one in _reference(arch):
        if one.part in ("attention.scores", "attention.weighted"):
            continue
        m, k, n = _bound(one, arch, tokens)
        if one.beside and held:
            # Keys and values of fewer heads than ranks are held by several of them.
            held = (held[0], Product(held[1].m, held[1].k, held[1].n + max(n / tp, n / arch.kv_heads)))
            continue
        if held:
            yield held
        cut = _CUT[one.part]
        held = (one.part, Product(m, k / tp if cut == "k" else k, n / tp if cut == "n" else n))
    if held:
        yield held


def products(
    arch: Architecture, tokens: float, tp: int, *, decoding: bool = False, routed: bool = True
) -> list[Product]:
    """A layer's products with weights every token meets: projections, and the feed-forward or gate and shared expert.

    ``decoding``: compressed keys and values are not expanded, the expansion moves into the queries.
    ``routed``: whether a layer of a model with experts has some; else it has a feed-forward of its own width.
    """
    parts = [
        (part, one) for part, one in _parts(arch, tokens, tp) if not part.startswith(("head", "moe.up", "moe.down"))
    ]
    attention = [one for part, one in parts if part.startswith("attention")]
    if arch.latent_rank:
        attention = _latent(arch, tokens, tp, decoding)
    if arch.experts and not routed:
        return attention + _feed_forward(arch, arch.dense_ffn, tokens, tp)
    found = attention + [one for part, one in parts if not part.startswith("attention")]
    return found + (_feed_forward(arch, arch.shared_ffn, tokens, tp) if arch.shared_ffn else [])


def _latent(arch: Architecture, tokens: float, tp: int, decoding: bool) -> list[Product]:
    """DeepSeek-V2's attention: queries and keys/values go through a low rank (arXiv 2405.04434, section 2.1)."""
    heads, size, rank = arch.heads / tp, arch.head_size, arch.latent_rank
    down = Product(tokens, arch.hidden, arch.query_rank + rank + arch.rope_size)
    up = Product(tokens, arch.query_rank, heads * (size + arch.rope_size))
    expand = Product(tokens, size, rank, 2 * heads) if decoding else Product(tokens, rank, 2 * heads * size)
    return [down, up, expand, Product(tokens, heads * size, arch.hidden)]


def _feed_forward(arch: Architecture, ffn: int, tokens: float, tp: int) -> list[Product]:
    return [Product(tokens, arch.hidden, (2 if arch.gated else 1) * ffn / tp), Product(tokens, ffn / tp, arch.hidden)]


def expert_products(arch: Architecture, rows: float, local: float, tp: int) -> list[Product]:
    """``local`` experts, each with ``rows`` tokens, their weights cut over ``tp`` ranks."""
    found = [one for part, one in _parts(arch, rows, tp) if part in ("moe.up", "moe.down")]
    return [Product(rows, one.k, one.n, local) for one in found]


def head_product(arch: Architecture, tokens: float, tp: int) -> Product:
    """The projection to the vocabulary."""
    return next(one for part, one in _parts(arch, tokens, tp) if part == "head.projection")


def attention_flops(arch: Architecture, queries: float, context: float, tp: int, *, latent: bool = False) -> float:
    """Of scores and weighted sum, ``queries`` tokens each against ``context``. ``latent``: within the low rank."""
    size = 2 * arch.head_size if not arch.latent_rank else 2 * arch.head_size + arch.rope_size
    if latent:
        size = 2 * arch.latent_rank + arch.rope_size
    return 2 * queries * context * arch.heads / tp * size


def causal_share(tokens: float) -> float:
    """Return the share of the pairs of tokens that a causal mask keeps: (S + 1)/(2 S), as ``cost`` counts them."""
    mask = KeptPairs(_SEQUENCE, _SEQUENCE, parse_amount("0"))
    return float(mask.share({"S": max(1, round(tokens))}))


def computed_share(tokens: float, *, fused: bool) -> float:
    """Return the share of the pairs that kernels compute: unfused ones compute all and hide some afterwards."""
    return causal_share(tokens) if fused else 1.0


_SEQUENCE = parse_size("S")


def layer_moved_bytes(arch: Architecture, tokens: float, tp: int, *, sequence_cut: int, passes: float) -> float:
    """What is read and written between products: norms, residuals (cut along the sequence or not), activation."""
    width = arch.ffn * (arch.topk or 1) + arch.shared_ffn
    between = passes * arch.hidden / sequence_cut
    return ACTIVATION_BYTES * tokens * (between + (3 if arch.gated else 2) * width / tp)
