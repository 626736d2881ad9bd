"""docs/cost.md says what the command measures and what the fits report."""

import re
from pathlib import Path

import pytest

from dagtool.accuracy.leave_one_out import leave_one_out
from dagtool.accuracy.measured import read_measured
from dagtool.accuracy.predict import predictions
from dagtool.accuracy.summary import summaries

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cost.md"
FITTED = {
    "matrix products": "cost/fitted/kernels.toml",
    "collectives": "cost/fitted/links.toml",
    "training": "accuracy/training.toml",
    "serving": "accuracy/serving.toml",
}


def percent(share, *, signed=False):
    """A cell."""
    return "" if share is None else f"{100 * share:{'+' if signed else ''}.1f} %"


def line(name, one):
    """A row of the page's table."""
    rank = "" if one.rank_correlation is None else f"{one.rank_correlation:.3f}"
    # Fewer than three rows have a flat baseline that is one of them.
    flat = one.flat_mean_error if one.predicted > 2 else None
    cells = [name, str(one.predicted), percent(one.mean_error), percent(one.worst_error, signed=True), rank]
    return "| " + " | ".join([*cells, percent(flat), percent(one.bare_mean_error)]) + " |"


def accuracy_table(folder):
    """What `dagtool accuracy` finds in the measured files."""
    rows = [
        "| rows of | predicted | mean error | worst | rank correlation | flat | bare roofline |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("operators.csv", "end_to_end.csv"):
        measured = read_measured(str(folder / name))
        rows += [line(one.group, one) for one in summaries(predictions(measured)) if one.predicted]
        if measured.kind == "operators":
            table = summaries(predictions(measured, leave_one_out(measured.rows)))
            rows += [line(f"{one.group}, `--cost table`", one) for one in table if one.group.startswith("gemm of")]
    return "\n".join(rows) + "\n"


def held_out():
    """What the heads of the files of constants report."""
    lines = []
    for name, place in FITTED.items():
        text = (ROOT / "src" / "dagtool" / place).read_text()
        head = " ".join(part.strip("# ") for part in text.splitlines() if part.startswith("#"))
        start = r"(?:Each GPU's rows under constants fitted on the other GPUs|Held out[^:]*): "
        said = re.findall(rf"{start}.*?\d%\.(?= |$)(?: One constant.*?\d%\.)?", head)
        assert len(said) == 1, place
        lines.append(f"- {name} (`{place}`): {said[0][0].lower()}{said[0][1:]}\n")
    return "".join(lines)


def replaced(text, name, content):
    """The page with what stands between two marks replaced."""
    pattern = rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)"
    assert re.search(pattern, text, re.DOTALL)
    return re.sub(pattern, lambda found: found[1] + content + found[2], text, flags=re.DOTALL)


def compare(request, name, content):
    """Hold the page against what is so; ``--update-golden`` rewrites it."""
    text = PAGE.read_text()
    new = replaced(text, name, content)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(new)
    assert PAGE.read_text() == new, "docs/cost.md differs; look at the change, then --update-golden"


def test_the_page_has_the_errors_that_the_command_finds(request, measured):
    """Numbers are measured, not remembered."""
    compare(request, "accuracy", accuracy_table(measured))


def test_the_page_has_the_errors_on_rows_held_out(request):
    """As docs/fit_costs.py wrote them."""
    compare(request, "held out", held_out())


@pytest.mark.parametrize("place", FITTED.values())
def test_constants_say_what_they_were_fitted_on(place):
    """Rows, sources, errors."""
    text = (ROOT / "src" / "dagtool" / place).read_text()
    assert re.search(r"# Fitted by docs/fit_costs\.py on \d+ rows", text)
    assert text.count("\n# - ") >= 2
