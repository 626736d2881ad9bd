"""The viewer in a real browser: it opens, moves, searches, folds, follows edges and links, by pointer and keyboard."""

from __future__ import annotations

import itertools
import time
from urllib.parse import quote

import networkx as nx
import pytest

from dagtool.dag.graph import Dag
from dagtool.generators import generate
from dagtool.render.html import Mark, Overlays, Run, viewer_page

ALL_REDUCE = "attn_allreduce_3_4"


def test_the_whole_graph_is_there_and_opens_quickly(view, ep16_tp4):
    viewer = view(ep16_tp4)
    times = [viewer.opened_s]
    for _ in range(2):
        viewer.open()
        times.append(viewer.opened_s)
    assert min(times) <= 2.0
    assert viewer("() => [dagtool.graph.count, dagtool.graph.tails.length]") == [len(ep16_tp4.ids), len(ep16_tp4.tails)]
    assert "13,490 nodes · 22,944 edges · 64 GPUs" in viewer.page.inner_text(".counts")
    assert viewer("() => dagtool.graph.ids") == ep16_tp4.ids
    edges = set(
        map(tuple, viewer("() => Array.from(dagtool.graph.tails, (tail, edge) => [tail, dagtool.graph.heads[edge]])"))
    )
    assert edges == set(zip(ep16_tp4.tails, ep16_tp4.heads, strict=True))


@pytest.mark.parametrize(("fold", "zoom"), [("none", 1), ("none", 6), ("none", 20), ("", 1), ("", 3)])
def test_pans_at_thirty_frames_a_second(view, ep16_tp4, fold, zoom):
    viewer = view(ep16_tp4, f"#fold={fold}" if fold else "")
    viewer("(factor) => { dagtool.fit(false); dagtool.zoom(factor, 400, 300); }", zoom)
    assert max(_frames_while_dragging(viewer) for _ in range(2)) >= 30


def _frames_while_dragging(viewer) -> float:
    """Frames a second while the pointer drags the graph; every drag must have moved it."""
    viewer(
        """() => {
          window.stamps = [];
          const tick = (now) => { window.stamps.push(now); window.ticking = requestAnimationFrame(tick); };
          requestAnimationFrame(tick);
        }"""
    )
    before = viewer("() => [dagtool.camera.x, dagtool.camera.y, dagtool.frames]")
    mouse = viewer.page.mouse
    mouse.move(500, 400)
    mouse.down()
    started, step = time.perf_counter(), 0
    while time.perf_counter() - started < 0.8:
        step += 1
        mouse.move(500 + 6 * (step % 40), 400 + 4 * (step % 30))
    after = viewer("() => [dagtool.camera.x, dagtool.camera.y, dagtool.frames]")
    mouse.up()
    assert after[:2] != before[:2]
    assert after[2] - before[2] >= 5
    stamps = viewer("() => { cancelAnimationFrame(window.ticking); return window.stamps; }")
    return 1000 * (len(stamps) - 1) / (stamps[-1] - stamps[0])


def test_two_hundred_thousand_nodes_open(view):
    dag = generate("ep16_tp4", {"ep": "64", "E": "64", "L": "60"})
    assert len(dag.ids) > 190_000
    viewer = view(dag)
    assert viewer("() => dagtool.graph.count") == len(dag.ids)
    viewer("() => dagtool.setFold({ stage: new Set(), layer: new Set(), host: new Set(), axis: new Set() })")
    viewer.press("f")
    assert viewer("() => dagtool.scene.list.length") == len(dag.ids)
    assert _frames_while_dragging(viewer) >= 15


# -- what is drawn ------------------------------------------------------------------------------

OVERLAPS = """() => {
  const { scene } = dagtool;
  let wrong = 0;
  for (let box = 0; box < scene.list.length; box++) {
    const near = scene.index.search(scene.x0[box], scene.y0[box], scene.x1[box], scene.y1[box]);
    wrong += near.filter((other) => other > box && scene.x0[other] < scene.x1[box] && scene.x1[other] > scene.x0[box]
      && scene.y0[other] < scene.y1[box] && scene.y1[other] > scene.y0[box]).length;
  }
  return wrong;
}"""
COUNTS = """() => {
  const { scene, graph } = dagtool;
  const inside = Array.from(graph.tails).filter((tail, edge) => scene.edges.of[edge] < 0).length;
  return [scene.list.reduce((sum, box) => sum + box.count, 0), scene.edges.weight.reduce((a, b) => a + b, 0) + inside];
}"""
FOLDS = ["none", "layer:0-15", "host:1-7", "axis:tp", "axis:ep", "layer:2-9;axis:ep,tp", "layer:3;host:2,5"]


@pytest.mark.parametrize("fold", FOLDS)
def test_no_box_lies_on_another_and_nothing_is_lost(view, ep16_tp4, fold):
    viewer = view(ep16_tp4, f"#fold={fold}")
    assert viewer(OVERLAPS) == 0
    assert viewer(COUNTS) == [len(ep16_tp4.ids), len(ep16_tp4.tails)]
    assert ("fold=" + fold) in viewer("() => new Promise((done) => setTimeout(() => done(location.hash), 400))")


@pytest.mark.parametrize("preset", ["ma_separation", "dense_tp8_pp2", "pp2", "tp8"])
def test_every_depth_of_every_preset_is_laid_out(view, preset):
    dag = generate(preset)
    viewer = view(dag)
    for _ in range(5):
        viewer.press("[")
    counts = []
    for _ in range(5):
        assert viewer(OVERLAPS) == 0
        assert viewer(COUNTS) == [len(dag.ids), len(dag.tails)]
        counts.append(viewer("() => dagtool.scene.list.length"))
        viewer.press("]")
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == len(dag.ids)


def test_a_node_stands_in_the_columns_of_its_gpus(view, tp8):
    viewer = view(tp8, "#fold=none")
    lanes = viewer(
        """() => {
          const { graph } = dagtool;
          const columns = (node) => Array.from(graph.sets[graph.setOf[node]]);
          return graph.ids.map((_, node) => columns(node).flatMap((column) => graph.gpus[column]));
        }"""
    )
    assert [sorted(set(gpus)) for gpus in lanes] == [sorted(tp8.gpus(node)) for node in range(len(tp8.ids))]


def test_colours_follow_the_system_and_the_switch(view, tp8):
    viewer = view(tp8, color_scheme="dark")
    state = "() => [dagtool.theme.dark, dagtool.theme.canvas, getComputedStyle(document.body).backgroundColor]"
    dark = viewer(state)
    viewer.press("d")
    light = viewer(state)
    assert (dark[0], light[0]) == (True, False)
    assert dark[1] != light[1]
    assert dark[2] != light[2] == "rgb(255, 255, 255)"
    viewer.open()
    assert viewer(state) == light, "the choice is remembered"


# -- finding ------------------------------------------------------------------------------------


def _op(dag: Dag, node: int) -> str:
    return dag.kind(node).op


WANTED = {
    "op:all_reduce gpu:3 layer:12": lambda dag, node: (
        _op(dag, node) == "all_reduce" and 3 in dag.gpus(node) and dag.layer_of[node] == 12
    ),
    "op:all-*  -layer:0-14": lambda dag, node: (
        _op(dag, node).startswith("all_") and dag.layer_of[node] not in range(15)
    ),
    "family:norm gpu:8-9": lambda dag, node: _op(dag, node) == "norm" and bool({8, 9} & set(dag.gpus(node))),
    "layer:none": lambda dag, node: dag.layer_of[node] < 0,
    "host:7 op:gate expert:0": lambda dag, node: False,
    'fact:"[B/ep, S, H] sum(tp)" op:linear layer:1': lambda dag, node: (
        _op(dag, node) == "linear" and dag.layer_of[node] == 1 and bool(dag.kind(node).outputs[0].type.partial)
    ),
    "attn_allreduce_3_": lambda dag, node: dag.ids[node].startswith("attn_allreduce_3_"),
    "is:path -op:linear": lambda dag, node: _op(dag, node) != "linear",
}


@pytest.mark.parametrize("query", WANTED)
def test_search_finds_what_is_asked_for(view, ep16_tp4, query):
    viewer = view(ep16_tp4)
    viewer.press("/")
    viewer.page.keyboard.insert_text(query)
    viewer.settle()
    nodes = ep16_tp4.critical_path().nodes if query.startswith("is:path") else range(len(ep16_tp4.ids))
    expected = sorted(node for node in nodes if WANTED[query](ep16_tp4, node))
    assert viewer("() => dagtool.found.list") == expected
    assert viewer.page.inner_text("#found").startswith(f"{len(expected):,} node")


def test_enter_goes_from_one_hit_to_the_next_and_opens_what_hides_it(view, ep16_tp4):
    viewer = view(ep16_tp4, "#q=op:all_reduce+gpu:3+layer:12")
    assert viewer.page.input_value("#query") == "op:all_reduce gpu:3 layer:12"
    hits = viewer("() => dagtool.found.list.map((node) => dagtool.graph.ids[node])")
    assert len(hits) == 2
    viewer.page.focus("#query")
    for hit in (*hits, hits[0]):
        viewer.press("Enter")
        assert viewer.selected() == hit
        assert viewer("() => dagtool.scene.list[dagtool.selected].level") == 0
    viewer.press("Escape")  # leaves the field and empties it
    viewer.page.fill("#query", "op:all_reduce gpu:3 layer:12")
    viewer.page.focus("#graph")
    viewer.press("N")
    assert viewer.selected() == hits[-1]
    viewer.press("Escape", "Escape")
    assert viewer("() => [dagtool.query, dagtool.selected, dagtool.lit]") == ["", -1, None]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("gpus:3", "no key gpus:, there are op, family"),
        ("gpu:x", "x is no number"),
        ("is:odd", "is: knows path"),
        ("layer:", "nothing is no number"),
    ],
)
def test_a_query_that_means_nothing_is_explained(view, tp8, query, said):
    viewer = view(tp8)
    viewer.page.fill("#query", query)
    assert said in viewer.page.inner_text("#found")
    assert viewer.page.get_attribute("#query", "aria-invalid") == "true"


def test_a_legend_entry_shows_its_operator_alone(view, tp8):
    viewer = view(tp8)
    entries = viewer.page.locator("#legend button.entry")
    ops = {tp8.kind(node).op for node in range(len(tp8.ids))}
    assert entries.count() == len(ops)
    entries.filter(has_text="softmax").click()
    assert viewer.page.input_value("#query") == "op:softmax"
    assert viewer("() => dagtool.found.list.length") == 32
    entries.filter(has_text="softmax").click()
    assert viewer("() => dagtool.found") is None


# -- folding ------------------------------------------------------------------------------------


def test_layers_and_hosts_fold_where_their_names_are_clicked(view, ep16_tp4):
    viewer = view(ep16_tp4, "#fold=none")
    size = "() => dagtool.scene.list.length"
    gutter = viewer(
        """() => {
          const { scene, graph, camera } = dagtool;
          const frame = scene.frames.find((one) => graph.layers[one.band] === 3);
          return (frame.y0 - camera.y) * camera.ky + 40 + 8;
        }"""
    )
    box = viewer.page.locator("#graph").bounding_box()
    viewer.page.mouse.click(box["x"] + 40, box["y"] + gutter)
    assert viewer("() => [...dagtool.fold.layer]") == [3]
    assert viewer(size) == len(ep16_tp4.ids) - 824 + 1
    viewer("() => dagtool.select(dagtool.scene.list.findIndex((one) => one.level === 2))")
    text = viewer.page.inner_text("#selection")
    assert "layer 3" in text
    assert "824" in text
    viewer.press("Enter")
    assert viewer(size) == len(ep16_tp4.ids)
    x = viewer(
        "() => { const lane = dagtool.scene.lanes[8]; return (lane.x - dagtool.camera.x) * dagtool.camera.kx + 98; }"
    )
    viewer.page.mouse.click(box["x"] + x, box["y"] + 10)
    assert viewer("() => [...dagtool.fold.host]") == [1]


def test_a_double_click_opens_and_folds(view, ep16_tp4):
    viewer = view(ep16_tp4)
    assert 5 in viewer("() => [...dagtool.fold.layer]")
    viewer.page.mouse.dblclick(*viewer.point("attn_allreduce_5_0"))
    assert 5 not in viewer("() => [...dagtool.fold.layer]")
    viewer.page.mouse.dblclick(*viewer.point("attn_allreduce_5_0"))
    assert 5 in viewer("() => [...dagtool.fold.layer]")


@pytest.mark.parametrize("fold", ["host:1-7", "axis:ep", "axis:ep,tp;host:0"])
def test_enter_opens_what_brings_ranks_together(view, ep16_tp4, fold):
    viewer = view(ep16_tp4, f"#fold={fold}")
    viewer("() => dagtool.select(dagtool.scene.list.findIndex((one) => one.level === 1))")
    count = viewer("() => dagtool.scene.list[dagtool.selected].count")
    assert count > 1
    assert f"×{count}" in viewer.page.inner_text("#selection h2")
    for _ in range(3):
        if viewer("() => dagtool.scene.list[dagtool.selected].count") > 1:
            viewer.press("Enter")
    assert viewer("() => dagtool.scene.list[dagtool.selected].count") == 1


def test_ranks_fold_along_a_mesh_axis(view, ep16_tp4):
    viewer = view(ep16_tp4, "#fold=none")
    viewer.page.get_by_role("button", name="ranks along ep").click()
    assert viewer("() => dagtool.scene.lanes.map((lane) => lane.columns.length)") == [16] * 4
    viewer.page.get_by_role("button", name="ranks along tp").click()
    assert viewer("() => dagtool.scene.lanes.length") == 1
    viewer.page.get_by_role("button", name="ranks along ep").click()
    assert viewer("() => dagtool.scene.lanes.map((lane) => lane.columns.length)") == [4] * 16


def test_stages_fold(view):
    dag = generate("dense_tp8_pp2")
    viewer = view(dag, "#fold=stage:0-1")
    counts = viewer("() => dagtool.scene.list.filter((one) => one.level === 3).map((one) => one.count)")
    assert len(counts) == 2
    assert sum(counts) == sum(layer >= 0 for layer in dag.layer_of)
    assert viewer(OVERLAPS) == 0


# -- following ----------------------------------------------------------------------------------


def test_a_click_shows_facts_and_neighbours(view, ep16_tp4):
    viewer = view(ep16_tp4, f"#node={ALL_REDUCE}")
    viewer.press("Escape")
    viewer.page.mouse.click(*viewer.point(ALL_REDUCE))
    assert viewer.selected() == ALL_REDUCE
    text = viewer.page.inner_text("#selection")
    for fact in (
        ALL_REDUCE,
        "16–19",
        "attention.out.all_reduce",
        "[B/ep, S, H] sum(tp) @all",
        "batch_size=8",
        "4 inputs",
        "4 outputs",
    ):
        assert fact in text
    node = ep16_tp4.ids.index(ALL_REDUCE)
    expected = {node, *(tail for tail, head in zip(ep16_tp4.tails, ep16_tp4.heads, strict=True) if head == node)}
    expected |= {head for tail, head in zip(ep16_tp4.tails, ep16_tp4.heads, strict=True) if tail == node}
    assert set(viewer("() => Array.from(dagtool.trace.hits).flatMap((hit, node) => hit ? [node] : [])")) == expected
    viewer.page.get_by_role("button", name="attn_out_3_4_2").click()
    assert viewer.selected() == "attn_out_3_4_2"


def test_a_shift_click_shows_all_ancestors_and_descendants(view, ep16_tp4):
    viewer = view(ep16_tp4, f"#node={ALL_REDUCE}")
    viewer.press("Escape")
    x, y = viewer.point(ALL_REDUCE)
    viewer.page.keyboard.down("Shift")
    viewer.page.mouse.click(x, y)
    viewer.page.keyboard.up("Shift")
    graph = nx.DiGraph(list(zip(ep16_tp4.tails, ep16_tp4.heads, strict=True)))
    node = ep16_tp4.ids.index(ALL_REDUCE)
    expected = nx.ancestors(graph, node) | nx.descendants(graph, node) | {node}
    assert set(viewer("() => Array.from(dagtool.trace.hits).flatMap((hit, node) => hit ? [node] : [])")) == expected
    assert f"{len(nx.ancestors(graph, node)):,} ancestors" in viewer.page.inner_text("#selection")


def test_arrow_keys_walk_along_edges(view, tp8):
    start = "tp_layer0_attn_all_reduce"
    viewer = view(tp8, f"#node={start}")
    edges = {(tp8.ids[tail], tp8.ids[head]) for tail, head in zip(tp8.tails, tp8.heads, strict=True)}
    seen = [start]
    for _ in range(4):
        viewer.press("ArrowDown")
        seen.append(viewer.selected())
    assert all(pair in edges for pair in itertools.pairwise(seen))
    viewer.press("ArrowUp")
    assert (viewer.selected(), seen[-1]) in edges
    viewer.press("ArrowRight", "ArrowLeft")
    assert viewer.page.inner_text("#status")


def test_the_critical_path_is_that_of_the_library(view, ep16_tp4):
    path = [ep16_tp4.ids[node] for node in ep16_tp4.critical_path().nodes]
    viewer = view(ep16_tp4, "#fold=none")
    viewer.press("c")
    assert viewer.page.get_attribute("#path", "aria-pressed") == "true"
    assert viewer("() => Array.from(dagtool.graph.path, (node) => dagtool.graph.ids[node])") == path
    assert viewer("() => dagtool.litBoxes.length") == len(path)
    assert viewer("() => dagtool.pathEdges.length") == len(path) - 1
    assert ep16_tp4.critical_path().expression in viewer.page.inner_text("#caption")
    viewer.press("c")
    assert viewer("() => dagtool.lit") is None


# -- links --------------------------------------------------------------------------------------


def test_a_link_opens_the_same_view(view, ep16_tp4):
    viewer = view(ep16_tp4)
    viewer("(id) => dagtool.goTo(dagtool.graph.index.get(id), { all: true })", ALL_REDUCE)
    viewer.press("c", "+", "+")
    state = """() => new Promise((done) => setTimeout(() => done([location.hash, dagtool.showPath, dagtool.trace.all,
        dagtool.scene.list.length, Math.round(dagtool.camera.x), Math.round(dagtool.camera.y)]), 600))"""
    before = viewer(state)
    again = view(ep16_tp4, before[0])
    assert again(state) == before
    assert again.selected() == ALL_REDUCE


def test_a_link_to_a_hidden_node_opens_what_hides_it(view, ep16_tp4):
    viewer = view(ep16_tp4, f"#node={ALL_REDUCE}&path=1")
    assert viewer.selected() == ALL_REDUCE
    assert viewer("() => dagtool.scene.list[dagtool.selected].count") == 1
    assert viewer("() => dagtool.showPath")


SENSELESS = (
    "node=nowhere",
    "fold=layer:99;moon:3;axis:zz",
    "fold=layer:x",
    "at=a,b,c",
    "at=1,2,-3",
    "q=%22",
    "view=timeline",
    "%%%",
)


@pytest.mark.parametrize("fragment", SENSELESS)
def test_a_link_that_makes_no_sense_shows_the_graph(view, tp8, fragment):
    viewer = view(tp8, f"#{fragment}")
    assert viewer("() => dagtool.scene.list.length") > 10


def test_the_address_of_an_open_page_can_be_changed(view, tp8):
    viewer = view(tp8)
    viewer("() => { location.hash = '#node=tp_layer2_attn_all_reduce&fold=none&q='; }")
    deadline = time.perf_counter() + 5
    while viewer.selected() != "tp_layer2_attn_all_reduce":
        assert time.perf_counter() < deadline
    assert viewer("() => dagtool.scene.list.length") == 553


# -- overlays -----------------------------------------------------------------------------------


def test_findings_are_listed_and_lead_to_their_nodes(view, tp8):
    node = tp8.ids.index("tp_layer2_attn_all_reduce")
    marks = (
        Mark("GRF102", "warning", "leads nowhere", nodes=(4,), line=9),
        Mark("DIM203", "error", "gives [B, S]", nodes=(node, node + 1), line=80, count=32, help="say sum(tp)"),
        Mark("DOT001", "info", "about the file"),
    )
    viewer = view(tp8, overlays=Overlays(marks))
    found = viewer.page.locator("#findings button")
    assert found.count() == 3
    assert "E DIM203" in found.nth(0).inner_text()
    assert "line 80 · gives [B, S] (32 places)" in found.nth(0).inner_text()
    assert found.nth(2).is_disabled()
    found.nth(0).click()
    assert viewer.selected() == "tp_layer2_attn_all_reduce"
    assert "error DIM203: gives [B, S]" in viewer.page.inner_text("#selection")
    assert viewer("() => [...dagtool.markBoxes.values()].sort()") == ["error", "error", "warning"]


def test_no_findings_and_not_checked_are_told_apart(view, tp8):
    assert not view(tp8).page.locator("#findings").is_visible()
    assert "found nothing" in view(tp8, overlays=Overlays(marks=())).page.inner_text("#findings")


def test_times_are_drawn_as_lanes(view, tp8):
    depth = [0.0] * len(tp8.ids)
    for tail, head in zip(tp8.tails, tp8.heads, strict=True):  # the generator writes tails first
        depth[head] = max(depth[head], depth[tail] + 1)
    runs = [
        Run(node, 0.5e-3 * at + later, 0.5e-3 * at + later + 0.4e-3)
        for later in (0.0, 0.1)  # two micro-batches
        for node, at in enumerate(depth)
        if node != 7
    ]
    viewer = view(tp8, overlays=Overlays(runs=runs))
    viewer.press("t")
    assert viewer("() => dagtool.scene.kind") == "timeline"
    boxes = 2 * sum(len(tp8.gpus(node)) for node in range(len(tp8.ids)) if node != 7)
    assert viewer("() => dagtool.scene.list.length") == boxes
    wide = viewer("() => { const s = dagtool.scene; return s.x1.map((x, box) => (x - s.x0[box]) / s.unit); }")
    assert min(wide) == pytest.approx(0.4e-3)
    assert max(wide) == pytest.approx(0.4e-3)
    before = viewer("() => [dagtool.camera.kx, dagtool.camera.ky]")
    viewer.press("+")
    after = viewer("() => [dagtool.camera.kx, dagtool.camera.ky]")
    assert after[0] > before[0]
    assert after[1] == before[1], "time is stretched, lanes are not"
    viewer("() => dagtool.goTo(dagtool.graph.index.get('tp_layer2_attn_all_reduce'))")
    assert viewer.page.inner_text("#selection").count(" ms – ") == 2
    viewer.press("t")
    assert viewer("() => [dagtool.scene.kind, dagtool.selected >= 0]") == ["graph", True]
    viewer.press("t", "+", "[")
    assert viewer("() => [dagtool.scene.kind, dagtool.camera.kx === dagtool.camera.ky]") == ["graph", True]


def test_without_times_there_is_no_timeline(view, tp8):
    viewer = view(tp8)
    viewer.press("t")
    assert not viewer.page.locator("#timeline").is_visible()
    assert viewer("() => dagtool.scene.kind") == "graph"


# -- people -------------------------------------------------------------------------------------


def test_everything_can_be_reached_by_keyboard_and_has_a_name(view, tp8):
    viewer = view(tp8)
    nameless = viewer(
        """() => [...document.querySelectorAll('button, input, canvas[tabindex]')]
          .filter((one) => !(one.getAttribute('aria-label') || one.innerText || one.title).trim()).length"""
    )
    assert nameless == 0
    viewer.press("?")
    assert viewer.page.locator("#keys").is_visible()
    viewer.press("Escape")
    assert not viewer.page.locator("#keys").is_visible()
    reached = set()
    for _ in range(60):
        viewer.press("Tab")
        reached.add(
            viewer(
                "() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert {"query", "graph", "less", "more", "path", "theme", "fit", "entry", "switch"} <= reached


def test_nothing_glides_where_motion_is_not_wanted(view, tp8):
    moved = "() => { dagtool.moveTo({ kx: 2, ky: 2, x: 0, y: 0 }); return dagtool.camera.kx; }"
    assert view(tp8, reduced_motion="reduce")(moved) == 2
    assert view(tp8, reduced_motion="no-preference")(moved) != 2


def test_the_text_of_the_page_can_be_read_in_both_themes(view, tp8):
    script = """() => {
      const style = getComputedStyle(document.documentElement);
      const all = {};
      const grounds = ['page', 'canvas', 'head', 'band', 'group', 'field', 'hover'];
      const signs = ['text', 'muted', 'line', 'accent', 'critical', 'before', 'after', 'error', 'warning', 'info'];
      const edges = ['edge-data', 'edge-collective', 'edge-transfer', 'edge-route', 'on-badge'];
      for (const name of [...grounds, ...signs, ...edges])
        all[name] = style.getPropertyValue('--' + name).trim();
      return all;
    }"""
    from dagtool.render.html.palette import contrast

    for scheme in ("light", "dark"):
        colors = view(tp8, color_scheme=scheme)(script)
        for ground in ("page", "canvas", "head", "band", "group", "field", "hover"):
            assert contrast(colors["text"], colors[ground]) >= 4.5, (scheme, ground)
        for ground in ("page", "canvas", "head", "band", "field", "hover"):
            assert contrast(colors["muted"], colors[ground]) >= 4.5, (scheme, ground)
        for sign in ("before", "after", "error", "warning", "info"):
            assert contrast(colors[sign], colors["page"]) >= 4.5, (scheme, sign)
        for badge in ("accent", "critical", "error", "warning", "info"):
            assert contrast(colors["on-badge"], colors[badge]) >= 4.5, (scheme, badge)
        for line in ("line", "edge-data", "edge-collective", "edge-transfer", "edge-route", "critical", "accent"):
            for ground in ("canvas", "band"):
                assert contrast(colors[line], colors[ground]) >= 3, (scheme, line, ground)


def test_a_browser_that_is_too_old_is_told(view, tp8):
    page = view(tp8).page.context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(view(tp8).file.as_uri())
    page.wait_for_timeout(300)
    assert "this browser is too old" in page.inner_text("#loading")


def test_quoting_of_node_names_in_links(view):
    name = "a b&c=d#e%41+f;:,"
    dag = _read(f'digraph {{"{name}" -> b}}')
    viewer = view(dag, f"#node={quote(name)}")
    assert viewer.selected() == name
    link = viewer("() => new Promise((done) => setTimeout(() => done(location.hash), 500))")
    assert view(dag, link).selected() == name


def _read(text: str) -> Dag:
    from dagtool.dot import parse
    from dagtool.dot.dialect import to_dag

    return to_dag(parse(text.encode())[0])


def test_page_of_a_graph_that_is_one_node(view):
    viewer = view(viewer_page(_read("digraph {a}")))
    viewer.press("f", "c", "]", "[", "+")
    assert viewer("() => dagtool.scene.list.length") == 1
