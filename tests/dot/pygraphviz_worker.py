"""Reads DOT texts with the C library inside pygraphviz, in a process of its own: it prints, and may crash.

Protocol: a line with the number of bytes, then the bytes; back comes one line of JSON, ``null`` if rejected.
"""

import json
import sys
import tempfile

import pygraphviz.graphviz as gv


def text(value):
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def node_name(node):
    """Pygraphviz gives None for the empty name, too."""
    return text(gv.agnameof(node)) or ""


def attributes(root, kind, thing):
    found = {}
    symbol = None
    while True:
        try:
            symbol = gv.agnxtattr(root, kind, symbol)
            value = text(gv.agxget(thing, symbol))
        except StopIteration:
            return found
        except KeyError:
            continue
        if value:
            found[text(gv.agattrname(symbol))] = value


def walk(first, following, graph):
    try:
        thing = first(graph)
        while thing:
            yield thing
            thing = following(graph, thing)
    except StopIteration:
        return


def subgraphs(root, graph):
    found = []
    try:
        child = gv.agfstsubg(graph)
        while child:
            found.append(
                {
                    "name": text(gv.agnameof(child)),
                    "nodes": [node_name(node) for node in walk(gv.agfstnode, gv.agnxtnode, child)],
                    "attributes": attributes(root, gv.AGRAPH, child),
                    "subgraphs": subgraphs(root, child),
                }
            )
            child = gv.agnxtsubg(child)
    except StopIteration:
        pass
    return found


def describe(root):
    nodes, edges = [], []
    for node in walk(gv.agfstnode, gv.agnxtnode, root):
        nodes.append([node_name(node), attributes(root, gv.AGNODE, node)])
        try:
            edge = gv.agfstout(root, node)
            while edge:
                ends = [node_name(gv.agtail(edge)), node_name(gv.aghead(edge))]
                edges.append([*ends, attributes(root, gv.AGEDGE, edge)])
                edge = gv.agnxtout(root, edge)
        except StopIteration:
            pass
    return {
        "name": text(gv.agnameof(root)),
        "directed": bool(gv.agisdirected(root)),
        "strict": bool(gv.agisstrict(root)),
        "attributes": attributes(root, gv.AGRAPH, root),
        "nodes": nodes,
        "edges": edges,
        "subgraphs": subgraphs(root, root),
    }


def read(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        try:
            root = gv.agread(file, None)
        except ValueError:
            return None
        try:
            return describe(root)
        finally:
            gv.agclose(root)


def main():
    requests = sys.stdin.buffer
    while size := requests.readline():
        answer = read(requests.read(int(size)))
        print(json.dumps(answer), flush=True)


main()
