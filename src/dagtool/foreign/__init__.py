"""Labels of files that declare nothing, read as typed facts. See docs/labels.md."""

from dagtool.foreign.facts import Labels as Labels
from dagtool.foreign.facts import NodeFacts as NodeFacts
