"""Print the critical path and its time as a sum of Get_Time(m,k,n).

dagtool path outputs/ep16_tp4.dot
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dagtool.cost.critical import CriticalPath
    from dagtool.dag.graph import Dag

__all__ = ["command"]


@click.command(
    "path",
    epilog="Examples: dagtool path outputs/ep16_tp4.dot, dagtool path ep16_tp4 --set ep=256 --set E=256 --set B=2048"
    "\n\nA preset or strategy file is priced without building its DAG: one rank of each group stands for all.\n\n"
    "Exit status: 0 a path was found, 2 the file cannot be read, has a cycle, or declares no operators.",
)
@click.argument("file", metavar="NAME|FILE|-")
@click.option("--set", "settings", multiple=True, metavar="K=V", help="As for 'dagtool gen', with a preset's NAME.")
@click.option(
    "--cost",
    type=click.Choice(["symbolic"]),
    default="symbolic",
    show_default=True,
    help="How terms are priced.",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: str, settings: tuple[str, ...], cost: str, output_format: str) -> None:
    """Print the critical path by matmul work and its time as a sum of Get_Time(m,k,n)."""
    import gc

    gc.disable()
    from dagtool.cli._subject import is_strategy, load_file
    from dagtool.cost.critical import critical_path
    from dagtool.errors import DagtoolError

    note = ""
    if is_strategy(file):
        dag, note = _representatives(file, settings)
    else:
        dag = load_file(file, settings)
    if not dag.declared:
        raise DagtoolError(
            f"{file}: its nodes declare no operators and sizes, so their work is not known",
            "'dagtool gen' writes files that do; 'dagtool validate' checks the structure of any file",
        )
    try:
        path = critical_path(dag)
    except ValueError as error:
        raise DagtoolError(f"{file}: {error}", f"'dagtool validate {file}' shows it") from None
    click.echo(_json(dag, path) if output_format == "json" else _text(dag, path))
    if note:
        click.echo(note, err=True)


def _representatives(name: str, settings: tuple[str, ...]) -> tuple[Dag, str]:
    """The part of a deployment that has its critical path, and what to say of it."""
    from dagtool.generators import find_strategy
    from dagtool.generators.quotient import quotient
    from dagtool.generators.settings import parse_settings

    found = quotient(find_strategy(name, parse_settings(settings)))
    if found.expanded:
        return found.dag, f"{name}: every node was built and priced, because {found.expanded}"
    return found.dag, f"{name}: {len(found.dag.ids):,} nodes priced, which stand for {found.nodes:,}"


def _number(size: object) -> int | str:
    text = str(size)
    return int(text) if text.isdigit() else text


def _json(dag: Dag, path: CriticalPath) -> str:
    import json

    products = dict(path.products)
    nodes = []
    for node in path.nodes:
        row: dict[str, object] = {"id": dag.ids[node], "op": dag.kind(node).op, "gpus": list(dag.gpus(node))}
        if node in products:
            one = products[node]
            row |= {"m": _number(one.m), "k": _number(one.k), "n": _number(one.n)}
        nodes.append(row)
    terms = [{"m": _number(t.m), "k": _number(t.k), "n": _number(t.n), "count": t.count} for t in path.terms]
    ids = [dag.ids[node] for node in path.nodes]
    return json.dumps(
        {"path": ids, "expression": path.expression, "terms": terms, "seconds": None, "nodes": nodes},
        indent=2,
    )


def _text(dag: Dag, path: CriticalPath) -> str:
    shares = _shares(path)
    lines = [f"critical path: {len(path.nodes):,} nodes, {len(path.products):,} matrix products", ""]
    lines += _route(dag, path)
    lines += ["", f"time = {path.expression}", "", f"{'times':>6}  {'share':>6}  term"]
    lines += [f"{term.count:>6}  {share:>6}  {term}" for term, share in zip(path.terms, shares, strict=True)]
    return "\n".join(lines)


def _shares(path: CriticalPath) -> list[str]:
    """Each term's part of the path's FLOPs; a symbol counts alike in all, at 2**20 where powers differ."""
    flops = []
    for term in path.terms:
        size = term.m * term.k * term.n * term.count
        bound = size.bind(dict.fromkeys(size.symbols, 1 << 20))
        flops.append(bound.numerator / bound.denominator)
    total = sum(flops) or 1.0
    return [f"{100 * one / total:.1f} %" for one in flops]


def _route(dag: Dag, path: CriticalPath) -> list[str]:
    """The nodes, layer by layer; a layer like the one before it is only counted."""
    products = dict(path.products)
    blocks: list[tuple[int, list[int]]] = []
    for node in path.nodes:
        layer = dag.layer_of[node]
        if not blocks or blocks[-1][0] != layer:
            blocks.append((layer, []))
        blocks[-1][1].append(node)
    lines: list[str] = []
    shown: tuple[int, ...] = ()
    skipped: list[int] = []
    for layer, nodes in blocks:
        kinds = tuple(dag.kind_of[node] for node in nodes)
        if kinds == shown and layer >= 0:
            skipped.append(layer)
            continue
        lines += _skipped(skipped)
        skipped, shown = [], kinds
        lines.append(f"  layer {layer}" if layer >= 0 else "  outside the layers")
        for node in nodes:
            one = products.get(node)
            term = f"Get_Time({one.m},{one.k},{one.n})" if one else ""
            lines.append(f"    {dag.ids[node]:<40} {dag.kind(node).op:<16} {term}".rstrip())
    return [*lines, *_skipped(skipped)]


def _skipped(layers: list[int]) -> list[str]:
    if not layers:
        return []
    named = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]}-{layers[-1]}"
    return [f"  {named}: the same way again"]
