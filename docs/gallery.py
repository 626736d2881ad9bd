"""``python3 dev.py gallery``: draw every preset and report on it, in ``outputs/gallery``; write ``outputs/README.md``.

Nothing in it depends on what is installed, so a test compares it byte for byte.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dagtool.analysis.report import render_report
from dagtool.analysis.subject import Subject
from dagtool.dag.graph import Dag
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.render import Drawing, caption, compose_drawing
from dagtool.render.mark import mark_path
from dagtool.render.place import place_in_rows
from dagtool.render.views import Asked

__all__ = ["ENTRIES", "PICTURES", "Entry", "Shot", "files", "page"]

OUTPUTS = Path(__file__).resolve().parents[1] / "outputs"


@dataclass(frozen=True)
class Shot:
    """One picture of a preset: its file, how it is asked for, and what there is to see."""

    name: str
    view: str = "layer"
    highlight: str = ""
    remark: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """As on the command line."""
        view = () if self.view == "layer" else (f"--view {self.view}",)
        return (*view, *((f"--highlight {self.highlight}",) if self.highlight else ()))

    def draw(self, dag: Dag, file: str) -> Drawing:
        """The picture, not yet written."""
        asked = Asked(caption=caption(file, *self.options))
        if self.highlight == "path":
            asked = mark_path(dag, asked)
        drawing = compose_drawing(dag, view=self.view, asked=asked)
        if drawing.picture.placed:
            return drawing
        # every version of Graphviz places nodes a little differently; our own layout gives one picture everywhere
        return replace(drawing, picture=place_in_rows(drawing.picture))


PICTURES = (
    Shot("layer", remark="each kind of layer once"),
    Shot("card", "card", remark="the GPUs and what each axis does"),
    Shot("path", highlight="path", remark="the critical path"),
    Shot("lanes", "lanes", remark="a column for each GPU"),
)
"""What is drawn of every preset."""


@dataclass(frozen=True)
class Entry:
    """A preset, what is set in it, and pictures beside PICTURES."""

    name: str
    preset: str
    settings: tuple[tuple[str, str], ...] = ()
    more: tuple[Shot, ...] = ()
    remark: str = ""

    @property
    def shots(self) -> tuple[Shot, ...]:
        """Every picture of it."""
        return (*PICTURES, *self.more)

    def commands(self) -> Iterator[str]:
        """The calls that make it."""
        changed = "".join(f" --set {key}={value}" for key, value in self.settings)
        yield f"dagtool gen {self.preset}{changed} -o outputs/{self.name}.dot"
        for shot in self.shots:
            target = f"outputs/gallery/{self.name}/{shot.name}.svg"
            yield " ".join(["dagtool render", f"outputs/{self.name}.dot", *shot.options, "-o", target])
        yield f"dagtool report {self.preset}{changed} -o outputs/gallery/{self.name}/report.md"


_LAYERS = Shot("layers", "layers", remark="layer 0 in full, the others as one node each")
_STAGES = Shot("stages", "stages", remark="the pipeline in a few boxes")
ENTRIES = (
    Entry("ep16_tp4", "ep16_tp4"),
    Entry("ma_separation", "ma_separation"),
    Entry(
        "ma_separation_symbolic", "ma_separation", (("B", "B"),), remark="the batch size stays a symbol in every shape"
    ),
    Entry("dense_tp8_pp2", "dense_tp8_pp2", more=(_LAYERS, _STAGES)),
    Entry("moe_tp8_pp2", "moe_tp8_pp2", more=(_STAGES,)),
    Entry("ep16", "ep16"),
    Entry("tp8", "tp8"),
    Entry("pp2", "pp2", more=(_STAGES,)),
)


def files(entry: Entry) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of an entry."""
    settings = dict(entry.settings)
    strategy = find_strategy(entry.preset, settings)
    dag = partition(strategy)
    for shot in entry.shots:
        drawing = shot.draw(dag, f"{entry.name}.dot")
        yield f"{shot.name}.svg", drawing.draw("svg")
        if shot.name == "layer":
            yield f"{entry.name}.folded.dot", drawing.source.encode()
    yield "report.md", render_report(Subject(entry.preset, dag, strategy, settings)).encode()


def page() -> str:
    """The page that shows them all."""
    parts = [
        "# Gallery\n\n"
        "Every preset, drawn. Equal layers, ranks and experts stand once, with ×N; each picture says how many nodes\n"
        "and edges it stands for. `python3 dev.py gallery` makes all of them again, the commands above the pictures\n"
        "make those.\n"
    ]
    for entry in ENTRIES:
        summary = "; ".join(filter(None, (find_strategy(entry.preset).summary, entry.remark)))
        commands = "\n".join(entry.commands())
        first, *others = entry.shots
        links = " · ".join(f"[{shot.remark}](gallery/{entry.name}/{shot.name}.svg)" for shot in others)
        links += f" · [report: sizes, products, path, memory, what the document says](gallery/{entry.name}/report.md)"
        image = f"![{entry.name}: {first.remark}](gallery/{entry.name}/{first.name}.svg)"
        parts.append(f"## {entry.name}\n\n{summary}\n\n```sh\n{commands}\n```\n\n{image}\n\n{links}\n")
    return "\n".join(parts)


def main() -> None:
    """Write everything; what is there of old is taken away."""
    shutil.rmtree(OUTPUTS / "gallery", ignore_errors=True)
    for entry in ENTRIES:
        folder = OUTPUTS / "gallery" / entry.name
        folder.mkdir(parents=True)
        for name, data in files(entry):
            (folder / name).write_bytes(data)
    (OUTPUTS / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
