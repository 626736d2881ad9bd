"""The sequence is cut while decoding.

What: a node of a decoding graph (named decode, or in a graph so named) that says sequence parallel or ring attention, or has a rank `sp1`.

Why: a decoding step has one new token for each sequence: there is no sequence to cut, and the exchange costs more than it saves. Sequence parallelism belongs to prefill.

Fix: cut heads or the batch while decoding. Names tell, so this is a hint. Only files that declare no operators are asked.
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
    "SCH613",
    "sequence-parallel-decode",
    Severity.INFO,
    "the sequence is cut while decoding",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph decode { input -> ring_attention_gpu0 -> output }
"""
GOOD = r"""digraph prefill { input -> ring_attention_gpu0 -> output }
"""

_CUT = re.compile(r"sequence[-_ ]?parallel|ring[-_ ]?attention|(?<![a-z])sp[-_=]?\d", re.IGNORECASE)
_WORD = re.compile(r"decod", re.IGNORECASE)
_OTHER = re.compile(r"prefill|encod", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    stem = ctx.path.replace("\\", "/").rpartition("/")[2]
    name = f"{stem} {ctx.graph.name if ctx.graph else ''}"
    whole = bool(_WORD.search(name)) and not _OTHER.search(name)
    named = ctx.reading.named
    other, decoding = set(named(_OTHER)), set(named(_WORD))
    cut = [node for node in named(_CUT) if node not in other and (whole or node in decoding)]
    text = "the sequence though it decodes, one token at a time"
    yield from ctx.about_nodes(RULE, cut, f"cuts {text}", f"cut {text.replace('it decodes', 'they decode')}", limit=4)
