"""A chart of the GPUs over time: where each lane, each bar and the critical path are drawn.

Lengths are pixels; x is time. What is narrower than a pixel is drawn together with its neighbours, so the number of
bars depends on the paper and not on the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dagtool.cost.schedule import Schedule
from dagtool.cost.streams import COMPUTE
from dagtool.dag.graph import Dag
from dagtool.model.duration import time_words
from dagtool.ops import OPERATORS
from dagtool.render.axis import time_ticks
from dagtool.render.chart import Bar, Chart, Key, LaneBox, Stretch, Tag
from dagtool.render.dress import printable
from dagtool.render.tracks import Lane, gpu_lanes
from dagtool.render.words import gpu_words

__all__ = ["timeline", "timeline_svg"]

_WIDTH, _RIGHT, _TOP = 1200, 16, 92
_MOST_LANES = 128
_LETTER = 5.6
"""Width of a letter of a label, on average."""
_THIN = 1.0
_RAIL = 4
"""Space below a lane for the critical path."""
_FAMILY_WORDS = {"compute": "computation", "norm": "normalisation", "io": "input, output"}


def timeline(dag: Dag, plan: Schedule, title: str, facts: tuple[str, ...]) -> Chart:
    """The chart of a schedule; ``facts`` are lines below its title."""
    lanes = gpu_lanes(dag, plan)
    shown = lanes[:_MOST_LANES]
    drawing = _Drawing(dag, plan, _rows(len(shown), plan.microbatches > 1))
    boxes: list[LaneBox] = []
    y = float(_TOP)
    for lane in shown:
        boxes.append(drawing.lane(lane, y))
        y += boxes[-1].height + _RAIL + drawing.rows.gap
    rails = {gpu: box.y + box.height + _RAIL / 2 for lane, box in zip(shown, boxes, strict=True) for gpu in lane.gpus}
    hidden = sum(len(lane.gpus) for lane in lanes[_MOST_LANES:])
    legend = tuple(_legend(boxes, drawing.rows.left, y + 12))
    return Chart(
        title=title,
        facts=facts,
        width=_WIDTH,
        height=round(legend[-1].y + (44 if hidden else 26)),
        left=drawing.rows.left,
        right=_RIGHT,
        top=_TOP,
        bottom=y,
        ticks=tuple(time_ticks(plan.makespan_s, drawing.scale, drawing.rows.left)),
        lanes=tuple(boxes),
        path=tuple(drawing.path(rails)),
        legend=legend,
        note=f"{hidden:,} more GPUs are not drawn" if hidden else "",
    )


def timeline_svg(chart: Chart) -> bytes:
    """The chart as SVG."""
    from dagtool.templates import environment

    text = environment().get_template("render/timeline.j2").render(chart=chart)
    return "\n".join(map(printable, text.split("\n"))).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Rows:
    """Heights: computation, communication, micro-batches, the space between lanes; the size of letters."""

    compute: float
    communication: float
    tag: float
    gap: float
    font: float
    left: int
    """Where time begins: there is space for the names of GPUs, and, where letters are large, of streams."""

    @property
    def named(self) -> bool:
        """Whether the streams are named."""
        return self.communication >= 9

    def y(self, top: float, row: int) -> float:
        """The upper edge of a row of a lane: micro-batches, then computation, then each communication stream."""
        return top + self.tag + (self.compute + 1 + (row - 1) * (self.communication + 1) if row else 0)


def _rows(lanes: int, tagged: bool) -> _Rows:
    """As tall as so many lanes can be on a page."""
    if lanes <= 8:
        return _Rows(24, 12, 13 * tagged, 8, 11, 170)
    if lanes <= 32:
        return _Rows(12, 6, 11 * tagged, 3, 10, 130)
    return _Rows(7, 3, 0, 1, 9, 110)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What all that is drawn needs to know."""

    dag: Dag
    plan: Schedule
    rows: _Rows

    @property
    def scale(self) -> float:
        """Pixels per second."""
        return (_WIDTH - self.rows.left - _RIGHT) / (self.plan.makespan_s or 1.0)

    def lane(self, lane: Lane, y: float) -> LaneBox:
        """A lane whose upper edge is at y."""
        bars: list[Bar] = []
        tags = list(self._batches(lane.rows[0][1], y)) if self.rows.tag and lane.rows else []
        for row, (stream, instances) in enumerate(lane.rows):
            height = self.rows.compute if stream == COMPUTE else self.rows.communication
            top = self.rows.y(y, row)
            bars += self._bars(instances, top, height)
            if self.rows.named:
                tags.append(Tag(self.rows.left - 6, top, 0, height, self.plan.streams.names[stream], "stream"))
        times = f" ×{len(lane.gpus)}" if len(lane.gpus) > 2 else ""
        height = self.rows.y(y, len(lane.rows)) - 1 - y
        return LaneBox(y, height, gpu_words(lane.gpus) + times, self.rows.font, tuple(bars), tuple(tags))

    def _bars(self, instances: tuple[int, ...], y: float, height: float) -> Iterator[Bar]:
        """The instances of a row; thin ones that follow each other are one bar."""
        plan, run = self.plan, list[int]()
        for place, index in enumerate(instances):
            run.append(index)
            thin = (plan.end_s[index] - plan.start_s[run[0]]) * self.scale < _THIN
            following = instances[place + 1] if place + 1 < len(instances) else -1
            near = following >= 0 and (plan.start_s[following] - plan.end_s[index]) * self.scale < _THIN / 2
            if not (thin and near):
                yield self._bar(run, y, height)
                run = []

    def _bar(self, run: list[int], y: float, height: float) -> Bar:
        plan = self.plan
        longest = max(run, key=lambda index: plan.end_s[index] - plan.start_s[index])
        one = plan.instance(longest)
        op = self.dag.kind(one.node).op
        time_s = plan.end_s[run[-1]] - plan.start_s[run[0]]
        width, words = time_s * self.scale, op.replace("_", " ")
        label = words if height >= 11 and width > len(words) * _LETTER + 6 else ""
        about = f"{len(run)} nodes, such as {self.dag.ids[one.node]}" if len(run) > 1 else self.dag.ids[one.node]
        about += f", micro-batch {one.microbatch}" if plan.microbatches > 1 else ""
        about += f"{', backward' if one.backward else ''}: {time_words(time_s)}"
        x = self.rows.left + plan.start_s[run[0]] * self.scale
        return Bar(x, y, max(width, 0.3), height, op, _family(op), label, about)

    def _batches(self, instances: tuple[int, ...], y: float) -> Iterator[Tag]:
        """Which micro-batch a GPU computes, from when to when."""
        plan, first = self.plan, 0
        for place, index in enumerate(instances):
            if place + 1 < len(instances) and instances[place + 1] // plan.nodes == index // plan.nodes:
                continue
            one, begin = plan.instance(index), plan.start_s[instances[first]]
            width = (plan.end_s[index] - begin) * self.scale
            label = str(one.microbatch) if width > 2 + 6 * len(str(one.microbatch)) else ""
            kind = "backward" if one.backward else "forward"
            yield Tag(self.rows.left + begin * self.scale, y, width, self.rows.tag - 2, label, kind)
            first = place + 1

    def path(self, rails: dict[int, float]) -> Iterator[Stretch]:
        """The critical path, on one lane for as long as it can stay there."""
        plan = self.plan
        at: Stretch | None = None
        for index in plan.chain:
            ways = [rails[gpu] for queue in plan.queues(index) if (gpu := plan.streams.gpu_of[queue]) in rails]
            begin, end = (self.rows.left + moment * self.scale for moment in (plan.start_s[index], plan.end_s[index]))
            if not ways or end == begin:
                continue
            before = at or Stretch(begin, begin, min(ways))
            y = min(ways, key=lambda y: abs(y - before.y))
            if y == before.y and begin - before.end < _THIN:
                at = Stretch(before.begin, end, y)
                continue
            yield before
            at = Stretch(begin, end, y)
        if at is not None:
            yield at


def _family(op: str) -> str:
    operator = OPERATORS.get(op)
    return operator.family if operator else "compute"


def _legend(boxes: list[LaneBox], left: float, y: float) -> Iterator[Key]:
    """What colours there are, most of the time first, in lines from ``left`` on; the first one begins at y."""
    lengths: dict[tuple[str, str], float] = {}
    for box in boxes:
        for bar in box.bars:
            colour = (bar.op if bar.family == "communication" else "", bar.family)
            lengths[colour] = lengths.get(colour, 0.0) + bar.width
    most = sorted(lengths, key=lambda colour: (-lengths[colour], colour))
    keys = [Key("bar", op.replace("_", " ") or _FAMILY_WORDS.get(family, family), op, family) for op, family in most]
    marked = {tag.kind for box in boxes for tag in box.tags}
    keys += [Key(kind, f"micro-batch {kind}") for kind in ("forward", "backward") if kind in marked]
    x = left
    for key in [*keys, Key("path", "critical path on these GPUs")]:
        width = 42 + _LETTER * len(key.words)
        if x + width > _WIDTH - _RIGHT and x > left:
            x, y = left, y + 19
        yield replace(key, x=x, y=y)
        x += width
