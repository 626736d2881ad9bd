#!/usr/bin/env python3
"""Everything a checkout needs, from a bare Python: ``python3 dev.py demo``, ``python3 dev.py test``.

Only the standard library. What is installed goes to ``.venv`` beside this file, once: a second run finds it.
"""

import hashlib
import os
import shutil
import subprocess
import sys

USAGE = """\
usage: python3 dev.py COMMAND [ARGUMENTS]

  demo      install, then generate, validate, price and draw one deployment
  test      what a change must pass: lint, types, pytest
  lint      ruff check and ruff format --check; 'lint fix' rewrites
  types     mypy --strict over the package as it is installed
  pytest    the tests alone; arguments go to pytest
  bench     speed, beside C Graphviz; --large for half a million nodes
  fuzz      damaged files through reader and rules, beside C Graphviz; --count 100000 for minutes
  combinations  random models, layouts and phases: proved, or refused with a reason; --count 2000 for minutes
  docs      rewrite the pages that are made from the code
  gallery   draw outputs/gallery/ again
  vendor    take the viewer's JavaScript library from the npm registry again, or another version of it
  browser   install Debian's chromium for the tests of the viewer, if that can be done and it is missing
"""
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
NEEDED = {
    "demo": ["--editable", ".[render]"],
    "dev": ["--editable", ".[render]", "--group", "dev"],
}
"""What pip is asked for."""


class CommandError(Exception):
    """A command did not succeed; its exit status."""


def run(*command: str, quiet: bool = False, **variables: str) -> None:
    """Run a command in the checkout, shown first unless ``quiet``. Raises CommandError with its status."""
    if not quiet:
        print("$", *command, flush=True)
    path = BIN + os.pathsep + os.environ.get("PATH", "")
    program = shutil.which(command[0], path=path) or command[0]
    environment = dict(os.environ, VIRTUAL_ENV=VENV, PATH=path, **variables)
    status = subprocess.call([program, *command[1:]], cwd=ROOT, env=environment)
    if status:
        raise CommandError(status)


# -- the virtual environment ------------------------------------------------------------------


def prepare(kind: str) -> None:
    """Make ``.venv`` and install what ``kind`` needs, unless that has been done for this pyproject.toml."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as stream:
        wanted = ROOT + "\n" + hashlib.sha256(stream.read() + repr(NEEDED[kind]).encode()).hexdigest()
    stamp = os.path.join(VENV, "installed-" + kind)
    found = _content(stamp)
    if found == wanted and os.path.exists(PYTHON):
        return
    moved = bool(found) and found.partition("\n")[0] != ROOT
    if moved or not _works(PYTHON, "-m", "pip", "--version"):
        _make_venv()
    if kind == "dev":  # older ones do not know --group
        _pip("--upgrade", "pip>=25.1")
    _pip(*NEEDED[kind])
    with open(stamp, "w", encoding="utf-8") as out:
        out.write(wanted)


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def _works(*command: str) -> bool:
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _pip(*arguments: str) -> None:
    print("installing", *arguments, flush=True)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Setuptools warns of every editable install of this layout; tests guard against what it warns of.
    run(*command, *arguments, quiet=True, PYTHONWARNINGS="ignore")


def _make_venv() -> None:
    """A fresh ``.venv`` with pip, also where the system keeps ensurepip in a package of its own (Debian)."""
    print("making", VENV, flush=True)
    if _works(sys.executable, "-m", "venv", "--clear", VENV):
        return
    advice = "install what is missing (Debian: apt install python3-venv)"
    if not _works(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV):
        raise SystemExit(f"{sys.executable} has no working 'venv': {advice}")
    if _works(sys.executable, "-m", "pip", "--python", PYTHON, "install", "pip"):
        return
    try:
        wheel = _download_pip()
        run(PYTHON, os.path.join(wheel, "pip"), "install", "--quiet", "--no-index", wheel, quiet=True)
    except (CommandError, OSError, ValueError) as error:
        shutil.rmtree(VENV)
        raise SystemExit(f"{sys.executable} has no pip and none could be fetched ({error}): {advice}") from None


def _download_pip() -> str:
    """The wheel of the newest pip: it runs as it is."""
    import json
    from urllib.parse import urljoin
    from urllib.request import urlopen

    page = "https://pypi.org/pypi/pip/json"
    with urlopen(page, timeout=60) as answer:
        wheel = next(file for file in json.load(answer)["urls"] if file["packagetype"] == "bdist_wheel")
    with urlopen(urljoin(page, wheel["url"]), timeout=60) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != wheel["digests"]["sha256"]:
        raise ValueError("the download is damaged")
    path = os.path.join(VENV, wheel["filename"])
    with open(path, "wb") as out:
        out.write(data)
    return path


# -- commands ---------------------------------------------------------------------------------


def demo() -> None:
    """The main job, on one preset. Its files lie in outputs/."""
    prepare("demo")
    run("dagtool", "gen", "ep16_tp4")
    run("dagtool", "validate", "outputs/ep16_tp4.dot")
    run("dagtool", "path", "outputs/ep16_tp4.dot")
    run("dagtool", "render", "outputs/ep16_tp4.dot", "-o", "outputs/ep16_tp4.svg")
    print("\nOpen outputs/ep16_tp4.svg. The command is", os.path.join(BIN, "dagtool"))


def test(*arguments: str) -> None:
    """All that a change must pass. Everything is run; pytest comes last, and its closing line is the last one."""
    failed = []
    for step in (lint, types):
        try:
            step()
        except CommandError:
            failed.append(step.__name__)
    if failed:
        print("FAILED:", *failed, "(the tests are run all the same)", flush=True)
    pytest("-n", "auto", "--dist", "loadfile", *arguments)  # a file on one core: its fixtures are made once
    if failed:
        raise CommandError(1)


def lint(*arguments: str) -> None:
    """Ruff; with ``fix`` it rewrites."""
    prepare("dev")
    fix = "fix" in arguments
    run("ruff", "check", *(["--fix"] if fix else []), ".")
    run("ruff", "format", *([] if fix else ["--check"]), ".")


def types() -> None:
    """Type-check a copy laid out as installed: type checkers cannot follow an editable install."""
    prepare("dev")
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as stream:
        folders = tomllib.load(stream)["tool"]["setuptools"]["package-dir"]
    copy = os.path.join(ROOT, "build", "typed")
    shutil.rmtree(copy, ignore_errors=True)
    core = os.path.join(folders.pop(""), "dagtool")
    for package, folder in {"dagtool": core, **folders}.items():
        target = os.path.join(copy, *package.split("."))
        # Links, so that who opens a file named in a message opens the real one.
        link = shutil.copy2 if os.name == "nt" else os.symlink
        shutil.copytree(os.path.join(ROOT, folder), target, copy_function=link)
    run("mypy", "--strict", "-p", "dagtool", MYPYPATH=copy)
    run("mypy", "--strict", "dev.py", "docs", "tests/benchmarks", MYPYPATH=copy)


def pytest(*arguments: str) -> None:
    """The tests."""
    prepare("dev")
    run(PYTHON, "-m", "pytest", *arguments)


def bench(*arguments: str) -> None:
    """The benchmarks, a table."""
    prepare("dev")
    run(PYTHON, "tests/benchmarks/bench_main.py", *arguments)


def fuzz(*arguments: str) -> None:
    """Damaged texts through the reader and every rule."""
    prepare("dev")
    run(PYTHON, "tests/fuzz/run.py", *arguments)


def combinations(*arguments: str) -> None:
    """Random combinations of model, layout and phase through generator, rules and executor."""
    prepare("dev")
    run(PYTHON, "tests/published/study.py", *arguments)


def docs() -> None:
    """Rewrite what is made from the code: rules, operator table, outputs of examples."""
    prepare("dev")
    run(PYTHON, "docs/build.py")


def gallery() -> None:
    """Draw every preset again."""
    prepare("dev")
    run(PYTHON, "docs/gallery.py")


def vendor(*arguments: str) -> None:
    """The JavaScript library of the viewer."""
    prepare("dev")
    run(PYTHON, "docs/vendor.py", *arguments)


def browser() -> None:
    """A browser for tests/e2e, which skip without one. Never fails: it is not needed for anything else."""
    if shutil.which("chromium"):
        return
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        print("no browser: the tests of the viewer will skip", flush=True)
        return
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
        try:
            run(*command, quiet=True, DEBIAN_FRONTEND="noninteractive")
        except CommandError:
            print("chromium could not be installed: the tests of the viewer will skip", flush=True)
            return


COMMANDS = (demo, test, lint, types, pytest, bench, fuzz, combinations, docs, gallery, vendor, browser)


def main(arguments: "list[str]") -> int:
    """Find the command and run it; its exit status is ours."""
    commands = {command.__name__: command for command in COMMANDS}
    if not arguments or arguments[0] not in commands:
        print(USAGE, end="")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        commands[arguments[0]](*arguments[1:])
    except CommandError as error:
        return int(error.args[0])
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - nothing has checked it before this file runs
        newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
        hint = f"try: {newer[0]} dev.py" if newer else "see https://www.python.org/downloads/"
        sys.exit(f"dagtool needs Python 3.11 or newer, this is {sys.version.split()[0]}; {hint}")
    sys.exit(main(sys.argv[1:]))
