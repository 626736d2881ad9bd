"""TOML and JSON that are too deep, too long in a key, or no text are refused wherever they are read."""

import json
import tomllib
from time import process_time

import pytest

from dagtool.cli._run import run
from dagtool.documents import parse_json, parse_toml
from dagtool.errors import DagtoolError

MANY = 100_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


TOML = {
    "dotted keys": ("a=1\nb" + ".a" * MANY + "=1", "2:"),
    "quoted dotted keys": ('"a".' * MANY + "a = 1", "1:"),
    "a dotted table": ("[a" + ".a" * MANY + "]", "1:"),
    "arrays": ("\na = " + "[" * MANY, "2:"),
    "inline tables": ("a = " + "{a=" * MANY, "1:"),
    "dotted keys in inline tables": ("a = {" + "a." * MANY + "a=1}", "1:"),
    "digits": ("a = " + "9" * MANY, ""),
    "a date": ("a = 2020-99-99", ""),
    "bytes": (b"a = 1\nb = '\xff'", "2"),
    "an open text": ("a = '''" + "x\n" * MANY, ""),
    "an open quote": ('a = "' + "\\\\" * MANY, ""),
}


@pytest.mark.parametrize("kind", TOML)
def test_toml_is_refused(kind):
    data, place = TOML[kind]
    begin = process_time()
    with pytest.raises(DagtoolError, match=rf"^dagtool\.toml:{place}.*TOML"):
        parse_toml(data, "dagtool.toml")
    assert process_time() - begin < 5


JSON = {
    "lists": ("[\n" + "[" * MANY, "2:"),
    "objects": ('{"a":' * MANY, "1:"),
    "digits": ("9" * MANY, ""),
    "bytes": (b'"\n\xff"', "2"),
    "nothing": ("", "1:1"),
}


@pytest.mark.parametrize("kind", JSON)
def test_json_is_refused(kind):
    data, place = JSON[kind]
    with pytest.raises(DagtoolError, match=rf"^config\.json:{place}.*JSON"):
        parse_json(data, "config.json")


def test_brackets_and_dots_in_texts_and_comments_are_none():
    text = f'# {"[" * MANY}{"." * MANY}\na = "{"[." * MANY}"\nb = """\n{"[.{" * MANY}"""\nc = \'{"[." * MANY}\'\n'
    text += "d = [" + "1.5, " * MANY + "]\n" + "".join(f"e{n}.a.b = 1.5\n" for n in range(1000))
    assert parse_toml(text, "a.toml") == (tomllib.loads(text), text)
    document = {"a": "[" * MANY + '"\\' + "{" * MANY, "b": [[1]] * MANY}
    assert parse_json(json.dumps(document), "a.json") == document


def test_what_python_reads_is_read():
    deep = "[" * 99 + "]" * 99
    assert parse_toml(f"a = {deep}", "a.toml")[0] == tomllib.loads(f"a = {deep}")
    assert parse_json(deep, "a.json") == json.loads(deep)
    key = ".".join("a" * 31)
    assert parse_toml(f"{key} = 1", "a.toml")[0] == tomllib.loads(f"{key} = 1")


@pytest.mark.parametrize(
    ("name", "text", "arguments"),
    [
        ("dagtool.toml", "a" + ".a" * MANY + "=1", ["validate", "a.dot"]),
        ("dagtool.toml", "a = " + "[" * MANY, ["validate", "a.dot"]),
        ("pyproject.toml", "[tool.dagtool]\na = " + "{a=" * MANY, ["validate", "a.dot"]),
        ("s.toml", "a" + ".a" * MANY + "=1", ["gen", "s.toml"]),
        ("s.toml", "a = " + "[" * MANY, ["ledger", "s.toml"]),
        ("s.toml", "a = " + "9" * MANY, ["path", "s.toml"]),
        ("c.toml", "a = " + "[" * MANY, ["path", "tp8", "--cluster", "c.toml"]),
        ("config.json", "[" * MANY, ["gen", "tp8_sp", "--model", "config.json"]),
        ("config.json", '{"a":' + "9" * MANY + "}", ["ledger", "tp8_sp", "--model", "config.json"]),
        ("b.json", "[" * MANY, ["validate", "a.dot", "--baseline", "b.json"]),
        ("b.json", "9" * MANY, ["ledger", "tp8", "--diff", "b.json"]),
    ],
)
def test_commands_end_with_status_2(name, text, arguments, folder, capsys):
    (folder / "a.dot").write_text("digraph { a -> b }")
    (folder / name).write_text(text)
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert name in error
    assert "internal" not in error


@pytest.mark.parametrize(
    "text",
    [
        "{{ '%s' | format }}",
        "{{ 1 / 0 }}",
        "{{ range(10 ** 9) }}",
        "{{ [1][3].x }}",
        "{{ 'a' + 1 }}",
        "{{ [] | max + 1 }}",
    ],
)
def test_any_error_of_a_template_has_its_place(text, folder, capsys):
    (folder / "t" / "dot").mkdir(parents=True)
    (folder / "t" / "dot" / "graph.j2").write_text(f"\n{text}\n")
    assert run(["gen", "tp8", "--templates", "t", "-o", "-"]) == 2
    assert "graph.j2:2: " in capsys.readouterr().err
