"""Which values of which attributes Graphviz knows, and what it does with others: colours, styles, words of a list.

Sources: https://graphviz.org/doc/info/attrs.html, colors.html, arrows.html; styles as in shapes.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["VALUES", "Values", "colours", "is_colour"]

_WITH_SHADES = """
    antiquewhite aquamarine azure bisque blue brown burlywood cadetblue chartreuse chocolate coral cornsilk cyan
    darkgoldenrod darkolivegreen darkorange darkorchid darkseagreen darkslategray deeppink deepskyblue dodgerblue
    firebrick gold goldenrod green honeydew hotpink indianred ivory khaki lavenderblush lemonchiffon lightblue lightcyan
    lightgoldenrod lightpink lightsalmon lightskyblue lightsteelblue lightyellow magenta maroon mediumorchid
    mediumpurple mistyrose navajowhite olivedrab orange orangered orchid palegreen paleturquoise palevioletred
    peachpuff pink plum purple red rosybrown royalblue salmon seagreen seashell sienna skyblue slateblue slategray
    snow springgreen steelblue tan thistle tomato turquoise violetred wheat yellow
"""
_PLAIN = """
    aliceblue aqua beige black blanchedalmond blueviolet cornflowerblue crimson darkblue darkcyan darkgray darkgreen
    darkgrey darkkhaki darkmagenta darkred darksalmon darkslateblue darkslategrey darkturquoise darkviolet dimgray
    dimgrey floralwhite forestgreen fuchsia gainsboro ghostwhite gray greenyellow grey indigo invis lavender lawngreen
    lightcoral lightgoldenrodyellow lightgray lightgreen lightgrey lightseagreen lightslateblue lightslategray
    lightslategrey lime limegreen linen mediumaquamarine mediumblue mediumseagreen mediumslateblue mediumspringgreen
    mediumturquoise mediumvioletred midnightblue mintcream moccasin navy navyblue none oldlace olive palegoldenrod
    papayawhip powderblue rebeccapurple saddlebrown sandybrown silver slategrey teal transparent violet webgray webgreen
    webgrey webmaroon webpurple white whitesmoke x11gray x11green x11grey x11maroon x11purple yellowgreen
"""
_NAMES = frozenset(
    [*_PLAIN.split(), *_WITH_SHADES.split()]
    + [f"{name}{shade}" for name in _WITH_SHADES.split() for shade in range(1, 5)]
    + [f"{name}{shade}" for name in ("gray", "grey") for shade in range(101)]
)
_NUMBER = r"(?:\d++(?:\.\d*+)?|\.\d++)"
_CODED = re.compile(
    rf"\s*+(?:\#(?:[0-9a-f]{{3,4}}|[0-9a-f]{{6}}|[0-9a-f]{{8}})|{_NUMBER}[\s,]++{_NUMBER}[\s,]++{_NUMBER}(?:[\s,]++{_NUMBER})?)\s*+\Z",
    re.IGNORECASE,
)
_SHARE = re.compile(rf";{_NUMBER}?\Z")
_NODE_STYLES = "dashed dotted solid invis bold filled striped wedged diagonals rounded radial"
_EDGE_STYLES = "dashed dotted solid invis bold tapered"
_ONE_STYLE = re.compile(r"(?:[^,(]|\([^()]*+\)?)++")
_STYLE = re.compile(r"\s*+([\w.-]*+)\s*+(\([^()]*+\))?\s*+")
_ARROWS = re.compile(r"(?:(?:o?[lr]?|[lr]?o?)(?:box|crow|curve|icurve|diamond|dot|inv|none|normal|tee|vee)){1,8}\Z")
_OLD_ARROWS = frozenset({
    "ediamond", "open", "halfopen", "empty", "invempty", "invdot", "invodot", "onormal", "lnormal", "rnormal",
    "forward", "back",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Values:
    """The values that an attribute of a kind of thing takes, and what Graphviz does with another."""

    unknown: Callable[[str], str]
    """The part of a value that Graphviz does not know; empty for a value that it knows."""
    known: tuple[str, ...]
    """Words to suggest."""
    effect: str


def colours() -> tuple[str, ...]:
    """The names of colours, in order."""
    return tuple(sorted(_NAMES))


def is_colour(value: str) -> bool:
    """Check whether Graphviz knows a colour or a list of colours without a colour scheme."""
    return not _unknown_colour(value)


@lru_cache(maxsize=1 << 10)
def _unknown_colour(value: str) -> str:
    """Colours of a scheme of their own (``/blues9/3``) are not looked up."""
    for one in value.split(":"):
        name = _SHARE.sub("", one).strip()
        if name and not name.startswith("/") and name.lower() not in _NAMES and not _CODED.match(name):
            return name
    return ""


def _unknown_style(known: frozenset[str]) -> Callable[[str], str]:
    def unknown(value: str) -> str:
        for one in _split_styles(value):
            match = _STYLE.fullmatch(one)
            if match is None or (match[1] and not match[2] and match[1] not in known):
                return one.strip()
        return ""

    return unknown


def _split_styles(value: str) -> list[str]:
    """The styles of a list; commas between brackets belong to one: ``setlinewidth(2), bold``."""
    return [match[0] for match in _ONE_STYLE.finditer(value)]


def _unknown_word(known: frozenset[str], *, fold: bool) -> Callable[[str], str]:
    def unknown(value: str) -> str:
        word = value.lower() if fold else value
        return "" if not value or word in known else value

    return unknown


def _unknown_arrow(value: str) -> str:
    return "" if not value or value in _OLD_ARROWS or _ARROWS.match(value) else value


def _words(text: str, effect: str, *, fold: bool = False) -> Values:
    known = text.split()
    return Values(_unknown_word(frozenset(known), fold=fold), tuple(known), effect)


def _styles(text: str) -> Values:
    return Values(_unknown_style(frozenset(text.split())), tuple(text.split()), "ignores")


_COLOUR = Values(_unknown_colour, colours(), "draws black")
_ARROW = Values(
    _unknown_arrow, ("normal", "vee", "dot", "odot", "none", "empty", "diamond", "box", "crow", "tee", "inv", "open"),
    "draws as a usual arrow",
)  # fmt: skip

VALUES: Mapping[str, Mapping[str, Values]] = {
    "node": {
        "color": _COLOUR,
        "fillcolor": _COLOUR,
        "fontcolor": _COLOUR,
        "style": _styles(_NODE_STYLES),
    },
    "edge": {
        "color": _COLOUR,
        "fontcolor": _COLOUR,
        "labelfontcolor": _COLOUR,
        "style": _styles(_EDGE_STYLES),
        "dir": _words("forward back both none", "takes for the default"),
        "arrowhead": _ARROW,
        "arrowtail": _ARROW,
    },
    "graph": {
        "bgcolor": _COLOUR,
        "color": _COLOUR,
        "fillcolor": _COLOUR,
        "pencolor": _COLOUR,
        "fontcolor": _COLOUR,
        "style": _styles(f"{_NODE_STYLES} tapered"),
        "rankdir": _words("TB LR BT RL", "takes for TB"),
        "splines": _words(
            "true false yes no none line polyline curved ortho spline splines compound 0 1", "ignores", fold=True
        ),
        "labelloc": _words("t c b T C B top bottom center", "ignores"),
        "labeljust": _words("l c r L C R left center right", "ignores"),
        "rank": _words("same min max source sink", "ignores"),
        "ordering": _words("in out", "ignores"),
        "clusterrank": _words("local global none", "ignores"),
    },
}
"""By kind of thing and attribute; attributes that are not here take any text, or numbers."""
