"""A KV cache is read before it is written.

What: a node that reads or loads the KV cache to which no node that writes, stores, updates or appends to it leads, in a graph that has both.

Why: a decoding step attends to the keys and values of all tokens before it and of its own; read first, it misses its own or gets stale ones.

Fix: lead the write to the read. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH611",
    "cache-read-first",
    Severity.INFO,
    "a KV cache is read before it is written",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph { input -> kv_cache_read -> attention -> kv_cache_write -> output }
"""
GOOD = r"""digraph { input -> kv_cache_write -> kv_cache_read -> attention -> output }
"""

_CACHE = re.compile(r"kv[-_ ]?cache|cache[-_ ]?kv|key[-_ ]?value[-_ ]?cache", re.IGNORECASE)
_READ = re.compile(r"read|load|fetch|lookup|retriev", re.IGNORECASE)
_WRITE = re.compile(r"writ|stor|updat|append|sav", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """All such reads as one finding."""
    named = ctx.reading.named
    caches, writing = named(_CACHE), set(named(_WRITE))
    only_reading = set(named(_READ)) - writing
    writes = [node for node in caches if node in writing]
    reads = [node for node in caches if node in only_reading]
    if not writes or not reads:
        return
    written, waiting = set(writes), list(writes)
    while waiting:
        for other in ctx.after.of(waiting.pop()):
            if other not in written:
                written.add(other)
                waiting.append(other)
    early = [node for node in reads if node not in written]
    yield from ctx.about_nodes(
        RULE, early, "reads the KV cache, and no write leads to it", "read the KV cache, and no write leads to them",
        help="lead the write to the read", limit=4,
    )  # fmt: skip
