"""The examples of README.md and of these pages, run: what a page shows is what happens.

In a ``console`` block every ``$`` line is run by bash, in one empty folder for the whole page, and its output stands
below it; a line ``...`` stands for any lines, and times are not compared. A ``toml`` block that begins with
``# NAME.toml`` becomes that file. ``python`` blocks are doctests.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replay"]

_BLOCK = re.compile(r"^```(console|python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\b\d+\.\d+ s\b")


def replay(page: Path, folder: Path) -> str:
    """The page's text with every output that is not as shown replaced. Raises ValueError where Python raises."""
    names: dict[str, object] = {}

    def block(match: re.Match[str]) -> str:
        kind, body = match[1], match[2]
        if kind == "console":
            body = "".join(_console(body, folder))
        elif kind == "python":
            body = _python(body, names, page, folder)
        elif name := re.match(r"# ([\w.]+\.toml)\n", body):
            (folder / name[1]).write_text(body, encoding="utf-8")
        return f"```{kind}\n{body}```"

    return _BLOCK.sub(block, page.read_text(encoding="utf-8"))


def _console(body: str, folder: Path) -> Iterator[str]:
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        command, _, shown = part.partition("\n")
        if not command.startswith("$ "):
            yield part
            continue
        found = _output(command[2:], folder)
        yield f"{command}\n{shown if _alike(shown, found) else found}"


def _output(command: str, folder: Path) -> str:
    """What a command prints, both streams in order."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    ran = subprocess.run(
        ["bash", "-c", command],
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return ran.stdout


def _alike(shown: str, found: str) -> bool:
    lines = [".*" if line == "..." else re.escape(line) for line in _TIME.sub("0 s", shown).split("\n")]
    pattern = "\n".join(lines).replace(".*\n", "(?:.*\n)*")
    return re.fullmatch(pattern, _TIME.sub("0 s", found)) is not None


class _Recorder(doctest.DocTestRunner):
    """Keeps what each example printed where that is not what is shown."""

    def __init__(self) -> None:
        super().__init__(verbose=False, optionflags=doctest.ELLIPSIS)
        self.found: dict[int, str] = {}

    def report_failure(self, out: object, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """Called by doctest."""
        self.found[example.lineno] = got


def _python(body: str, names: dict[str, object], page: Path, folder: Path) -> str:
    test = doctest.DocTestParser().get_doctest(body, names, page.name, str(page), 0)
    said: list[str] = []
    runner = _Recorder()
    with contextlib.chdir(folder):
        runner.run(test, out=said.append, clear_globs=False)
    if said:  # an exception
        raise ValueError("".join(said))
    names.update(test.globs)
    shown = [
        ">>> "
        + example.source.rstrip("\n").replace("\n", "\n... ")
        + "\n"
        + runner.found.get(example.lineno, example.want)
        for example in test.examples
    ]
    return "".join(shown)
