"""The tables of flags: each flag once, its effect known, and what counts is read by the module of its framework."""

import inspect

import pytest

from dagtool.launch import torchrun
from dagtool.launch.flags import EFFECTS, read_table
from dagtool.launch.read import frameworks

TABLES = {module.NAME: (module, module.__name__.rpartition(".")[2]) for module in frameworks()}
ALL = [*(name for _, name in TABLES.values()), "torchrun"]


def test_every_framework_is_found():
    assert sorted(TABLES) == ["Megatron-LM", "SGLang", "torchtitan", "vLLM"]


@pytest.mark.parametrize("name", ALL)
def test_rows(name):
    table = read_table(name)
    assert " " in table.source
    assert len(table.flags) > 20
    spellings = [spelling for flag in table.flags for spelling in (flag.name, *flag.aliases)]
    twice = {one for one in spellings if spellings.count(one) > 1}
    assert not twice
    for flag in table.flags:
        assert flag.effect in EFFECTS, flag.name
        assert flag.takes in ("none", "bool", "value", "optional", "list"), flag.name
        assert flag.meaning, flag.name


@pytest.mark.parametrize("name", ALL)
def test_what_changes_the_layout_is_read(name):
    """A flag with the effect ``layout`` stands in the code of its framework, and the code reads no other flag."""
    module = torchrun if name == "torchrun" else next(module for module, own in TABLES.values() if own == name)
    code = inspect.getsource(module)
    flags = {flag.name: flag for flag in read_table(name).flags}
    degrees = {flag for flag in flags if flag.startswith("--parallelism.") and flag.endswith("_degree")}
    unread = [flag.name for flag in flags.values() if flag.effect == "layout" and f'"{flag.name}"' not in code]
    assert [flag for flag in unread if flag not in degrees] == []
    import re

    named = set(re.findall(r'line\.(?:text|has|count|words|fields)\(\s*"(--[^"]+)"', code))
    assert [flag for flag in named if flags[flag].effect not in ("layout", "model")] == []
