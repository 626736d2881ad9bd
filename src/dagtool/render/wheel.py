"""Draws DOT text with the Graphviz inside pygraphviz: ``python -m dagtool.render.wheel ENGINE FORMAT [DPI]``.

DOT on the standard input, the picture on the standard output. A process of its own, since the C library may crash.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(engine: str, form: str, dpi: str = "") -> int:
    """Draw what comes in. The exit status is 0, or 1 with the reason on the standard error."""
    import pygraphviz  # type: ignore[import-untyped]

    try:
        graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
        if dpi:
            graph.graph_attr["dpi"] = dpi
        picture = graph.draw(format=form, prog=engine)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
