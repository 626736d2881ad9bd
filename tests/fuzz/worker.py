"""Asks the C library inside pygraphviz about DOT texts; a process of its own, since that prints and may crash.

Protocol: a line with the number of bytes, then the bytes; back comes ``null`` (rejected, or no graph) or
``[directed, strict, nodes, edges]`` of the first graph.
"""

import json
import sys
import tempfile

import pygraphviz.graphviz as gv


def read(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        try:
            root = gv.agread(file, None)
        except ValueError:
            return None
        answer = [bool(gv.agisdirected(root)), bool(gv.agisstrict(root)), gv.agnnodes(root), gv.agnedges(root)]
        gv.agclose(root)
        return answer


if __name__ == "__main__":
    while size := sys.stdin.buffer.readline():
        print(json.dumps(read(sys.stdin.buffer.read(int(size)))), flush=True)
