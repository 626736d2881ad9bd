"""``dagtool render``: pictures, and what happens when there is nothing to draw with, or nothing to be drawn."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagtool.dot.writer import write_dot
from dagtool.generators import generate

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def tp8(tmp_path_factory):
    """The DAG of a preset, as a file."""
    file = tmp_path_factory.mktemp("dags") / "tp8.dot"
    file.write_text("".join(write_dot(generate("tp8"))), encoding="utf-8")
    return file


@pytest.fixture
def graphviz():
    """Some Graphviz to draw with."""
    import importlib.util
    import shutil

    if not shutil.which("dot") and not importlib.util.find_spec("pygraphviz"):
        pytest.skip("Graphviz is not installed")


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(stat.S_IRWXU)


def _hide(folder: Path, package: str) -> None:
    """Make a package impossible to find for the interpreter that starts with PYTHONPATH=folder."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)\n"
    )


def test_default_is_an_svg_beside_the_file(dagtool, tp8):
    done = dagtool("render", tp8)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"{tp8.with_suffix('.svg')}: 553 nodes drawn as 22 in ")
    root = ElementTree.fromstring(tp8.with_suffix(".svg").read_text(encoding="utf-8"))
    assert root.tag == f"{SVG}svg"


def test_svg_is_accessible_light_and_says_how_it_was_made(dagtool, tp8, tmp_path):
    out = tmp_path / "x.svg"
    assert dagtool("render", tp8, "-q", "-o", out).returncode == 0
    text = out.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("role") == "graphics-document document"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(ids)) == len(ids)
    assert root.get("aria-labelledby", "").split() == ids[:2]
    named = [element for element in root.iter() if element.get("role") == "graphics-symbol"]
    assert len(named) == 22
    assert all(element.get("aria-label") for element in named)
    assert root.get("viewBox")
    assert float(root.get("width", "0")) <= 1600
    assert len(text.encode()) < 120_000
    assert "<!--" not in text
    assert "graphviz" not in text.lower()
    assert "dagtool render tp8.dot · dagtool " in text
    assert "553 nodes, 787 edges on 8 GPUs" in text
    assert "layers 0–3 · ×4" in text


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize(
    ("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<svg "), ("PNG", b"\x89PNG")]
)
def test_formats(dagtool, tp8, tmp_path, ending, magic):
    out = tmp_path / f"x.{ending}"
    assert dagtool("render", tp8, "-o", out).returncode == 0
    assert out.read_bytes().startswith(magic)


def test_same_bytes_whatever_the_hash_seed(dagtool, tp8, tmp_path):
    pictures = []
    for seed in ("0", "1", "271828"):
        for ending in ("svg", "dot"):
            out = tmp_path / f"{seed}.{ending}"
            assert dagtool("render", tp8, "-q", "-o", out, PYTHONHASHSEED=seed).returncode == 0
            pictures.append(out.read_bytes())
    assert pictures[0::2] == [pictures[0]] * 3
    assert pictures[1::2] == [pictures[1]] * 3


@pytest.mark.usefixtures("graphviz")
def test_standard_input_and_output(dagtool, tp8):
    done = dagtool("render", "-", stdin=tp8.read_bytes())
    assert done.returncode == 0
    assert done.stdout.startswith("<svg ")
    assert done.stderr.startswith("standard output: 553 nodes")
    done = dagtool("render", tp8, "-q", "-o", "-", "--format", "dot")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('digraph "tp8" {')


def test_dot_needs_no_graphviz(dagtool, tp8, tmp_path):
    _hide(tmp_path / "hidden", "pygraphviz")
    out = tmp_path / "x.dot"
    done = dagtool("render", tp8, "-o", out, PATH=str(tmp_path), PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 0
    assert out.read_text(encoding="utf-8").startswith('digraph "tp8" {')


def test_the_default_for_dot_is_not_the_file_itself(dagtool, tp8):
    before = tp8.read_bytes()
    assert dagtool("render", tp8, "-q", "--format", "dot").returncode == 0
    assert tp8.read_bytes() == before
    assert tp8.with_suffix(".folded.dot").exists()
    done = dagtool("render", tp8, "-o", tp8)
    assert done.returncode == 2
    assert "is the file to be drawn" in done.stderr
    assert tp8.read_bytes() == before


def test_png_without_graphviz(dagtool, tp8, tmp_path):
    """Exit status 3, both ways to install it, and what needs none."""
    _hide(tmp_path / "hidden", "pygraphviz")
    out = tmp_path / "x.png"
    done = dagtool("render", tp8, "-o", out, PATH=str(tmp_path), PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 3
    assert "neither the program 'dot' nor the package pygraphviz is installed" in done.stderr
    assert "pip install 'dagtool[render]'" in done.stderr
    assert "-o FILE.svg" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("view", ["layer", "layers", "all"])
def test_svg_needs_no_graphviz(dagtool, tp8, tmp_path, view):
    _hide(tmp_path / "hidden", "pygraphviz")
    out = tmp_path / "x.svg"
    done = dagtool("render", tp8, "-o", out, "--view", view, PATH=str(tmp_path), PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 0, done.stderr
    assert len(ElementTree.fromstring(out.read_text(encoding="utf-8")).findall(f".//{SVG}title")) > 22


def test_a_foreign_file_is_laid_out_without_graphviz(dagtool, tmp_path):
    _hide(tmp_path / "hidden", "pygraphviz")
    file, out = tmp_path / "x.dot", tmp_path / "x.svg"
    file.write_text("digraph {a -> b -> c; a -> c; a -> a; subgraph cluster_s {b}}")
    done = dagtool("render", file, "-o", out, PATH=str(tmp_path), PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 0, done.stderr
    root = ElementTree.fromstring(out.read_text(encoding="utf-8"))
    assert len([one for one in root.iter() if (one.get("class") or "").startswith("edge")]) == 4


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_wheel_draws_without_a_system_graphviz(dagtool, tp8, tmp_path, ending):
    pytest.importorskip("pygraphviz")
    out = tmp_path / f"x.{ending}"
    done = dagtool("render", tp8, "-o", out, PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size > 5000


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
def test_time_limit(dagtool, tp8, tmp_path):
    _program(tmp_path / "bin", "dot", "#!/bin/sh\nexec sleep 30\n")
    out = tmp_path / "x.png"
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    done = dagtool("render", tp8, "-o", out, "--timeout", "0.2", PATH=path)
    assert done.returncode == 3
    assert "took longer than 0.2 s and was stopped" in done.stderr
    assert not out.exists()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
@pytest.mark.parametrize(
    ("script", "said"), [("kill -SEGV $$", "signal 11"), ("echo 'no such format' >&2; exit 1", "no such")]
)
def test_a_failing_program(dagtool, tp8, tmp_path, script, said):
    """Where the package cannot help either, what the program said is passed on."""
    _program(tmp_path / "bin", "dot", f"#!/bin/sh\n{script}\n")
    _hide(tmp_path / "hidden", "pygraphviz")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    done = dagtool("render", tp8, "-o", tmp_path / "x.png", PATH=path, PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 3
    assert "Graphviz could not draw it: dot: " in done.stderr
    assert said in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
def test_the_wheel_takes_over_from_a_failing_program(dagtool, tp8, tmp_path):
    pytest.importorskip("pygraphviz")
    _program(tmp_path / "bin", "dot", "#!/bin/sh\nexit 1\n")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    assert dagtool("render", tp8, "-o", tmp_path / "x.png", PATH=path).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
def test_our_layout_takes_over_from_a_failing_program(dagtool, tmp_path):
    _program(tmp_path / "bin", "dot", "#!/bin/sh\nexit 1\n")
    _hide(tmp_path / "hidden", "pygraphviz")
    file = tmp_path / "x.dot"
    file.write_text("digraph {a -> b}")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    done = dagtool("render", file, "-o", tmp_path / "x.svg", PATH=path, PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("output", "hint"), [("x.svgg", "did you mean 'svg'"), ("x", "endings: .svg"), ("x.txt", "endings: .svg")]
)
def test_unknown_ending(dagtool, tp8, tmp_path, output, hint):
    done = dagtool("render", tp8, "-o", tmp_path / output)
    assert done.returncode == 2
    assert "cannot tell the format from its ending" in done.stderr
    assert hint in done.stderr
    assert not (tmp_path / output).exists()


@pytest.mark.usefixtures("graphviz")
def test_unwritable_output(dagtool, tp8, tmp_path):
    done = dagtool("render", tp8, "-o", tmp_path / "no" / "such" / "folder.svg")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    folder = tmp_path / "x.svg"
    folder.mkdir()
    done = dagtool("render", tp8, "-o", folder)
    assert done.returncode == 2
    assert "is a folder" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"not dot at all", ":1:1: "),
        (b"", "is empty"),
        (b"digraph {}", "no nodes"),
    ],
)
def test_not_a_picture(dagtool, tmp_path, text, said):
    file = tmp_path / "x.dot"
    file.write_bytes(text)
    done = dagtool("render", file, "-o", tmp_path / "y.dot")
    assert done.returncode == 2
    assert said in done.stderr
    assert str(file) in done.stderr
    assert not (tmp_path / "y.dot").exists()


def test_no_such_file(dagtool, tmp_path):
    done = dagtool("render", tmp_path / "x.dot")
    assert done.returncode == 2
    assert "No such file" in done.stderr


def test_all_refuses_what_nobody_can_read(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_text("".join(write_dot(generate("ep16_tp4"))), encoding="utf-8")
    done = dagtool("render", file, "--view", "all", "-o", tmp_path / "y.dot")
    assert done.returncode == 2
    assert "a picture of 13,490 nodes could not be read" in done.stderr
    assert "--view layer" in done.stderr


@pytest.mark.parametrize(
    ("options", "nodes"),
    [
        ("--view layers", 25),
        ("--view all", 553),
        ("--view stages", 7),
        ("--view path", 22),
        ("--view gpu --gpus 3", 22),
        ("--view around --node tp_layer1_softmax_gpu3", 6),
        ("--view around --node tp_layer1_softmax_gpu3 --steps 1", 3),
        ("--view layers --detail 0:op,1:block,2-:layer", 26),
    ],
)
def test_views(dagtool, tp8, tmp_path, options, nodes):
    done = dagtool("render", tp8, *options.split(), "-o", tmp_path / "x.svg")
    assert f"553 nodes drawn as {nodes} " in done.stderr
    assert f"render tp8.dot {options} · dagtool" in (tmp_path / "x.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--view layerz", "is not one of"),
        ("--view gpu --gpus 99", "GPU 99: not in the graph, which has GPU 0–7"),
        ("--view gpu --gpus 3-1", "runs backwards"),
        ("--view around", "needs --node ID"),
        ("--view around --node tp_layer1_softmax_gpu33", "did you mean 'tp_layer1_softmax_gpu3'"),
        ("--view layers --detail 0:ops", "'ops' is no level; there are op, block, layer"),
        ("--view layers --detail x", "is not LAYERS:LEVEL"),
        ("--unfold tpp", "did you mean 'tp'"),
        ("--unfold tp,ep", "--unfold ep: no mesh has such an axis"),
        ("--view layers --detail 3-1:op", "ends before it begins"),
    ],
)
def test_views_that_cannot_be(dagtool, tp8, tmp_path, options, said):
    done = dagtool("render", tp8, *options.split(), "-o", tmp_path / "x.svg")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "x.svg").exists()


@pytest.mark.parametrize("view", ["all", "layer", "layers", "stages"])
@pytest.mark.parametrize("length", [3, 60])
def test_a_cycle_can_be_looked_at_and_what_closes_it_is_marked(dagtool, tmp_path, view, length):
    file = tmp_path / "x.dot"
    chain = " -> ".join(chr(97 + n % 26) * (1 + n // 26) for n in range(length))
    file.write_text(f"digraph {{in -> {chain} -> b -> a}}")
    done = dagtool("render", file, "--view", view, "-o", tmp_path / "x.svg")
    assert done.returncode == 0, done.stderr
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "2 edges close cycles (dashed): " in svg
    assert "b -&gt; a" in svg
    assert svg.count(">closes a cycle</text>") == 2
    assert svg.count('class="edge data dashed path"') == 2
    assert f"{length + 1} nodes, {length + 2} edges" in svg


def test_the_lanes_of_a_cycle_say_what_closes_it(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_text('digraph {a [label="Linear\\nGPU: 0"]; b [label="GELU\\nGPU: 1"]; a -> b -> a}')
    done = dagtool("render", file, "--view", "lanes", "-o", tmp_path / "x.svg")
    assert done.returncode == 0, done.stderr
    assert "1 edge closes a cycle (not marked here): b -&gt; a" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_ranks_along_one_axis_are_kept_apart(dagtool, tp8, tmp_path):
    done = dagtool("render", tp8, "--unfold", "tp", "-o", tmp_path / "x.svg")
    assert done.returncode == 0, done.stderr
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    for rank in range(8):
        assert f">tp {rank} · GPU {rank}</text>" in svg
    assert "--unfold tp" in svg


def test_own_templates(dagtool, tp8, tmp_path):
    folder = tmp_path / "mine" / "render"
    folder.mkdir(parents=True)
    (folder / "label.j2").write_text("<B>{{ title | upper }}</B><BR/>mine")
    out = tmp_path / "x.dot"
    assert dagtool("render", tp8, "--templates", folder.parent, "-o", out).returncode == 0
    text = out.read_text(encoding="utf-8")
    assert "<B>SOFTMAX</B><BR/>mine" in text
    assert "seq_len" not in text
    (folder / "label.j2").write_text("{{ nothing }}")
    done = dagtool("render", tp8, "--templates", folder.parent, "-o", out)
    assert done.returncode == 2
    assert "'nothing' is undefined" in done.stderr
    assert dagtool("render", tp8, "--templates", tmp_path / "none", "-o", out).returncode == 2


@pytest.mark.usefixtures("graphviz")
def test_strange_names_are_drawn(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_bytes(
        b'digraph "a\\"b<c>" {"<&>" -> "\\\\" -> "\xc3\xa4 \xe2\x86\x92"; "<&>" -> "\xff\x01"; "" -> graph_1}'
    )
    done = dagtool("render", file, "-o", tmp_path / "x.svg")
    assert done.returncode == 0, done.stderr
    ElementTree.fromstring((tmp_path / "x.svg").read_text(encoding="utf-8"))


def test_without_a_picture_graphviz_is_not_even_loaded(tp8, tmp_path):
    import subprocess

    code = (
        "import sys; from dagtool.cli import main\n"
        f"assert main(['render', {str(tp8)!r}, '-q', '-o', {str(tmp_path / 'x.dot')!r}]) == 0\n"
        "sys.exit(str([name for name in ('graphviz', 'pygraphviz', 'networkx') if name in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() in ("", "[]")


def test_the_critical_path_is_marked_by_more_than_colour(dagtool, tp8, tmp_path):
    out = tmp_path / "x.svg"
    assert dagtool("render", tp8, "--highlight", "path", "-o", out).returncode == 0
    root = ElementTree.fromstring(out.read_text(encoding="utf-8"))
    groups = {one.get("aria-label", "").partition(",")[0]: one for one in root.iter(f"{SVG}g")}
    classes = {name: (one.get("class") or "").split() for name, one in groups.items() if name}
    assert "path" in classes["softmax"]
    assert "path" in classes["gate"]
    badges = [text.text for text in root.iter(f"{SVG}text") if "badge" in (text.get("class") or "")]
    assert badges == [str(place) for place in sorted(map(int, filter(None, badges)))]
    assert "Get_Time(2097152,4096,512)" in "".join(root.itertext())


def test_findings_are_marked_with_their_codes(dagtool, tmp_path):
    file, out = tmp_path / "x.dot", tmp_path / "x.svg"
    file.write_text('digraph {a [label="Linear\\nGPU: 0"]; a -> b; c}')
    assert dagtool("render", file, "--highlight", "findings", "-o", out).returncode == 0
    badges = [text for text in ElementTree.parse(out).iter(f"{SVG}text") if "badge" in (text.get("class") or "")]
    assert badges
    assert all((text.text or "")[:3].isalpha() and (text.text or "")[3:].isdigit() for text in badges)


def test_findings_are_those_of_the_configuration_beside_the_file(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_text("digraph dag {in -> a -> b -> a; b -> out}")
    for config, there in (("", True), ('ignore = ["GRF101"]\n', False)):
        (tmp_path / "dagtool.toml").write_text(config)
        done = dagtool("render", file, "--lint", "-o", tmp_path / "x.svg")
        assert done.returncode == 0, done.stderr
        assert (">GRF101</text>" in (tmp_path / "x.svg").read_text(encoding="utf-8")) == there


def test_the_path_of_a_cycle_is_refused(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_text("digraph {a -> b -> a}")
    done = dagtool("render", file, "--view", "all", "--highlight", "path", "-o", tmp_path / "x.svg")
    assert done.returncode == 2
    assert "cycle" in done.stderr


def test_what_has_no_axes_cannot_be_unfolded(dagtool, tmp_path):
    """Stages of one GPU are meshes without axes, and are not said to be no meshes."""
    file = tmp_path / "pp2.dot"
    file.write_text("".join(write_dot(generate("pp2"))), encoding="utf-8")
    done = dagtool("render", file, "--unfold", "tp", "-o", tmp_path / "x.svg")
    assert done.returncode == 2
    assert "no mesh of the file has axes, so there is nothing to unfold" in done.stderr
