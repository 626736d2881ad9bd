"""docs/rules is what the rules say: file, code, examples, page and docstring belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagtool.validators.catalogue import all_rules
from dagtool.validators.document import index, page, pages, shown, write_pages
from dagtool.validators.rule import FAMILIES, LoadedRule

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
STALE = "run: python3 dev.py docs"

each_rule = pytest.mark.parametrize("loaded", all_rules(), ids=lambda loaded: loaded.rule.code)


@each_rule
def test_page_is_up_to_date(loaded: LoadedRule) -> None:
    # Making the page runs the bad example, so what it shows is what happens.
    stored = FOLDER / f"{loaded.rule.code}.md"
    assert stored.is_file(), STALE
    assert stored.read_text(encoding="utf-8") == page(loaded), STALE


@each_rule
def test_page_has_every_section_of_the_docstring_and_both_examples(loaded: LoadedRule) -> None:
    text = page(loaded)
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    wanted = ["What", "Why", "Bad", "Good", "Fix", *(["References"] if "References" in loaded.sections else [])]
    assert headings == wanted
    assert text.startswith(f"# {loaded.rule.code} {loaded.rule.name}\n")
    assert all(shown(example) in text for example in (loaded.bad, loaded.good))
    assert f" {loaded.rule.code} {loaded.rule.name}: " in text
    assert (FOLDER.parents[1] / loaded.rule.page).is_file()


def test_index_lists_every_rule_once_under_its_family() -> None:
    text = index()
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == text, STALE
    for loaded in all_rules():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| [{loaded.rule.code}](")]
        assert loaded.rule.summary in row
    for prefix, about in FAMILIES.items():
        assert f": {about}\n" in text or not [one for one in all_rules() if one.rule.code.startswith(prefix)]


def test_no_page_is_left_of_a_rule_that_is_no_more(tmp_path: Path) -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages()), STALE
    (tmp_path / "GRF999.md").write_text("gone")
    write_pages(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(pages())
