"""Lays DOT texts out with the C library inside pygraphviz; a process of its own, and one more for each text.

Protocol: a JSON list of texts comes in; a JSON list of [picture, messages] goes out. A text that cannot be
read or laid out has no picture.
"""

import json
import os
import sys
import tempfile

import pygraphviz.graphviz as gv


def lay_out(text):
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        root = gv.agread(file, None)
    context = gv.gvContextWithBuiltins()
    gv.gvLayout(context, root, b"dot")
    return gv.gvRenderData(context, root, b"svg")


def answer(text):
    with tempfile.TemporaryFile() as picture, tempfile.TemporaryFile() as messages:
        child = os.fork()
        if child == 0:
            os.dup2(messages.fileno(), 2)
            try:
                made = lay_out(text)
                made = made[1] if isinstance(made, (list, tuple)) else made
                picture.write(made.encode() if isinstance(made, str) else made or b"")
                picture.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        found = []
        for file in (picture, messages):
            file.seek(0)
            found.append(file.read().decode(errors="replace"))
        said = "\n".join(line for line in found[1].splitlines() if "Fontconfig" not in line)
        return [found[0], said]


if __name__ == "__main__":
    print(json.dumps([answer(text) for text in json.load(sys.stdin)]))
