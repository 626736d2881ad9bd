"""What stays the same of a finding when lines move and numbers change."""

from __future__ import annotations

import re

from dagtool.report.finding import Finding

__all__ = ["fingerprint"]

_NUMBER = re.compile(r"\d[\d,.]*")


def fingerprint(finding: Finding) -> str:
    """Sixteen hexadecimal digits of code, id template and message without its numbers; not of the line.

    What stands for several nodes has no id: mending the first of them makes it no other finding.
    """
    from hashlib import sha256

    node = finding.node if finding.count == 1 and finding.node is not None else ""
    parts = (finding.code, _NUMBER.sub("#", node), _NUMBER.sub("#", finding.message))
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]
