"""Which values of which attributes Graphviz knows, and what it does with others: colours, styles, words, numbers.

Sources: https://graphviz.org/doc/info/attrs.html, colors.html, arrows.html; styles as in shapes.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["NUMBERS", "VALUES", "Values", "colours", "is_colour"]

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
_STYLES = "dashed dotted solid bold filled unfilled invis invisible tapered"
"""Styles that Graphviz takes without a warning of anything, whether they change it or not."""
_SHAPE_STYLES = f"{_STYLES} rounded diagonals striped wedged radial"
_READ_AS_NUMBER = re.compile(r"\s*+[+-]?(?:\d|\.\d|inf|nan)", re.IGNORECASE)
_NEGATIVE = re.compile(r"\s*+-0*+(?:[1-9]|\.0*+[1-9])")
_BELOW_MINUS_ONE = re.compile(r"\s*+-0*+[1-9]")
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
    """What follows ``which``: that it is none of these, and what Graphviz makes of it."""


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
    return Values(_unknown_word(frozenset(known), fold=fold), tuple(known), f"Graphviz does not know and {effect}")


def _styles(text: str) -> Values:
    return Values(_unknown_style(frozenset(text.split())), tuple(text.split()), "Graphviz does not know and ignores")


def _is_no_number(value: str) -> str:
    """Graphviz reads what begins as a number as that number: ``12pt``."""
    return "" if not value or _READ_AS_NUMBER.match(value) else value


def _is_no_positive(value: str) -> str:
    return _is_no_number(value) or (value if _NEGATIVE.match(value) else "")


def _is_no_count(value: str) -> str:
    return _is_no_number(value) or (value if _BELOW_MINUS_ONE.match(value) else "")


def _is_no_switch(value: str) -> str:
    return "" if not value or value[0].isdigit() or value.lower() in ("true", "false", "yes", "no") else value


def _or_word(other: Values, *words: str) -> Values:
    """What another attribute takes, or one of these words."""
    return Values(lambda value: "" if value in words else other.unknown(value), words, other.effect)


_COLOUR = Values(_unknown_colour, colours(), "Graphviz does not know and draws black")
_NUMBER_OF_ANY_SIGN = Values(_is_no_number, (), "is no number: Graphviz takes the default")
_POSITIVE = Values(_is_no_positive, (), "is no number from 0 on: Graphviz takes the default, or the least that it can")
_COUNT = Values(_is_no_count, (), "is no number from 0 on: Graphviz takes the default, or 0")
_SWITCH = Values(_is_no_switch, ("true", "false"), "is neither true nor false: Graphviz takes it for false")
_ARROW = Values(
    _unknown_arrow, ("normal", "vee", "dot", "odot", "none", "empty", "diamond", "box", "crow", "tee", "inv", "open"),
    "Graphviz does not know and draws as a usual arrow",
)  # fmt: skip

VALUES: Mapping[str, Mapping[str, Values]] = {
    "node": {
        "color": _COLOUR,
        "fillcolor": _COLOUR,
        "fontcolor": _COLOUR,
        "style": _styles(_SHAPE_STYLES),
        "ordering": _words("in out", "ignores"),
        **dict.fromkeys(("width", "height", "fontsize", "penwidth"), _POSITIVE),
        **dict.fromkeys(("peripheries", "sides"), _COUNT),
        **dict.fromkeys(("margin", "orientation", "skew", "distortion", "gradientangle"), _NUMBER_OF_ANY_SIGN),
        "fixedsize": _or_word(_SWITCH, "shape", "true", "false"),
        "regular": _SWITCH,
    },
    "edge": {
        "color": _COLOUR,
        "fontcolor": _COLOUR,
        "labelfontcolor": _COLOUR,
        "style": _styles(_STYLES),
        "dir": _words("forward back both none", "takes for the default"),
        "arrowhead": _ARROW,
        "arrowtail": _ARROW,
        **dict.fromkeys(("fontsize", "labelfontsize", "penwidth", "arrowsize"), _POSITIVE),
        **dict.fromkeys(("weight", "minlen"), _COUNT),
        **dict.fromkeys(("labelangle", "labeldistance"), _NUMBER_OF_ANY_SIGN),
        **dict.fromkeys(("constraint", "decorate", "headclip", "tailclip", "labelfloat"), _SWITCH),
    },
    "graph": {
        "bgcolor": _COLOUR,
        "color": _COLOUR,
        "fillcolor": _COLOUR,
        "pencolor": _COLOUR,
        "fontcolor": _COLOUR,
        "style": _styles(_SHAPE_STYLES),
        "rankdir": _words("TB LR BT RL", "takes for TB"),
        "splines": _words(
            "true false yes no none line polyline curved ortho spline splines compound 0 1", "ignores", fold=True
        ),
        "labelloc": _words("t c b T C B top bottom center", "ignores"),
        "labeljust": _words("l c r L C R left center right", "ignores"),
        "rank": _words("same min max source sink", "ignores"),
        "ordering": _words("in out", "ignores"),
        "clusterrank": _words("local global none", "ignores"),
        "outputorder": _words("breadthfirst nodesfirst edgesfirst", "ignores"),
        "layout": _words("dot neato fdp sfdp circo twopi osage patchwork nop nop1 nop2", "draws nothing"),
        "charset": _words(
            "utf-8 utf8 latin1 latin-1 l1 iso-8859-1 iso_8859-1 iso8859-1 iso-ir-100 big5 big-5",
            "takes for utf-8",
            fold=True,
        ),
        **dict.fromkeys(("nodesep", "fontsize", "penwidth"), _POSITIVE),
        **dict.fromkeys(("margin", "pad", "dpi", "resolution", "size", "quantum", "rotate"), _NUMBER_OF_ANY_SIGN),
        "peripheries": _COUNT,
        "ranksep": _or_word(_POSITIVE, "equally"),
        "ratio": _or_word(_NUMBER_OF_ANY_SIGN, "fill", "compress", "expand", "auto"),
        **dict.fromkeys(("compound", "concentrate", "center", "landscape", "newrank", "forcelabels"), _SWITCH),
    },
}
"""By kind of thing and attribute; attributes that are not here take any text, or are not looked at."""

NUMBERS = frozenset(
    name
    for values in VALUES.values()
    for name, one in values.items()
    if one in (_NUMBER_OF_ANY_SIGN, _POSITIVE, _COUNT)
)
"""Attributes that take numbers alone."""
