"""Labels of files that declare nothing, read as typed facts. See docs/labels.md."""

from dagtool.dot.labels.facts import Labels as Labels
from dagtool.dot.labels.facts import NodeFacts as NodeFacts
