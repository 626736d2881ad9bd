"""Graphviz's SVG made fit for a document: accessible, scalable, light, without a trace of the program's version."""

from __future__ import annotations

import re
from xml.etree import ElementTree

__all__ = ["finish_svg"]

_SVG = "{http://www.w3.org/2000/svg}"
_HOVER = "{http://www.w3.org/1999/xlink}title"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_NUMERIC = ("points", "d", "x", "y", "cx", "cy", "rx", "ry", "viewBox")
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
_SIZE = "11"
_LEFT_ALIGNED = frozenset({"legend", "title", "caption"})


def finish_svg(data: bytes, title: str, description: str) -> bytes:
    """The SVG with title and description, without comments, numbering and superfluous digits."""
    ElementTree.register_namespace("", _SVG.strip("{}"))
    root = ElementTree.fromstring(data)  # the parser drops comments, and the version stands in one
    for element in root.iter():
        for name in _NUMERIC:
            if name in element.attrib:
                element.set(name, _NUMBER.sub(_rounded, element.attrib[name]))
    for group in root.iter(f"{_SVG}g"):
        _tidy(group)
    for text in root.iter(f"{_SVG}text"):
        _set_font(text)
    _size(root)
    _describe(root, title, description)
    ElementTree.indent(root, space="")
    return str(ElementTree.tostring(root, encoding="unicode")).encode() + b"\n"


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.1f}".removesuffix(".0")


def _size(root: ElementTree.Element) -> None:
    """Pixels, so that a letter is as large as it says; by its viewBox the picture can still shrink."""
    *_, width, height = root.get("viewBox", "0 0 0 0").split()
    root.set("width", f"{float(width):.0f}")
    root.set("height", f"{float(height):.0f}")
    root.set("font-family", _FONT)
    root.set("font-size", _SIZE)


def _set_font(text: ElementTree.Element) -> None:
    """Family and size stand once, at the root."""
    text.attrib.pop(_SPACE, None)
    if "Bold" in text.attrib.pop("font-family", ""):
        text.set("font-weight", "bold")
    if float(text.get("font-size", _SIZE)) == float(_SIZE):
        text.attrib.pop("font-size", None)


def _tidy(group: ElementTree.Element) -> None:
    """Drop the program's numbering; make a node's hover text its title and set its lines in the middle."""
    group.attrib.pop("id", None)
    kinds = (group.get("class") or "").split()
    title = group.find(f"{_SVG}title")
    anchor = group.find(f"{_SVG}g/{_SVG}a")
    if "graph" in kinds and title is not None:
        group.remove(title)
    elif anchor is not None and title is not None:
        title.text = anchor.get(_HOVER)
        for child in group.findall(f"{_SVG}g"):
            group.remove(child)
        group.extend(list(anchor))
    if "node" in kinds and not _LEFT_ALIGNED.intersection(kinds):
        _centre(group)


def _centre(group: ElementTree.Element) -> None:
    """A label of two fonts is set from the left by estimated widths; in the middle it stands well in any font."""
    texts = group.findall(f"{_SVG}text")
    middle = _middle(group)
    if middle and len({text.get("y") for text in texts}) == len(texts):
        for text in texts:
            text.set("text-anchor", "middle")
            text.set("x", middle)


def _middle(group: ElementTree.Element) -> str:
    """The middle of a node's outline, empty where it has none."""
    ellipse, polygon = group.find(f"{_SVG}ellipse"), group.find(f"{_SVG}polygon")
    if ellipse is not None:
        return ellipse.get("cx", "")
    if polygon is None:
        return ""
    across = [float(point.partition(",")[0]) for point in polygon.get("points", "").split()]
    return f"{(min(across) + max(across)) / 2:.1f}".removesuffix(".0")


def _describe(root: ElementTree.Element, title: str, description: str) -> None:
    root.set("role", "graphics-document document")
    root.set("aria-labelledby", "dagtool-title dagtool-desc")
    for place, (name, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{_SVG}{name}", {"id": f"dagtool-{name}"})
        element.text = text
        root.insert(place, element)
