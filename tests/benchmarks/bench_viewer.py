"""The viewer in a real browser: how large a page is, how long writing and opening take, how smoothly it moves.

``python tests/benchmarks/bench_viewer.py [--large]``; status 1 if ``ep16_tp4`` misses a limit, 3 without a browser.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from browser import find_browser

from dagtool.generators import generate
from dagtool.render.html import viewer_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Page

LARGE = {"ep": "64", "E": "64", "L": "60"}
RUNS = 3
ZOOMS = (1, 2, 4, 8, 16, 32)
DRAG = """async (zoom) => {
  dagtool.fit(false);
  dagtool.zoom(zoom, 400, 300);
  const [frames, start] = [dagtool.frames, performance.now()];
  for (let step = 0; performance.now() - start < 1500; step++) {
    dagtool.pan(step % 40 < 20 ? 9 : -9, step % 30 < 15 ? 7 : -7);
    await new Promise(requestAnimationFrame);
  }
  return (1000 * (dagtool.frames - frames)) / (performance.now() - start);
}"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One graph: ``frames`` a second by zoom, from all of it to a few nodes."""

    nodes: int
    megabytes: float
    written_s: float
    opened_s: float
    frames: tuple[float, ...]

    def missed(self) -> list[str]:
        """The limits for ``ep16_tp4`` that do not hold."""
        limits = {
            "written in 3 s": self.written_s <= 3,
            "1.5 MB": self.megabytes <= 1.5,
            "opens in 2 s": self.opened_s <= 2,
            "30 frames a second": min(self.frames) >= 30,
        }
        return [name for name, kept in limits.items() if not kept]

    def row(self, name: str) -> str:
        """For the table."""
        frames = " ".join(f"{one:5.0f}" for one in self.frames)
        return f"{name:<18}{self.nodes:>9,}{self.megabytes:>8.2f}{self.written_s:>10.2f}{self.opened_s:>8.2f}  {frames}"


def measure_graph(browser: Browser, settings: Mapping[str, str], folder: Path) -> Measured:
    """The preset ``ep16_tp4``, with nothing folded."""
    dag = generate("ep16_tp4", settings)
    gc.collect()
    times = []
    page = ""
    for _ in range(RUNS):
        started = time.perf_counter()
        page = viewer_page(dag)
        times.append(time.perf_counter() - started)
    file = folder / "graph.html"
    file.write_text(page, encoding="utf-8")
    window = browser.new_page(viewport={"width": 1200, "height": 800})
    opened = [_open(window, file) for _ in range(RUNS)]
    frames = tuple(float(window.evaluate(DRAG, zoom)) for zoom in ZOOMS)
    window.close()
    return Measured(len(dag.ids), len(page.encode()) / 1e6, median(times), median(opened), frames)


def _open(window: Page, file: Path) -> float:
    window.goto("about:blank")
    started = time.perf_counter()
    window.goto(f"{file.as_uri()}#fold=none")
    while not window.evaluate("() => window.dagtool ? window.dagtool.frames : 0"):
        time.sleep(0.01)
    return time.perf_counter() - started


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 197,542 nodes")
    large = parser.parse_args().large
    program = find_browser()
    if program is None:
        print("no browser is installed")
        return 3
    from playwright.sync_api import sync_playwright

    zooms = " ".join(f"{f'x{zoom}':>5}" for zoom in ZOOMS)
    print(f"{'':<18}{'nodes':>9}{'MB':>8}{'written s':>10}{'open s':>8}  frames a second, zoomed {zooms.strip()}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        found = measure_graph(browser, {}, Path(folder))
        print(found.row("ep16_tp4"))
        if large:
            print(measure_graph(browser, LARGE, Path(folder)).row("ep=64, 60 layers"))
        browser.close()
    missed = found.missed()
    print("missed: " + ", ".join(missed) if missed else "All limits kept.")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
