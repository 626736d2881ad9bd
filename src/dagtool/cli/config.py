"""Show the configuration that validate finds, with where each value comes from.

dagtool config show --resolved
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagtool.escape import as_json, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagtool.cli._config import Config

__all__ = ["command"]


@click.group(
    "config",
    no_args_is_help=False,
    epilog="\b\nExamples:\n  dagtool config show plans/\n  dagtool config show --resolved\n"
    "  dagtool validate --schema config > dagtool.schema.json\n\n"
    "Exit status: 0, or 2 for a configuration that is wrong.",
)
def command() -> None:
    """The configuration of 'dagtool validate': dagtool.toml, or [tool.dagtool] in pyproject.toml."""


@command.command(
    "show",
    epilog="Example: dagtool config show --resolved plans/\n\n"
    "Exit status: 0, or 2 for a configuration that is wrong or a PATH that is not there.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--resolved", is_flag=True, help="Every key, also those left at their default.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--config", metavar="FILE", help="This configuration instead of the nearest one.")
def show(paths: tuple[str, ...], resolved: bool, output_format: str, config: str | None) -> None:
    """Show what holds where PATHs are checked (here, if none): each value, and the file and line it comes from.

    The text is itself a configuration for the current folder.
    """
    import os

    from dagtool.cli._config import find_config, load_config
    from dagtool.errors import DagtoolError

    for path in paths:
        if path != "-" and not os.path.exists(path):
            raise DagtoolError(f"{path}: there is no such file or folder", "name what 'dagtool validate' would check")

    read = load_config(config) if config else find_config(paths)
    values = list(_values(read, resolved))
    if output_format == "json":
        import json

        records = [{"key": key, "value": value, "origin": origin} for key, value, origin in values]
        document = {"schema": "dagtool.config/1", "file": read.path or None, "values": records}
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(printable(f"# {_here(read.path)}") if read.path else "# no configuration file")
    click.echo(_toml(values), nl=False)


def _here(path: str) -> str:
    """A path as seen from the current folder."""
    import os

    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:  # another drive
        return path


def _values(read: Config, resolved: bool) -> Iterator[tuple[str, object, str]]:
    """Key, value and origin; the entries of a table as ``table.entry``."""
    from dagtool.cli._config_reader import JOINED, KEYS
    from dagtool.cli._settings import settings_of

    settings = settings_of(read)
    for key in sorted(KEYS, key=lambda key: key.replace("-", "_") in JOINED):  # tables come last in TOML
        name = key.replace("-", "_")
        if name in JOINED:
            for entry, value in getattr(settings, name):
                yield f"{key}.{entry}", value, read.origins.get(f"{key}.{entry}", "")
        elif key in read.origins:
            yield key, getattr(read, name), read.origins[key]
        elif resolved and hasattr(settings, name):
            yield key, getattr(settings, name), "default"


def _toml(values: list[tuple[str, object, str]]) -> str:
    from dagtool.cli._patterns import unanchored

    def text(value: object) -> str:
        if isinstance(value, tuple):
            return f"[{', '.join(map(text, value))}]"
        return as_json(value, None)

    lines: list[tuple[str, str]] = []
    opened = ""
    for key, value, origin in values:
        table, dot, entry = key.partition(".")
        if table == "per-file-ignores" and "/" in entry:
            entry = unanchored(entry)
        if table in ("extend", "baseline") and isinstance(value, str):
            value = _here(value)
        if dot and table != opened:
            lines.append((f"\n[{table}]", ""))
            opened = table
        name = text(entry) if dot and not entry.isalnum() else entry or key
        set_ = f"{name} = {text(value)}"
        lines.append((set_ if value is not None else f"# {name}: none", printable(_here(origin))))
    width = max((len(line) for line, origin in lines if origin), default=0)
    return "".join(f"{line:<{width}}  # {origin}\n" if origin else f"{line}\n" for line, origin in lines)
