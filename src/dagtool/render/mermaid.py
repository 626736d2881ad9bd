"""A folded picture as a Mermaid flowchart, for pages that draw those (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re

from dagtool.errors import DagtoolError
from dagtool.render.dress import printable
from dagtool.render.measure import markup_lines
from dagtool.render.picture import Frame, Picture, PictureNode

__all__ = ["mermaid"]

_MAX_EDGES = 500
"""Mermaid's own limit (``maxEdges``): it draws nothing where there are more."""
_SPECIAL = re.compile(r"[^\w \[\]=,.:;·×–()+*/→-]")
_SHAPES = {
    "ellipse": ("([", "])"),
    "oval": ("([", "])"),
    "circle": ("((", "))"),
    "diamond": ("{{", "}}"),
    "hexagon": ("{{", "}}"),
    "parallelogram": ("[/", "/]"),
}


def mermaid(picture: Picture) -> str:
    """The text of a dressed picture. Raises DagtoolError for more edges than Mermaid draws."""
    if len(picture.edges) > _MAX_EDGES:
        raise DagtoolError(
            f"{len(picture.edges):,} edges are more than Mermaid draws ({_MAX_EDGES})",
            "--view layer or --view stages has fewer; -o FILE.svg has no limit",
        )
    names = {node.id: f"n{index}" for index, node in enumerate(picture.nodes)}
    lines = [f"%% {printable(picture.caption)}", "flowchart TB"]
    framed = {name for frame in picture.frames for name in frame.nodes}
    by_id = {node.id: node for node in picture.nodes}
    lines += [f"  {_node(node, names)}" for node in picture.nodes if node.id not in framed]
    lines += _frames(picture.frames, by_id, names)
    for edge in picture.edges:
        arrow = "-.->" if edge.dashed else "-->"
        label = f'|"{_text(edge.label)}"|' if edge.label else ""
        lines.append(f"  {names[edge.tail]} {arrow}{label} {names[edge.head]}")
    return "\n".join(lines + _colours(picture, names)) + "\n"


def _frames(frames: tuple[Frame, ...], by_id: dict[str, PictureNode], names: dict[str, str]) -> list[str]:
    """Frames in frames; each node in the innermost one."""
    lines: list[str] = []
    placed: set[str] = set()
    depth = {frame.id: 0 for frame in frames}
    text: dict[str, list[str]] = {}
    for frame in frames:  # inner ones come first
        own = [f"{_node(by_id[name], names)}" for name in frame.nodes if name in by_id and name not in placed]
        placed.update(frame.nodes)
        inner = [line for one in frames if one.parent == frame.id for line in text.get(one.id, [])]
        text[frame.id] = [f'subgraph {frame.id}["{_text(frame.label)}"]', *(f"  {line}" for line in own + inner), "end"]
    for frame in frames:
        if not frame.parent and frame.id in depth:
            lines += [f"  {line}" for line in text[frame.id]]
    return lines


def _node(node: PictureNode, names: dict[str, str]) -> str:
    begin, end = _SHAPES.get(node.shape, ("[", "]"))
    lines = [f"<b>{_text(text)}</b>" if bold else _text(text) for text, bold in markup_lines(node.label)]
    return f'{names[node.id]}{begin}"{"<br/>".join(lines)}"{end}'


def _text(text: str) -> str:
    """Without what means something to Mermaid: as numeric entities, which it has of its own (``#35;``)."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", printable(text))


def _colours(picture: Picture, names: dict[str, str]) -> list[str]:
    """One class for each colour; the theme does the rest."""
    from dagtool.render.colour import hexadecimal

    fills: dict[str, list[str]] = {}
    for node in picture.nodes:
        fills.setdefault(hexadecimal(node.fill), []).append(names[node.id])
    lines = []
    for index, (fill, held) in enumerate(sorted(fills.items())):
        lines.append(f"  classDef c{index} fill:{fill},stroke:#555555,color:#111111")
        lines.append(f"  class {','.join(held)} c{index}")
    return lines
