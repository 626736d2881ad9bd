"""Files that want to do something do nothing: texts are shown as texts, and the page asks for nothing."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.render.html import Mark, Overlays, viewer_page

NASTY = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "&lt;script&gt;window.hacked = 1&lt;/script&gt;",
    "&#60;img src=x onerror=window.hacked=1&#62;",
    "<!--<script>",
    "]]><svg onload=window.hacked=1>",
    "{{ 7 * 7 }} {% for x in y %} {# x #}",
    "${window.hacked = 1}`",
    "javascript:window.hacked=1",
    "\u202edetrever\u202c \u2066isolated\u2069 \u200f\u200e",
    "__proto__",
    "constructor",
    "toString",
    "\u2028line\u2029separators",
    "x" * 16_000,  # C Graphviz reads no longer ones
    "<<<<" * 4_000,
]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _dag(text: str) -> Dag:
    return to_dag(parse(text.encode())[0])


def _everywhere(text: str) -> str:
    """A graph that has a text as its name, an id, a label, a cluster and every attribute that Graphviz would act on."""
    q = _quoted(text)
    return f"""digraph {q} {{ URL={q} stylesheet={q} label={q}
      subgraph cluster_0 {{ label={q} {q} [label={q}, URL={q}, href={q}, image={q}, tooltip={q}, target="_top"] }}
      {q} -> b [label={q}, URL={q}]; b [label={q}]
      declared [op={q}, gpu="0", layer_index={q}] }}"""


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_a_text_is_only_shown(view, text):
    marks = (Mark("GRF101", "error", text, nodes=(0,), help=text), Mark(text, "info", text))
    viewer = view(_dag(_everywhere(text)), overlays=Overlays(marks))
    for node in range(3):
        viewer("(node) => dagtool.goTo(node)", node)
        viewer.settle()
        viewer.page.mouse.move(*viewer.point(viewer.selected()))
    viewer("(text) => dagtool.setQuery(text)", text[:2000])
    viewer.press("Escape", "c", "f")
    assert viewer("() => window.hacked") is None
    assert viewer("() => document.querySelectorAll('img, svg, iframe, object, a, link, style + style').length") == 0
    assert viewer("() => document.querySelectorAll('script').length") == 2, "the library and the viewer"
    for mark in ("\u202e", "\u2066", "\u200f"):
        assert mark not in viewer.page.inner_text("body")


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_a_text_in_a_declared_file_is_only_shown(view, text):
    q = _quoted(text)
    dag = _dag(
        f'digraph {{ graph [dagtool=1, preset={q}, sizes={q}, meshes="m: tp=2 gpus=0-1", model={q}];'
        f' {q} [op={q}, role={q}, input={q}, output={q}, param={q}, gpu="0-1", layer_index="0"];'
        f' {q} -> b [arg={q}]; b [op=linear, gpu="0"] }}'
    )
    viewer = view(dag, "#node=b")
    viewer("() => dagtool.goTo(0)")
    assert viewer("() => window.hacked") is None
    assert viewer("() => document.querySelectorAll('script').length") == 2


def test_a_link_cannot_run_anything(view):
    viewer = view(
        _dag("digraph {a -> b}"),
        "#node=%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E&q=%3Cscript%3E&fold=__proto__:1;constructor",
    )
    assert viewer("() => window.hacked") is None


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and what it has been asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_policy_stops_even_a_script_that_runs_inside(view, server):
    # Were there a hole after all: nothing can be loaded, sent or evaluated.
    url, asked = server
    viewer = view(_dag("digraph {a -> b}"))
    viewer(
        """(url) => {
          document.body.append(Object.assign(document.createElement('img'), { src: url + '/img' }));
          document.body.append(Object.assign(document.createElement('script'), { src: url + '/script' }));
          document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 1' }));
          document.body.append(Object.assign(document.createElement('iframe'), { src: url + '/frame' }));
          navigator.sendBeacon(url + '/beacon');
          return fetch(url + '/fetch').catch(() => 'refused');
        }""",
        url,
    )
    viewer.page.wait_for_timeout(300)
    assert viewer("() => window.hacked") is None
    assert asked == []
    assert any("Content Security Policy" in one for one in viewer.complaints)
    viewer.complaints.clear()
    viewer.requests.clear()


def test_templates_of_a_user_are_bound_by_the_policy_too(view, tmp_path):
    folder = tmp_path / "mine" / "html"
    folder.mkdir(parents=True)
    (folder / "style.css").write_text(
        "body { background: url(http://127.0.0.1:9/x.png); } :root { --theme: light; --text: #000000; }"
    )
    viewer = view(viewer_page(_dag("digraph {a -> b}"), templates=str(folder.parent)))
    assert viewer("() => dagtool.theme.text") == "#000000"
    viewer.complaints[:] = [one for one in viewer.complaints if "Content Security Policy" not in one]
    viewer.requests.clear()
