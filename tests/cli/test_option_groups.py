"""Help in groups loses no option and invents none."""

from __future__ import annotations

import re

import click

from dagtool.cli.validate import command


def test_every_option_of_validate_stands_once_in_its_help() -> None:
    with click.Context(command, info_name="validate") as ctx:
        shown = re.findall(r"^  (?:-\w, )?--([\w-]+)", command.get_help(ctx), re.MULTILINE)
        options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    assert sorted(shown) == sorted(option.opts[-1].lstrip("-") for option in options)


def test_a_group_names_only_options_that_there_are() -> None:
    with click.Context(command) as ctx:
        known = {option.opts[-1].lstrip("-") for option in command.get_params(ctx)}
    assert {name for names in command.option_groups.values() for name in names} <= known
