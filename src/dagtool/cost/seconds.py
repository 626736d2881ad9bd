"""Seconds of every node of a Dag on a cluster: priced once for each kind and each way its GPUs lie in nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dagtool.cost.backends import GetTime, Settings, make_backend
from dagtool.cost.collectives import Group, collective_s, group_of
from dagtool.cost.dtypes import width_bytes
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import KernelTime, attention_time, memory_time
from dagtool.cost.price import Price
from dagtool.cost.work import matmuls_of
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import kind_work
from dagtool.errors import DagtoolError
from dagtool.model.cluster import Cluster
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, LayoutError, Work

__all__ = ["NodeTimes", "node_seconds"]


@dataclass(frozen=True, slots=True)
class NodeTimes:
    """Seconds by node, and where each number comes from."""

    time_s: list[float]
    prices: Sequence[Price] = field(repr=False)
    """The distinct prices."""
    price_of: Sequence[int] = field(repr=False)
    """By node the index of its price."""

    def source(self, node: int) -> str:
        """What gave the seconds of a node: ``roofline: memory``, ``all_reduce over 8 GPUs in 1 node``."""
        return self.prices[self.price_of[node]].source


def node_seconds(
    dag: Dag,
    cluster: Cluster,
    backend: str | GetTime = "roofline",
    *,
    dtype: str = "bf16",
    fused_attention: bool = True,
    imbalance: float = 1.0,
    settings: Settings | None = None,
) -> NodeTimes:
    """Seconds of each node. Compute and communication are told apart by the operator's family.

    ``fused_attention``: scores, softmax and weighted sum keep the S x S matrices on the chip.
    ``imbalance``: what the busiest GPU of an all-to-all has to move, in averages.
    ``settings``: what the named backend needs beyond cluster and dtype.
    Raises DagtoolError: a size has no value, an operator or its types make no sense, a GPU is not in the cluster.
    """
    if isinstance(backend, str):
        from dataclasses import replace

        get_time = make_backend(backend, replace(settings or Settings(), cluster=cluster, dtype=dtype))
        if get_time is None:
            raise DagtoolError(f"--cost {backend} gives no seconds", "roofline, table and MODULE:FUNCTION do")
    else:
        get_time = backend
    pricing = _Pricing(dag, cluster, get_time, dtype, fused_attention, imbalance)
    return pricing.run()


@dataclass(slots=True)
class _Pricing:
    """One call's tables: prices by kind and class of GPUs."""

    dag: Dag
    cluster: Cluster
    get_time: GetTime
    dtype: str
    fused: bool
    imbalance: float
    works: dict[int, Work] = field(default_factory=dict)

    def run(self) -> NodeTimes:
        """Price every class that occurs, on its first node; then look each node up."""
        dag, groups = self.dag, self._groups()
        count = len(groups)
        # What of a device set a kind's time depends on, by index of the set: -1, for no GPU, is the last.
        distinct = {group: index for index, group in enumerate(dict.fromkeys(groups))}
        tables = {"": [0] * count, "group": [distinct[group] for group in groups], "pair": list(range(count))}
        table_of = [tables[_moves(kind)] for kind in dag.kinds]
        classes = [
            kind * count + table_of[kind][devices] for kind, devices in zip(dag.kind_of, dag.devices_of, strict=True)
        ]
        first = dict(zip(reversed(classes), range(len(classes) - 1, -1, -1), strict=True))
        nodes = sorted(first.values())
        prices = [self._price(node, dag.kind_of[node], groups[dag.devices_of[node]]) for node in nodes]
        place = {classes[node]: index for index, node in enumerate(nodes)}
        price_of = [place[one] for one in classes]
        seconds = [price.time_s for price in prices]
        return NodeTimes([seconds[index] for index in price_of], prices, price_of)

    def _groups(self) -> list[Group]:
        """The group of each device set; last, for index -1, that of a node that names no GPU."""
        self.cluster.require(max((gpu for gpus in self.dag.device_sets for gpu in gpus), default=0))
        return [*(group_of(gpus, self.cluster) for gpus in self.dag.device_sets), Group(1)]

    def _price(self, node: int, index: int, group: Group) -> Price:
        kind = self.dag.kinds[index]
        try:
            if kind.op not in OPERATORS:
                raise LayoutError(f"is of an unknown operator {kind.op!r}" if kind.op else "declares no operator")
            if OPERATORS[kind.op].family == "io":
                return Price(0.0, "input and output cost nothing")
            if index not in self.works:
                self.works[index] = kind_work(kind, self.dag.meshes)
            if OPERATORS[kind.op].is_communication:
                return self._communication(kind, self.works[index], self._ends(node, kind, group))
            return self._compute(self.works[index])
        except LayoutError as error:
            raise DagtoolError(
                f"node {self.dag.ids[node]!r} cannot be priced: it {error}", "'dagtool validate' says more"
            ) from None

    @property
    def _activation_bytes(self) -> float:
        """Bytes of one element between products: 16 bits also where the products run in fp8."""
        return max(width_bytes(self.dtype), 2.0)

    def _compute(self, work: Work) -> Price:
        gpu = self.cluster.gpu
        fit, width = kernel_fit(gpu), self._activation_bytes
        fused = self.fused and bool(work.on_chip)
        moved = sum(map(self._number, work.elements_moved)) - (sum(map(self._number, work.on_chip)) if fused else 0)
        products = [tuple(map(self._number, (one.m, one.k, one.n))) for one in matmuls_of(work, self.dag)]
        if work.on_chip:
            flops = sum(2 * m * k * n for m, k, n in products)
            if fused and not products:
                return Price(0.0, "inside the fused attention kernel")
            dtype = self.dtype if width_bytes(self.dtype) >= 2 else "bf16"
            return _said(attention_time(flops, moved * width, dtype=dtype, gpu=gpu, fit=fit), "attention")
        if products:
            prices = [self.get_time(*shape) for shape in products]
            return Price(sum(one.time_s for one in prices), prices[0].source)
        if not moved:
            return Price(0.0, "moves nothing")
        return _said(memory_time(moved * width, gpu=gpu, fit=fit), "bytes moved")

    def _communication(self, kind: Kind, work: Work, group: Group) -> Price:
        algorithm = OPERATORS[kind.op].algorithm
        if not algorithm or work.elements_sent is None:
            return Price(0.0, "counted where it is sent")
        sent = self._number(work.elements_sent) * self._activation_bytes
        time_s = collective_s(algorithm, sent, group, self.cluster, imbalance=self.imbalance)
        nodes = f"{group.nodes} node{'s' if group.nodes > 1 else ''}"
        return Price(time_s, f"{algorithm} over {group.ranks} GPUs in {nodes}")

    def _ends(self, node: int, kind: Kind, group: Group) -> Group:
        """For a transfer from rank to rank the farthest pair; for everything else the node's GPUs."""
        if _moves(kind) != "pair":
            return group
        source, target = (self.dag.meshes.get(name) for name in (kind.meshes[0], kind.parameters.get("to", "")))
        if source is None or target is None:
            raise LayoutError("moves between meshes that are not declared")
        held = set(self.dag.gpus(node))
        pairs = [pair for pair in zip(source.gpus, target.gpus, strict=False) if held & set(pair)]
        far = any(self.cluster.node_of(here) != self.cluster.node_of(there) for here, there in pairs)
        return Group(2, 2 if far else 1)

    def _number(self, size: Size) -> float:
        bound = size.bind(self.dag.sizes)
        if bound.symbols:
            names = ", ".join(bound.symbols)
            raise DagtoolError(
                f"seconds need a number for {names}, which the graph keeps as a symbol",
                f"generate it with --set {bound.symbols[0]}=…; --cost symbolic needs none",
            )
        return bound.numerator / bound.denominator


def _moves(kind: Kind) -> str:
    """What of its GPUs a kind's time depends on: the ``group``, the ``pair``, or nothing."""
    algorithm = OPERATORS[kind.op].algorithm if kind.op in OPERATORS else ""
    return "pair" if algorithm == "send" else "group" if algorithm else ""


def _said(found: KernelTime, what: str) -> Price:
    return Price(found.time_s, f"{what}: {found.bound}")
