"""The whole graph for Model Explorer (https://github.com/google-ai-edge/model-explorer, "Develop adapter extensions").

Its nodes nest by namespace, so layers, blocks and GPUs fold there.
"""

from __future__ import annotations

import json

from dagtool.dag.graph import Dag
from dagtool.foreign.guessed_dag import guess_dag, role_of_id
from dagtool.model.mesh import format_gpus
from dagtool.render.words import label_words

__all__ = ["model_explorer"]


def model_explorer(dag: Dag) -> str:
    """The JSON of a graph collection with one graph; ids are those of the DAG."""
    known = guess_dag(dag)
    incoming: list[list[dict[str, str]]] = [[] for _ in dag.ids]
    for tail, head, kind in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        slots = ",".join(dag.edge_kinds[kind].slots)
        incoming[head].append({"sourceNodeId": dag.ids[tail], "targetNodeInputId": slots or "0"})
    nodes = [
        {
            "id": name,
            "label": _label(known, node),
            "namespace": _namespace(known, node),
            "attrs": [{"key": key, "value": value} for key, value in _attributes(known, node) if value],
            "incomingEdges": incoming[node],
        }
        for node, name in enumerate(dag.ids)
    ]
    graph = {"id": dag.facts.get("preset") or dag.name or "graph", "nodes": nodes}
    return json.dumps({"label": graph["id"], "graphs": [graph]}, separators=(",", ":")) + "\n"


def _label(dag: Dag, node: int) -> str:
    """Its part in the model; what is drawn on it where a file declares nothing and its id tells none."""
    kind = dag.kind(node)
    told = dag.declared or role_of_id(dag.ids[node])
    return (kind.role or kind.op if told else "") or label_words(dag, [node])[0]


def _namespace(dag: Dag, node: int) -> str:
    """``layer 3/attention/GPU 0-3``."""
    layer, role = dag.layer_of[node], dag.kind(node).role
    parts = [f"layer {layer}" if layer >= 0 else "", role.partition(".")[0] if "." in role else ""]
    if gpus := dag.gpus(node):
        parts.append(f"GPU {format_gpus(gpus)}")
    return "/".join(filter(None, parts))


def _attributes(dag: Dag, node: int) -> list[tuple[str, str]]:
    kind = dag.kind(node)
    return [
        ("op", kind.op),
        ("gpu", format_gpus(dag.gpus(node))),
        *((f"input {port.name}".strip(), str(port.type)) for port in kind.inputs),
        *((f"output {port.name}".strip(), str(port.type)) for port in kind.outputs),
        *kind.params,
    ]
