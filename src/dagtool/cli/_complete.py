"""What a shell offers to complete: presets, rule codes. Asked by click; each looks only at names of files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = [
    "complete_codes",
    "complete_formats",
    "complete_models",
    "complete_presets",
    "complete_profiles",
    "complete_rules",
]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    wanted = incomplete.casefold()
    return [name for name in names if name.casefold().startswith(wanted)]


def complete_presets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of presets."""
    from dagtool.generators.presets import preset_names

    return _beginning(preset_names(), incomplete)


def complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, and names of models that ship with dagtool."""
    from click.shell_completion import CompletionItem

    from dagtool.model.zoo import zoo_names

    found = [CompletionItem(name) for name in _beginning(zoo_names(), incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def complete_rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Codes of rules."""
    from dagtool.validators.catalogue import rule_codes

    return _beginning(rule_codes(), incomplete)


def complete_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Codes and families, the last of a list with commas: ``GRF,DE``."""
    from dagtool.validators.catalogue import rule_codes

    before, comma, last = incomplete.rpartition(",")
    codes = rule_codes()
    families = dict.fromkeys(code.rstrip("0123456789") for code in codes)
    return [f"{before}{comma}{name}" for name in _beginning([*families, *codes], last)]


def complete_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Profiles."""
    from dagtool.validators.rule import PROFILES

    return _beginning(PROFILES, incomplete)


def complete_formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Output formats of ``validate``."""
    from dagtool.report.formats import format_names

    return _beginning(format_names(), incomplete)
