"""What a file says or is called is printed as text: it breaks no line, fence or format, and reaches no terminal.

A deployment and a foreign graph with hostile ids, labels, roles, clusters and file names go through every command
and format.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagtool.cli._run import run
from dagtool.dot import parse
from dagtool.report.formats import format_names

LINE = "::stop-commands::t"
"""A line of its own, of any of these, is what an attacker wants."""
HOSTILE = {
    "line breaks": f"x\n{LINE}\r{LINE}\r\n\n# {LINE}\n{LINE}",
    "a fence": f"x```\n```\n\n{LINE}<img src=x onerror=alert(1)>\n\n```text\n",
    "a terminal": "x\x1b]0;OWNED\x07\x1b[2J\x1b[31m\x9b5n\x08\x7f\x85",
    "HTML": "x<img src=x onerror=alert(1)><script>alert(1)</script>--><!--]]>&lt;img src=x onerror=alert(1)>",
    "Markdown": "x`<img src=x onerror=alert(1)>` [click](javascript:alert) ![i](http://x) |a|b| **b** ~~~",
    "bidi": "x\u202egnp\u202c\u2066y\u2069\u200f\u2028\u2029\ufeff",
}
_RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> str:
    """A small deployment in our dialect."""
    path = tmp_path_factory.mktemp("built") / "built.dot"
    assert run(["gen", "tp8", "--set", "tp=2", "--set", "L=1", "-q", "-o", str(path)]) == 0
    return path.read_text()


def hostile_ids(text: str, bad: str) -> str:
    """The file with the text in every id and in the name of the graph."""
    graph = parse(text.encode())[0]
    for name in sorted(graph.node_ids, key=len, reverse=True):
        text = re.sub(rf'(?<![\w"=.]){re.escape(name)}(?![\w"=.])', lambda found: quoted(found[0] + bad), text)
    return text


def hostile_values(text: str, bad: str, name: str) -> str:
    """The file with the text behind every value of an attribute."""
    return re.sub(
        rf'(?<!\w){name}=(?:"([^"]*)"|(\w+))', lambda found: f"{name}={quoted((found[1] or found[2]) + bad)}", text
    )


def foreign(bad: str) -> str:
    q, one_line = quoted(bad), " ".join(bad.split())
    return (
        f"digraph {q} {{ label={q}; a [label={quoted('GPU 0 matmul [B=4, S=8]' + bad)}, shape={q}, {q}={q}];\n"
        f" subgraph {quoted('cluster_' + bad)} {{ label={q}; {q} [label={quoted('Linear' + bad + ' GPU: 1')}] }}\n"
        f" a -> {q} [label={q}]; {q} -> {quoted(bad + 'b')}; {quoted(bad + 'b')} -> {q}; c [lint_ignore={q}];"
        f" // dagtool: ignore[{one_line}]\n}}\n"
    )


def terminal(text: str) -> None:
    """Nothing but text and ends of lines, and no line that a text began."""
    assert not _RAW.search(text), repr(_RAW.search(text))
    assert not re.search(rf"(?m)^ *{LINE}", text), re.search(rf"(?m)^ *{LINE}.*", text)[0]


def markdown(text: str) -> None:
    """No HTML, link or fence outside code."""
    terminal(text)
    outside: list[str] = []
    fenced = ""
    for line in text.split("\n"):
        fence = re.match(r" {0,3}(`{3,}|~{3,})(.*)", line)
        if fence and not fenced:
            fenced = fence[1]
        elif fence and fenced and fence[1].startswith(fenced) and not fence[2].strip():
            fenced = ""
        elif not fenced:
            outside.append(line)
    assert not fenced
    rest = re.sub(r"(?<![\\`])(`+)(?!`)(?:(?!\1(?!`)).|(?<=`)`)*?(?<!`)\1(?!`)", "", "\n".join(outside))
    assert not re.search(r"(?<!\\)<(?!br>)|(?<!\\)\[[^\]]*(?<!\\)\]\(javascript", rest), rest


def json_text(text: str) -> None:
    terminal(text)
    for line in text.splitlines() if text.startswith('{"') and text.count("\n") > 1 else [text]:
        json.loads(line)


def xml(text: str) -> None:
    terminal(text)
    ElementTree.fromstring(text)


CHECKS: dict[str, Callable[[str], None]] = {
    "json": json_text, "sarif": json_text, "gitlab": json_text, "json-lines": json_text,
    "markdown": markdown, "junit": xml,
}  # fmt: skip


class Calls:
    """Calls of the program in this process: what they write, and that none is an internal error."""

    def __init__(self, capsys, folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: str, check: Callable[[str], None] = terminal) -> None:
        self._capsys.readouterr()
        status = run([*arguments])
        out, err = self._capsys.readouterr()
        assert status in (0, 1, 2), (arguments, err)
        assert "internal error" not in err, err
        terminal(err)
        if out:
            check(out)


@pytest.fixture
def calls(capsys, tmp_path, monkeypatch) -> Calls:
    monkeypatch.chdir(tmp_path)
    return Calls(capsys, tmp_path)


def every_format(calls: Calls, file: str) -> None:
    for name in format_names():
        calls("validate", file, "--output-format", name, check=CHECKS.get(name, terminal))
    calls("validate", file, "--statistics", "--no-group")
    calls("validate", file, "--fix", "--diff", "--unsafe-fixes", check=lambda _: None)  # a patch has the bytes
    calls("report", file, check=markdown)
    calls("report", file, "--cluster", "1xh100x8", check=markdown)
    for command in ("path", "memory", "schedule", "prove"):
        calls(command, file, *(["--cluster", "1xh100x8"] if command == "schedule" else []))
        calls(
            command, file, "--output-format", "json", *(["--cluster", "1xh100x8"] if command == "schedule" else []),
            check=json_text,
        )  # fmt: skip
    calls("path", file, "--cluster", "1xh100x8")
    calls("compare", file, file, "--cluster", "1xh100x8")
    calls("compare", file, file, "--cluster", "1xh100x8", "--output-format", "markdown", check=markdown)
    for line in (1, 2, 3, 4, 12):
        calls("explain", f"{file}:{line}")
        calls("explain", f"{file}:{line}", "--output-format", "json", check=json_text)
    for ending, check in (("svg", xml), ("dot", parse_dot), ("mmd", terminal), ("json", json_text)):
        calls("render", file, "--format", ending, "-o", "-", check=check)
    calls("validate", file, "--against", file)


def parse_dot(text: str) -> None:
    assert parse(text.encode())


@pytest.mark.parametrize("kind", HOSTILE)
def test_ids_of_a_deployment(kind, built, calls):
    Path("a.dot").write_text(hostile_ids(built, HOSTILE[kind]))
    every_format(calls, "a.dot")


ATTRIBUTES = ("role", "label", "fillcolor", "op", "gpu", "output", "param", "layer_index", "model", "sizes", "meshes")


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_values_of_a_deployment(name, built, calls):
    for kind in ("a fence", "a terminal", "Markdown"):
        Path("a.dot").write_text(hostile_values(built, HOSTILE[kind], name))
        every_format(calls, "a.dot")


@pytest.mark.parametrize("kind", HOSTILE)
def test_texts_of_a_foreign_graph(kind, calls):
    Path("a.dot").write_text(foreign(HOSTILE[kind]))
    every_format(calls, "a.dot")


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_of_files(kind, built, calls):
    name = HOSTILE[kind].replace("/", "_")[:80] + ".dot"
    Path(name).write_text(built)
    every_format(calls, name)
    every_format(calls, "missing" + name)
    Path("b" + name).write_text("digraph { a -> ")
    calls("validate", "b" + name)
    calls("validate", ".")


def test_a_file_name_that_is_no_text(built, calls):
    name = os.fsdecode(b"x\xff\xfe\n.dot")
    Path(name).write_text(built)
    every_format(calls, name)


@pytest.mark.parametrize("kind", HOSTILE)
def test_words_of_a_call(kind, calls):
    bad = HOSTILE[kind]
    for arguments in (
        [bad], ["validate", "--select", bad], ["validate", f"--{bad}"], ["gen", bad], ["ledger", bad], ["rule", bad],
        ["list", bad], ["init", bad], ["gen", "tp8", "--set", f"{bad}=1"], ["gen", "tp8", "--set", f"tp={bad}"],
        ["path", "tp8", "--cluster", bad], ["path", "tp8", "--cost", bad], ["render", bad], ["explain", bad],
        ["validate", "--severity", bad], ["validate", "--output-format", bad], ["validate", "--config", bad],
        ["gen", "tp8", "--model", bad], ["ledger", "--", "vllm", "serve", bad], ["accuracy", bad],
    ):  # fmt: skip
        calls(*arguments)


@pytest.mark.parametrize("kind", HOSTILE)
def test_strategy_and_configuration(kind, calls):
    bad = json.dumps(HOSTILE[kind])
    Path("s.toml").write_text(
        f"summary = {bad}\nsizes = {{ {bad} = 1 }}\nmodel = {{ ffn = {bad} }}\n[{bad}]\n{bad} = 1\n"
    )
    calls("gen", "s.toml", "-o", "-")
    Path("dagtool.toml").write_text(f"{bad} = 1\n")
    Path("a.dot").write_text("digraph { a -> b }")
    calls("validate", "a.dot")
    Path("dagtool.toml").write_text(f"select = [{bad}]\n")
    calls("validate", "a.dot")
    calls("config", "show")
    Path("dagtool.toml").write_text(f"per-file-ignores = {{ {bad} = ['GRF'] }}\n")
    calls("validate", "a.dot")
    calls("config", "show")
