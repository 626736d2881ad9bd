"""All rules: whatever stands in dagtool.validators.rules. There is no other list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.validators import rules as package
from dagtool.validators.options import Option, parse_options
from dagtool.validators.rule import PROFILES, LoadedRule, Severity

__all__ = ["all_options", "all_rules", "find_rule", "select_options", "select_rules", "severities"]


@cache
def all_rules() -> tuple[LoadedRule, ...]:
    """Every rule, by code."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple(sorted(map(_load, names), key=lambda loaded: loaded.rule.code))


def _load(name: str) -> LoadedRule:
    module = import_module(f"{package.__name__}.{name}")
    return LoadedRule(module.RULE, module.check, module.__doc__ or "", module.BAD, module.GOOD, name)


@cache
def all_options() -> Mapping[str, Option]:
    """Every switch that some rule heeds, by its key."""
    found = {option.key: option for loaded in all_rules() for option in loaded.rule.options}
    return {key: found[key] for key in sorted(found)}


def select_options(texts: Iterable[str] = (), profile: str = "standard") -> dict[str, str]:
    """Every switch's value: that of the last ``KEY=VALUE``, else the profile's. Raises DagtoolError."""
    place = len(_tiers(profile)) - 1
    defaults = {key: option.defaults[place] for key, option in all_options().items()}
    return defaults | parse_options(texts, all_options())


def find_rule(code: str) -> LoadedRule:
    """The rule of a code or a name, whatever the case. Raises DagtoolError."""
    wanted = code.strip().casefold()
    for loaded in all_rules():
        if wanted in (loaded.rule.code.casefold(), loaded.rule.name):
            return loaded
    raise _unknown(code)


def select_rules(
    select: Iterable[str] = (), ignore: Iterable[str] = (), profile: str = "standard"
) -> tuple[LoadedRule, ...]:
    """Rules of a profile whose code begins with one of ``select`` (all if empty) and with none of ``ignore``.

    A rule named in ``select`` by its whole code is asked whatever the profile.
    """
    tiers = _tiers(profile)
    chosen, dropped = _prefixes(select), _prefixes(ignore)
    return tuple(
        loaded
        for loaded in all_rules()
        if loaded.rule.code.startswith(chosen or ("",))
        and (loaded.rule.tier in tiers or loaded.rule.code in chosen)
        and not (dropped and loaded.rule.code.startswith(dropped))
    )


def _tiers(profile: str) -> tuple[str, ...]:
    if profile not in PROFILES:
        near = did_you_mean(profile, list(PROFILES))
        raise DagtoolError(f"no profile {profile!r}", near or f"there are {', '.join(PROFILES)}")
    return PROFILES[: PROFILES.index(profile) + 1]


def severities(texts: Iterable[str]) -> dict[str, Severity]:
    """``CODE=LEVEL`` for each code that begins so; the longer beginning wins, then the later text."""
    found: dict[str, Severity] = {}
    for text in (part for whole in texts for part in whole.split(",") if part.strip()):
        code, equals, level = (piece.strip() for piece in text.partition("="))
        levels = [kind.value for kind in Severity]
        if not equals:
            raise DagtoolError(f"--severity {text!r} is not CODE=LEVEL", "as in GRF102=warning")
        if level not in levels:
            near = did_you_mean(level, levels)
            raise DagtoolError(f"no severity {level!r} (for {code})", near or f"there are {', '.join(levels)}")
        found[_prefixes([code])[0]] = Severity(level)
    by_length = sorted(found, key=len)
    return {
        loaded.rule.code: found[prefix]
        for prefix in by_length
        for loaded in all_rules()
        if loaded.rule.code.startswith(prefix)
    }


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
