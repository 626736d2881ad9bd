"""Seconds of a collective: a ring inside a node, rings over all network cards between nodes, sends for all-to-all.

``T = start + steps * hop + bytes sent / bandwidth``, with two protocols, one quick for small messages and one
fast for large ones, of which the better counts, as NCCL chooses.

Bytes are what one GPU sends (``Work.elements_sent``): the ring's factors
2(n-1)/n and (n-1)/n are in them. Sources: nccl-tests PERFORMANCE.md; NVIDIA/nccl src/graph/tuning.cc.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dagtool.cost.fitted import LinkFit, link_fit
from dagtool.model.cluster import Cluster

__all__ = ["ALGORITHMS", "Group", "collective_s", "exchange_s", "group_of"]

ALGORITHMS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "send")
"""What an operator's ``algorithm`` may be."""


@dataclass(frozen=True, slots=True)
class Group:
    """The GPUs of a collective, as far as its time depends on them."""

    ranks: int
    nodes: int = 1
    """How many nodes they stand in."""
    fewest: int | None = None
    """Ranks in the node that has fewest; None where each has as many."""

    @property
    def per_node(self) -> float:
        """Ranks in a node, that with fewest, for which all wait: as many network cards work for the group there."""
        return self.ranks / self.nodes if self.fewest is None else self.fewest


def group_of(gpus: Iterable[int], cluster: Cluster) -> Group:
    """The group that GPUs form in a cluster."""
    counts = Counter(map(cluster.node_of, gpus))
    fewest, ranks = min(counts.values(), default=0), sum(counts.values())
    return Group(ranks, len(counts), fewest if fewest * len(counts) < ranks else None)


def collective_s(
    algorithm: str,
    sent_bytes: float,
    group: Group,
    cluster: Cluster,
    *,
    imbalance: float = 1.0,
    fit: LinkFit | None = None,
) -> float:
    """Seconds of a collective in which each GPU sends ``sent_bytes``.

    ``fit``: other constants than those fitted for the cluster's GPU.
    ``imbalance`` (all-to-all): what the busiest GPU sends or receives, in averages; everybody waits for it.
    """
    if group.ranks < 2 or sent_bytes <= 0:
        return 0.0
    fit = fit or link_fit(cluster.gpu)
    if algorithm == "all_to_all":
        return _all_to_all_s(sent_bytes * imbalance, group, cluster, fit)
    if algorithm in ("send", "broadcast"):
        return _send_s(sent_bytes, group, cluster, fit)
    return _ring_s(algorithm, sent_bytes, group, cluster, fit)


def _two_protocols(latency_s: float, sent_bytes: float, bandwidth: float, fit: LinkFit) -> float:
    small = sent_bytes / (bandwidth * fit.small_share)
    large = fit.large_start_s + sent_bytes / bandwidth
    return latency_s + min(small, large)


def _ring_s(algorithm: str, sent_bytes: float, group: Group, cluster: Cluster, fit: LinkFit) -> float:
    """Around all ranks. Between nodes as many rings run side by side as the node has ranks, each over its own card."""
    rounds = 2 if algorithm == "all_reduce" else 1
    latency_s = fit.start_s + rounds * (group.ranks / group.nodes - 1) * fit.hop_s
    inside = cluster.inside.bytes_per_s_one_way * fit.share
    bandwidth = inside
    if group.nodes > 1:
        latency_s += rounds * (group.nodes - 1).bit_length() * _network_start_s(cluster, fit)
        bandwidth = min(inside, group.per_node * cluster.between.bytes_per_s_one_way * fit.network_share)
    ring = _two_protocols(latency_s, sent_bytes, bandwidth, fit)
    if algorithm != "all_reduce" or not cluster.inside.in_network_reduction or group.nodes > 1 or group.ranks < 4:
        return ring
    # The switches add up: n + 1 parts of the buffer pass a link instead of 2(n - 1).
    passed = sent_bytes * (group.ranks + 1) / (2 * (group.ranks - 1))
    reduced = latency_s + fit.large_start_s + passed / (cluster.inside.bytes_per_s_one_way * fit.in_network_share)
    return min(ring, reduced)


def _all_to_all_s(sent_bytes: float, group: Group, cluster: Cluster, fit: LinkFit) -> float:
    """Everybody to everybody, equally much to each."""
    outside_part = (group.ranks - group.per_node) / (group.ranks - 1)
    return exchange_s(sent_bytes * (1 - outside_part), sent_bytes * outside_part, group, cluster, fit=fit)


def exchange_s(
    inside_bytes: float, outside_bytes: float, group: Group, cluster: Cluster, *, fit: LinkFit | None = None
) -> float:
    """Seconds in which each GPU sends some bytes to GPUs of its node and some to others: both travel at once."""
    fit = fit or link_fit(cluster.gpu)
    inside = cluster.inside.bytes_per_s_one_way * fit.share * fit.all_to_all_share
    latency_s = fit.start_s + (group.per_node - 1) * fit.hop_s * fit.all_to_all_hop
    within = _two_protocols(latency_s, inside_bytes, inside, fit)
    if group.nodes == 1:
        return within
    outside = cluster.between.bytes_per_s_one_way * fit.network_share
    return max(within, latency_s + _network_start_s(cluster, fit) + outside_bytes / outside)


def _send_s(sent_bytes: float, group: Group, cluster: Cluster, fit: LinkFit) -> float:
    """From one GPU to another; a broadcast as a pipeline through its ranks, so that the value passes each link once."""
    inside = cluster.inside.bytes_per_s_one_way * fit.share
    if group.nodes == 1:
        return _two_protocols(fit.start_s + fit.hop_s, sent_bytes, inside, fit)
    between = min(inside, cluster.between.bytes_per_s_one_way * fit.network_share)
    return fit.start_s + _network_start_s(cluster, fit) + sent_bytes / between


def _network_start_s(cluster: Cluster, fit: LinkFit) -> float:
    return fit.network_start_s if cluster.between.latency_s is None else cluster.between.latency_s
