"""A real browser, without a window: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from benchmarks.browser import NAMES, find_browser

from dagtool.dag.graph import Dag
from dagtool.generators import generate
from dagtool.render.html import Overlays, viewer_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests; without one they skip and say so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = find_browser()
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed, and DAGTOOL_CHROMIUM is not set")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Viewer:
    """A page and what it did besides showing the graph."""

    page: Any
    file: Path
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    opened_s: float = 0.0

    def __call__(self, script: str, argument: Any = None) -> Any:
        """The value of a JavaScript expression; ``dagtool`` is the page's state."""
        return self.page.evaluate(script, argument)

    def settle(self) -> None:
        """Wait until what was asked for has been drawn."""
        self("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def open(self, fragment: str = "") -> None:
        """Load it anew; ``opened_s`` is the time to the first frame. Fails after 30 seconds."""
        started = time.perf_counter()
        self.page.goto("about:blank")
        self.page.goto(self.file.as_uri() + fragment)
        while not self("() => window.dagtool ? window.dagtool.frames : 0"):
            assert time.perf_counter() - started < 30, self.complaints or self.page.inner_text("#loading")
            time.sleep(0.01)
        self.opened_s = time.perf_counter() - started

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def point(self, node: str) -> tuple[float, float]:
        """Where on the page the box of a node is, after bringing it into view."""
        self("() => { dagtool.moveTo = ((move) => (target) => move(target, false))(dagtool.moveTo); }")
        self("(id) => dagtool.centre(dagtool.scene.boxOf[dagtool.graph.index.get(id)])", node)
        self.settle()
        found = self(
            """(id) => {
              const { scene, camera } = dagtool;
              const box = scene.boxOf[dagtool.graph.index.get(id)];
              const right = Math.min(scene.x1[box], camera.x + (camera.width - 96) / camera.kx);
              const x = (Math.max(scene.x0[box], camera.x) + right) / 2;
              const place = document.getElementById('graph').getBoundingClientRect();
              return [place.x + 96 + (x - camera.x) * camera.kx,
                      place.y + 40 + ((scene.y0[box] + scene.y1[box]) / 2 - camera.y) * camera.ky];
            }""",
            node,
        )
        return found[0], found[1]

    def selected(self) -> str:
        """The id of the first node of the selected box."""
        return self("() => dagtool.selected < 0 ? '' : dagtool.graph.ids[dagtool.scene.list[dagtool.selected].first]")


@pytest.fixture
def view(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Viewer]]:
    """Opens a graph; at the end nothing may have been complained of or fetched."""
    opened: list[Viewer] = []

    def show(dag: Dag | str, fragment: str = "", *, overlays: Overlays | None = None, **settings: Any) -> Viewer:
        file = tmp_path / f"view{len(opened)}.html"
        if isinstance(dag, str):
            text = dag
        else:
            text = viewer_page(dag, caption="made by a test", overlays=overlays or Overlays())
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **settings)
        viewer = Viewer(context.new_page(), file)
        opened.append(viewer)
        viewer.page.on("console", lambda message: viewer.complaints.append(message.text))
        viewer.page.on("pageerror", lambda error: viewer.complaints.append(str(error)))
        viewer.page.on("dialog", lambda dialog: viewer.complaints.append(dialog.message))
        viewer.page.on("request", lambda request: viewer.requests.append(request.url))
        viewer.open(fragment)
        return viewer

    yield show
    for viewer in opened:
        fetched = {url.partition("#")[0] for url in viewer.requests} - {viewer.file.as_uri(), "about:blank"}
        complaints = viewer.complaints
        viewer.page.context.close()
        assert complaints == []
        assert fetched == set()


@pytest.fixture(scope="session")
def ep16_tp4() -> Dag:
    """13,490 nodes on 64 GPUs."""
    return generate("ep16_tp4")


@pytest.fixture(scope="session")
def tp8() -> Dag:
    """553 nodes on 8 GPUs."""
    return generate("tp8")
