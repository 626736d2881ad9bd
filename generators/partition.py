"""The partitioner: a strategy in, the whole deployment DAG out, or the part of it that stands for the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.blocks import old as blocks
from dagtool.generators.divide import check_degrees
from dagtool.generators.instances import Assembler, Section
from dagtool.generators.program import ENTRY, Builder, Ref
from dagtool.generators.ranks import EVERY_RANK, Ranks
from dagtool.generators.strategy import Strategy
from dagtool.model import dataflow
from dagtool.model.mesh import MeshError
from dagtool.model.tensor import TensorType
from dagtool.model.transformer import format_model
from dagtool.ops import OPERATORS

__all__ = ["Assembly", "assemble", "partition"]


def partition(strategy: Strategy) -> Dag:
    """Build the DAG. Raises DagtoolError where a degree does not divide or a name is used twice."""
    dag = assemble(strategy).dag
    _check_names(dag)
    return dag


@dataclass(frozen=True, slots=True)
class Assembly:
    """A Dag of the chosen ranks, and the sections it was put together from, in order."""

    dag: Dag
    sections: tuple[tuple[str, int, Section], ...]
    """(part, layer, section): ``embedding``, the layers with a ``cut`` between stages, ``head``."""

    @property
    def nodes(self) -> int:
        """How many nodes the DAG of all ranks has."""
        return sum(section.nodes for _, _, section in self.sections)


def assemble(strategy: Strategy, ranks: Ranks = EVERY_RANK) -> Assembly:
    """Build the DAG of the chosen ranks; names are not compared yet. Raises DagtoolError."""
    layers = strategy.sizes["L"]
    if layers is None:
        raise DagtoolError("L cannot be a symbol: there are nodes for each layer")
    check_degrees(strategy)
    _check_experts(strategy)
    _check_roles(strategy)
    dag = _empty(strategy)
    assembler = Assembler(dag, strategy, ranks)
    order: list[tuple[str, int, Section]] = []
    sections: dict[tuple[str, int], Section] = {}
    entry: TensorType | None = None
    per_stage = layers // strategy.stages

    def append(part: str, stage: int, layer: int) -> None:
        nonlocal entry
        key = (part, stage)
        if key not in sections:
            builder = Builder(strategy, dag.meshes, stage, entry)
            result = _build(part, builder)
            # The cut lies between two stages and is named after the one it leaves.
            sections[key] = assembler.prepare(builder.steps, result, stage - (part == "cut"))
        section = sections[key]
        if part == "layer" and layer == 0:
            _check_count(len(section.patterns) * layers)
        assembler.append(section, layer)
        order.append((part, layer, section))
        entry = section.steps[section.result.step].kind.outputs[section.result.output].type

    append("embedding", 0, -1)
    for layer in range(layers):
        stage = layer // per_stage
        append("layer", stage, layer)
        if (layer + 1) // per_stage > stage and stage + 1 < strategy.stages:
            append("cut", stage + 1, layer)
    append("head", strategy.stages - 1, -1)
    return Assembly(dag, tuple(order))


def _check_roles(strategy: Strategy) -> None:
    """Every name belongs to a part of the model, or to a conversion of one."""
    parts = [*dataflow.model_parts(strategy.model, grouped="G" in strategy.sizes), dataflow.ENTRY]
    for role in strategy.names:
        base = dataflow.base_role(role)
        conversion = role.rpartition(".")[2].rstrip("0123456789")
        if base not in parts or (role != base and conversion not in OPERATORS):
            hint = did_you_mean(role, parts) or "'dagtool gen' writes each node's role"
            raise DagtoolError(f"[names] {role!r} is no part of the model and no conversion of one", hint)


_MOST_NODES = 50_000_000


def _check_count(nodes: int) -> None:
    if nodes > _MOST_NODES:
        raise DagtoolError(f"the graph would have {nodes:,} nodes", f"at most {_MOST_NODES:,} are written")


def _check_experts(strategy: Strategy) -> None:
    """Each token takes K of E experts, which lie where the routing is done."""
    if strategy.model.ffn != "moe":
        return
    experts, top = strategy.sizes["E"], strategy.sizes["K"]
    if experts is None:
        raise DagtoolError("E cannot be a symbol: there are nodes for each expert")
    if top is not None and top > experts:
        raise DagtoolError(f"top_k K={top} is more than experts E={experts}")
    _check_count(experts)
    router, held = strategy.regions["router"].mesh, strategy.regions["experts"].mesh
    if router != held:
        raise DagtoolError(
            f"region 'experts' lies on {held!r} and 'router' on {router!r}",
            "tokens are routed on the mesh of the experts: give both the same",
        )


def _build(part: str, builder: Builder) -> Ref:
    if part == "embedding":
        return blocks.embedding(builder)
    if part == "layer":
        return blocks.layer(builder, Ref(ENTRY))
    return builder.place(Ref(ENTRY), "stream") if part == "cut" else blocks.head(builder, Ref(ENTRY))


def _empty(strategy: Strategy) -> Dag:
    try:
        meshes = strategy.meshes()
    except MeshError as error:
        raise DagtoolError(str(error)) from None
    facts = {"preset": strategy.name, "model": format_model(strategy.model)}
    facts |= {"gpu_memory": strategy.gpu_memory} if strategy.gpu_memory else {}
    return Dag(strategy.name, dict(strategy.sizes), meshes, facts, declared=True)


def _check_names(dag: Dag) -> None:
    if len(set(dag.ids)) == len(dag.ids):
        return
    name, count = Counter(dag.ids).most_common(1)[0]
    role = dag.kind(dag.ids.index(name)).role
    raise DagtoolError(
        f"{count} nodes would be called {name!r}",
        f"give names.{role!r} a field for what tells them apart: {{l}}, {{s}}, {{x}}, {{gpu}} or a mesh axis",
    )
