"""What ``dagtool --help`` says. Command modules are not imported: their docstrings are read."""

from __future__ import annotations

import os

__all__ = ["EXIT_STATUSES", "command_names", "overview"]

EXIT_STATUSES = """\
Exit status:
  0    fine
  1    findings at or above --fail-on
  2    usage, configuration, unreadable or unparsable input
  3    internal error or a missing program
  130  interrupted
"""

_HEAD = """\
Usage: dagtool [OPTIONS] COMMAND [ARGS]...

  Generate, validate, price and draw the deployment DAG of a large language
  model.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit. Each command has a --help with an example.

Commands:
"""


def command_names() -> list[str]:
    """Every module here that is not private is a command."""
    names = (name.removesuffix(".py") for name in os.listdir(os.path.dirname(__file__)) if name.endswith(".py"))
    return sorted(name for name in names if not name.startswith("_"))


def overview() -> str:
    """Usage, the commands with a line each, examples, exit statuses."""
    rows = [(name, *_first_lines(name)) for name in command_names()]
    width = max((len(name) for name, _, _ in rows), default=0)
    commands = "".join(f"  {name:<{width}}  {summary}\n" for name, summary, _ in rows)
    examples = "".join(f"  {example}\n" for _, _, example in rows if example)
    return f"{_HEAD}{commands}\nExamples:\n{examples}\n{EXIT_STATUSES}"


def _first_lines(name: str) -> tuple[str, str]:
    """The first line of a command's docstring, and the first one that is a call."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.py"), encoding="utf-8") as file:
        text = file.read(4096)
    doc = text.partition('"""')[2].partition('"""')[0].splitlines()
    example = next((line.strip() for line in doc if line.strip().startswith("dagtool ")), "")
    return (doc[0].strip() if doc else ""), example
