"""Help in groups loses no option and invents none."""

from __future__ import annotations

import re

import click
import pytest

from dagtool.cli._group import cli
from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._overview import command_names

COMMANDS = {name: cli.get_command(click.Context(cli), name) for name in command_names()}
GROUPED = {name: command for name, command in COMMANDS.items() if isinstance(command, GroupedCommand)}


@pytest.mark.parametrize("name", GROUPED)
def test_every_option_stands_once_in_the_help(name: str) -> None:
    command = GROUPED[name]
    with click.Context(command, info_name=name) as ctx:
        shown = re.findall(r"^  (?:-\w, )?--([\w-]+)", command.get_help(ctx), re.MULTILINE)
        options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    assert sorted(shown) == sorted(option.opts[-1].lstrip("-") for option in options)


@pytest.mark.parametrize("name", GROUPED)
def test_a_group_names_only_options_that_there_are(name: str) -> None:
    command = GROUPED[name]
    with click.Context(command) as ctx:
        known = {option.opts[-1].lstrip("-") for option in command.get_params(ctx)}
    assert {one for names in command.option_groups.values() for one in names} <= known


def test_commands_with_many_options_have_groups() -> None:
    many = [name for name, command in COMMANDS.items() if command and len(command.params) > 12]
    assert set(many) <= set(GROUPED)
