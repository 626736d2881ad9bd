"""Texts and lines can be read, on light and on dark paper, by people who see few colours too."""

from __future__ import annotations

from itertools import combinations

import pytest

from dagtool.render.colour import contrast, dark, hexadecimal
from dagtool.templates import environment

LOOK = environment().get_template("render/looks.j2").module
STYLE = environment().get_template("svg/style.j2").make_module({"fills": [], "prefix": ""})
FILLS = sorted({hexadecimal(look["fillcolor"]) for table in (LOOK.families, LOOK.operators) for look in table.values()})


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("fill", FILLS)
def test_texts_and_outlines_on_every_colour(fill):
    assert contrast(STYLE.light["ink"], fill) >= 4.5
    assert contrast(STYLE.night["ink"], dark(fill)) >= 4.5
    assert contrast(STYLE.light["line"], STYLE.light["paper"]) >= 3
    assert contrast(STYLE.night["line"], STYLE.night["paper"]) >= 3


@pytest.mark.parametrize("tone", [STYLE.light, STYLE.night])
def test_what_stands_on_the_paper(tone):
    for paper in ("paper", "layer", "block"):
        assert contrast(tone["ink"], tone[paper]) >= 4.5
        assert contrast(tone["faint"], tone[paper]) >= 4.5
        assert contrast(tone["line"], tone[paper]) >= 3
        assert contrast(tone["path"], tone[paper]) >= 3


def _deuteranopia(colour: str) -> tuple[float, float, float]:
    """As somebody without green cones sees it (Viénot, Brettel and Mollon, 1999, in linear RGB)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (value**2.2 for value in (red, green, blue))
    both = 0.29275 * red + 0.70725 * green
    return both ** (1 / 2.2), both ** (1 / 2.2), (-0.02233 * red + 0.02233 * green + blue) ** (1 / 2.2)


def test_kinds_differ_in_more_than_hue():
    """Two families whose colours look alike without green cones have different shapes."""
    for (_, one), (_, other) in combinations(LOOK.families.items(), 2):
        colours = [_deuteranopia(hexadecimal(look["fillcolor"])) for look in (one, other)]
        apart = sum((a - b) ** 2 for a, b in zip(*colours, strict=True)) ** 0.5
        assert one["shape"] != other["shape"] or apart > 0.04


def test_what_differs_in_colour_alone_differs_on_dark_paper_too():
    """A gate and a split are both parallelograms; on light paper one is gold and the other is pale."""
    routing = hexadecimal(LOOK.families["routing"]["fillcolor"])
    gate = hexadecimal(LOOK.operators["gate"]["fillcolor"])
    collectives = {hexadecimal(LOOK.operators[op]["fillcolor"]) for op in ("all_reduce", "all_gather", "dispatch")}
    pairs = [(routing, gate), *combinations(sorted(collectives), 2)]
    for one, other in pairs:
        assert _apart(dark(one), dark(other)) > 0.12, (one, other)


def _apart(one: str, other: str) -> float:
    channels = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in (one, other)]
    return sum((a - b) ** 2 for a, b in zip(*channels, strict=True)) ** 0.5


def test_unknown_names_are_pale():
    assert hexadecimal("no such colour") == hexadecimal("#F7F7F7")
    assert hexadecimal("gold") == "#ffd700"
