"""``python3 dev.py vendor [VERSION]``: take flatbush, the JavaScript library of the viewer, from the npm registry.

``npm pack`` fetches the package and its integrity is checked; the script for browsers and the licence are copied as
they are, with a note of where they come from. Without a version the noted one is taken again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

__all__ = ["FILES", "FOLDER", "NOTE", "check", "fetch", "noted", "take"]

FOLDER = Path(__file__).resolve().parents[1] / "templates" / "html" / "vendor"
NOTE = FOLDER / "flatbush.toml"
FILES = {"package/flatbush.js": "flatbush.js", "package/LICENSE": "flatbush.LICENSE.txt"}
"""In the package, and here."""


def noted() -> dict[str, str]:
    """What the note says of the package."""
    return dict(tomllib.loads(NOTE.read_text(encoding="utf-8")))


def fetch(version: str, folder: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """The package of that version: what it says of itself, and its files. Needs npm and the registry."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    command = [npm, "pack", f"flatbush@{version}", "--json", "--ignore-scripts", "--loglevel=error"]
    made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    packed = json.loads(made.stdout)
    (record,) = packed if isinstance(packed, list) else packed.values()
    archive = folder / record["filename"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if record["integrity"] != f"sha512-{digest}":
        raise ValueError(f"{archive.name} is not what the registry promises")
    with tarfile.open(archive) as opened:
        found = {name: _content(opened, inside) for inside, name in FILES.items()}
        package = json.loads(_content(opened, "package/package.json"))
    facts = {key: package[key] for key in ("name", "version", "license")}
    return {**facts, "integrity": record["integrity"]}, found


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is no file")
    return member.read()


def take(version: str, folder: Path) -> None:
    """Fetch a version and put it and its note where the viewer finds them."""
    facts, files = fetch(version, folder)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    lines = ["# Made by `python3 dev.py vendor VERSION`; do not edit."]
    lines += [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
    lines += ["", "[files]"]
    lines += [f"{json.dumps(name)} = {json.dumps(hashlib.sha256(data).hexdigest())}" for name, data in files.items()]
    NOTE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check() -> list[str]:
    """The files that are not as the note says."""
    note = tomllib.loads(NOTE.read_text(encoding="utf-8"))
    return [
        name
        for name in FILES.values()
        if hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() != note["files"].get(name)
    ]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        take(sys.argv[1] if len(sys.argv) > 1 else noted()["version"], Path(place))
