"""The click group whose commands are the modules of this package."""

from __future__ import annotations

from importlib import import_module

import click

from dagtool.cli._overview import command_names, overview
from dagtool.cli._pipe import ClosedPipeError
from dagtool.errors import did_you_mean

__all__ = ["cli"]


class CommandModules(click.Group):
    """Imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command."""
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The ``command`` of a module."""
        if cmd_name not in command_names():
            return None
        command: click.Command = import_module(f"dagtool.cli.{cmd_name}").command
        command.context_settings.setdefault("help_option_names", ["-h", "--help"])
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name is answered with the nearest one."""
        wrong = bool(args) and not args[0].startswith("-") and args[0] not in command_names()
        if wrong and not ctx.resilient_parsing:  # a shell that completes wants no errors
            near = did_you_mean(args[0], command_names())
            hint = f"; {near}" if near else ""
            raise click.UsageError(f"no such command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """As click does; see ClosedPipeError."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ClosedPipeError from None

    def get_help(self, ctx: click.Context) -> str:
        """The same text as the quick way prints."""
        return overview().rstrip("\n")


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"dagtool {version('dagtool')}")
        ctx.exit()


@click.group(
    "dagtool",
    cls=CommandModules,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
def cli() -> None:
    """Generate, validate, price and draw the deployment DAG of a large language model."""
