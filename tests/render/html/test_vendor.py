"""The JavaScript library is the one that its note names, unchanged; where npm is, that of the registry."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def vendor() -> ModuleType:
    """The program in docs/, which is no package."""
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "docs" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_copy_is_as_noted(vendor):
    assert vendor.check() == []
    assert vendor.noted()["license"] == "ISC"


def test_a_changed_copy_is_noticed(vendor, tmp_path, monkeypatch):
    for file in vendor.FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "flatbush.js").write_text("changed")
    monkeypatch.setattr(vendor, "FOLDER", tmp_path)
    assert vendor.check() == ["flatbush.js"]


def test_the_copy_is_what_the_registry_gives(vendor, tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    try:
        facts, files = vendor.fetch(vendor.noted()["version"], tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the npm registry cannot be reached: {error.stderr[:200]}")
    assert facts["integrity"] == vendor.noted()["integrity"]
    for name, data in files.items():
        assert (vendor.FOLDER / name).read_bytes() == data
