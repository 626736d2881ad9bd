"""One training step: seconds of its layers, its pipeline, and what comes after.

A step is m micro batches through a pipeline of p stages, (m + (p - 1)/v) slots of the slowest stage with v chunks to a
GPU (Narayanan et al., arXiv 2104.04473, section 2.2); then gradients are reduced and the optimizer runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.accuracy.architecture import Architecture
from dagtool.accuracy.constants import TrainingFit
from dagtool.accuracy.layer import (
    STREAM_PASSES,
    Degrees,
    Product,
    attention_flops,
    computed_share,
    expert_products,
    head_product,
    layer_moved_bytes,
    products,
)
from dagtool.accuracy.machine import ACTIVATION_BYTES, Machine
from dagtool.accuracy.software import Software

__all__ = ["Step"]

_BACKWARD_ATTENTION = 2.5
"""Five products instead of two: FlashAttention recomputes the scores (arXiv 2307.08691)."""
_SCORE_PASSES = 5
"""Reads and writes of the score matrix by unfused softmax, mask and dropout, forward: Korthikanti et al., 5as^2b."""
_OPTIMIZER_BYTES = 20
"""Read and written for each parameter by Adam in mixed precision."""
_GRADIENT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Step:
    """A row's training step."""

    arch: Architecture
    degrees: Degrees
    machine: Machine
    software: Software
    fit: TrainingFit
    seq: int
    global_batch: int
    micro_batch: int
    interleave: int
    recompute: str
    sequence_parallel: bool
    gpus: int
    assumed: tuple[str, ...] = ()

    @property
    def micro_batches(self) -> float:
        """Of each replica."""
        return self.global_batch / (self.degrees.dp * self.micro_batch)

    @property
    def tokens(self) -> float:
        """Of one micro batch on one GPU."""
        return self.micro_batch * self.seq / self.degrees.cp

    def time_s(self) -> float:
        """Seconds of the step."""
        d, m = self.degrees, self.micro_batches
        stage = self._layers_s() / d.pp
        if d.pp > 1 and self.interleave == 1:
            stage += 2 * self._stage_send_s()  # interleaved schedules send while they compute
        head = self._head_s()
        # Every stage waits for the last one, which alone has the head; with a pipeline its layers are fewer.
        slots = m + (d.pp - 1) / self.interleave
        return slots * stage + m * head / d.pp + self._after_s()

    def _layers_s(self) -> float:
        """Forward and backward of all layers, for one micro batch, as if on one stage."""
        arch = self.arch
        forward, backward = self._layer_s(experts=bool(arch.experts))
        if arch.dense_layers:
            forward_d, backward_d = self._layer_s(experts=False)
            share = arch.dense_layers / arch.layers
            forward, backward = (
                forward * (1 - share) + forward_d * share,
                backward * (1 - share) + backward_d * share,
            )
        if self.recompute == "full":
            backward += forward
        return arch.layers * self._gathered_s(forward, backward)

    def _layer_s(self, *, experts: bool) -> tuple[float, float]:
        """One layer forward and backward, weights at hand."""
        arch, d, machine, fit = self.arch, self.degrees, self.machine, self.fit
        forward, backward = self._products_s(products(arch, self.tokens, d.tp, routed=experts))
        computed = computed_share(self.seq, fused=self.software.fused_attention)
        flops = attention_flops(arch, self.tokens, self.seq, d.tp) * computed
        bytes_ = ACTIVATION_BYTES * self.tokens * 2 * (arch.heads + arch.kv_heads) * arch.head_size / d.tp
        if not self.software.fused_attention:
            scores = self.micro_batch * arch.heads / d.tp * self.seq**2
            bytes_ += 2 * _SCORE_PASSES * scores
        once = fit.attention * machine.attention_s(flops, bytes_)
        again = fit.attention * machine.attention_s(_BACKWARD_ATTENTION * flops, _BACKWARD_ATTENTION * bytes_)
        if self.recompute == "selective" and not self.software.fused_attention:
            again += once  # a fused kernel does so anyway
        moved = machine.moved_s(self._moved_bytes())
        sent = self._tensor_s() + self._context_s()
        if experts:
            ours, theirs = self._experts_s()
            forward += ours + fit.expert_host_s / 3
            backward += theirs + fit.expert_host_s * 2 / 3
        return forward + once + moved + sent, backward + again + 2 * moved + sent

    def _products_s(self, held: list[Product]) -> tuple[float, float]:
        """Forward, and backward: by the input and by the weight."""
        price = self.machine.product_s
        forward = sum(one.count * price(one.m, one.k, one.n) for one in held)
        backward = sum(one.count * (price(one.m, one.n, one.k) + price(one.k, one.m, one.n)) for one in held)
        return forward, backward

    def _moved_bytes(self) -> float:
        arch, tp = self.arch, self.degrees.tp
        cut = tp if self.sequence_parallel else 1
        moved = layer_moved_bytes(arch, self.tokens, tp, sequence_cut=cut, passes=STREAM_PASSES * self.fit.passes)
        if self.machine.dtype in ("fp8", "fp4"):
            operands = 2 * arch.hidden + (arch.ffn + (arch.heads + 2 * arch.kv_heads) * arch.head_size) / tp
            moved += self.fit.casts * ACTIVATION_BYTES * self.tokens * operands
        return moved

    def _tensor_s(self) -> float:
        """Two all-reduces, or with sequence parallelism as many bytes in gathers and scatters that products hide."""
        tp = self.degrees.tp
        if tp == 1:
            return 0.0
        sent = ACTIVATION_BYTES * self.tokens * self.arch.hidden * 2 * (tp - 1) / tp
        exposed = self.fit.tensor_exposed if self.sequence_parallel else 1.0
        return 2 * exposed * self.machine.collective_s("all_reduce", sent, tp)

    def _context_s(self) -> float:
        """Keys and values of the other parts of the sequence."""
        cp, arch = self.degrees.cp, self.arch
        if cp == 1:
            return 0.0
        sent = ACTIVATION_BYTES * self.tokens * arch.kv_elements / self.degrees.tp * (cp - 1)
        return self.fit.tensor_exposed * self.machine.collective_s("all_gather", sent, cp, self.degrees.tp)

    def _experts_s(self) -> tuple[float, float]:
        """Products of this GPU's experts, and both exchanges, forward and backward."""
        arch, d = self.arch, self.degrees
        # Tokens of the whole expert group meet E/ep experts here.
        rows = self.tokens * d.ep * arch.topk / arch.experts
        forward, backward = self._products_s(expert_products(arch, rows, arch.experts / d.ep, 1))
        sent = ACTIVATION_BYTES * self.tokens * arch.topk * arch.hidden * (d.ep - 1) / d.ep
        exchange = 2 * self.machine.collective_s("all_to_all", sent, d.ep) if d.ep > 1 else 0.0
        # Each of the tp ranks of a token brings its part to the experts.
        share = self.fit.experts
        return share * (forward / d.tp + exchange / d.tp), share * (backward / d.tp + exchange / d.tp)

    def _layer_weights(self) -> float:
        """Elements of a layer's weights on this GPU."""
        arch, d = self.arch, self.degrees
        held = products(arch, 1, d.tp)
        if arch.experts:
            held += expert_products(arch, 1, arch.experts / d.ep, 1)
        return sum(one.weights for one in held)

    def _gathered_s(self, forward: float, backward: float) -> float:
        """A layer whose weights are sharded over the replicas: gathered twice, gradients scattered once."""
        d, software = self.degrees, self.software
        if not software.sharded_weights or d.dp == 1:
            return forward + backward
        sent = ACTIVATION_BYTES * self._layer_weights() * (d.dp - 1) / d.dp
        gather = self.machine.collective_s("all_gather", sent, d.dp, d.tp)
        if not software.prefetched:
            return forward + backward + 3 * self.fit.unprefetched * gather
        exposed = self.fit.gather_exposed * 3 * gather
        return max(forward, gather) + max(backward, 2 * gather) + exposed

    def _head_s(self) -> float:
        """Projection to the vocabulary and loss, forward and backward; in 16 bits also beside fp8 layers."""
        one, price = head_product(self.arch, self.tokens, self.degrees.tp), self.machine.product_s
        dtype = "bf16"
        three = (
            price(one.m, one.k, one.n, dtype) + price(one.m, one.n, one.k, dtype) + price(one.k, one.m, one.n, dtype)
        )
        return three + self.machine.moved_s(4 * 4 * one.m * one.n)

    def _stage_send_s(self) -> float:
        sent = ACTIVATION_BYTES * self.tokens * self.arch.hidden / self.degrees.tp
        return self.machine.collective_s("send", sent, 2, self.machine.gpu.gpus_per_node)

    def _after_s(self) -> float:
        """Gradients' reduction as far as it is not hidden, and the optimizer on its shard."""
        d = self.degrees
        weights = self._layer_weights() * self.arch.layers / d.pp
        seconds = self.machine.moved_s(weights / d.dp * _OPTIMIZER_BYTES)
        if d.dp > 1 and not self.software.sharded_weights:
            sent = (_GRADIENT_BYTES + ACTIVATION_BYTES) * weights * (d.dp - 1) / d.dp
            seconds += self.fit.data_exposed * self.machine.collective_s("all_gather", sent, d.dp, d.tp * d.cp)
        return seconds
