"""Which GPUs a text names: numbers, ranges, lists, arrows, all of them, the host, coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

__all__ = [
    "MODEL_NUMBERS",
    "Placement",
    "cluster_gpus",
    "gpus_of_id",
    "gpus_of_line",
    "is_plural",
    "join",
    "loose_gpus_of_id",
    "loose_gpus_of_line",
    "loose_gpus_of_lines",
    "unite",
]

_MOST = 1 << 16
_LIKE_SIZES = 512
"""From here on bare numbers at an arrow are sizes of a layer rather than GPUs."""
MODEL_NUMBERS = frozenset(
    {1050, 1060, 1070, 1080, 1650, 1660, 2060, 2070, 2080}
    | {series + kind for series in (3000, 4000, 5000) for kind in (50, 60, 70, 80, 90)}
)
"""Numbers by which models of graphics cards are called: ``GPU 3090``."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The GPUs a node names and where that was taken from: ``label``, ``id`` or ``cluster``.

    An arrow gives ``gpus`` on its left and ``to`` on its right. ``names`` are coordinates that are no plain numbers
    (``DP0_PP1_TP3``). ``count`` is the 64 of ``all 64 GPUs``. ``rest`` is what of the text was not used.
    """

    gpus: tuple[int, ...] = ()
    to: tuple[int, ...] = ()
    every: bool = False
    count: int = 0
    host: bool = False
    names: tuple[str, ...] = ()
    source: str = "label"
    rest: str = ""
    leaves: bool = False
    """Whether ``gpus`` are only where a value comes from: ``From: GPU 0``."""

    @property
    def exact(self) -> bool:
        """Whether it is plain numbers and nothing vague."""
        return bool(self.gpus) and not self.every


# How a pattern stays linear on any text: blanks are taken once (``\s*+``) and a list of numbers is read from its
# beginning, never again from each number in it.
_CHIP = r"(?:[GHILNTX]PU|cuda(?=:\d|\d(?!\d))|显卡)"
_GPU = rf"(?:{_CHIP}s?[\s_:-]*+)?"
_TO_GPU = rf"(?:{_CHIP}[\s_:]*+)?"
_NUMBERS = rf"{_GPU}\d{{1,6}}(?:\s*+(?:-|–|\.\.|to)\s*+{_TO_GPU}\d{{1,6}})?"
_NUMBERS_BEFORE_TO = rf"{_GPU}\d{{1,6}}(?:\s*+(?:(?:-|–|\.\.)\s*+{_TO_GPU}|to\s*+)\d{{1,6}})?"


def _items(numbers: str) -> str:
    """A list of such numbers, with or without brackets."""
    between = rf"(?:\s*+\])?+\s*+(?:,|and|&|\+(?=\s*+{_CHIP}))\s*+(?:\[\s*+)?+"
    return rf"(?:\[\s*+)?{numbers}(?:{between}{numbers})*(?:\s*+\])?"


_ITEMS = _items(_NUMBERS)
_WORD = rf"(?:(?:GPU|Device)[ _]?ids?|{_CHIP}s?|Devices?)"
_NAMED = rf"{_WORD}\s*+(?:[:#=]\s*+)?"
_ADDRESS = r"(?!:(?:\d|[0-9a-f]{2}(?![0-9a-z])|[0-9a-f]{4}(?![0-9a-z])))"
"""``0000:1b:00.0`` and ``8086:1234`` are addresses on a bus, ``0:4`` is a slice."""
_AFTER = (
    rf"(?![\w.×/%@–-]){_ADDRESS}"
    r"(?!\s*+(?:GPUs?\b|layers?\b|experts?\b|[KMGT]i?B\b|cores?\b|%))"
)
_STEP = r"\s*+(?:→|->|—>|⇒|=>|↔|<->|⟷)\s*+"
_FROM = re.compile(rf"(?:from\s*+)?(?:{_NAMED})?(?P<from>{_ITEMS})", re.IGNORECASE)
_TO = re.compile(rf"{_STEP}(?:{_NAMED})?(?P<to>{_ITEMS}){_AFTER}", re.IGNORECASE)
_FROM_TO = re.compile(
    rf"from\s*+(?:{_NAMED}|[:#=]\s*+)?(?P<from>{_items(_NUMBERS_BEFORE_TO)})\s++to\s++{_NAMED}(?P<to>{_ITEMS}){_AFTER}",
    re.I,
)
_ONE_END = re.compile(
    rf"(?P<end>from|to|source|destination|src|dst)\s*+(?::\s*+)?(?P<word>{_WORD})\s*+(?:[:#=]\s*+)?(?P<set>{_ITEMS}){_AFTER}",
    re.IGNORECASE,
)
_SET = re.compile(
    rf"(?<![A-Za-z0-9-])(?:on\s++)?(?P<word>{_WORD})\s*+(?:[:#=_-]\s*+)?(?P<set>{_ITEMS}){_AFTER}", re.IGNORECASE
)
_COUNTED = re.compile(
    r"(?:\b(?:n|num|number of|max|min|total|per|(?:resources?|requests?|limits?)[\s:=]*+)|\w\.[a-z]{2,4}/)[ _]?\Z",
    re.IGNORECASE,
)
"""What stands before a count of GPUs or of what each has: ``num_gpu``, ``limits: nvidia.com/gpu:``, ``layers per``."""
_LONGEST_COUNTED = 24
_PER = re.compile(r"\s*+(?:per\b|/\s*+(?:node|host|server|stage|replica|rank)\b(?!\s*+\d))", re.IGNORECASE)
_EACH = re.compile(
    rf"{_WORD}\s*+(?::\s*+)?(?:all|each)\s++(?:GPUs?\s*+)?(?P<set>\d{{1,6}}\s*+[-–]\s*+\d{{1,6}}){_AFTER}",
    re.IGNORECASE,
)
_RANK = re.compile(r"(?:(?:global\s++)?rank\s*+(?:[:#]\s*+)?|(?:device\s++)?D)(?P<set>\d{1,6})\Z", re.I)
_EVERY = re.compile(
    rf"{_WORD}\s*+(?:[:=]\s*+)?\(?all\b(?:\s++\d{{1,9}})?(?:\s*+GPUs?\b)?"
    r"|\ball\s++(?:\d{1,9}\s++)?(?:GPUs|devices)\b",
    re.IGNORECASE,
)
_MODEL_NAME = r"(?:(?:RTX|GTX|MI|[ABHLPTV])\d{2,4}|TPU[A-Za-z0-9]*+(?:_(?!TPU)[A-Za-z][A-Za-z0-9]*+)*+)[_@-]\d{1,5}"
_MODEL = re.compile(rf"(?P<one>{_MODEL_NAME})(?:{_STEP}(?P<other>{_MODEL_NAME}))?\Z")
_ON_MODEL = re.compile(rf"(?:@|\bon)\s*+(?P<name>{_MODEL_NAME})(?![\w-])")
_MODEL_IN_ID = re.compile(rf"(?<![A-Za-z0-9]){_MODEL_NAME}(?![0-9])")
_HOST = re.compile(rf"{_WORD}\s*+[:=]\s*+(?:host|cpu|meta|n/?a|none|shared|routing|multiple|any)\b", re.I)
_KEYED = re.compile(rf"(?:{_WORD}|[TEDPSC]P[ _]groups?)\s*+:\s*+(?P<text>\S.*)\Z", re.I)
_NODE_GPU = re.compile(
    r"(?P<name>(?:node|host)s?[\s_-]*+(?:[:#]\s*+)?(?:\d++|\[[\d,\s-]++\])[\s,/:._-]*+"
    r"GPUs?[\s_-]*+(?:[:#]\s*+)?\d++(?:\s*+-\s*+\d++)?)",
    re.IGNORECASE,
)
_COORDINATE = re.compile(r"[A-Za-z]*+\d++(?:[_@.][A-Za-z]*+\d*+)*+(?:\s*+[-,]\s*+[A-Za-z]++\d++)*+")
_MESH_RANGE = re.compile(r"\(?(?P<range>[TEDPSC]P[ _]?\d{1,4}\s*+[-–]\s*+(?:[TEDPSC]P[ _]?)?\d{1,4})\)?\Z")
_MESH_ARROW = re.compile(rf"([TEDPSC]P[ _]?\d{{1,4}}){_STEP}([TEDPSC]P[ _]?\d{{1,4}})\Z")
_NUMBER = re.compile(r"\d+")
_SPAN = re.compile(r"(?<!\d)(\d{1,6})\s*+(?:-|–|\.\.|to)\s*+(?:GPU[\s_]*+)?(\d{1,6})", re.I)
_DIMENSIONS = re.compile(r"\[[^\[\]=]*+=|=\s*+(?:\d++\s*+[×x*]\s*+)?\[")
_FILLED = re.compile(r"\[[^\[\]\w]*+\w[^\[\]]*+\]")
_ABOUT = re.compile(r"[ghilntx]pu|cuda|显卡|@|\bon\b|device|rank|group|all|→|->|↔|<->|=>|⇒|from|\AD\d", re.I)


def _numbers(text: str) -> tuple[int, ...]:
    """Every number in a list, those inside its ranges too: ranges that overlap are counted out once."""
    spans = [(int(first), int(last)) for first, last in _SPAN.findall(text)]
    spans = [(low, high) for low, high in spans if low <= high < low + _MOST]
    spans += [(number, number) for number in map(int, _NUMBER.findall(text))]
    found: list[int] = []
    for low, high in sorted(set(spans)):
        found.extend(range(max(low, found[-1] + 1) if found else low, high + 1))
    return tuple(found)


def _without(line: str, start: int, end: int) -> str:
    rest = " ".join(f"{line[:start]} {line[end:]}".split()).strip(" ,;:()")
    return rest if _FILLED.search(rest) else rest.strip(" ,;:()[]")


@lru_cache(maxsize=1 << 14)
def gpus_of_line(line: str) -> Placement | None:
    """The GPUs one line of a label names; None if it names none."""
    if found := _MODEL.match(line) or _MESH_RANGE.match(line):
        return Placement(names=tuple(filter(None, found.groups())))
    if not _ABOUT.search(line) or ("[" in line and _DIMENSIONS.search(line)):
        return None
    if found := _NODE_GPU.search(line) or _ON_MODEL.search(line):
        return Placement(names=(found["name"],), rest=_without(line, *found.span()))
    if arrow := _between(line):
        return arrow
    if (found := _ONE_END.search(line)) and not _is_count(found):
        gpus = _numbers(found["set"])
        if found["end"].lower() in ("to", "destination", "dst"):
            return Placement(to=gpus, rest=_without(line, *found.span()))
        return Placement(gpus, rest=_without(line, *found.span()), leaves=True)
    if found := _EACH.search(line) or next((one for one in _SET.finditer(line) if not _is_count(one)), None):
        return Placement(_numbers(found["set"]), rest=_without(line, *found.span()))
    if found := _RANK.match(line):
        return Placement(_numbers(found["set"]))
    return _vague(line) or _coordinates(line)


def _is_count(found: re.Match[str]) -> bool:
    """Whether a number says how many GPUs there are: ``GPUs: 8``, ``num_gpu=2``, ``GPU: 4 per node``."""
    if not found["set"].isdigit():
        return False
    if is_plural(found["word"]) or _PER.match(found.string, found.end()):
        return True
    return bool(_COUNTED.search(found.string, max(0, found.start() - _LONGEST_COUNTED), found.start()))


def is_plural(word: str) -> bool:
    """Whether a word for GPUs is a plural, before which one plain number is a count; ``gpu_ids`` are numbers."""
    low = word.lower()
    return low.endswith("s") and not low.endswith("ids")


def _between(line: str) -> Placement | None:
    """From which GPUs to which: ``from GPU 0 to GPU 1``, ``GPU 0-1 → 2-3``."""
    if found := _FROM_TO.search(line):
        return Placement(_numbers(found["from"]), _numbers(found["to"]), rest=_without(line, *found.span()))
    for source in _FROM.finditer(line):
        if target := _TO.match(line, source.end()):
            start, end = source.start(), target.end()
            if not _bare_arrow(line, start, end):
                return None
            return Placement(_numbers(source["from"]), _numbers(target["to"]), rest=_without(line, start, end))
    return None


def _vague(line: str) -> Placement | None:
    """All GPUs, or none."""
    if found := _EVERY.search(line):
        number = _NUMBER.search(found[0])
        return Placement(every=True, count=int(number[0]) if number else 0, rest=_without(line, *found.span()))
    if found := _HOST.search(line):
        return Placement(host=True, rest=_without(line, *found.span()))
    return None


def _bare_arrow(line: str, start: int, end: int) -> bool:
    """Whether the numbers at an arrow are GPUs: the line says so, or has nothing else and they are small (``0->1``)."""
    if re.search(r"gpu|device", line, re.I):
        return True
    whole = end - start == len(line)
    return whole and "[" not in line and max(map(int, _NUMBER.findall(line))) < _LIKE_SIZES


def _coordinates(line: str) -> Placement | None:
    if found := _MESH_ARROW.match(line):
        return Placement(names=found.groups())
    keyed = _KEYED.match(line)
    if keyed and (found := _COORDINATE.match(keyed["text"])) and not found[0].isdigit():
        return Placement(names=(found[0],), rest=keyed["text"][found.end() :].strip(" ,()"))
    return None


def join(first: Placement | None, second: Placement | None) -> Placement | None:
    """Two lines of one label together: ``From: GPU 0`` and ``To: GPU 1`` or ``GPU: 1``.

    Of two that say the same, the exact one; of two exact ones, a whole line that holds the other: ``GPU 12`` is one
    of ``GPU: 12-15``.
    """
    if first is None or second is None:
        return first or second
    if first.gpus and second.to and not second.gpus and not first.to:
        return replace(first, to=second.to)
    if first.to and not first.gpus and second.gpus and not second.to:
        return replace(second, to=first.to)
    if first.leaves != second.leaves and first.exact and second.exact and not first.to and not second.to:
        start, end = (first, second) if first.leaves else (second, first)
        return replace(start, to=end.gpus, leaves=False)
    wider = not (first.to or second.to or second.rest) and set(first.gpus) < set(second.gpus)
    if second.exact and (wider or not first.exact):
        return second
    return first


def unite(first: Placement, second: Placement) -> Placement | None:
    """Two lines of one form together, ``GPU 0`` and ``GPU 1``; None where either says more than plain numbers."""
    if not (first.exact and second.exact) or first.to or second.to or first.leaves or second.leaves:
        return None
    return replace(first, gpus=tuple(sorted({*first.gpus, *second.gpus})))


_IN_ID = re.compile(
    r"(?:(?<![A-Za-z])(?:[Gg]pu|GPU|[Nn]pu|NPU|[Tt]pu|TPU|[Dd]evice|[Dd]ev)|(?<=[a-z])G(?:PU|pu))_?(\d{1,6})(?!\d|_\d)"
    r"|(?<![A-Za-z])(?:cuda|CUDA)(?::(\d{1,3})|(\d))(?!\d|_\d)"
)
_MAY_NAME_GPU = ("gpu", "dev", "npu", "tpu", "cuda")


def gpus_of_id(name: str) -> Placement | None:
    """The GPU in an id, ``attn_gpu3`` or ``P100_3_norm``; None if there is none or more than one."""
    low = name.lower()
    if not any(word in low for word in _MAY_NAME_GPU):
        models = set(_MODEL_IN_ID.findall(name))
        return Placement(names=(models.pop(),), source="id") if len(models) == 1 else None
    on_host = "node" in low or "host" in low
    if on_host and (host := _NODE_GPU.search(name)) and not host["name"].replace("_", "").isalnum():
        return Placement(names=(host["name"],), source="id")
    if (span := _RANGE_IN_ID.search(name)) and int(span[1]) <= int(span[2]) < int(span[1]) + _MOST:
        return Placement(tuple(range(int(span[1]), int(span[2]) + 1)), source="id")
    found = {int("".join(numbers)) for numbers in _IN_ID.findall(name)}
    return Placement((found.pop(),), source="id") if len(found) == 1 else None


_RANGE_IN_ID = re.compile(
    r"(?<![A-Za-z])(?:[GgNnTt]pu|[GNT]PU|cuda:|[Dd]ev(?:ice)?)_?(\d{1,6})(?:-|–|\.\.)(?:[Gg]pu)?(\d{1,6})(?!\w)"
)
_CLUSTER = re.compile(r"(?P<word>gpus?|devices?|dev)_?(\d{1,6})(?:_(?:to_)?(\d{1,6}))?\Z", re.IGNORECASE)


def cluster_gpus(name: str, lines: tuple[str, ...]) -> Placement | None:
    """The GPUs of a cluster, by its label or by its name (``cluster_gpu3``)."""
    for line in lines:
        if (found := gpus_of_line(line)) and (found.gpus or found.names):
            return replace(found, source="cluster")
    named = _CLUSTER.search(name)
    if not named or (is_plural(named["word"]) and named[3] is None):
        return None
    first, last = int(named[2]), int(named[3] or named[2])
    return Placement(tuple(range(first, last + 1)), source="cluster") if first <= last < first + _MOST else None


_OF_A_GROUP = re.compile(r"(?:[TEDPSC]P|local|node|virtual|group)[\s_-]?\Z", re.IGNORECASE)
_LOOSE = re.compile(
    rf"(?<![A-Za-z0-9])(?P<word>(?:global[\s_])?ranks?|chips?|cards?|GCDs?)(?:\s*+[:#=_]\s*+|\s*+)(?P<set>{_ITEMS}){_AFTER}(?!{_STEP})",
    re.IGNORECASE,
)
_LETTER = re.compile(r"(?<![A-Za-z0-9])G(\d{1,4})(?![A-Za-z0-9-])")
_LOOSE_IN_ID = re.compile(r"(?:(?<![A-Za-z])[Rr]ank_?|(?<![A-Za-z0-9])G)(\d{1,4})(?![A-Za-z0-9]|_\d)")


def loose_gpus_of_line(line: str) -> Placement | None:
    """The GPUs of a line that calls them ranks, chips, cards or G0; only the whole graph tells whether it does.

    The rank in a group (``TP rank 0``) is no GPU.
    """
    for found in _LOOSE.finditer(line):
        word = found["word"].lower()
        before = found.start()
        if not (is_plural(word) and found["set"].isdigit()) and not _OF_A_GROUP.search(
            line, max(0, before - 9), before
        ):
            return Placement(_numbers(found["set"]))
    letters = {int(number) for number in _LETTER.findall(line)}
    return Placement((letters.pop(),)) if len(letters) == 1 else None


def loose_gpus_of_lines(lines: Iterable[str]) -> Placement | None:
    """The GPUs of the first line that calls them by another name."""
    return next(filter(None, map(loose_gpus_of_line, lines)), None)


def loose_gpus_of_id(name: str) -> Placement | None:
    """The same of an id: ``rank0_qkv``, ``L0_G0_attn``."""
    if "ank" not in name and "G" not in name:
        return None
    matches = list(_LOOSE_IN_ID.finditer(name))
    if any(_OF_A_GROUP.search(name, max(0, found.start() - 9), found.start()) for found in matches):
        return None
    found = {int(match[1]) for match in matches}
    return Placement((found.pop(),), source="id") if len(found) == 1 else None
