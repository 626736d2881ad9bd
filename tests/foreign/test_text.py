from __future__ import annotations

import pytest

from dagtool.dot import Html
from dagtool.foreign.text import label_lines


@pytest.mark.parametrize(
    ("label", "shape", "lines"),
    [
        (r"Q Linear\nInput: [1]\lGPU: 0\r", "", ("Q Linear", "Input: [1]", "GPU: 0")),
        ("A\nB\r\nC", "", ("A", "B", "C")),
        (r"A\\nB", "", ("A", "B")),
        (Html("<b>Expert MLP</b><br/>GPU: 0<BR ALIGN='left'/>x &amp; y"), "", ("Expert MLP", "GPU: 0", "x & y")),
        (Html("<table><tr><td>a</td><td>b</td></tr></table>"), "", ("a", "b")),
        ("<b>Gate</b><br/>GPU: 1", "", ("Gate", "GPU: 1")),
        ("{A|{<p> B|C\\|D}}", "record", ("A", "B", "C|D")),
        ("A|B", "box", ("A|B",)),
        ("a -&gt; b", "", ("a -> b",)),
        ("  \\n\\n ", "", ()),
        ("x < 3 and y > 2", "", ("x < 3 and y > 2",)),
    ],
)
def test_lines(label: str, shape: str, lines: tuple[str, ...]) -> None:
    assert label_lines(label, shape) == lines
