"""Every regular expression that reads somebody's text takes linear time, whatever the text.

Nothing is listed: the patterns are those that stand in the modules, with the methods the modules call on them, and
the texts are made of each pattern's own parts.
"""

import ast
import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from time import process_time

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as sre
    from re import _parser as sre_parser

ROOMS = ("dag", "dot", "fixes", "foreign", "model", "ops", "render", "report", "validators", "generators", "analysis")
METHODS = frozenset({"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
SMALL, LARGE = 1_000, 8_000
STEP = 16
MOST = 1_000_000
FACTOR = 3.0
"""How much more than linear counts as more: quadratic is LARGE / SMALL times more."""
NOTICEABLE = 0.002
"""Seconds below which a time says nothing."""


def modules():
    """Every module of the rooms."""
    for room in ROOMS:
        package = importlib.import_module(f"dagtool.{room}")
        yield package
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(info.name)


def held(value: object, depth: int = 0) -> Iterator[re.Pattern]:
    """The patterns of text in a value: itself, or what a table of them holds."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, dict) and depth < 3:
        for one in value.values():
            yield from held(one, depth + 1)
    elif isinstance(value, tuple | list) and depth < 3:
        for one in value:
            yield from held(one, depth + 1)


def called(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """``NAME.method`` and ``module.NAME.method``, as name and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            owner = node.value
            if isinstance(owner, ast.Attribute):
                yield owner.attr, node.attr
            owners = (owner.body, owner.orelse) if isinstance(owner, ast.IfExp) else (owner,)
            yield from ((one.id, node.attr) for one in owners if isinstance(one, ast.Name))


def written(tree: ast.AST) -> Iterator[tuple[re.Pattern, str]]:
    """Patterns given to ``re.search`` and its like as they are."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
            continue
        owner, text = node.func.value, node.args[0] if node.args else None
        of_re = isinstance(owner, ast.Name) and owner.id == "re"
        if of_re and isinstance(text, ast.Constant) and isinstance(text.value, str):
            given = [*node.args[1:], *(word.value for word in node.keywords)]
            flags = [part.attr for one in given for part in ast.walk(one) if is_flag(part)]
            yield re.compile(text.value, sum({int(getattr(re, flag)) for flag in flags})), node.func.attr


def is_flag(node: ast.AST) -> bool:
    """Whether this is ``re.IGNORECASE`` or another flag."""
    is_ours = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"
    return is_ours and isinstance(getattr(re, node.attr, None), re.RegexFlag)


def patterns() -> dict[tuple[re.Pattern, str], str]:
    """Every pattern and a method that is called on it; where it stands."""
    found: dict[tuple[re.Pattern, str], str] = {}
    named: dict[str, set[str]] = {}
    trees = []
    for module in modules():
        with open(module.__file__, encoding="utf-8") as file:
            tree = ast.parse(file.read())
        trees.append((module, tree))
        for name, method in called(tree):
            named.setdefault(name, set()).add(method)
    for module, tree in trees:
        for name, value in vars(module).items():
            for pattern in held(value):
                own = {method for one, method in called(tree) if one == name}
                for method in own or named.get(name) or {"search"}:
                    found.setdefault((pattern, method), f"{module.__name__}.{name}")
        for pattern, method in written(tree):
            found.setdefault((pattern, method), module.__name__)
    return found


SAMPLES = {
    sre.CATEGORY_DIGIT: "1",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "a",
    sre.CATEGORY_NOT_SPACE: "a",
    sre.CATEGORY_NOT_WORD: ".",
}


def of_class(items: list) -> str:
    """A few members of a class."""
    if items[0][0] is sre.NEGATE:
        inside = re.compile("[" + "".join(re.escape(one) for one in of_class(items[1:])) + "]") if items[1:] else None
        return next(one for one in "x1 .y\t" if inside is None or not inside.match(one))
    members = ""
    for kind, value in items:
        if kind is sre.LITERAL:
            members += chr(value)
        elif kind is sre.RANGE:
            members += chr(value[0])
        elif kind is sre.CATEGORY:
            members += SAMPLES[value]
    return "".join(dict.fromkeys(members))[:4]


def sample(tree, units: set[tuple[str, str]], before: str = "") -> str:
    """A short text the tree fits; ``units`` gets what may be repeated, with what stands before it."""
    text = ""
    for kind, value in tree:
        there = (before + text)[-80:]
        if kind is sre.LITERAL:
            piece = chr(value)
        elif kind in (sre.NOT_LITERAL, sre.ANY):
            piece = "x"
            units.add((there, "x"))
        elif kind is sre.IN:
            members = of_class(value)
            units.update((there, member) for member in members)
            piece = members[0]
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, body = value
            one = sample(body, units, before + text)
            if most > 1:
                units.add((there, one))
            piece = one * max(1, min(least, 3))
        elif kind is sre.BRANCH:
            pieces = [sample(branch, units, before + text) for branch in value[1]]
            units.update(("", one) for one in pieces)
            piece = max(pieces, key=len)
        elif kind in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            piece = sample(value[-1] if kind is sre.SUBPATTERN else value, units, before + text)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            inside = sample(value[1], units, before + text)
            units.add((there, inside))
            piece = ""
        else:  # anchors and references
            piece = ""
        text += piece
        units.add(("", before[-20:] + text))
    return text


def repeated(pattern: re.Pattern) -> list[tuple[str, str, str]]:
    """What stands first, what is repeated and what stands last, to be tried with a pattern."""
    pairs: set[tuple[str, str]] = set()
    whole = sample(sre_parser.parse(pattern.pattern, pattern.flags), pairs)
    pairs |= {("", whole), ("", whole[:-1]), ("", " "), (whole, " ")}
    ordered = sorted((pair for pair in pairs if pair[1]), key=lambda pair: (len(pair[1]), pair))
    units = list(dict.fromkeys(unit for _, unit in ordered))
    tried = [(first, unit, last) for first, unit in ordered for last in ("", "\x01")]
    tried += [("\x01", unit, "\x01") for unit in units]
    tried += [("", unit + between, "\x01") for unit in units for between in " ,_" if len(unit) > 1]
    singles = [unit for unit in units if len(unit) == 1][:8]
    tried += [("", one + other, "\x01") for one in singles for other in singles if one != other]
    return list(dict.fromkeys(tried))


def run(pattern: re.Pattern, method: str, text: str) -> float:
    """Seconds that a call takes."""
    begin = process_time()
    match method:
        case "sub" | "subn":
            pattern.sub("", text)
        case "finditer":
            for _ in pattern.finditer(text):
                pass
        case _:
            getattr(pattern, method)(text)
    return process_time() - begin


def made(first: str, unit: str, last: str, size: int) -> str:
    return first + unit * (size // len(unit)) + last


def slower_than_linear(pattern: re.Pattern, method: str, most: int = MOST) -> str:
    """The repeats that take more than linear time, in words; empty where none does."""
    slowest = (0.0, ("", " ", ""))
    for parts in repeated(pattern):
        taken, slow = grows(pattern, method, parts, SMALL, LARGE)
        if slow:
            return words_of(parts)
        slowest = max(slowest, (taken, parts))
    _, slow = grows(pattern, method, slowest[1], LARGE, most)
    return words_of(slowest[1]) if slow else ""


def words_of(parts: tuple[str, str, str]) -> str:
    return f"{parts[0]!r} + {parts[1]!r} * n + {parts[2]!r}"


def grows(pattern: re.Pattern, method: str, parts: tuple[str, str, str], size: int, most: int) -> tuple[float, bool]:
    """Seconds for the longest text tried, and whether the time grew faster than its length."""
    taken = run(pattern, method, made(*parts, size))
    while size < most:
        longer = min(size * STEP, most)
        after = run(pattern, method, made(*parts, longer))
        if after > NOTICEABLE and after > FACTOR * taken * longer / size:
            before = min(taken, *(run(pattern, method, made(*parts, size)) for _ in range(2)))
            after = min(after, *(run(pattern, method, made(*parts, longer)) for _ in range(2)))
            if after > NOTICEABLE and after > FACTOR * before * longer / size:
                return after, True
        size, taken = longer, after
    return taken, False


def test_patterns_are_found():
    found = patterns()
    assert len(found) > 100


def test_every_pattern_takes_linear_time():
    slow = {
        f"{place} .{method}": words
        for (pattern, method), place in patterns().items()
        if (words := slower_than_linear(pattern, method))
    }
    assert not slow, "\n".join(f"{place}: {words}" for place, words in slow.items())


@pytest.mark.parametrize("pattern", [r"\s+$", r"(?:a|b)*c", r"\d+-\d+x", r"[a-z]+\d*!"])
def test_a_slow_pattern_is_noticed(pattern):
    assert slower_than_linear(re.compile(pattern), "search")


@pytest.mark.parametrize("pattern", [r"(?<!\s)\s++$", r"a\d{1,6}", r"<[^<>]*>"])
def test_a_linear_pattern_passes(pattern):
    assert not slower_than_linear(re.compile(pattern), "search")
