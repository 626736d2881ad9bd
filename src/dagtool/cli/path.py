"""Print the critical path and its time: a sum of Get_Time(m,k,n), or seconds on a cluster.

dagtool path outputs/ep16_tp4.dot
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._pricing import (
    PRICING_GROUP,
    backend_settings,
    pricing_options,
    refuse_unused,
    seconds_on,
    warn_of_hosts,
)
from dagtool.escape import as_lines, printable

if TYPE_CHECKING:
    from fractions import Fraction

    from dagtool.cost.backends import GetTime
    from dagtool.cost.critical import CriticalPath
    from dagtool.cost.slowest import SlowestPath
    from dagtool.dag.graph import Dag
    from dagtool.generators.request import Request

from dagtool.cli._strategy import MODEL_GROUP, strategy_options

__all__ = ["command"]


@click.command(
    "path",
    cls=GroupedCommand,
    option_groups={**MODEL_GROUP, "Seconds": PRICING_GROUP},
    epilog="Examples: dagtool path outputs/ep16_tp4.dot --cluster 8xh100x8, dagtool path ep16_tp4 --set ep=256"
    " --set E=256 --set B=2048\n\nA preset or strategy file is priced without building its DAG: one rank of each group"
    " stands for all.\n\nExit status: 0 a path was found, 2 the file cannot be read, has a cycle, declares no"
    " operators, or cannot be priced.",
)
@click.argument("file", metavar="NAME|FILE|-")
@strategy_options
@pricing_options(usual_cost="symbolic; roofline with --cluster", usual_cluster="none: terms stay terms")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: str, request: Request, output_format: str, cost: str | None, **options: object) -> None:
    """Print the critical path: by matmul work as a sum of Get_Time(m,k,n), or in seconds on a cluster."""
    import gc

    gc.disable()
    from dagtool.cli._subject import is_strategy, load_file
    from dagtool.cost.critical import critical_path
    from dagtool.errors import DagtoolError
    from dagtool.model.cluster import cluster

    cost = cost or ("roofline" if options["cluster"] else "symbolic")
    prices = _prices(cost, options)
    note = ""
    if is_strategy(file):
        dag, note = _representatives(file, request, str(options["cluster"] or "") if prices else "")
    else:
        dag = load_file(file, request)
    if not dag.declared:
        raise DagtoolError(
            f"{file}: its nodes declare no operators and sizes, so their work is not known",
            "'dagtool gen' writes files that do; 'dagtool validate' checks the structure of any file",
        )
    try:
        slowest = _slowest(dag, cost, prices, options) if prices else None
        path = slowest.path if slowest else critical_path(dag)
    except ValueError as error:
        raise DagtoolError(f"{file}: {error}", f"'dagtool validate {file}' shows it") from None
    if output_format == "json":
        click.echo(_json(dag, path, slowest))
    else:
        click.echo(_text(dag, path, slowest, f"{options['cluster']} ({options['dtype']}, {cost})"))
    if note:
        click.echo(printable(note), err=True)
    if slowest:
        warn_of_hosts(dag, cluster(str(options["cluster"])))


def _representatives(name: str, request: Request, where: str) -> tuple[Dag, str]:
    """The part of a deployment that has its critical path (on the cluster ``where``), and what to say of it."""
    from dagtool.cost.span import pair_shares, spans
    from dagtool.generators.quotient import quotient
    from dagtool.generators.request import read_strategy
    from dagtool.model.cluster import cluster

    strategy = read_strategy(name, request)
    meshes = strategy.meshes()
    device_class = spans(cluster(where), meshes, strategy.sizes) if where else pair_shares(meshes, strategy.sizes)
    found = quotient(strategy, device_class)
    if found.expanded:
        return found.dag, f"{name}: every node was built and priced, because {found.expanded}"
    why = "their groups lie differently, or masks leave them other pairs"
    kept = f" (every rank along {', '.join(found.kept)}: {why})" if found.kept else ""
    return found.dag, f"{name}: {len(found.dag.ids):,} nodes priced, which stand for {found.nodes:,}{kept}"


def _prices(cost: str, options: dict[str, object]) -> GetTime | None:
    """The function that prices products. Raises DagtoolError for options that do not go together."""
    from dagtool.cost.backends import make_backend
    from dagtool.errors import DagtoolError
    from dagtool.model.cluster import cluster

    refuse_unused(cost)
    found = cluster(str(options["cluster"])) if options["cluster"] else None
    prices = make_backend(cost, backend_settings(cost, options, found))
    if prices and not found:
        raise DagtoolError(f"--cost {cost} needs --cluster", "it prices what is no product: bytes moved, collectives")
    return prices


def _slowest(dag: Dag, cost: str, prices: GetTime, options: dict[str, object]) -> SlowestPath:
    from dagtool.cost.slowest import slowest_path
    from dagtool.model.cluster import cluster

    return slowest_path(dag, seconds_on(cluster(str(options["cluster"])), dag, cost, prices, options))


def _number(size: object) -> int | str:
    text = str(size)
    return int(text) if text.isdigit() else text


def _kept(share: Fraction) -> dict[str, float]:
    """The share of the pairs of query and key that the mask keeps, where it hides some."""
    return {"kept_pairs": float(share)} if share != 1 else {}


def _json(dag: Dag, path: CriticalPath, slowest: SlowestPath | None) -> str:
    import json

    from dagtool.cli._seconds import node_prices

    prices = node_prices(slowest) if slowest else {}
    products = dict(path.products)
    kept = {node: share for (node, _), share in zip(path.products, path.shares, strict=True)}
    nodes = []
    for node in path.nodes:
        row: dict[str, object] = {"id": dag.ids[node], "op": dag.kind(node).op, "gpus": list(dag.gpus(node))}
        if node in products:
            one = products[node]
            row |= {"m": _number(one.m), "k": _number(one.k), "n": _number(one.n)}
            row |= _kept(kept[node])
        row |= prices.get(node, {})
        nodes.append(row)
    terms = [
        {"m": _number(t.m), "k": _number(t.k), "n": _number(t.n), "count": t.count, **_kept(t.kept)} for t in path.terms
    ]
    ids = [dag.ids[node] for node in path.nodes]
    seconds = slowest.time_s if slowest else None
    return json.dumps(
        {"path": ids, "expression": path.expression, "terms": terms, "seconds": seconds, "nodes": nodes},
        indent=2,
    )


def _text(dag: Dag, path: CriticalPath, slowest: SlowestPath | None, where: str) -> str:
    from dagtool.cli._seconds import seconds_text
    from dagtool.cost.route import route

    shares = _shares(path)
    lines = [f"critical path: {len(path.nodes):,} nodes, {len(path.products):,} matrix products", ""]
    lines += route(dag, path)
    lines += ["", f"time = {path.expression}", ""]
    if slowest:
        return as_lines(lines + seconds_text(dag, slowest, where))
    lines += [f"{'times':>6}  {'share':>6}  term"]
    for term, share in zip(path.terms, shares, strict=True):
        hidden = f"  {100 * float(term.kept):.3g} % of its pairs are kept by the mask" if term.kept != 1 else ""
        lines.append(f"{term.count:>6}  {share:>6}  {term}{hidden}")
    return as_lines(lines)


def _shares(path: CriticalPath) -> list[str]:
    """Each term's part of the path's FLOPs; a symbol counts alike in all, at 2**20 where powers differ."""
    flops = []
    for term in path.terms:
        size = term.flops
        bound = size.bind(dict.fromkeys(size.symbols, 1 << 20))
        flops.append(bound.numerator / bound.denominator)
    total = sum(flops) or 1.0
    return [f"{100 * one / total:.1f} %" for one in flops]
