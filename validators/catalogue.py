"""All rules: whatever stands in dagtool.validators.rules. There is no other list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.validators import rules as package
from dagtool.validators.rule import LoadedRule

__all__ = ["all_rules", "find_rule", "select_rules"]


@cache
def all_rules() -> tuple[LoadedRule, ...]:
    """Every rule, by code."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple(sorted(map(_load, names), key=lambda loaded: loaded.rule.code))


def _load(name: str) -> LoadedRule:
    module = import_module(f"{package.__name__}.{name}")
    return LoadedRule(module.RULE, module.check, module.__doc__ or "", module.BAD, module.GOOD, name)


def find_rule(code: str) -> LoadedRule:
    """The rule of a code or a name, whatever the case. Raises DagtoolError."""
    wanted = code.strip().casefold()
    for loaded in all_rules():
        if wanted in (loaded.rule.code.casefold(), loaded.rule.name):
            return loaded
    raise _unknown(code)


def select_rules(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[LoadedRule, ...]:
    """Rules whose code begins with one of ``select`` (all if empty) and with none of ``ignore``."""
    chosen, dropped = _prefixes(select), _prefixes(ignore)
    return tuple(
        loaded
        for loaded in all_rules()
        if loaded.rule.code.startswith(chosen or ("",)) and not (dropped and loaded.rule.code.startswith(dropped))
    )


def _prefixes(texts: Iterable[str]) -> tuple[str, ...]:
    """Split at commas; refuse what no code begins with."""
    found = [part.strip().upper() for text in texts for part in text.split(",") if part.strip()]
    for prefix in found:
        if not any(loaded.rule.code.startswith(prefix) for loaded in all_rules()):
            raise _unknown(prefix)
    return tuple(found)


def _unknown(code: str) -> DagtoolError:
    codes = [loaded.rule.code for loaded in all_rules()]
    names = [loaded.rule.name for loaded in all_rules()]
    near = did_you_mean(code.strip().upper(), codes) or did_you_mean(code.strip().casefold(), names)
    return DagtoolError(f"no rule has the code {code.strip()!r}", near or "'dagtool rules' lists them")
