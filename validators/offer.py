"""From the fix a rule proposes, in code points of the text, to the one a finding carries, in bytes of the file."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from dagtool.report.fix import Edit, Fix, Proposal

if TYPE_CHECKING:
    from dagtool.dot.encoded import Encoded

__all__ = ["Offers"]


class Offers:
    """Makes fixes for one file; ``whole`` works out every edit and not only whether there is one."""

    def __init__(self, encoded: Encoded, *, whole: bool) -> None:
        self._encoded = encoded
        self._whole = whole

    def fix(self, proposal: Proposal | None) -> Fix | None:
        """None where there is nothing to edit."""
        if proposal is None:
            return None
        drafts = dict.fromkeys(islice(proposal.edits, None if self._whole else 1))
        if not drafts:
            return None
        return Fix(
            proposal.title,
            proposal.applicability,
            tuple(self._edit(*draft) for draft in sorted(drafts)),
            proposal.changes,
            proposal.removed_nodes,
            proposal.removed_edges,
        )

    def _edit(self, start: int, stop: int, text: str) -> Edit:
        first, last = self._encoded.lines.position(start), self._encoded.lines.position(stop)
        byte = self._encoded.byte
        lines = text.replace("\n", self._encoded.newline)
        return Edit(byte(start), byte(stop), lines, *first, *last)
