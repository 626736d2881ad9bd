"""The figures of every deployment by hand: published sizes in sums and products, with nothing of dagtool's.

Weights, caches and what is sent are counted in elements, of 2 bytes each unless said otherwise; products in
multiplications with an addition, of 2 FLOPs each. A ring of n ranks sends (n-1)/n of the larger buffer in an
all-gather or a reduce-scatter, and twice that in an all-reduce.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["HAND", "Gpu", "Hand"]


@dataclass(frozen=True, slots=True)
class Gpu:
    """What each of ``gpus`` equal GPUs has, does and sends."""

    gpus: int
    weights: int
    cache: int
    """Keys and values, or latents."""
    products: int
    """All matrix products but those of attention over pairs of query and key."""
    pairs: int
    """Queries with keys, and attention weights with values."""
    kept_pairs: int
    """The same without pairs that a mask hides; where ranks share a sequence the mean of them."""
    sent: Fraction
    mxfp4_weights: int = 0
    """Weights of half a byte, with a scale of a byte for 32."""
    fp8_weights: int = 0
    """Weights of a byte, with a scale of 4 bytes for a block of 128 x 128."""
    fp8_sent: Fraction = Fraction(0)
    """Elements of a byte that leave, with a scale of 4 bytes for 128."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A deployment: all parameters, and each class of GPUs."""

    parameters: int
    classes: tuple[Gpu, ...]


def all_alike(parameters: int, gpu: Gpu) -> Hand:
    """A deployment with one class of GPUs."""
    return Hand(parameters, (gpu,))


def causal(tokens: int) -> int:
    """Pairs of query and key of one sequence in which the key does not come after the query."""
    return tokens * (tokens + 1) // 2


def windowed(tokens: int, window: int) -> int:
    """Of these the pairs in which the key is one of the ``window`` last."""
    return causal(window) + (tokens - window) * window


def ring(ranks: int, elements: int, times: int = 1) -> Fraction:
    """What a rank sends of buffers of ``elements``."""
    return Fraction(ranks - 1, ranks) * elements * times


HAND: dict[str, Hand] = {}

# -- Llama 3.1: 8 heads of keys and values, all heads of size 128, vocabulary 128,256 ---------------------------------

# 8B: hidden size 4096 = 32 heads, feed-forward 14,336, 32 layers.
A8 = 4096 * 4096 + 2 * 4096 * 1024 + 4096 * 4096
F8 = 3 * 4096 * 14336
T8 = 128256 * 4096
P8 = 32 * (A8 + F8 + 2 * 4096) + 2 * T8 + 4096

# 70B: hidden size 8192 = 64 heads, feed-forward 28,672, 80 layers.
A70 = 8192 * 8192 + 2 * 8192 * 1024 + 8192 * 8192
F70 = 3 * 8192 * 28672
T70 = 128256 * 8192
P70 = 80 * (A70 + F70 + 2 * 8192) + 2 * T70 + 8192
W70_TP8 = 80 * ((A70 + F70) // 8 + 2 * 8192) + 2 * T70 // 8 + 8192

# 405B: hidden size 16,384 = 128 heads, feed-forward 53,248, 126 layers.
A405 = 16384 * 16384 + 2 * 16384 * 1024 + 16384 * 16384
F405 = 3 * 16384 * 53248
T405 = 128256 * 16384
P405 = 126 * (A405 + F405 + 2 * 16384) + 2 * T405 + 16384

# Only the last token meets the head.
HAND["llama8b_tp1"] = all_alike(
    P8,
    Gpu(
        gpus=1,
        weights=P8,
        cache=32 * 2 * 8192 * 1024,
        products=32 * 8192 * (A8 + F8) + T8,
        pairs=32 * 2 * 8192 * 8192 * 4096,
        kept_pairs=32 * 2 * causal(8192) * 4096,
        sent=Fraction(0),
    ),
)
# An all-reduce after the embedding, after attention and after the feed-forward network of each layer.
HAND["llama70b_tp8"] = all_alike(
    P70,
    Gpu(
        gpus=8,
        weights=W70_TP8,
        cache=80 * 2 * 8 * 8192 * 128,
        products=80 * 65536 * (A70 + F70) // 8 + 8 * T70 // 8,
        pairs=80 * 2 * 8 * 8192 * 8192 * 1024,
        kept_pairs=80 * 2 * 8 * causal(8192) * 1024,
        sent=ring(8, 65536 * 8192, 2 * (1 + 2 * 80)),
    ),
)
# The same as reduce-scatter and all-gather; of the last layer's result only 8 tokens are all-reduced.
HAND["llama70b_tp8_sp"] = all_alike(
    P70,
    Gpu(
        gpus=8,
        weights=W70_TP8,
        cache=80 * 2 * 8 * 8192 * 128,
        products=80 * 65536 * (A70 + F70) // 8 + 8 * T70 // 8,
        pairs=80 * 2 * 8 * 8192 * 8192 * 1024,
        kept_pairs=80 * 2 * 8 * causal(8192) * 1024,
        sent=ring(8, 65536 * 8192, 1 + 4 * 80) + ring(8, 8 * 8192, 2),
    ),
)
HAND["llama70b_tp8_decode"] = all_alike(
    P70,
    Gpu(
        gpus=8,
        weights=W70_TP8,
        cache=80 * 2 * 256 * 8192 * 128,
        products=80 * 256 * (A70 + F70) // 8 + 256 * T70 // 8,
        pairs=80 * 2 * 256 * 8192 * 1024,
        kept_pairs=80 * 2 * 256 * 8192 * 1024,
        sent=ring(8, 256 * 8192, 2 * (1 + 2 * 80)),
    ),
)


def stage405(gpus: int, layers: int, *, transfers: int, first: bool = False, last: bool = False) -> Gpu:
    """A stage of 8 x 8 GPUs, each with an eighth of the sequence of its group; the loss takes 3 numbers of a token."""
    return Gpu(
        gpus=gpus,
        weights=layers * ((A405 + F405) // 8 + 2 * 16384) + (first + last) * T405 // 8 + last * 16384,
        cache=0,
        products=layers * 8192 * (A405 + F405) // 8 + last * 8192 * T405 // 8,
        pairs=layers * 2 * 8192 * 8192 * 2048,
        kept_pairs=layers * 2 * causal(8192) * 2048,
        sent=ring(8, 8192 * 16384, 4 * layers + first + last)
        + transfers * 1024 * 16384
        + (ring(8, 3 * 8192, 2) if last else 0),
    )


HAND["llama405b_tp8_dp8_pp16"] = Hand(
    P405,
    (
        stage405(64, 7, transfers=1, first=True),
        stage405(14 * 64, 8, transfers=1),
        stage405(64, 7, transfers=0, last=True),
    ),
)
# Chunks of 3, 30 times 4 and 3 layers: every stage but the last hands over twice, the last one once.
HAND["llama405b_interleaved"] = Hand(
    P405,
    (
        stage405(64, 3 + 4, transfers=2, first=True),
        stage405(14 * 64, 4 + 4, transfers=2),
        stage405(64, 4 + 3, transfers=1, last=True),
    ),
)


def context_parallel(cache: int) -> Gpu:
    """A quarter of 131,072 tokens on 8 GPUs: sequence parallelism over 8, keys and values of all over 4."""
    return Gpu(
        gpus=32,
        weights=W70_TP8,
        cache=cache,
        products=80 * 32768 * (A70 + F70) // 8 + T70 // 8,
        pairs=80 * 2 * 32768 * 131072 * 1024,
        kept_pairs=80 * 2 * causal(131072) * 1024 // 4,
        sent=ring(8, 32768 * 8192, 1 + 4 * 80) + ring(4, 131072 * 128, 2 * 80) + ring(32, 8192, 2),
    )


# Gathered keys and values are there whole; in a ring each rank keeps its own.
HAND["llama70b_cp4_tp8_gather"] = all_alike(P70, context_parallel(80 * 2 * 131072 * 128))
HAND["llama70b_cp4_tp8_ring"] = all_alike(P70, context_parallel(80 * 2 * 32768 * 128))
# All-to-alls of queries, keys, values and result. Weights are whole but for the head's.
HAND["llama8b_ulysses8"] = all_alike(
    P8,
    Gpu(
        gpus=8,
        weights=32 * (A8 + F8 + 2 * 4096) + T8 + T8 // 8 + 4096,
        cache=32 * 2 * 131072 * 128,
        products=32 * 16384 * (A8 + F8) + T8 // 8,
        pairs=32 * 2 * 131072 * 131072 * 512,
        kept_pairs=32 * 2 * causal(131072) * 512,
        sent=32 * ring(8, 16384 * (4096 + 1024 + 1024 + 4096)) + ring(8, 4096, 2),
    ),
)
# Prefill on 8 GPUs as above, then the caches' room for 8,194 tokens goes to 2 x 4 GPUs, 4 sequences and 2 heads each.
HAND["llama70b_prefill_decode"] = Hand(
    P70,
    (
        Gpu(
            gpus=8,
            weights=W70_TP8,
            cache=80 * 2 * 8 * 8192 * 128,
            products=80 * 65536 * (A70 + F70) // 8 + 8 * T70 // 8,
            pairs=80 * 2 * 8 * 8192 * 8192 * 1024,
            kept_pairs=80 * 2 * 8 * causal(8192) * 1024,
            # The logit and id of the best token of each rank; the chosen ids to eight GPUs with four sequences each.
            sent=ring(8, 65536 * 8192, 2 * (1 + 2 * 80)) + 80 * 2 * 4 * 8192 * 256 + 8 * 2 * 7 + 8 * 4 // 8,
        ),
        Gpu(
            gpus=8,
            weights=80 * ((A70 + F70) // 4 + 2 * 8192) + 2 * T70 // 4 + 8192,
            cache=80 * 2 * 4 * 8194 * 256,
            products=2 * (80 * 4 * (A70 + F70) // 4 + 4 * T70 // 4),
            pairs=2 * 80 * 2 * 4 * 8194 * 2048,
            kept_pairs=80 * 2 * 4 * (8193 + 8194) * 2048,
            sent=2 * ring(4, 4 * 8192, 2 * (1 + 2 * 80)) + 4 * 2 * 3,
        ),
    ),
)
# Each further head: a square matrix, whole on both GPUs, and a projection onto the vocabulary.
HAND["llama8b_draft_heads"] = all_alike(
    P8 + 4 * (4096 * 4096 + T8),
    Gpu(
        gpus=2,
        weights=32 * ((A8 + F8) // 2 + 2 * 4096) + 2 * T8 // 2 + 4096 + 4 * (4096 * 4096 + T8 // 2),
        cache=32 * 2 * 32 * 4096 * 512,
        products=32 * 32 * (A8 + F8) // 2 + 32 * T8 // 2 + 4 * 32 * (4096 * 4096 + T8 // 2),
        pairs=32 * 2 * 32 * 4096 * 2048,
        kept_pairs=32 * 2 * 32 * 4096 * 2048,
        sent=ring(2, 32 * 4096, 2 * (1 + 2 * 32)),
    ),
)
HAND["llama70b_tp8_loss"] = all_alike(
    P70,
    Gpu(
        gpus=8,
        weights=W70_TP8,
        cache=0,
        products=80 * 8192 * (A70 + F70) // 8 + 8192 * T70 // 8,
        pairs=80 * 2 * 8192 * 8192 * 1024,
        kept_pairs=80 * 2 * causal(8192) * 1024,
        sent=ring(8, 8192 * 8192, 1 + 4 * 80 + 1) + ring(8, 3 * 8192, 2),
    ),
)
# Updates of rank 16 of 4096 x 4096 and 4096 x 1024: the first factor whole on both GPUs, the second cut.
HAND["llama8b_lora"] = all_alike(
    P8 + 32 * (2 * 4096 * 16 + 16 * (4096 + 1024)),
    Gpu(
        gpus=2,
        weights=32 * ((A8 + F8) // 2 + 2 * 4096 + 2 * 4096 * 16 + 16 * (4096 + 1024) // 2) + 2 * T8 // 2 + 4096,
        cache=0,
        products=32 * 32768 * ((A8 + F8) // 2 + 2 * 4096 * 16 + 16 * (4096 + 1024) // 2) + 32768 * T8 // 2,
        pairs=32 * 2 * 8 * 4096 * 4096 * 2048,
        kept_pairs=32 * 2 * 8 * causal(4096) * 2048,
        sent=ring(2, 32768 * 4096, 2 * (1 + 2 * 32)) + ring(2, 3 * 32768, 2),
    ),
)
# Every parameter gathered once: nothing else is sent.
HAND["llama70b_fsdp64"] = all_alike(
    P70,
    Gpu(
        gpus=64,
        weights=P70 // 64,
        cache=0,
        products=80 * 8192 * (A70 + F70) + 8192 * T70,
        pairs=80 * 2 * 8192 * 8192 * 8192,
        kept_pairs=80 * 2 * causal(8192) * 8192,
        sent=ring(64, P70),
    ),
)
HAND["llama8b_zero1"] = all_alike(
    P8,
    Gpu(
        gpus=8,
        weights=P8 // 8,
        cache=0,
        products=32 * 8192 * (A8 + F8) + 8192 * T8,
        pairs=32 * 2 * 8192 * 8192 * 4096,
        kept_pairs=32 * 2 * causal(8192) * 4096,
        sent=ring(8, P8),
    ),
)
# Queries, keys and values over 8, the rest over 64. A softmax over 8 ranks all-reduces 2 numbers of each of 16 heads.
HAND["llama405b_helix"] = all_alike(
    P405,
    Gpu(
        gpus=64,
        weights=126 * ((16384 * 16384 + 2 * 16384 * 1024) // 8 + (16384 * 16384 + F405) // 64 + 2 * 16384)
        + 2 * T405 // 64
        + 16384,
        cache=126 * 2 * 8 * 131072 * 128,
        products=126 * 8 * ((16384 * 16384 + 2 * 16384 * 1024) // 8 + (16384 * 16384 + F405) // 64) + 8 * T405 // 64,
        pairs=126 * 2 * 8 * 131072 * 2048,
        kept_pairs=126 * 2 * 8 * 131072 * 2048,
        sent=ring(64, 8 * 16384, 2 * (1 + 2 * 126)) + 126 * (ring(8, 2 * 8 * 16, 2) + ring(8, 8 * 2048)),
    ),
)


def layer8(gpus: int, *, first: bool = False, last: bool = False) -> Gpu:
    """A layer on a GPU, which hands 8,192 tokens on."""
    return Gpu(
        gpus=gpus,
        weights=A8 + F8 + 2 * 4096 + (first + last) * T8 + last * 4096,
        cache=2 * 8192 * 1024,
        products=8192 * (A8 + F8) + last * T8,
        pairs=2 * 8192 * 8192 * 4096,
        kept_pairs=2 * causal(8192) * 4096,
        sent=Fraction(0 if last else 8192 * 4096),
    )


HAND["llama8b_layerwise"] = Hand(P8, (layer8(1, first=True), layer8(30), layer8(1, last=True)))

# -- Mixtral 8x7B: as Llama 3.1 8B with 8 experts, of which a token takes 2; vocabulary 32,000 ------------------------

TMIX = 32000 * 4096
PMIX = 32 * (A8 + 4096 * 8 + 8 * F8 + 2 * 4096) + 2 * TMIX + 4096

# An expert and a sequence of 4,096 tokens on each GPU; each token leaves twice and comes back twice.
HAND["mixtral_ep8"] = all_alike(
    PMIX,
    Gpu(
        gpus=8,
        weights=32 * (A8 + 4096 * 8 + F8 + 2 * 4096) + TMIX + TMIX // 8 + 4096,
        cache=32 * 2 * 4096 * 1024,
        products=32 * (4096 * (A8 + 4096 * 8) + 8192 * F8) + 8 * TMIX // 8,
        pairs=32 * 2 * 4096 * 4096 * 4096,
        kept_pairs=32 * 2 * causal(4096) * 4096,
        sent=32 * ring(8, 4096 * 2 * 4096, 2) + ring(8, 8 * 4096),
    ),
)
# 2 sequences on 2 GPUs, which have halves of 2 experts; the halves' results go back before they are summed.
HAND["mixtral_tp2_ep4"] = all_alike(
    PMIX,
    Gpu(
        gpus=8,
        weights=32 * (A8 // 2 + 4096 * 8 + 2 * F8 // 2 + 2 * 4096) + 2 * TMIX // 2 + 4096,
        cache=32 * 2 * 2 * 4096 * 512,
        products=32 * (8192 * (A8 // 2 + 4096 * 8) + 2 * 8192 * F8 // 2) + 2 * TMIX // 2,
        pairs=32 * 2 * 2 * 4096 * 4096 * 2048,
        kept_pairs=32 * 2 * 2 * causal(4096) * 2048,
        sent=ring(2, 8192 * 4096, 2)
        + 32 * (ring(2, 8192 * 4096, 2) + ring(4, 8192 * 2 * 4096, 2) + ring(2, 8192 * 4096, 2)),
    ),
)
# All tokens on all GPUs: 4 ranks sum up their experts' results, then 2 the halves of them.
HAND["mixtral_tp8_ep4_etp2"] = all_alike(
    PMIX,
    Gpu(
        gpus=8,
        weights=32 * (A8 // 8 + 4096 * 8 + 2 * F8 // 2 + 2 * 4096) + 2 * TMIX // 8 + 4096,
        cache=32 * 2 * 8 * 4096 * 128,
        products=32 * (32768 * (A8 // 8 + 4096 * 8) + 2 * 8192 * F8 // 2) + 8 * TMIX // 8,
        pairs=32 * 2 * 8 * 4096 * 4096 * 512,
        kept_pairs=32 * 2 * 8 * causal(4096) * 512,
        sent=ring(8, 32768 * 4096, 2)
        + 32 * (ring(8, 32768 * 4096, 2) + ring(4, 32768 * 4096, 2) + ring(2, 32768 * 4096, 2)),
    ),
)
# A token leaves for its 2 experts; each expert has 64 of 256 tokens and sends its results back.
HAND["mixtral_m2n"] = Hand(
    PMIX,
    (
        Gpu(
            gpus=4,
            weights=32 * (A8 + 4096 * 8 + 2 * 4096) + TMIX + TMIX // 4 + 4096,
            cache=32 * 2 * 64 * 4096 * 1024,
            products=32 * 64 * (A8 + 4096 * 8) + 256 * TMIX // 4,
            pairs=32 * 2 * 64 * 4096 * 4096,
            kept_pairs=32 * 2 * 64 * 4096 * 4096,
            sent=32 * 64 * 2 * 4096 + ring(4, 256 * 4096),
        ),
        Gpu(
            gpus=8,
            weights=32 * F8,
            cache=0,
            products=32 * 64 * F8,
            pairs=0,
            kept_pairs=0,
            sent=Fraction(32 * 64 * 4096),
        ),
    ),
)

# -- Qwen3: heads of size 128, norms on q and k, vocabulary 151,936 ---------------------------------------------------

# 235B-A22B: hidden size 4096, 64 heads over 4, 128 experts of 1,536, of which a token takes 8, 94 layers.
QO235, KV235 = 2 * 4096 * 8192, 2 * 4096 * 512
G235, E235, TQ = 4096 * 128, 3 * 4096 * 1536, 151936 * 4096
P235 = 94 * (QO235 + KV235 + 2 * 128 + G235 + 128 * E235 + 2 * 4096) + 2 * TQ + 4096

# 4 of 8 sequences on 4 GPUs, of each a quarter of the tokens; 16 experts on each GPU.
HAND["qwen3_235b_dp2_tp4_ep8"] = all_alike(
    P235,
    Gpu(
        gpus=8,
        weights=94 * ((QO235 + KV235) // 4 + 2 * 128 + G235 + 16 * E235 + 2 * 4096) + 2 * TQ // 4 + 4096,
        cache=94 * 2 * 4 * 4096 * 128,
        products=94 * (16384 * (QO235 + KV235) // 4 + 4096 * G235 + 16 * 2048 * E235) + 4 * TQ // 4,
        pairs=94 * 2 * 4 * 4096 * 4096 * 2048,
        kept_pairs=94 * 2 * 4 * causal(4096) * 2048,
        sent=ring(4, 16384 * 4096, 1 + 2 * 94) + 94 * ring(8, 4096 * 8 * 4096, 2) + ring(4, 4 * 4096, 2),
    ),
)
# A head of keys and values on 2 GPUs, 8 heads of queries on each; an eighth of every expert, which has 4 tokens.
HAND["qwen3_235b_tp8"] = all_alike(
    P235,
    Gpu(
        gpus=8,
        weights=94 * (QO235 // 8 + KV235 // 4 + 2 * 128 + G235 + 128 * E235 // 8 + 2 * 4096) + 2 * TQ // 8 + 4096,
        cache=94 * 2 * 64 * 8192 * 128,
        products=94 * (64 * (QO235 // 8 + KV235 // 4 + G235) + 128 * 4 * E235 // 8) + 64 * TQ // 8,
        pairs=94 * 2 * 64 * 8192 * 1024,
        kept_pairs=94 * 2 * 64 * 8192 * 1024,
        sent=ring(8, 64 * 4096, 2 * (1 + 2 * 94)),
    ),
)
# 0.6B: hidden size 1024, 16 heads over 8, feed-forward 3072, 28 layers; one table for embedding and head.
A06 = 2 * 1024 * 2048 + 2 * 1024 * 1024
F06 = 3 * 1024 * 3072
T06 = 151936 * 1024
HAND["qwen3_06b_tied"] = all_alike(
    28 * (A06 + F06 + 2 * 128 + 2 * 1024) + T06 + 1024,
    Gpu(
        gpus=2,
        weights=28 * ((A06 + F06) // 2 + 2 * 128 + 2 * 1024) + T06 // 2 + 1024,
        cache=28 * 2 * 8 * 4096 * 512,
        products=28 * 32768 * (A06 + F06) // 2 + 8 * T06 // 2,
        pairs=28 * 2 * 8 * 4096 * 4096 * 1024,
        kept_pairs=28 * 2 * 8 * causal(4096) * 1024,
        sent=ring(2, 32768 * 1024, 2 * (1 + 2 * 28)),
    ),
)

# -- gpt-oss-120b: hidden size 2880, 64 heads of size 64 over 8, a sink each, 128 experts of 2,880, of which a token --
# -- takes 4; 18 of 36 layers see 128 tokens; biases everywhere but in the head; vocabulary 201,088 -------------------

QKV_OSS, O_OSS = 2880 * (4096 + 2 * 512), 4096 * 2880
G_OSS, E_OSS, T_OSS = 2880 * 128, 3 * 2880 * 2880, 201088 * 2880
P_OSS = (
    36
    * (
        (QKV_OSS + 4096 + 2 * 512 + 64)
        + (O_OSS + 2880)
        + (G_OSS + 128)
        + 128 * (E_OSS + 2 * 2880 + 2880)
        + 2 * 2880
    )
    + 2 * T_OSS
    + 2880
)  # fmt: skip
# Biases of what is summed over ranks are whole on each, and added to the sum: of every expert, which has 1,024 tokens.
HAND["gptoss120b_tp8"] = all_alike(
    P_OSS,
    Gpu(
        gpus=8,
        weights=36
        * (
            (QKV_OSS + 4096 + 2 * 512 + 64) // 8
            + (O_OSS // 8 + 2880)
            + (G_OSS + 128)
            + 128 * (2 * 360 + 2880)
            + 2 * 2880
        )
        + 2 * T_OSS // 8
        + 2880,
        mxfp4_weights=36 * 128 * E_OSS // 8,
        cache=18 * 2 * 4 * (128 + 8192) * 64,
        products=36 * (32768 * ((QKV_OSS + O_OSS) // 8 + G_OSS) + 128 * 1024 * E_OSS // 8) + 4 * T_OSS // 8,
        pairs=36 * 2 * 4 * 8192 * 8192 * 512,
        kept_pairs=18 * 2 * 4 * (windowed(8192, 128) + causal(8192)) * 512,
        sent=ring(8, 32768 * 2880, 2 * (1 + 36)) + 36 * ring(8, 128 * 1024 * 2880, 2),
    ),
)
# 64 sequences and 16 experts on each GPU.
HAND["gptoss120b_ep8_decode"] = all_alike(
    P_OSS,
    Gpu(
        gpus=8,
        weights=P_OSS - 36 * (128 * E_OSS + 112 * (2 * 2880 + 2880)) - T_OSS * 7 // 8,
        mxfp4_weights=36 * 16 * E_OSS,
        cache=18 * 2 * 64 * (128 + 8192) * 512,
        products=36 * (64 * (QKV_OSS + O_OSS + G_OSS) + 16 * 16 * E_OSS) + 512 * T_OSS // 8,
        pairs=18 * 2 * 64 * (128 + 8192) * 4096,
        kept_pairs=18 * 2 * 64 * (128 + 8192) * 4096,
        sent=36 * ring(8, 64 * 4 * 2880, 2) + ring(8, 512 * 2880),
    ),
)

# -- DeepSeek-V3: hidden size 7168, 128 heads of 128 + 64 elements, latents of 1,536 and 512, 3 dense layers of 18,432,
# -- 58 with 256 experts of 2,048 and a shared one, of which a token takes 8; vocabulary 129,280 ----------------------

DOWN_DS = 7168 * 1536 + 7168 * (512 + 64)
UP_DS = 1536 * 128 * (128 + 64)
KV_DS = 512 * 128 * (128 + 128)
O_DS = 128 * 128 * 7168
D_DS, E_DS, G_DS, T_DS = 3 * 7168 * 18432, 3 * 7168 * 2048, 7168 * 256, 129280 * 7168
NORMS_DS = 1536 + 512 + 2 * 7168
P_DS = (
    61 * (DOWN_DS + UP_DS + KV_DS + O_DS + NORMS_DS)
    + 3 * D_DS
    + 58 * (G_DS + 256 + 257 * E_DS)
    + 2 * T_DS
    + 7168
)  # fmt: skip

# 4 of 32 sequences on 4 GPUs, of each a quarter of the tokens; the latents of all of them are on all four. 9 experts
# of 288 on each GPU: 32,768 tokens. Tokens leave for their experts in fp8 and come back in 16 bits.
HAND["dsv3_prefill_32"] = all_alike(
    P_DS,
    Gpu(
        gpus=32,
        weights=61 * NORMS_DS + 58 * (G_DS + 256) + 2 * T_DS // 4 + 7168,
        fp8_weights=61 * (DOWN_DS + (UP_DS + KV_DS + O_DS) // 4) + 3 * D_DS // 4 + 58 * (1 + 9) * E_DS,
        cache=61 * 4 * 4096 * (512 + 64),
        products=61 * 16384 * (DOWN_DS + (UP_DS + KV_DS + O_DS) // 4)
        + 3 * 16384 * D_DS // 4
        + 58 * (4096 * (G_DS + E_DS) + 32768 * E_DS)
        + 4 * T_DS // 4,
        pairs=61 * 4 * 4096 * 4096 * 32 * (128 + 64 + 128),
        kept_pairs=61 * 4 * causal(4096) * 32 * (128 + 64 + 128),
        sent=ring(4, 16384 * 7168, 1 + 2 * 61 + 2 * 3) + 58 * ring(32, 4096 * 8 * 7168) + ring(4, 4 * 7168, 2),
        fp8_sent=58 * ring(32, 4096 * 8 * 7168),
    ),
)
# 128 of 10,240 sequences on 4 GPUs, 32 of them routed by each; an expert has 256 tokens. Queries meet latents: they and
# the results pass the matrices of keys and values, a head at a time.
HAND["dsv3_decode_320"] = all_alike(
    P_DS,
    Gpu(
        gpus=320,
        weights=61 * NORMS_DS + 58 * (G_DS + 256) + 2 * T_DS // 4 + 7168,
        fp8_weights=61 * (DOWN_DS + (UP_DS + KV_DS + O_DS) // 4) + 3 * D_DS // 4 + 58 * (1 + 1) * E_DS,
        cache=61 * 128 * 4096 * (512 + 64),
        products=61 * 128 * (DOWN_DS + (UP_DS + KV_DS + O_DS) // 4)
        + 3 * 128 * D_DS // 4
        + 58 * (32 * (G_DS + E_DS) + 256 * E_DS)
        + 128 * T_DS // 4,
        pairs=61 * 128 * 4096 * 32 * (512 + 64 + 512),
        kept_pairs=61 * 128 * 4096 * 32 * (512 + 64 + 512),
        sent=ring(4, 128 * 7168, 2 * (1 + 61 + 3) + 58) + 58 * ring(320, 32 * 8 * 7168),
        fp8_sent=58 * ring(320, 32 * 8 * 7168),
    ),
)
# 128 sequences on each GPU, all heads; 2 experts of 288, 512 tokens each.
HAND["dsv3_decode_144"] = all_alike(
    P_DS,
    Gpu(
        gpus=144,
        weights=61 * NORMS_DS + 58 * (G_DS + 256) + 2 * T_DS + 7168,
        fp8_weights=61 * (DOWN_DS + UP_DS + KV_DS + O_DS) + 3 * D_DS + 58 * (1 + 2) * E_DS,
        cache=61 * 128 * 4096 * (512 + 64),
        products=61 * 128 * (DOWN_DS + UP_DS + KV_DS + O_DS)
        + 3 * 128 * D_DS
        + 58 * (128 * (G_DS + E_DS) + 2 * 512 * E_DS)
        + 128 * T_DS,
        pairs=61 * 128 * 4096 * 128 * (512 + 64 + 512),
        kept_pairs=61 * 128 * 4096 * 128 * (512 + 64 + 512),
        sent=58 * ring(144, 128 * 8 * 7168),
        fp8_sent=58 * ring(144, 128 * 8 * 7168),
    ),
)


def stage_ds(stages: int, dense: int, moe: int, *, first: bool = False, last: bool = False) -> Gpu:
    """A sequence of 4,096 tokens on each of 128 GPUs; 4 experts of 256, 8,192 tokens each."""
    layers = dense + moe
    return Gpu(
        gpus=128 * stages,
        weights=layers * (DOWN_DS + UP_DS + KV_DS + O_DS + NORMS_DS)
        + dense * D_DS
        + moe * (G_DS + 256 + E_DS + 4 * E_DS)
        + (first + last) * T_DS
        + last * 7168,
        cache=0,
        products=layers * 4096 * (DOWN_DS + UP_DS + KV_DS + O_DS)
        + dense * 4096 * D_DS
        + moe * (4096 * (G_DS + E_DS) + 4 * 8192 * E_DS)
        + last * 4096 * T_DS,
        pairs=layers * 4096 * 4096 * 128 * (128 + 64 + 128),
        kept_pairs=layers * causal(4096) * 128 * (128 + 64 + 128),
        sent=moe * ring(64, 4096 * 8 * 7168, 2) + (0 if last else 4096 * 7168),
    )


HAND["dsv3_pp16_ep64"] = Hand(
    P_DS,
    (stage_ds(1, 3, 1, first=True), stage_ds(12, 0, 4), stage_ds(2, 0, 3), stage_ds(1, 0, 3, last=True)),
)
