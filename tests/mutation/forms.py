"""The forms in which a damaged file is judged: as it is, without parts of its header, and disguised."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from zlib import crc32

from mutation.draft import Draft
from mutation.operators import harmless

__all__ = ["FORMS", "HEADER_CODES", "WHOLE", "Form", "forms_of"]

HEADER_CODES = frozenset(["DIM225", "MOD705"])
"""What is said of a header of which a part is lost, and so of every file in such a form."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is done to a damaged file before the rules are asked. What is harm does not depend on it."""

    name: str
    lost: str = ""
    """The attribute of the graph that is taken away."""
    disguised: bool = False
    """Whether all ids are renamed, all statements shuffled, and the labels taken away."""
    wanted: float = 0.995
    """The share of harmful mutants that must be reported."""

    def of(self, draft: Draft, rng: Random) -> Draft:
        """A draft of its own in this form."""
        made = draft.copy()
        made.header.pop(self.lost, None)
        if self.disguised:
            harmless.labels_removed(made, rng)
            harmless.ids_renamed(made, rng)
            harmless.statements_shuffled(made, rng)
            harmless.edges_shuffled(made, rng)
        return made


WHOLE = Form("header whole")
FORMS = (
    WHOLE,
    Form("without model", "model", wanted=0.95),
    Form("without dagtool=1", "dagtool", wanted=0.9),
    Form("disguised, header whole", disguised=True),
    Form("disguised, without model", "model", disguised=True, wanted=0.95),
    Form("disguised, without dagtool=1", "dagtool", disguised=True, wanted=0.9),
)
_ONE_OF = 4


def forms_of(text: str) -> list[Form]:
    """Choose the forms in which a mutant is judged: one in four in all of them, the others undisguised."""
    return [form for form in FORMS if not form.disguised or crc32(text.encode()) % _ONE_OF == 0]
