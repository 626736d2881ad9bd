"""A launch line taken apart: variables, the program, its flags with their values, and what is left."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagtool.documents import parse_json
from dagtool.errors import CollectedError, DagtoolError, did_you_mean
from dagtool.launch.flags import Flag, FlagTable

__all__ = ["Line", "read_line", "refuse_variables", "split_variables", "split_words"]

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_NUMBER = re.compile(r"-[0-9.]+\Z")
_SEPARATORS = ("&&", "||", ";", "|", "&", ">", "<")


def split_words(text: str, place: str = "the launch line") -> list[str]:
    """Return the words of a command as a shell does. Raises DagtoolError where a quote is not closed."""
    lexer = shlex.shlex(text.replace("\\\r\n", " ").replace("\\\n", " "), posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError as error:
        quotes = [(at, one) for at, one in enumerate(text) if one in "'\""]
        at, quote = quotes[-1] if quotes else (len(text) - 1, "\\")
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        what = "ends in a backslash" if "escape" in str(error) else f"has a quote {quote} that is not closed"
        raise DagtoolError(f"{place}:{line}:{column}: the launch line {what}", "close it, or take it out") from None
    for word in words:
        if word in _SEPARATORS or word.endswith(";"):
            raise DagtoolError(
                f"{place}: {word!r} joins several commands", "give one command, as the shell would run it"
            )
    return words


@dataclass(slots=True)
class Line:
    """Flags of one program by canonical name; the last of several counts."""

    program: str
    values: dict[str, Any] = field(default_factory=dict)
    """True for a switch, a text, or a list of texts."""
    positional: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    """What changes memory that is not counted, with the reason."""

    def has(self, name: str) -> bool:
        """Return whether a flag is given and not switched off."""
        return self.values.get(name, False) not in (False, None)

    def text(self, name: str, default: str = "") -> str:
        """Return the value of a flag."""
        value = self.values.get(name)
        return default if value is None or value is False else str(value)

    def words(self, name: str) -> list[str]:
        """Return the values of a flag that takes several."""
        value = self.values.get(name)
        return [] if value in (None, False, True) else list(value) if isinstance(value, list) else [str(value)]

    def count(self, name: str, default: int = 1, least: int = 1) -> int:
        """Return the whole number of a flag. Raises DagtoolError for anything else."""
        text = self.text(name)
        return default if not text else self.number(name, text, least)

    def number(self, name: str, text: str, least: int = 1) -> int:
        """Read a whole number, also as 128k or 1M. Raises DagtoolError naming the flag."""
        match = re.fullmatch(r"(-?[0-9]{1,15}(?:\.[0-9]{1,6})?)([kKmM]?)", text)
        scale = {"": 1, "k": 1000, "K": 1024, "m": 10**6, "M": 1 << 20}
        value = float(match[1]) * scale[match[2]] if match else 0.5
        if value != int(value) or value < least:
            raise DagtoolError(f"{name} is {text!r}", f"expected a whole number of at least {least}")
        return int(value)

    def fields(self, name: str) -> dict[str, Any]:
        """Return the JSON object of a flag, ``--name.key value`` included. Raises DagtoolError for anything else."""
        text = self.text(name)
        found: dict[str, Any] = {}
        if text:
            found = parse_json(text, name, "quote it for the shell: '{\"key\": 1}'")
            if not isinstance(found, dict):
                raise DagtoolError(f"{name} is {text[:40]!r}", "expected a JSON object")
        for key, value in self.values.items():
            if key.startswith(f"{name}."):
                found[key.removeprefix(f"{name}.").replace("-", "_")] = value
        return found


Normalise = Callable[[str], str]


def read_line(
    program: str, words: Sequence[str], table: FlagTable, normalise: Normalise, *, dotted: bool = False, most: int = 0
) -> Line:
    """Return the flags of a program, each by its canonical name.

    ``normalise`` turns a spelling into that of the table. ``dotted``: ``--flag.key value`` sets a key of ``--flag``.
    ``most``: how many words may be no flags.
    Raises DagtoolError naming every flag that is unknown, misses its value, or is not modelled.
    """
    line, errors = Line(program), list[DagtoolError]()
    for name, flag, values in _flags(line, words, table, normalise, errors, dotted=dotted):
        _keep(line, name, flag, values, errors)
    for number, word in enumerate(line.positional):
        dashed = word[:1] in "\u2013\u2014\u2212"
        if not dashed and number < most:
            continue
        why = "begins with a long dash" if dashed else "is no flag, and no flag before it takes it"
        hint = f"--{word.lstrip(word[:1])}" if dashed else "take it out"
        errors.append(DagtoolError(f"{program}: {word!r} {why}", hint))
    if errors:
        raise errors[0] if len(errors) == 1 else CollectedError(errors)
    return line


def _flags(
    line: Line,
    words: Sequence[str],
    table: FlagTable,
    normalise: Normalise,
    errors: list[DagtoolError],
    *,
    dotted: bool,
) -> Iterator[tuple[str, Flag, list[str] | bool]]:
    """(canonical name, flag, values) of each flag in order; a switch has True or False."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("-") or _NUMBER.match(word) or word == "-":
            line.positional.append(word)
            continue
        spelling, equals, value = word.partition("=")
        name, flag, on = _find(normalise(spelling), table, dotted=dotted)
        if flag is None:
            near = did_you_mean(normalise(spelling), [one for one in table.by_spelling if one.startswith("-")])
            hint = near or "what it changes is not known here; leave it out if it changes no layout and no memory"
            errors.append(DagtoolError(f"{line.program} has no flag {spelling}", hint))
            at += at < len(words) and not words[at].startswith("-")
            continue
        if name != flag.name:  # a key of a flag that takes JSON
            taken = [value] if equals else list(words[at : at + 1])
            at += not equals
            yield name, flag, taken
            continue
        if flag.takes in ("none", "bool"):
            follows = words[at : at + 1] if flag.takes == "bool" and not equals else []
            if equals or (follows and follows[0].lower() in ("true", "false")):
                on = (value if equals else follows[0]).lower() in ("true", "1", "")
                at += not equals
            yield name, flag, on
            continue
        taken = [value] if equals else []
        most = 1 if flag.takes in ("value", "optional") else len(words)
        while not equals and len(taken) < most and at < len(words):
            if words[at].startswith("-") and not _NUMBER.match(words[at]):
                break
            taken.append(words[at])
            at += 1
        if not taken and flag.takes in ("value", "list"):
            errors.append(DagtoolError(f"{flag.name} needs a value", flag.meaning))
            continue
        yield name, flag, taken


def _find(spelling: str, table: FlagTable, *, dotted: bool) -> tuple[str, Flag | None, bool]:
    """The canonical name of a flag, the flag, and whether it switches on."""
    found = table.by_spelling.get(spelling)
    if found is not None:
        return found.name, found, True
    if spelling.startswith("--no-"):
        plain = table.by_spelling.get(f"--{spelling.removeprefix('--no-')}")
        if plain is not None and plain.takes == "bool":
            return plain.name, plain, False
    if ".no-" in spelling or ".no_" in spelling:
        plain = table.by_spelling.get(re.sub(r"\.no[-_]", ".", spelling, count=1))
        if plain is not None and plain.takes == "bool":
            return plain.name, plain, False
    head, dot, key = spelling.partition(".")
    if dotted and dot and (plain := table.by_spelling.get(head)) is not None:
        return f"{plain.name}.{key}", plain, True
    if spelling.startswith("--") and len(spelling) > 4:
        begins = {flag.name: flag for text, flag in table.by_spelling.items() if text.startswith(spelling)}
        current = {name: flag for name, flag in begins.items() if not flag.meaning.startswith("removed")}
        if len(current) == 1:
            return *next(iter(current.items())), True
    return spelling, None, True


def _keep(line: Line, name: str, flag: Flag, values: list[str] | bool, errors: list[DagtoolError]) -> None:
    """Note a flag under its effect."""
    text = str(values).lower() if isinstance(values, bool) else " ".join(values)
    shown = f"{name} {text}".strip() if not isinstance(values, bool) else name if values else f"{name} off"
    harmless = text in flag.harmless or (values is False and flag.takes == "bool")
    if flag.effect == "refused" and not harmless:
        why = f"{shown}: {flag.meaning}; dagtool does not model it"
        errors.append(DagtoolError(why, "leave it out to see the deployment without it"))
        return
    if flag.effect in ("ignored", "refused"):
        line.ignored.append(shown)
        return
    if flag.effect == "noted":
        if not harmless:
            line.noted.append(f"{shown}: {flag.meaning}")
        return
    if isinstance(values, bool) or flag.takes in ("list",):
        line.values[name] = values
    else:
        line.values[name] = values[0] if values else True


def split_variables(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables in front of a command, and the command."""
    found: dict[str, str] = {}
    at = 0
    if words[:1] == ["env"]:
        at = 1
    while at < len(words) and (match := _VARIABLE.match(words[at])) and not words[at].startswith("-"):
        found[match[1]] = match[2]
        at += 1
    rest = list(words[at:])
    for place, word in enumerate(rest):  # of a container: docker run -e NAME=VALUE
        name, equals, value = word.partition("=")
        if word in ("-e", "--env"):
            value = next(iter(rest[place + 1 : place + 2]), "")
        elif name != "--env" or not equals:
            continue
        if match := _VARIABLE.match(value):
            found.setdefault(match[1], match[2])
    return found, rest


def refuse_variables(line: Line, variables: Mapping[str, str], table: FlagTable) -> None:
    """Raise DagtoolError for variables of the environment that change what is not modelled."""
    errors: list[DagtoolError] = []
    for name, value in variables.items():
        flag = table.by_spelling.get(name)
        if flag is not None and not name.startswith("-"):
            _keep(line, name, flag, [value], errors)
    if errors:
        raise errors[0] if len(errors) == 1 else CollectedError(errors)
