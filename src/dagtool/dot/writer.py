"""A Dag as DOT text: every template is rendered once per kind of node, never once per node.

Jinja sees marks where a node's own facts stand (id, GPUs, layer, expert); the rendered text becomes a
format string that is filled for each node. The same graph gives the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from dagtool.dag.graph import Dag, Kind
from dagtool.dot.dialect import VERSION
from dagtool.dot.labels_written import gpus_label, ports_label, ports_text
from dagtool.errors import DagtoolError
from dagtool.model.mesh import format_gpus
from dagtool.ops import OPERATORS
from dagtool.templates import dot_value, environment, in_lines, template_errors

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["is_complete", "write_dot"]

_MARKS = ("id", "layer_index", "expert", "name")
_GPU, _GPU_LABEL = "\x03", "\x04"
"""They stand where all nodes of a kind on the same GPUs say the same."""
_CHUNK = 4096


def is_complete(dag: Dag) -> bool:
    """Whether every node states an operator and GPUs, as the dialect demands."""
    return min(dag.devices_of, default=0) >= 0 and all(kind.op in OPERATORS for kind in dag.kinds)


def write_dot(dag: Dag, templates: str | None = None) -> Iterator[str]:
    """Give the text in pieces of some thousand lines.

    Raises DagtoolError for a DAG whose nodes do not all state an operator and GPUs, and for a template that does not
    render.
    """
    if not is_complete(dag):
        raise DagtoolError(
            "the DAG cannot be written in the dialect: not every node states an operator and GPUs",
            hint="dagtool.read(FILE).to_dot() gives such a graph back as its file has it",
        )
    with template_errors():
        yield from _pieces(dag, environment(templates))


def _pieces(dag: Dag, env: SandboxedEnvironment) -> Iterator[str]:
    sizes = " ".join(f"{symbol}={symbol if value is None else value}" for symbol, value in dag.sizes.items())
    meshes = "; ".join(map(str, dag.meshes.values()))
    facts = {"dagtool": VERSION, **dag.facts, "sizes": sizes, "meshes": meshes}
    yield env.get_template("dot/graph.j2").render(name=dag.name, facts=list(facts.items())) + "\n"
    names = list(map(dot_value, dag.ids))
    yield from _chunks(_node_lines(dag, names, env))
    yield from _chunks(_edge_lines(dag, names, env))
    yield "}\n"


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    waiting = iter(lines)
    while batch := "\n".join(islice(waiting, _CHUNK)):
        yield batch + "\n"


def _as_format(render: Callable[..., str], marks: Iterable[str], **context: object) -> str:
    """Render with marks in place of what differs from node to node, and make it a format string."""
    marked = {name: f"\x01{index}\x02" for index, name in enumerate(marks)}
    text = render(**context, **marked)
    return "  " + text.replace("{", "{{").replace("}", "}}").replace("\x01", "{").replace("\x02", "}")


def _node_lines(dag: Dag, names: Sequence[str], env: SandboxedEnvironment) -> Iterator[str]:
    """``names`` are the ids as DOT writes them; in a label an id stands between the quotes of the label."""
    template = env.get_template("dot/node.j2")
    colours = len(env.get_template("look.j2").module.groups)  # type: ignore[attr-defined]
    groups = _expert_groups(dag)
    formats: dict[tuple[int, int | None, bool, bool], str] = {}
    fills: dict[tuple[int, int, bool, bool], Callable[..., str]] = {}
    gpu_texts = [format_gpus(gpus) for gpus in dag.device_sets]
    label_texts = _gpu_labels(dag)
    rows = zip(dag.ids, names, dag.kind_of, dag.devices_of, dag.layer_of, dag.expert_of, strict=True)
    for node, name, kind, devices, layer, expert in rows:
        at = (kind, devices, layer >= 0, expert >= 0)
        fill = fills.get(at)
        if fill is None:
            group = groups[devices]
            key = (kind, None if group is None else group % colours, layer >= 0, expert >= 0)
            if key not in formats:
                formats[key] = _node_format(dag, template, key)
            fill = fills[at] = _on_gpus(formats[key], gpu_texts[devices], label_texts[kind, devices]).format
        yield fill(node if name == node else name[1:-1], layer, expert, name)


def _on_gpus(text: str, gpu: str, label: str) -> str:
    """The format of one kind of node with its GPUs filled in; braces in what is filled in stay braces."""
    for mark, said in ((_GPU, gpu), (_GPU_LABEL, label)):
        text = text.replace(mark, in_lines(said).replace("{", "{{").replace("}", "}}"))
    return text


def _node_format(dag: Dag, template: Template, key: tuple[int, int | None, bool, bool]) -> str:
    kind, group, in_layer, expert = key
    held = dag.kinds[kind]
    return _as_format(
        lambda **context: template.render(facts=_facts(held, context, in_layer, expert), **context),
        _MARKS,
        gpu=_GPU,
        gpu_label=_GPU_LABEL,
        op=held.op,
        family=OPERATORS[held.op].family,
        role=held.role,
        title=_title(held),
        inputs=ports_label(dag, held.inputs),
        outputs=ports_label(dag, held.outputs),
        group=group,
    )


def _facts(kind: Kind, marks: dict[str, object], in_layer: bool, expert: bool) -> list[tuple[str, object]]:
    """The attributes machines read, in a fixed order."""
    facts: list[tuple[str, object]] = [
        ("op", kind.op),
        ("role", kind.role),
        ("gpu", marks["gpu"]),
        ("input", ports_text(kind.inputs)),
        ("output", ports_text(kind.outputs)),
        *([("phase", kind.phase)] if kind.phase else []),
        *kind.params,
    ]
    facts += [("layer_index", marks["layer_index"])] if in_layer else []
    return facts + ([("expert", marks["expert"])] if expert else [])


def _title(kind: Kind) -> str:
    return f"{kind.role.replace('.', ' ')} ({kind.op})" if kind.op not in kind.role else kind.role.replace(".", " ")


def _gpu_labels(dag: Dag) -> dict[tuple[int, int], str]:
    """The GPUs of each kind and set of GPUs as its label says them."""
    pairs = dict.fromkeys(zip(dag.kind_of, dag.devices_of, strict=True))
    return {(kind, devices): gpus_label(dag, dag.kinds[kind], devices) for kind, devices in pairs}


def _expert_groups(dag: Dag) -> list[int | None]:
    """For each set of GPUs the expert group it lies in: its index along the axes that hold the experts."""
    owners = {
        (mesh, axis)
        for kind in dag.kinds
        for axis in kind.parameters.get("owner", "").split(",")[:1]
        for mesh in kind.meshes[:1] if axis in dag.meshes[kind.meshes[0]].sizes
    }  # fmt: skip
    group_of: dict[int, int] = {}
    for mesh, axis in sorted(owners):
        for position in dag.meshes[mesh].coordinates([axis]):
            group_of.update(dict.fromkeys(dag.meshes[mesh].members(position), position[axis]))
    found: list[int | None] = []
    for gpus in dag.device_sets:
        groups = {group_of.get(gpu) for gpu in gpus}
        found.append(groups.pop() if len(groups) == 1 else None)
    return found


def _edge_lines(dag: Dag, names: Sequence[str], env: SandboxedEnvironment) -> Iterator[str]:
    template = env.get_template("dot/edge.j2")
    formats = [
        _as_format(template.render, ("tail", "head"), slots=list(kind.slots), outputs=list(kind.outputs)).format
        for kind in dag.edge_kinds
    ]
    for tail, head, kind in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        yield formats[kind](names[tail], names[head])
