"""The partitioner: a strategy in, the whole deployment DAG out, or the part of it that stands for the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators import blocks
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
    _check_names(dag, strategy)
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
    _check_experts(strategy)
    _check_roles(strategy)
    dag = _empty(strategy)
    assembler = Assembler(dag, strategy, ranks)
    order: list[tuple[str, int, Section]] = []
    sections: dict[tuple[object, ...], Section] = {}
    entry: TensorType | None = None
    stage_of = strategy.stage_of

    def append(part: str, stage: int, layer: int) -> None:
        nonlocal entry
        # A cut sends the value to where the layer behind it lies, and is called after the one before it.
        at = layer + 1 if part == "cut" else layer
        key = (part, stage, strategy.layout.signature(at), entry)
        if key not in sections:
            builder = Builder(strategy, dag.meshes, stage, entry, at)
            result = _build(part, builder)
            if not builder.steps:  # nothing to send: it lies there already, or the layer converts it
                return
            # The cut lies between two stages and is named after the one it leaves.
            sections[key] = assembler.prepare(builder.steps, result, stage - (part == "cut"), in_layer=layer >= 0)
        section = sections[key]
        if part == "layer" and layer == 0:
            _check_count(len(section.patterns) * len(stage_of))
        assembler.append(section, layer)
        order.append((part, layer, section))
        entry = section.steps[section.result.step].kind.outputs[section.result.output].type

    append("embedding", 0, -1)
    for layer, stage in enumerate(stage_of):
        append("layer", stage, layer)
        if stage_of[layer + 1 : layer + 2] == (stage + 1,):
            append("cut", stage + 1, layer)
    append("head", stage_of[-1], -1)
    return Assembly(dag, tuple(order))


def _check_roles(strategy: Strategy) -> None:
    """Every name belongs to a part of the model, or to a conversion of one."""
    parts = [*dataflow.model_parts(strategy.model, grouped="G" in strategy.sizes), dataflow.ENTRY]
    for role in strategy.names:
        base = dataflow.base_role(role)
        conversion = role.rpartition(".")[2].rstrip("0123456789")
        if base not in parts or (role != base and conversion not in OPERATORS):
            hint = did_you_mean(role, parts) or "'dagtool gen' writes each node's role"
            why = f"[names] {role!r} is no part of the model and no conversion of one"
            raise strategy.error(("names", role), why, hint)


_MOST_NODES = 50_000_000


def _check_count(nodes: int) -> None:
    if nodes > _MOST_NODES:
        raise DagtoolError(f"the graph would have {nodes:,} nodes", f"at most {_MOST_NODES:,} are written")


def _check_experts(strategy: Strategy) -> None:
    """Each token takes K of E experts, which lie where the routing is done."""
    if strategy.model.ffn != "moe":
        return
    _check_count(strategy.sizes["E"] or 0)
    for _, layer, region in strategy.layout.regions(["experts"]):
        router = strategy.layout.at("router", layer).mesh
        if router != region.mesh:
            raise strategy.error(
                strategy.layout.origin("experts", layer) or strategy.layout.origin("router", layer),
                f"region 'experts' lies on {region.mesh!r} and 'router' on {router!r}",
                "tokens are routed on the mesh of the experts: give both the same",
            )


def _build(part: str, builder: Builder) -> Ref:
    if part == "embedding":
        return blocks.embedding(builder)
    if part == "layer":
        return blocks.layer(builder, Ref(ENTRY))
    return builder.hand_over(Ref(ENTRY)) if part == "cut" else blocks.head(builder, Ref(ENTRY))


def _empty(strategy: Strategy) -> Dag:
    try:
        meshes = strategy.meshes()
    except MeshError as error:
        raise DagtoolError(str(error)) from None
    facts = {"preset": strategy.name, "model": format_model(strategy.model)}
    facts |= {"gpu_memory": strategy.gpu_memory} if strategy.gpu_memory else {}
    return Dag(strategy.name, dict(strategy.sizes), meshes, facts, declared=True)


def _check_names(dag: Dag, strategy: Strategy) -> None:
    if len(set(dag.ids)) == len(dag.ids):
        return
    name, count = Counter(dag.ids).most_common(1)[0]
    role = dag.kind(dag.ids.index(name)).role
    raise strategy.error(
        ("names", role),
        f"{count} nodes would be called {name!r}",
        f"give names.{role!r} a field for what tells them apart: {{l}}, {{s}}, {{x}}, {{gpu}} or a mesh axis",
    )
