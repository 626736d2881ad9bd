"""What a graph that declares no operators means: a guess whose facts say where they are from. See docs/labels.md."""

from dagtool.foreign.facts import NodeFacts as NodeFacts
from dagtool.foreign.guess import Guess as Guess
from dagtool.foreign.guess import guess as guess
