"""The report of one deployment, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dagtool.analysis import foreign
from dagtool.analysis.said import AGREES, DIFFERS, UNKNOWN, Compared, compared
from dagtool.analysis.sections.communication import communication_table
from dagtool.analysis.sections.configuration import gpu_table, mesh_table, size_table
from dagtool.analysis.sections.memory import memory_table
from dagtool.analysis.sections.products import Conservation, conservation, product_table
from dagtool.analysis.sections.said import difference_table, said_at_length, said_table
from dagtool.analysis.sections.seconds import term_table
from dagtool.analysis.sections.splits import split_table
from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table, as_markdown
from dagtool.analysis.utilisation import tokens_per_s, utilisation
from dagtool.analysis.validation import checked
from dagtool.analysis.words import bytes_words, time_words
from dagtool.cost.route import route
from dagtool.errors import DagtoolError
from dagtool.escape import code, markdown
from dagtool.model.mesh import format_gpus
from dagtool.report.finding import FileReport
from dagtool.report.outline import outline_lines
from dagtool.report.verdict import plural

__all__ = ["Report", "render_report"]


@dataclass(frozen=True)
class Report:
    """What the template asks for; tables are made when it does."""

    subject: Subject

    @cached_property
    def validation(self) -> FileReport:
        """Findings and checklist."""
        return checked(self.subject)

    @property
    def outline(self) -> list[str]:
        """Describe a file that is no deployment."""
        return outline_lines(self.validation)

    @property
    def symbols(self) -> list[str]:
        """Sizes that are left open."""
        return [symbol for symbol, value in self.subject.dag.sizes.items() if value is None]

    @property
    def sizes(self) -> Table:
        """Sizes by symbol."""
        return size_table(self.subject)

    @property
    def meshes(self) -> Table:
        """Meshes and what lies there."""
        return mesh_table(self.subject)

    @property
    def gpus(self) -> Table:
        """Groups of GPUs."""
        return gpu_table(self.subject) if self.subject.dag.declared else foreign.gpu_table(self.subject)

    @property
    def splits(self) -> Table:
        """Weights, whole and on one GPU."""
        return split_table(self.subject)

    @property
    def products(self) -> Table:
        """Matrix products."""
        return product_table(self.subject)

    @cached_property
    def conservation(self) -> Conservation:
        """FLOPs held against the model's."""
        return conservation(self.subject)

    @property
    def communication(self) -> Table:
        """Collectives and transfers."""
        return communication_table(self.subject)

    @property
    def route(self) -> list[str]:
        """The critical path, layer by layer."""
        return route(self.subject.dag, self.subject.path)

    @property
    def memory(self) -> Table | None:
        """Bytes by group of GPUs; None where a size is a symbol or a type makes no sense."""
        try:
            return memory_table(self.subject)
        except DagtoolError:
            return None

    @property
    def seconds(self) -> Table | None:
        """The terms of the makespan; None without a cluster."""
        return term_table(self.subject, self.subject.priced) if self.subject.priced else None

    @property
    def speed(self) -> Mapping[str, str]:
        """Tokens per second and utilisation, in words; None without a cluster."""
        priced = self.subject.priced
        if priced is None:
            return {}
        tokens = tokens_per_s(self.subject, priced)
        used = utilisation(self.subject, priced)
        return {
            "tokens": "" if tokens is None else f"{tokens:,.0f} tokens/s",
            "used": "" if used is None else f"{100 * used:.1f} %",
        }

    @cached_property
    def said(self) -> list[Compared]:
        """Statements of the documents with their verdicts."""
        return compared(self.subject)

    def said_of(self, document: str) -> Table:
        """The table of one document."""
        return said_table(self._rows(document))

    def at_length(self, document: str) -> list[tuple[str, str, str, str]]:
        """What is too long for it."""
        return said_at_length(self._rows(document))

    def _rows(self, document: str) -> list[Compared]:
        return [row for row in self.said if row.statement.document == document]

    @property
    def documents(self) -> list[str]:
        """The documents that are quoted."""
        return list(dict.fromkeys(row.statement.document for row in self.said))

    @property
    def verdicts(self) -> str:
        """``30 agree, 12 differ, 3 do not follow``."""
        counts = {verdict: sum(row.verdict == verdict for row in self.said) for verdict in (AGREES, DIFFERS, UNKNOWN)}
        open_ = f", {counts[UNKNOWN]} cannot be derived" if counts[UNKNOWN] else ""
        return f"{counts[AGREES]} agree, {counts[DIFFERS]} differ{open_}"

    @property
    def differences(self) -> Table:
        """What the document says beyond numbers."""
        return difference_table(self.subject)

    @property
    def told(self) -> Table:
        """What the labels of a file of other origin tell."""
        return foreign.told_table(self.subject)


def render_report(subject: Subject, templates: str | None = None) -> str:
    """The report. ``templates``: a folder whose templates go in front. Raises DagtoolError."""
    from dagtool.templates import environment, template_errors

    name = "report.j2" if subject.dag.declared else "foreign.j2"
    with template_errors():
        env = environment(templates).overlay(trim_blocks=True, lstrip_blocks=True)
        env.filters = {
            **env.filters,
            "code": code,
            "plain": markdown,
            "table": as_markdown,
            "bytes": bytes_words,
            "gpus": format_gpus,
            "time": time_words,
        }
        template = env.get_template(f"report/{name}", globals={"plural": plural})
        text = template.render(report=Report(subject), subject=subject, dag=subject.dag)
    return _spaced(text)


def _spaced(text: str) -> str:
    """One empty line between paragraphs, none at the end, whatever the template's branches leave."""
    lines: list[str] = []
    fenced = False
    for line in text.strip().split("\n"):
        fenced ^= line.startswith("```")
        if line.strip() or fenced or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
