"""``python3 dev.py gallery``: draw every preset anew into ``outputs/gallery`` and write the page ``outputs/README.md``.

Nothing in it depends on what is installed, so a test compares it byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dagtool.generators import find_strategy, generate
from dagtool.render import Drawing, caption, compose_drawing
from dagtool.render.views import Asked

__all__ = ["ENTRIES", "Entry", "page", "picture"]

OUTPUTS = Path(__file__).resolve().parents[1] / "outputs"


@dataclass(frozen=True)
class Entry:
    """One picture: the preset, what is set in it, the view, and what there is to see."""

    name: str
    preset: str
    settings: tuple[tuple[str, str], ...] = ()
    view: str = "layer"
    remark: str = ""

    @property
    def commands(self) -> tuple[str, str]:
        """The two calls that make it."""
        changed = "".join(f" --set {key}={value}" for key, value in self.settings)
        file = f"outputs/{self.name}.dot"
        gen = f"dagtool gen {self.preset}{changed} -o {file}"
        return gen, " ".join(["dagtool render", file, *self.options, f"-o outputs/gallery/{self.name}/{self.name}.svg"])

    @property
    def options(self) -> tuple[str, ...]:
        """What says the view."""
        return () if self.view == "layer" else ("--view", self.view)


ENTRIES = (
    Entry("ma_separation", "ma_separation"),
    Entry(
        "ma_separation_symbolic", "ma_separation", (("B", "B"),), remark="the batch size stays a symbol in every shape"
    ),
    Entry("tp8", "tp8"),
    Entry("pp2", "pp2"),
    Entry("dense_tp8_pp2", "dense_tp8_pp2"),
    Entry(
        "dense_tp8_pp2_layers", "dense_tp8_pp2", view="layers", remark="layer 0 in full, every other layer as one node"
    ),
    Entry("ep16_tp4", "ep16_tp4"),
    Entry("moe_tp8_pp2", "moe_tp8_pp2"),
    Entry("ep16", "ep16"),
)


def picture(entry: Entry) -> Drawing:
    """The picture of an entry, not yet drawn."""
    dag = generate(entry.preset, dict(entry.settings))
    asked = Asked(caption=caption(f"{entry.name}.dot", *entry.options))
    return compose_drawing(dag, view=entry.view, asked=asked)


def page() -> str:
    """The page that shows them all."""
    parts = [
        "# Gallery\n\n"
        "Every preset, drawn. Equal layers, ranks and experts stand once, with ×N; each picture says how many nodes\n"
        "and edges it stands for. Beside each SVG lies the DOT it is made of. `python3 dev.py gallery` makes all of\n"
        "them again, the two commands above a picture make that one.\n"
    ]
    for entry in ENTRIES:
        summary = "; ".join(filter(None, (find_strategy(entry.preset).summary, entry.remark)))
        commands = "\n".join(entry.commands)
        image = f"![{entry.name}](gallery/{entry.name}/{entry.name}.svg)"
        parts.append(f"## {entry.name}\n\n{summary}\n\n```sh\n{commands}\n```\n\n{image}\n")
    return "\n".join(parts)


def main() -> None:
    """Write everything."""
    for entry in ENTRIES:
        folder = OUTPUTS / "gallery" / entry.name
        folder.mkdir(parents=True, exist_ok=True)
        drawing = picture(entry)
        (folder / f"{entry.name}.folded.dot").write_text(drawing.source, encoding="utf-8")
        (folder / f"{entry.name}.svg").write_bytes(drawing.draw("svg"))
    (OUTPUTS / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
