"""What the rules find in a subject: those of its file, or of the text it would be written as."""

from __future__ import annotations

from dagtool.analysis.subject import Subject
from dagtool.report.finding import FileReport

__all__ = ["checked"]


def checked(subject: Subject) -> FileReport:
    """Every rule of the usual profile, and the checklist."""
    from dagtool.dot.writer import write_dot
    from dagtool.report.checklist import checklist
    from dagtool.validators.engine import check_bytes

    source = subject.dag.source
    text = source.text if source is not None else "".join(write_dot(subject.dag))
    return check_bytes(text.encode("utf-8", "surrogateescape"), subject.name, checklist=checklist)
