"""The gallery shows what the code draws today."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.dot.writer import write_dot
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing
from dagtool.render.views import Asked

ROOT = Path(__file__).parents[1]
AGAIN = "look at the change, then: python3 dev.py gallery"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


GALLERY = _load()


@pytest.mark.parametrize("entry", GALLERY.ENTRIES, ids=lambda entry: str(entry.name))
def test_pictures_are_up_to_date(entry) -> None:
    """Byte for byte: no picture of ours depends on what Graphviz is installed."""
    folder = ROOT / "outputs" / "gallery" / entry.name
    drawn = dict(GALLERY.files(entry))
    assert {file.name for file in folder.iterdir()} == set(drawn), AGAIN
    for name, data in drawn.items():
        assert (folder / name).read_bytes() == data, AGAIN
    assert len(drawn["layer.svg"]) < 120_000
    assert drawn["layer.svg"].count(b'role="graphics-symbol"') <= 80


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "outputs" / "README.md").read_text(encoding="utf-8") == GALLERY.page(), AGAIN


def test_every_preset_is_in_it_and_nothing_else() -> None:
    assert {entry.preset for entry in GALLERY.ENTRIES} == set(preset_names())
    folders = {folder.name for folder in (ROOT / "outputs" / "gallery").iterdir()}
    assert folders == {entry.name for entry in GALLERY.ENTRIES}


@pytest.mark.parametrize("preset", preset_names())
def test_a_file_gives_the_picture_of_its_dag(preset: str) -> None:
    """Written and read again, a DAG is drawn the same."""
    dag = generate(preset)
    read = to_dag(parse("".join(write_dot(dag)).encode())[0])
    drawings = [compose_drawing(one, asked=Asked(caption="x")) for one in (dag, read)]
    assert drawings[0] == drawings[1]
