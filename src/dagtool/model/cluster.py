"""Clusters: GPUs, how many of them share fast links, and what links the rest.

``cluster("2xh100x8")`` is two nodes of eight H100; a TOML file may say more::

    gpu = "h100"
    nodes = 2
    gpus_per_node = 8
    [between]
    bytes_per_s_one_way = 25e9

A *node* is the set of GPUs that reach each other over the fast link (for an NVL72 rack all 72).
Bandwidths are bytes per second, one way, per GPU; memory is bytes: GB or GiB is decided in the files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache

from dagtool.documents import parse_toml
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.files import read_bytes
from dagtool.model.gpus import gpu_file_names, gpu_path

__all__ = ["Cluster", "Gpu", "Link", "cluster", "find_gpu", "gpu_names"]


@dataclass(frozen=True, slots=True)
class Link:
    """What joins GPUs: one GPU's share, in one direction."""

    name: str
    bytes_per_s_one_way: float
    latency_s: float | None = None
    """Of one message from one GPU to another; None where it is fitted with the collectives."""
    in_network_reduction: bool = False
    """Whether switches add up (NVLS): an all-reduce then sends its buffer about once."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """Vendor facts. ``flops_per_s``: dense peak by data type, multiplications and additions both counted."""

    name: str
    memory_bytes: int
    memory_bytes_per_s: float
    flops_per_s: Mapping[str, float] = field(hash=False)
    inside: Link
    between: Link
    gpus_per_node: int = 8
    multiprocessors: int = 108
    """Streaming multiprocessors or compute units: how many tiles of a product run at a time."""
    short: str = ""
    """The name of its file."""
    measured_as: str = ""
    """The GPU whose measurements hold for it too, where it has none of its own: the same chip in another package."""
    aliases: tuple[str, ...] = field(default=(), repr=False)

    def peak_flops_per_s(self, dtype: str) -> float:
        """Dense peak. Raises DagtoolError for a data type its tensor cores do not have."""
        if dtype not in self.flops_per_s:
            near = did_you_mean(dtype, list(self.flops_per_s))
            known = f"known for {self.short}: {', '.join(self.flops_per_s)}"
            raise DagtoolError(f"{self.name} has no peak for {dtype!r}", f"{near} {known}".strip())
        return self.flops_per_s[dtype]


@dataclass(frozen=True, slots=True)
class Cluster:
    """``nodes`` times ``gpus_per_node`` equal GPUs; GPU number g stands in node g // gpus_per_node."""

    gpu: Gpu
    gpus_per_node: int
    nodes: int
    inside: Link
    between: Link

    @property
    def gpus(self) -> int:
        """GPUs in all."""
        return self.nodes * self.gpus_per_node

    def node_of(self, gpu: int) -> int:
        """The node in which a GPU stands."""
        return gpu // self.gpus_per_node

    def require(self, last: int) -> None:
        """Raises DagtoolError where GPU ``last``, the highest number of a deployment, is not in the cluster."""
        if last >= self.gpus:
            each = self.gpus_per_node
            raise DagtoolError(
                f"the deployment has GPU {last}, but {self} has GPUs 0 to {self.gpus - 1}",
                f"--cluster {-(-(last + 1) // each)}x{self.gpu.short}x{each} has enough",
            )

    def __str__(self) -> str:
        return f"{self.nodes}x{self.gpu.short}x{self.gpus_per_node}"


def gpu_names() -> list[str]:
    """Short names of every GPU."""
    return gpu_file_names()


_PARENTHESES = re.compile(r"\([^()]*+\)")
_BEHIND = re.compile(r"(?<!\s)\s*+\+.*|(?<!\s)\s++(?:x\d++|node)\s*+$", re.IGNORECASE)
_MAKE = {"nvidia", "amd", "instinct", "geforce", "sxm", "sxm4", "sxm5", "hgx", "dgx"}
"""Words around a name that say nothing about which GPU it is. PCIe and NVL are not among them: those are others."""


def _plain(name: str) -> str:
    text = _BEHIND.sub("", _PARENTHESES.sub(" ", name)).lower()
    return "".join(word for word in re.split(r"[\s_\-]+", text) if word not in _MAKE)


@cache
def _known() -> dict[str, str]:
    """Every spelling to the file that describes the GPU."""
    spellings = {}
    for short in gpu_file_names():
        gpu = _read_gpu(short)
        for name in (short, gpu.name, *gpu.aliases):
            spellings[_plain(name)] = short
    return spellings


def find_gpu(name: str) -> Gpu:
    """A GPU by name, however spelt: ``h100``, ``H100-80GB-SXM (DGX)``, ``h100_sxm``. Raises DagtoolError."""
    short = _known().get(_plain(name))
    if short is None:
        near = did_you_mean(_plain(name), gpu_names())
        raise DagtoolError(f"no GPU {name!r} is known", near or f"known: {', '.join(gpu_names())}")
    return _read_gpu(short)


@cache
def _read_gpu(short: str) -> Gpu:
    with open(gpu_path(short), "rb") as file:
        facts = tomllib.load(file)
    inside, between = Link(**facts.pop("inside")), Link(**facts.pop("between"))
    aliases = tuple(facts.pop("aliases"))
    return Gpu(**facts, short=short, aliases=aliases, inside=inside, between=between)


_TEXT = re.compile(r"(?:(?P<nodes>[0-9]+)x)?(?P<rest>.+)\Z", re.IGNORECASE)
_WITH_NUMBER = re.compile(r"(?P<gpu>.+)x(?P<each>[0-9]+)\Z", re.IGNORECASE)
_NUMBER = re.compile(r"[1-9][0-9]{0,6}\Z")
_FORM = "write NODESxGPUxGPUS, as in 2xh100x8, or FILE.toml"


def cluster(text: str) -> Cluster:
    """``2xh100x8``, ``h100x8``, ``h100`` (one usual node), or a TOML file. Raises DagtoolError."""
    if text.endswith(".toml"):
        return _from_file(text)
    match = _TEXT.match(text.strip())
    if match is None:
        raise DagtoolError(f"cannot read {text!r} as a cluster", _FORM)
    name, each = match["rest"], None
    # The x of a name is none of ours: RTX4090 is one GPU, not 4090 of a kind.
    if _plain(name) not in _known() and (numbered := _WITH_NUMBER.match(name)):
        name, each = numbered["gpu"], numbered["each"]
    gpu = find_gpu(name)
    return _built(gpu, _number(text, match["nodes"], 1), _number(text, each, gpu.gpus_per_node))


def _number(text: str, number: str | None, usual: int) -> int:
    if number is not None and not _NUMBER.match(number):
        raise DagtoolError(f"cluster {text!r}: {number} is no number from 1 to 9,999,999", _FORM)
    return int(number or usual)


def _built(gpu: Gpu, nodes: int, each: int) -> Cluster:
    return Cluster(gpu, each, nodes, gpu.inside, gpu.between)


_KEYS = ("gpu", "nodes", "gpus_per_node", "inside", "between")


def _from_file(path: str) -> Cluster:
    found, _ = parse_toml(read_bytes(path), path)
    _require_known(path, found, _KEYS)
    if not isinstance(found.get("gpu"), str):
        raise DagtoolError(f"{path}: 'gpu' is missing", f"known: {', '.join(gpu_names())}")
    gpu = find_gpu(found["gpu"])
    nodes = _count(path, found, "nodes", 1)
    each = _count(path, found, "gpus_per_node", gpu.gpus_per_node)
    built = _built(gpu, nodes, each)
    inside, between = (_link(path, key, found.get(key, {}), getattr(gpu, key)) for key in ("inside", "between"))
    return replace(built, inside=inside, between=between)


def _require_known(path: str, found: Mapping[str, object], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            raise DagtoolError(
                f"{path}: unknown key {key!r}", did_you_mean(key, list(known)) or f"known: {', '.join(known)}"
            )


def _count(path: str, found: Mapping[str, object], key: str, usual: int) -> int:
    value = found.get(key, usual)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DagtoolError(f"{path}: {key} is {value!r}, which is no number of at least 1")
    return value


_SLOWEST, _FASTEST = 1e8, 2e13
"""Bytes per second beyond which a link's figure is in another unit: Gb/s, GB/s."""
_LONGEST_LATENCY_S = 0.1
"""Once around the world; above it a figure is in microseconds."""


def _link(path: str, key: str, found: object, usual: Link) -> Link:
    if not isinstance(found, dict):
        raise DagtoolError(f"{path}: {key} is {found!r}, not a table", f"write [{key}] and its keys below")
    known = tuple(one.name for one in fields(Link))
    _require_known(f"{path}: [{key}]", found, known)
    link = replace(usual, **found)
    speed = link.bytes_per_s_one_way
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not _SLOWEST <= speed <= _FASTEST:
        raise DagtoolError(
            f"{path}: [{key}] bytes_per_s_one_way is {speed!r}",
            "it is in bytes per second, one way, per GPU: 400 Gb/s is 50e9",
        )
    if not isinstance(link.in_network_reduction, bool) or not isinstance(link.name, str):
        raise DagtoolError(f"{path}: [{key}] name is a text and in_network_reduction true or false")
    _require_latency(path, key, found)
    return link


def _require_latency(path: str, key: str, found: Mapping[str, object]) -> None:
    if "latency_s" not in found:
        return
    latency = found["latency_s"]
    if key == "inside":
        raise DagtoolError(
            f"{path}: [inside] latency_s has no effect: inside a node latencies are fitted with the collectives",
            "leave it out; [between] takes one",
        )
    if isinstance(latency, bool) or not isinstance(latency, int | float) or not 0 <= latency <= _LONGEST_LATENCY_S:
        raise DagtoolError(f"{path}: [{key}] latency_s is {latency!r}", "it is in seconds: 10e-6")
