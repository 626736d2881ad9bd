"""What the viewer shows of every node, in flat lists: declared facts, or what labels of a foreign file say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.dag.semantics import kind_work
from dagtool.escape import printable
from dagtool.foreign.text import label_lines, label_text
from dagtool.model.labels import shape_label
from dagtool.ops import OPERATORS, LayoutError
from dagtool.render.words import role_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagtool.dag.graph import Dag, Kind, Port
    from dagtool.dot.graph import DotGraph
    from dagtool.foreign.facts import NodeFacts

__all__ = ["Sheet", "Table", "fill_sheet", "shown"]

_MAX_TEXT = 2000
"""Letters of one text; a label may have 100,000."""
_LONGEST = 2 * _MAX_TEXT
"""Letters of a label that are read, its markup included."""


class Table:
    """Distinct values, each under a number."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: str) -> int:
        """The number of a value; a new one gets the next."""
        found = self._numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


@dataclass(slots=True)
class Sheet:
    """By node: numbers into the tables. A layer or an expert is -1 where there is none."""

    ops: Table = field(default_factory=Table)
    """Operator names; the empty one is unknown."""
    families: dict[str, str] = field(default_factory=dict)
    """Operator to family."""
    texts: Table = field(default_factory=Table)
    op_of: list[int] = field(default_factory=list)
    title_of: list[int] = field(default_factory=list)
    facts_of: list[int] = field(default_factory=list)
    """Several lines, ``name: value`` or plain."""
    brief_of: list[int] = field(default_factory=list)
    """What one GPU gives, short: ``[8, 128, 512]``."""
    devices: list[tuple[int, ...]] = field(default_factory=list)
    devices_of: list[int] = field(default_factory=list)
    layer_of: list[int] = field(default_factory=list)
    expert_of: list[int] = field(default_factory=list)
    band_word: str = "layer"
    """What a layer is called: ``stage`` in a file that names only stages."""


def shown(text: str) -> str:
    """A text of the file fit to show: cut, without control characters, marks of direction, broken letters."""
    cut = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text) - _MAX_TEXT:,} more letters)"
    return cut if cut.isprintable() else printable(cut.encode(errors="replace").decode())


def fill_sheet(dag: Dag) -> Sheet:
    """The sheet of a graph. A file that declares nothing is asked for its labels."""
    if dag.declared or dag.source is None:
        return _declared(dag)
    return _foreign(dag, dag.source)


def _declared(dag: Dag) -> Sheet:
    sheet = Sheet(devices=list(dag.device_sets), devices_of=list(dag.devices_of))
    sheet.layer_of, sheet.expert_of = list(dag.layer_of), list(dag.expert_of)
    rows = [(sheet.ops.number(shown(kind.op)), *_kind_texts(dag, kind, sheet)) for kind in dag.kinds]
    for kind in dag.kinds:
        sheet.families[shown(kind.op)] = OPERATORS[kind.op].family if kind.op in OPERATORS else ""
    sheet.op_of = [rows[kind][0] for kind in dag.kind_of]
    sheet.title_of = [rows[kind][1] for kind in dag.kind_of]
    sheet.facts_of = [rows[kind][2] for kind in dag.kind_of]
    sheet.brief_of = [rows[kind][3] for kind in dag.kind_of]
    return sheet


def _kind_texts(dag: Dag, kind: Kind, sheet: Sheet) -> tuple[int, int, int]:
    """Title, facts and brief of all nodes of a kind. The title is empty where only the id says something."""
    block = kind.role.partition(".")[0] if "." in kind.role else ""
    title = role_words((kind.role,), block) or kind.op.replace("_", " ")
    lines = [f"role: {kind.role}"] if kind.role else []
    lines += [_port_line(dag, "input", port) for port in kind.inputs]
    lines += [_port_line(dag, "output", port) for port in kind.outputs]
    lines += [f"{name}: {value}" for name, value in kind.params]
    lines += _work_lines(dag, kind)
    facts = "\n".join(map(shown, lines))
    return sheet.texts.number(shown(title)), sheet.texts.number(facts), sheet.texts.number(_brief(dag, kind))


def _brief(dag: Dag, kind: Kind) -> str:
    port = kind.outputs[0] if kind.outputs else None
    mesh = dag.meshes.get(port.type.mesh) if port else None
    if port is None or mesh is None:
        return ""
    return shown(f"[{','.join(str(size.bind(dag.sizes)) for size in port.type.local_shape(mesh.sizes))}]")


def _port_line(dag: Dag, side: str, port: Port) -> str:
    name = f"{side} {port.name}" if port.name else side
    mesh = dag.meshes.get(port.type.mesh)
    local = f" → {shape_label(port.type, mesh.sizes, dag.sizes)} on each GPU" if mesh else ""
    return f"{name}: {port.type}{local}"


def _work_lines(dag: Dag, kind: Kind) -> list[str]:
    """The matrix products of a kind, sizes bound where the graph gives them, and what its mask keeps."""
    if kind.op not in OPERATORS:
        return []
    try:
        work = kind_work(kind, dag.meshes)
    except LayoutError:
        return []
    bound = [[size.bind(dag.sizes) for size in (one.m, one.k, one.n)] for one in work.matmuls]
    lines = [f"matrix product: Get_Time({m}, {k}, {n})" for m, k, n in bound]
    if work.kept is not None and (share := work.kept.share(dag.sizes)) != 1:
        lines.append(f"mask: keeps {100 * float(share):.3g} % of the pairs of query and key, over all ranks")
    return lines


def _foreign(dag: Dag, graph: DotGraph) -> Sheet:
    from dagtool.foreign import guess
    from dagtool.foreign.deployment import is_plain
    from dagtool.foreign.guessed_dag import drawn_family
    from dagtool.foreign.operators import UNKNOWN

    guessed = guess(graph)
    facts = guessed.nodes
    sheet = Sheet()
    plain = is_plain(guessed)
    if plain:
        sheet.layer_of = sheet.expert_of = sheet.devices_of = [-1] * len(facts)
    else:
        sheet.layer_of, sheet.band_word = _layers(facts)
        sheet.expert_of = [-1 if one.place.expert is None else one.place.expert for one in facts]
        numbers: dict[tuple[int, ...], int] = {}
        sheet.devices_of = [numbers.setdefault(gpus, len(numbers)) if gpus else -1 for gpus in guessed.gpus]
        sheet.devices = list(numbers)
    for name, one, attributes in zip(dag.ids, facts, graph.node_attributes, strict=True):
        operation = UNKNOWN if plain or one.operation.family == "placeholder" else one.operation
        op = operation.op
        if op not in sheet.families:
            sheet.families[op] = OPERATORS[op].family if op in OPERATORS else drawn_family(operation)
        sheet.op_of.append(sheet.ops.number(op))
        label = label_text(name, attributes)
        lines = label_lines(label if len(label) < _LONGEST else label[:_LONGEST], attributes.get("shape", ""))
        title, *others = lines or (name,)
        gives = f"[{','.join(dim.text for dim in one.gives[0].dims)}]" if one.gives else ""
        if plain:
            gives = "".join(others[:1])
        sheet.title_of.append(sheet.texts.number(shown(title if plain else one.title or title)))
        sheet.facts_of.append(sheet.texts.number(_cut("\n".join(map(shown, lines)))))
        sheet.brief_of.append(sheet.texts.number(shown(gives)))
    return sheet


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _layers(facts: Sequence[NodeFacts]) -> tuple[list[int], str]:
    """The layer that each node names and the word for it; stages where nobody names a layer."""
    layers = [-1 if one.place.layer is None else one.place.layer for one in facts]
    if max(layers, default=-1) < 0:
        stages = [-1 if one.place.stage is None else one.place.stage for one in facts]
        if max(stages, default=-1) >= 0:
            return stages, "stage"
    return layers, "layer"
