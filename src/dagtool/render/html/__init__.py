"""The viewer: one HTML file that holds the whole graph and draws what is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagtool.render.html.overlays import Mark, Overlays, Run

if TYPE_CHECKING:
    from dagtool.cost.critical import CriticalPath
    from dagtool.dag.graph import Dag
    from dagtool.render.html.bands import Bands
    from dagtool.render.html.lanes import Lanes
    from dagtool.render.html.sheet import Sheet

__all__ = ["Mark", "Overlays", "Run", "viewer_page"]

_NOTHING = Overlays()
_EDGE_CLASSES = ("data", "collective", "transfer", "route")
"""Within a GPU, from or to a collective, between nodes that share no GPU, the gate's selection."""
_TRANSFERS = frozenset({"send", "recv", "send_recv", "transfer"})


def viewer_page(
    dag: Dag, *, title: str = "", caption: str = "", overlays: Overlays = _NOTHING, templates: str | None = None
) -> str:
    """The HTML of a graph, any graph: with cycles, without layers or GPUs. ``title`` is for one without a name.

    Raises DagtoolError for a graph without nodes, for runs that make no sense, and for templates that fail.
    """
    from dagtool.errors import DagtoolError
    from dagtool.render.html.bands import arrange_bands
    from dagtool.render.html.lanes import arrange_lanes
    from dagtool.render.html.overlays import check_runs, path_of
    from dagtool.render.html.pack import pack
    from dagtool.render.html.page import assemble
    from dagtool.render.html.sheet import fill_sheet, shown
    from dagtool.templates import template_errors

    if not dag.ids:
        raise DagtoolError("there is nothing to draw: the graph has no nodes")
    sheet = fill_sheet(dag)
    bands = arrange_bands(dag.tails, dag.heads, sheet.layer_of)
    lanes = arrange_lanes(dag.tails, dag.heads, bands, sheet.devices, sheet.devices_of)
    path = path_of(dag)
    columns = {**_node_columns(dag, sheet, bands, lanes), **_edge_columns(dag, sheet)}
    columns["path"] = list(path.nodes) if path else []
    runs = overlays.runs or ()
    check_runs(runs, len(dag.ids))
    columns["run"] = [run.node for run in runs]
    times = {"start": [run.start_s for run in runs], "end": [run.end_s for run in runs]}
    title = shown(dag.facts.get("preset") or dag.name or title or "graph")
    words = {"title": title, "nodes": len(dag.ids), "edges": len(dag.tails), "gpus": len(lanes.columns_of)}
    with template_errors():
        tables = _tables(dag, sheet, bands, lanes, templates)
        header = {"title": title, "caption": shown(caption), **tables, **_extras(dag, path, overlays)}
        return assemble(pack(header, columns, times), words, templates)


def _tables(dag: Dag, sheet: Sheet, bands: Bands, lanes: Lanes, templates: str | None) -> dict[str, object]:
    from dagtool.render.html.lanes import HOST_SIZE
    from dagtool.render.html.palette import looks_of, tags_of
    from dagtool.render.html.sheet import shown
    from dagtool.render.html.stages import stage_of_bands

    looks, tags = looks_of(sheet.families, templates), tags_of(sheet.families)
    columns = lanes.columns_of
    return {
        "ids": [one if one.isprintable() and len(one) < 200 else shown(one) for one in dag.ids],
        "texts": sheet.texts.values,
        "ops": [
            [op, sheet.families[op], tags.get(op, ""), looks[op].light, looks[op].dark, looks[op].shape]
            for op in sheet.ops.values
        ],
        "devices": [sorted({at for gpu in gpus for at in columns.get(gpu, ())}) for gpus in sheet.devices],
        "gpus": lanes.gpus,
        "host": HOST_SIZE,
        "meshes": [
            [
                mesh.name,
                [[name, size] for name, size in mesh.axes],
                [columns[gpu].start if gpu in columns else -1 for gpu in mesh.gpus],
            ]
            for mesh in dag.meshes.values()
        ],
        "bandWord": sheet.band_word,
        "layers": bands.layers,
        "stages": stage_of_bands(bands, sheet.devices, sheet.devices_of),
        "classes": list(_EDGE_CLASSES),
    }


def _node_columns(dag: Dag, sheet: Sheet, bands: Bands, lanes: Lanes) -> dict[str, Sequence[int]]:
    lines: list[int] = []
    if dag.source is not None:
        position = dag.source.position
        lines = [position(offset).line for offset in dag.source.node_offsets]
    return {
        "op": sheet.op_of,
        "title": sheet.title_of,
        "facts": sheet.facts_of,
        "brief": sheet.brief_of,
        "device": sheet.devices_of,
        "layer": sheet.layer_of,
        "expert": sheet.expert_of,
        "band": bands.of,
        "step": bands.step_of,
        "slot": lanes.slot_of,
        "line": lines,
    }


def _edge_columns(dag: Dag, sheet: Sheet) -> dict[str, list[int]]:
    """Edges by tail, the head as its distance from it: neighbours in the file are near each other."""
    order = sorted(range(len(dag.tails)), key=dag.tails.__getitem__)
    classes = _edge_classes(dag, sheet)
    return {
        "tail": [dag.tails[edge] for edge in order],
        "reach": [dag.heads[edge] - dag.tails[edge] for edge in order],
        "class": [classes[edge] for edge in order],
    }


def _edge_classes(dag: Dag, sheet: Sheet) -> list[int]:
    """For each edge its place in ``_EDGE_CLASSES``."""
    routes = [kind.slots == ("route",) for kind in dag.edge_kinds]
    dashed = _dashed_edges(dag)
    collective = [sheet.families[op] == "communication" and op not in _TRANSFERS for op in sheet.ops.values]
    sets = [frozenset(gpus) for gpus in sheet.devices]
    apart: dict[tuple[int, int], bool] = {}
    op_of, devices_of = sheet.op_of, sheet.devices_of
    found = []
    for edge, (tail, head, kind) in enumerate(zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True)):
        if routes[kind] or (dashed and dashed[edge]):
            found.append(3)
            continue
        if collective[op_of[tail]] or collective[op_of[head]]:
            found.append(1)
            continue
        pair = devices_of[tail], devices_of[head]
        if pair not in apart:
            apart[pair] = min(pair) >= 0 and sets[pair[0]].isdisjoint(sets[pair[1]])
        found.append(2 if apart[pair] else 0)
    return found


def _dashed_edges(dag: Dag) -> list[bool]:
    """Of a foreign file, the edges drawn dashed: by custom the gate's selection. Empty where that is declared."""
    if dag.declared or dag.source is None:
        return []
    return ["dashed" in attributes.get("style", "") for attributes in dag.source.edge_attributes]


def _extras(dag: Dag, path: CriticalPath | None, overlays: Overlays) -> dict[str, object]:
    from dagtool.render.html.overlays import marks_record
    from dagtool.render.html.sheet import shown

    return {
        "declared": dag.declared,
        "timed": bool(overlays.runs),
        "showPath": overlays.path,
        "marks": marks_record(overlays.marks),
        "pathTime": shown(path.expression) if path and path.products else "",
        "sizes": " ".join(f"{symbol}={symbol if value is None else value}" for symbol, value in dag.sizes.items()),
    }
