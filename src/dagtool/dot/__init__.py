"""Read the DOT language exactly as the Graphviz C library does."""

from dagtool.dot.errors import DotSyntaxError as DotSyntaxError
from dagtool.dot.graph import DotGraph as DotGraph
from dagtool.dot.graph import Subgraph as Subgraph
from dagtool.dot.position import Position as Position
from dagtool.dot.reader import decode as decode
from dagtool.dot.reader import parse as parse
from dagtool.dot.values import Html as Html
