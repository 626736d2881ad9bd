"""All rules: whatever stands in dagtool.validators.rules. There is no other list.

A file is called ``code_name.py``, so codes and names are known before any rule is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.validators import rules as package
from dagtool.validators.options import Option, parse_options
from dagtool.validators.rule import PROFILES, LoadedRule, Rule, Severity

__all__ = [
    "all_options",
    "all_rules",
    "find_rule",
    "parse_codes",
    "rule_codes",
    "select_options",
    "select_rules",
    "severities",
]


@cache
def _names() -> dict[str, str]:
    """The name of each rule by its code, in the order of codes: what the files are called."""
    files = (file.removesuffix(".py") for file in os.listdir(package.__path__[0]) if file.endswith(".py"))
    pairs = sorted(file.split("_", 1) for file in files if not file.startswith("_"))
    return {code.upper(): name.replace("_", "-") for code, name in pairs}


def rule_codes() -> list[str]:
    """The code of every rule."""
    return list(_names())


@cache
def all_rules() -> tuple[LoadedRule, ...]:
    """Every rule, by code."""
    return tuple(map(_load, rule_codes()))


@cache
def _load(code: str) -> LoadedRule:
    file = f"{code.lower()}_{_names()[code].replace('-', '_')}"
    module = import_module(f"{package.__name__}.{file}")
    fixable = getattr(module, "FIXABLE", module.BAD)
    return LoadedRule(module.RULE, module.check, module.__doc__ or "", module.BAD, module.GOOD, file, fixable)


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
    """The rule of a code or a name, whatever the case; no other is imported. Raises DagtoolError."""
    wanted = code.strip().casefold()
    for known, name in _names().items():
        if wanted in (known.casefold(), name):
            return _load(known)
    raise _unknown(code)


def select_rules(
    select: Iterable[str] = (), ignore: Iterable[str] = (), profile: str = "standard", extend: Iterable[str] = ()
) -> tuple[LoadedRule, ...]:
    """Rules of a profile whose code begins with one of ``select`` (all if empty) and with none of ``ignore``.

    A rule named in ``select`` by its whole code is asked whatever the profile, and so are those whose code begins
    with one of ``extend``; others in preview, or on request only, are not asked.
    """
    tiers = _tiers(profile)
    chosen, dropped, added = parse_codes(select), parse_codes(ignore), parse_codes(extend)

    def asked(rule: Rule) -> bool:
        if rule.code.startswith(dropped):
            return False
        if rule.code.startswith(added) or rule.code in chosen:
            return True
        return rule.code.startswith(chosen or ("",)) and rule.tier in tiers and not (rule.preview or rule.on_request)

    return tuple(loaded for loaded in all_rules() if asked(loaded.rule))


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
        found[parse_codes([code])[0]] = Severity(level)
    by_length = sorted(found, key=len)
    return {code: found[prefix] for prefix in by_length for code in rule_codes() if code.startswith(prefix)}


def parse_codes(texts: Iterable[str]) -> tuple[str, ...]:
    """Codes or their beginnings, split at commas. Raises DagtoolError for what no code begins with."""
    found = [part.strip().upper() for text in texts for part in text.split(",") if part.strip()]
    for prefix in found:
        if not any(code.startswith(prefix) for code in rule_codes()):
            raise _unknown(prefix)
    return tuple(found)


def _unknown(code: str) -> DagtoolError:
    names = list(_names().values())
    near = did_you_mean(code.strip().upper(), rule_codes()) or did_you_mean(code.strip().casefold(), names)
    return DagtoolError(f"no rule has the code {code.strip()!r}", near or "'dagtool rules' lists them")
