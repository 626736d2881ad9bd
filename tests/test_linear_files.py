"""A file with one very long label, id, name, value or comment is checked in time in proportion to its length."""

from collections.abc import Callable
from time import process_time

import pytest

from dagtool.report.checklist import checklist
from dagtool.report.formats import Style, format_names, renderer
from dagtool.validators.engine import check_bytes

UNITS = (
    "GPU 0,1,2,", "GPU 0-3 and ", "from GPU 0 to ", "all GPUs ", "rank 1->", "TP1 ", "gpu1_", "layer 1 ", "layer1_",
    "expert 3 of ", "a->a->", "0->", "[[[[", "[B=4, S] ", "Input: [1,2] ", "((((", "(a)", "8x", "1×", "a=1, ", "....",
    " ", "\t", "1", "a", "_1", "ab,", "x x ", "matmul ", "é", "&amp;", "&#", "{|}", r"\\n", r"\l", "%s", "{a}", "<b/>",
    "dagtool: ", "GRF102, ", "-", "*/", "//",
)  # fmt: skip
PLACES: dict[str, Callable[[str], str]] = {
    "label": lambda text: f'digraph {{ a [label="{text}"]; b [label="GPU 1 matmul"]; a -> b }}',
    "label of an edge": lambda text: f'digraph {{ a -> b [label="{text}"] }}',
    "HTML label": lambda text: f"digraph {{ a [label=<{text.replace('->', '-')}>]; a -> b }}",
    "id": lambda text: f'digraph {{ "{text}" [label="x"]; b; "{text}" -> b; "{text}c" -> b }}',
    "cluster": lambda text: f'digraph {{ subgraph "cluster_{text}" {{ label="{text}"; a }} a -> b }}',
    "value": lambda text: (
        f'digraph "{text}" {{ rankdir="{text}"; a [shape="{text}", color="{text}", x="{text}"]; a -> b }}'
    ),
    "comment": lambda text: f"digraph {{ // dagtool: ignore[{text}] {text}\n a -> b }}",
    "dialect": lambda text: (
        f'digraph {{ dagtool=1; model="{text}"; sizes="{text}"; meshes="{text}";'
        f' a [op=linear, output="{text}", input="{text}", role="{text}"]; a -> b }}'
    ),
    "not a graph": lambda text: f"digraph {{ a [label={text}]; b -> {text} }}",
}
SMALL, STEP, MOST = 4_000, 8, 1_000_000
FACTOR = 3.0
ENOUGH = 0.6
"""Seconds: what takes as long is not tried longer."""
NOTICEABLE = 0.05


def seconds(place: str, unit: str, size: int) -> float:
    """What it takes to check a file, and to write what was found in every format."""
    data = PLACES[place](unit * (size // len(unit))).encode()
    begin = process_time()
    report = check_bytes(data, "a.dot", checklist=checklist)
    for name in format_names():
        "".join(renderer(name)([report], Style()))
    return process_time() - begin


def grows(place: str, unit: str, most: int) -> str:
    """Empty, or the two lengths between which the time grew faster than the length."""
    size = SMALL
    taken = seconds(place, unit, size)
    while size < most and taken < ENOUGH:
        longer = min(size * STEP, most)
        after = seconds(place, unit, longer)
        if after > NOTICEABLE and after > FACTOR * taken * longer / size:
            before = min(taken, *(seconds(place, unit, size) for _ in range(2)))
            after = min(after, seconds(place, unit, longer))
            if after > FACTOR * before * longer / size:
                return f"{unit!r}: {size:,}: {before:.3f} s, {longer:,}: {after:.3f} s"
        size, taken = longer, after
    return ""


@pytest.mark.parametrize("place", PLACES)
def test_time_is_in_proportion_to_the_length(place):
    seconds(place, "a", 10)
    slow = [found for unit in UNITS if (found := grows(place, unit, SMALL * STEP))]
    assert not slow, "\n".join(slow)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("unit", ["GPU 0,1,2,", "layer 1 "])
def test_a_megabyte(place, unit):
    seconds(place, "a", 10)
    assert not grows(place, unit, MOST)
