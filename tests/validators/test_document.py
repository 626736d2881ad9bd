"""docs/rules.md is what the rules say."""

from __future__ import annotations

from pathlib import Path

from dagtool.validators.document import page


def test_page_is_up_to_date() -> None:
    stored = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
    assert stored.read_text(encoding="utf-8") == page(), "run: python -m dagtool.validators.document > docs/rules.md"
