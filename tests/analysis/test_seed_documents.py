"""No number of the documents is left out: each stands in the report of its preset, or below with the reason why not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from dagtool.analysis.report import render_report

SEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "seeds"
pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the documents are not here")

PRESETS = {
    "000": ("ma_separation", "tp8", "pp2"),
    "001": ("ma_separation",),
    "002": ("dense_tp8_pp2",),
    "003": ("ep16_tp4",),
    "004": ("moe_tp8_pp2", "ep16"),
}
SECTIONS = {
    "000": {
        "Model Configuration": ("ma_separation", "tp8", "pp2"),
        "Attention Module": ("ma_separation",),
        "QKV": ("ma_separation",),
        "Attention Scores": ("ma_separation",),
        "Attention Output": ("ma_separation",),
        "Output Projection": ("ma_separation",),
        "Expert": ("ma_separation",),
        "MA Separation": ("ma_separation",),
        "Tensor Parallel": ("tp8",),
        "Pipeline Parallel": ("pp2",),
    },
    "004": {"Baseline": ("moe_tp8_pp2",), "Proposed": ("ep16",), "Input/Output": ("moe_tp8_pp2", "ep16")},
}
"""Whose report a section is about; elsewhere one of the document's presets must have the number."""

EXCEPTIONS = (
    (r"^#+ .*", "a heading: its number is that of the section"),
    (r"^ *\d+\. ", "the number of a point in a list"),
    (r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d", "the date in the name of a folder"),
)
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?)")
NAME = re.compile(r"(?<![\w.])[a-z_]+\d\w*(?![\w.])")


def document(number: str) -> list[tuple[str, str]]:
    """(heading, line) of every line, what is excepted taken out."""
    (path,) = SEEDS.glob(f"{number}_*.txt")
    found, heading = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line
        for pattern, _ in EXCEPTIONS:
            line = re.sub(pattern, "", line)
        found.append((heading, line))
    return found


@cache
def said(name: str, number: str, subject) -> frozenset[str]:
    """Numbers and names in the columns *what* and *the document says* of a report."""
    text = render_report(subject(name))
    section = text.partition(f"## What document {number} says")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    long = [line for line in section.splitlines() if line.startswith(("- ", "  - the document says "))]
    cells = " ".join([*(f"{row[0]} {row[1]}" for row in rows), *long])
    return frozenset(map(plain, [*NUMBER.findall(cells), *NAME.findall(cells)]))


def plain(number: str) -> str:
    return number.replace(",", "")


def asked(number: str, heading: str) -> tuple[tuple[str, ...], bool]:
    """The presets whose reports must have what stands below a heading, and whether all of them must."""
    for words, names in SECTIONS.get(number, {}).items():
        if words in heading:
            return names, True
    return PRESETS[number], False


@pytest.mark.parametrize("number", PRESETS)
def test_each_number_of_a_document_stands_in_the_report_of_its_preset(number, subject):
    missing = []
    for heading, line in document(number):
        names, all_ = asked(number, heading)
        for found in {*NUMBER.findall(line), *NAME.findall(line)}:
            there = [plain(found) in said(name, number, subject) for name in names]
            if not (all(there) if all_ else any(there)):
                missing.append((found, line.strip(), names))
    assert not missing, missing


EXPRESSIONS = re.compile(r"GT\(([^)]*)\)")


@pytest.mark.parametrize("name", [name for names in PRESETS.values() for name in names])
def test_the_expression_is_that_of_the_table_of_derived_products(name, subject):
    """The eight systems' terms, as the page on them has them."""
    page = (SEEDS.parent / "seed-systems.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip(): row for row in page.splitlines() if "GT(" in row and row.startswith("|")}
    rows = {key.strip("` "): row for key, row in rows.items() if row.count("|") == 4}
    rows["tp8"] = rows["ma_separation"]
    cases = [(name, {})] + ([("001, symbolic", {"B": "B"})] if name == "ma_separation" else [])
    for key, settings in cases:
        text = render_report(subject(name, **settings))
        line = next(line for line in text.splitlines() if line.startswith("`time = "))
        shown = re.findall(r"Get_Time\(([^)]*)\)", line)
        terms = EXPRESSIONS.findall(rows[key])
        if key == "pp2":  # "as above": its experts are those of ma_separation
            terms += EXPRESSIONS.findall(rows["ma_separation"])[-2:]
            terms.insert(-2, EXPRESSIONS.findall(rows["ma_separation"])[-3])
        assert shown[:-1] == list(dict.fromkeys(terms)) or shown[:-1] == terms
