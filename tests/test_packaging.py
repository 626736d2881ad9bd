"""What is installed is what is here: the list of packages, and a wheel built from a source archive."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def _folders() -> dict[str, Path]:
    """Top packages and where they lie."""
    folders = {name: ROOT / folder for name, folder in SETTINGS["package-dir"].items() if name}
    return {"dagtool": ROOT / SETTINGS["package-dir"][""] / "dagtool", **folders}


def test_every_folder_with_an_init_is_listed_as_a_package() -> None:
    # A forgotten one works in a checkout and is missing from the wheel.
    found = set()
    for package, folder in _folders().items():
        for init in folder.rglob("__init__.py"):
            below = init.parent.relative_to(folder).parts
            found.add(".".join([package, *below]))
    assert set(SETTINGS["packages"]) == found


def test_every_python_file_lies_in_a_package() -> None:
    for folder in _folders().values():
        for file in folder.rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel from the unpacked source archive of a copy of what git tracks or would track."""
    folder = tmp_path_factory.mktemp("build")
    _copy_sources(folder / "checkout")
    _build("sdist", folder / "checkout", folder)
    with tarfile.open(next((folder / "checkout" / "dist").glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    _build("bdist_wheel", next((folder / "unpacked").iterdir()), folder)
    return zipfile.ZipFile(next((folder / "unpacked").rglob("dist/*.whl")))


def _copy_sources(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())


def _build(command: str, source: Path, folder: Path) -> None:
    """Build with the setuptools that pyproject.toml asks for, fetched into a folder of its own."""
    tools = folder / "tools"
    if not tools.exists():
        requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tools), *requires]
        fetched = subprocess.run(fetch, check=False, capture_output=True, text=True)
        if fetched.returncode:
            pytest.skip(f"no build tools: {fetched.stderr.strip().splitlines()[-1:]}")
    code = "import setuptools; setuptools.setup()"
    built = subprocess.run(
        [sys.executable, "-c", code, "--quiet", command],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(tools)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr


def test_wheel_holds_what_the_checkout_holds(wheel: zipfile.ZipFile) -> None:
    # Every data file too: presets, templates, and whatever else lies beside the code.
    expected = set()
    for package, folder in _folders().items():
        for file in folder.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".md", ".pyc"):
                expected.add("/".join([*package.split("."), *file.relative_to(folder).parts]))
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == expected
    assert any(name.endswith(".j2") for name in names)
    assert "dagtool/generators/presets/ep16_tp4.toml" in names


def test_wheel_has_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    # Bare generators, validators, templates or tests would be everybody's.
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dagtool"}


def test_wheel_works_by_itself(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    # Not the checkout's code: from the folder the wheel was unpacked to, with -P so that the current one is not seen.
    wheel.extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r});"
        "import dagtool; from dagtool.cli import main; print(dagtool.__file__); sys.exit(main(['gen', 'pp2', '-q']))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert str(tmp_path / "site") in ran.stdout
    assert (tmp_path / "outputs" / "pp2.dot").stat().st_size > 10_000


def test_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    text = wheel.read(metadata).decode()
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: >=3.11" in text
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
