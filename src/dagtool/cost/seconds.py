"""Seconds of every node of a Dag on a cluster.

Priced once for each kind, each share of its pairs that a mask keeps, and each way its GPUs lie in nodes. Fused
attention computes the pairs of query and key that the mask keeps and reads the keys that a query sees; unfused kernels
compute all pairs. A node on several GPUs takes as long as the GPU with most pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dagtool.cost.backends import GetTime, Settings, make_backend, typed_backend
from dagtool.cost.collectives import Group, collective_s, exchange_s, group_of
from dagtool.cost.dtypes import Use, dtype_bytes, width_bytes
from dagtool.cost.exchange import exchanged
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import KernelTime, attention_time, memory_time
from dagtool.cost.masks import Masks, PairShare, find_masks
from dagtool.cost.price import Price
from dagtool.cost.work import matmuls_of
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import kind_work, weight_of
from dagtool.errors import DagtoolError
from dagtool.model.cluster import Cluster
from dagtool.model.mesh import Mesh
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, LayoutError, Work
from dagtool.ops.transfer import Transfer

__all__ = ["NodeTimes", "is_far", "node_seconds"]


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
    dispatch: str = "copy",
    settings: Settings | None = None,
    typed: Callable[[str], GetTime] | None = None,
) -> NodeTimes:
    """Seconds of each node. Compute and communication are told apart by the operator's family.

    ``fused_attention``: scores, softmax and weighted sum keep the S x S matrices on the chip.
    ``imbalance``: what the busiest GPU of an all-to-all has to move, in averages.
    ``dispatch``: ``copy``, each expert of a token gets a copy; ``host``, each host does (``exchange.py``).
    ``settings``: what the named backend needs beyond cluster and dtype.
    ``typed``: of a backend that is no name, the prices of products with weights of another data type than ``dtype``.
    Raises DagtoolError: a size has no value, an operator or its types make no sense, a GPU is not in the cluster.
    """
    if isinstance(backend, str):
        from dataclasses import replace

        built = replace(settings or Settings(), cluster=cluster, dtype=dtype)
        get_time = make_backend(backend, built)
        if get_time is None:
            raise DagtoolError(f"--cost {backend} gives no seconds", "roofline, table and MODULE:FUNCTION do")
        typed = typed_backend(backend, built)
    else:
        get_time = backend
    products = _Products(get_time, typed, dtype)
    return _Pricing(dag, cluster, products, dtype, fused_attention, imbalance, dispatch, find_masks(dag)).run()


@dataclass(slots=True)
class _Products:
    """What prices products, by the data type of their weights."""

    usual: GetTime
    typed: Callable[[str], GetTime] | None
    dtype: str
    known: dict[str, GetTime] = field(default_factory=dict)

    def of(self, weight: str) -> GetTime:
        """The prices for weights of a data type, empty for the usual one."""
        if not weight or weight == self.dtype or self.typed is None:
            return self.usual
        if weight not in self.known:
            self.known[weight] = self.typed(weight)
        return self.known[weight]


@dataclass(slots=True)
class _Pricing:
    """One call's tables: prices by kind and class of GPUs."""

    dag: Dag
    cluster: Cluster
    products: _Products
    dtype: str
    fused: bool
    imbalance: float
    dispatch: str
    masks: Masks
    works: dict[int, Work] = field(default_factory=dict)

    def run(self) -> NodeTimes:
        """Price every class that occurs, on its first node; then look each node up."""
        dag, groups = self.dag, self._groups()
        count, shares = len(groups), len(self.masks.shares)
        # What of a device set a kind's time depends on, by index of the set: -1, for no GPU, is the last.
        distinct = {group: index for index, group in enumerate(dict.fromkeys(groups))}
        tables = {"": [0] * count, "group": [distinct[group] for group in groups], "pair": list(range(count))}
        table_of = [tables[_moves(kind)] for kind in dag.kinds]
        classes = [
            (kind * shares + share) * count + table_of[kind][devices]
            for kind, share, devices in zip(dag.kind_of, self.masks.share_of, dag.devices_of, strict=True)
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
                ends = self._ends(node, kind, group)
                return self._communication(index, self.works[index], self.masks.share(node), ends)
            return self._compute(index, self.works[index], self.masks.share(node))
        except LayoutError as error:
            raise DagtoolError(
                f"node {self.dag.ids[node]!r} cannot be priced: it {error}", "'dagtool validate' says more"
            ) from None

    def _compute(self, index: int, work: Work, share: PairShare) -> Price:
        kind, gpu = self.dag.kinds[index], self.cluster.gpu
        inside = index in self.masks.inside
        products = [tuple(map(self._number, (one.m, one.k, one.n))) for one in matmuls_of(work, self.dag)]
        if self.fused and inside and not products:
            return Price(0.0, "inside the fused attention kernel")
        if work.on_chip and products:
            return self._attention(index, work, share, self._flops(work))
        moved = self._bytes(kind, work)
        if products:
            weight = weight_of(kind)
            get_time = self.products.of(weight.dtype if weight else "")
            prices = [get_time(*shape) for shape in products]
            found = Price(sum(one.time_s for one in prices), prices[0].source)
            operands = sum(m * k + k * n + m * n for m, k, n in products)
            if sum(map(self._number, work.elements_moved)) <= operands:
                return found
            # Heads side by side in m, each with a weight of its own: the shape of the product counts one weight.
            read = memory_time(moved, gpu=gpu, fit=kernel_fit(gpu))
            return found if found.time_s >= read.time_s else _said(read, "roofline")
        if not moved:
            return Price(0.0, "moves nothing")
        return _said(memory_time(moved, gpu=gpu, fit=kernel_fit(gpu)), "bytes moved")

    def _attention(self, index: int, work: Work, share: PairShare, flops: float) -> Price:
        """A product inside attention: fused, of the pairs that are kept and of keys that are seen."""
        gpu, dtype = self.cluster.gpu, self.dtype if width_bytes(self.dtype) >= 2 else "bf16"
        moved = self._bytes(self.dag.kinds[index], work)
        if self.fused:
            keys = 0.0 if index in self.masks.keys_again else float(share.keys)
            read = sum(self._number(work.moved[at][0]) * self._width(work.moved[at][1], "cache") for at in work.keyed)
            moved -= read * (1 - keys) + sum(map(self._number, work.on_chip)) * self._width("", "activation")
            flops *= float(share.most)
        return _said(attention_time(flops, moved, dtype=dtype, gpu=gpu, fit=kernel_fit(gpu)), "attention")

    def _flops(self, work: Work) -> float:
        return sum(self._number(one.flops) for one in work.matmuls)

    def _bytes(self, kind: Kind, work: Work) -> float:
        """Bytes read and written."""
        total = 0.0
        for at, (size, dtype) in enumerate(work.moved):
            use: Use = "cache" if kind.op == "append" or at in work.keyed else "activation"
            total += self._number(size) * self._width(dtype, use)
        return total

    def _width(self, dtype: str, use: Use) -> float:
        """Bytes of one element between products: of its own type, else 16 bits also where products run in fp8."""
        return float(dtype_bytes(dtype, use)) if dtype else max(width_bytes(self.dtype), 2.0)

    def _communication(self, index: int, work: Work, share: PairShare, group: Group) -> Price:
        kind = self.dag.kinds[index]
        algorithm = OPERATORS[kind.op].algorithm
        if not algorithm or work.elements_sent is None:
            return Price(0.0, "counted where it is sent")
        nodes = f"{group.nodes} node{'s' if group.nodes > 1 else ''}"
        said = f"{algorithm} over {group.ranks} GPUs in {nodes}"
        width = self._width(work.sent_dtype, "activation")
        if self.dispatch == "host" and (parts := exchanged(self.dag, kind, work, group)) is not None:
            inside, outside = (float(part) * width * self.imbalance for part in (parts.inside, parts.outside))
            return Price(exchange_s(inside, outside, group, self.cluster), f"{said}, a copy for each host")
        sent = self._number(work.elements_sent) * width
        time_s = collective_s(algorithm, sent, group, self.cluster, imbalance=self.imbalance)
        if not OPERATORS[kind.op].computes or (self.fused and work.on_chip):
            return Price(time_s, said)
        if work.matmuls:  # parts are sent while others are computed with
            computed = self._attention(index, work, share, self._flops(work))
            return max(Price(time_s, said), computed, key=lambda one: one.time_s)
        gpu = self.cluster.gpu
        return Price(time_s + memory_time(self._bytes(kind, work), gpu=gpu, fit=kernel_fit(gpu)).time_s, said)

    def _ends(self, node: int, kind: Kind, group: Group) -> Group:
        """For a transfer from rank to rank the farthest pair; for everything else the node's GPUs."""
        if _moves(kind) != "pair":
            return group
        source, target = (self.dag.meshes.get(name) for name in (kind.meshes[0], kind.parameters.get("to", "")))
        if source is None or target is None:
            raise LayoutError("moves between meshes that are not declared")
        far = is_far(kind, self.dag.gpus(node), source, target, self.cluster)
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


def is_far(kind: Kind, gpus: Sequence[int], source: Mesh, target: Mesh, cluster: Cluster) -> bool:
    """Return whether some pair of GPUs that a transfer joins stands in two nodes; rank to rank, or any to any."""
    held = set(gpus)
    operator = OPERATORS[kind.op]
    if isinstance(operator, Transfer) and not operator.rank_to_rank:
        return len({cluster.node_of(gpu) for gpu in (*source.gpus, *target.gpus) if gpu in held}) > 1
    pairs = [pair for pair in zip(source.gpus, target.gpus, strict=False) if held & set(pair)]
    return any(cluster.node_of(here) != cluster.node_of(there) for here, there in pairs)


def _moves(kind: Kind) -> str:
    """What of its GPUs a kind's time depends on: the ``group``, the ``pair``, or nothing."""
    algorithm = OPERATORS[kind.op].algorithm if kind.op in OPERATORS else ""
    return "pair" if algorithm == "send" else "group" if algorithm else ""


def _said(found: KernelTime, what: str) -> Price:
    return Price(found.time_s, f"{what}: {found.bound}")
