"""A model being served: seconds of a prefill and of a decoding step, and what users see of them.

With C requests in flight and N tokens to give each, every decoding step admits C/N new requests on average, whose
prompts run between the steps: a token takes a step and C/N prefills.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.accuracy.architecture import Architecture
from dagtool.accuracy.constants import ServingFit
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
from dagtool.accuracy.measured import UnpredictableError
from dagtool.accuracy.software import Software
from dagtool.cost.dtypes import width_bytes

__all__ = ["Server", "weight_bytes"]

_KERNELS = 8
"""Kernels of a layer beside its products: norms, additions, rotary embedding, cache, activation, attention's own."""
_EXPERT_KERNELS = 6
_LATENT_KERNELS = 4
_SCORE_PASSES = 4
"""Reads and writes of the score matrix by unfused scores, softmax and weighted sum."""
_ONE_SHOT_SHARE = 0.5
"""Of the link's bandwidth that reading other ranks' memory reaches."""
_MEMORY_SHARE = 0.9
"""Of a GPU's memory that weights and cache may fill: the default of serving engines."""
_LARGEST_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Server:
    """A row's deployment. ``captured``: kernels start from a captured graph."""

    arch: Architecture
    degrees: Degrees
    machine: Machine
    software: Software
    fit: ServingFit
    captured: bool
    cache_bytes: float = ACTIVATION_BYTES
    """Of one cached element."""
    assumed: tuple[str, ...] = ()

    def prefill_s(self, prompts: float, length: float) -> float:
        """Seconds until ``prompts`` prompts have their first token."""
        return self._pass_s(prompts * length, prompts, length, decoding=False) + self._head_s(prompts)

    def decode_s(self, batch: float, context: float) -> float:
        """Seconds in which ``batch`` requests of ``context`` tokens get one more."""
        return self._pass_s(batch, batch, context, decoding=True) + self._head_s(batch)

    def layer_s(self, tokens: float, batch: float, context: float, *, decoding: bool, experts: bool) -> float:
        """One layer over ``tokens`` tokens of ``batch`` requests."""
        arch, machine, tp = self.arch, self.machine, self.degrees.tp
        held = products(arch, tokens, tp, decoding=decoding, routed=experts)
        seconds = sum(one.count * self._product_s(one) for one in held)
        if experts:
            seconds += self._experts_s(tokens)
        seconds += self._attention_s(tokens, batch, context, decoding=decoding)
        seconds += machine.moved_s(layer_moved_bytes(arch, tokens, tp, sequence_cut=1, passes=STREAM_PASSES))
        kernels = len(held) + _KERNELS + (_EXPERT_KERNELS if experts else 0)
        kernels += _LATENT_KERNELS if arch.latent_rank else 0
        return seconds + kernels * self._launch_s + 2 * self._all_reduce_s(tokens)

    @property
    def _launch_s(self) -> float:
        return self.fit.launch_s if self.captured else self.fit.eager_launch_s

    def _pass_s(self, tokens: float, batch: float, context: float, *, decoding: bool) -> float:
        arch = self.arch
        layers = arch.layers - arch.dense_layers
        seconds = layers * self.layer_s(tokens, batch, context, decoding=decoding, experts=bool(arch.experts))
        if arch.dense_layers:
            seconds += arch.dense_layers * self.layer_s(tokens, batch, context, decoding=decoding, experts=False)
        # A token passes every stage.
        sent = ACTIVATION_BYTES * tokens * arch.hidden / self.degrees.tp
        return seconds + (self.degrees.pp - 1) * self.machine.collective_s("send", sent, 2, self.degrees.tp)

    def _product_s(self, one: Product) -> float:
        return self.machine.product_s(one.m, one.k, one.n)

    def _attention_s(self, tokens: float, batch: float, context: float, *, decoding: bool) -> float:
        arch, tp = self.arch, self.degrees.tp
        bytes_ = self.cache_bytes * batch * context * self._cached_elements()
        flops = attention_flops(arch, tokens, context, tp, latent=decoding and bool(arch.latent_rank))
        if not decoding:
            flops *= computed_share(context, fused=self.software.fused_attention)
        if not self.software.fused_attention:
            bytes_ += ACTIVATION_BYTES * _SCORE_PASSES * tokens * context * arch.heads / tp
        return self.machine.attention_s(flops, bytes_)

    def _cached_elements(self) -> float:
        """Keys and values of a token in one layer on one GPU."""
        arch = self.arch
        if arch.latent_rank:  # compressed ones are those of all heads: every rank has them all
            return arch.kv_elements
        return max(arch.kv_elements / self.degrees.tp, 2 * arch.head_size)

    def _experts_s(self, tokens: float) -> float:
        """The experts that tokens meet on this GPU.

        Tokens are on all tensor parallel ranks; where experts lie over more GPUs than these, on several replicas of the
        attention, tokens of all of them come here and go back.
        """
        arch, d = self.arch, self.degrees
        replicas = max(1, d.ep // d.tp)
        local, tokens = arch.experts / d.ep, tokens * replicas
        met = local * (1 - (1 - arch.topk / arch.experts) ** tokens) * self.fit.touched
        met = max(met, min(local, arch.topk / d.ep))
        rows = tokens * arch.topk / d.ep / met
        held = expert_products(arch, rows, met, max(1, d.tp // d.ep))
        seconds = sum(one.count * self._product_s(one) for one in held)
        if replicas > 1:
            sent = ACTIVATION_BYTES * tokens / d.ep * arch.topk * arch.hidden * (d.ep - 1) / d.ep
            seconds += 2 * self.machine.collective_s("all_to_all", sent, d.ep)
        return seconds

    def _all_reduce_s(self, tokens: float) -> float:
        tp = self.degrees.tp
        if tp == 1:
            return 0.0
        buffer = ACTIVATION_BYTES * tokens * self.arch.hidden
        ring = self.machine.collective_s("all_reduce", buffer * 2 * (tp - 1) / tp, tp)
        gpu = self.machine.gpu
        if not self.captured or tp > gpu.gpus_per_node:
            return ring
        one_shot = self.fit.one_shot_s + buffer * (tp - 1) / (gpu.inside.bytes_per_s_one_way * _ONE_SHOT_SHARE)
        return min(ring, one_shot)

    def _head_s(self, rows: float) -> float:
        one = head_product(self.arch, rows, self.degrees.tp)
        return self.machine.product_s(one.m, one.k, one.n, "bf16")

    def token_s(self, batch: float, prompt: float, output: float) -> float:
        """Seconds per output token with ``batch`` requests in flight."""
        step = self.decode_s(batch, prompt + output / 2) + self.fit.host_s
        return step + batch / output * self.prefill_s(1, prompt)

    def first_token_s(self, batch: float, prompt: float, output: float) -> float:
        """Seconds from a request to its first token with ``batch`` requests in flight."""
        waiting = 1 + self.fit.queue * (batch - 1)
        step = self.decode_s(batch, prompt + output / 2)
        return waiting * self.prefill_s(1, prompt) + step + self.fit.first_token_s

    def largest_batch(self, length: float) -> float:
        """Requests of ``length`` tokens whose cache fits beside the weights. Raises UnpredictableError for none."""
        left = self.machine.gpu.memory_bytes * _MEMORY_SHARE - weight_bytes(self)
        batch = left / (self.cache_bytes * self._cached_elements() * self.arch.layers * length)
        if batch < 1:
            raise UnpredictableError("its weights leave no memory for a request")
        return min(batch, _LARGEST_BATCH)


def weight_bytes(server: Server, *, met_by: float = 0.0) -> float:
    """Weights on one GPU; ``met_by`` above 0: those that as many tokens meet."""
    arch, d = server.arch, server.degrees
    held = sum(one.weights for one in products(arch, 1, d.tp)) * arch.layers
    if arch.experts:
        share = 1 - (1 - arch.topk / arch.experts) ** met_by if met_by else 1.0
        tp = max(1, d.tp // d.ep)
        one_expert = sum(one.weights for one in expert_products(arch, 1, 1, tp))
        held += one_expert * arch.experts / d.ep * share * (arch.layers - arch.dense_layers)
    head = head_product(arch, 1, d.tp).weights
    return width_bytes(server.machine.dtype) * held + ACTIVATION_BYTES * head
