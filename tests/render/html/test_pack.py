"""Numbers survive being packed. The decoder here follows the description in the module, as that in JavaScript does."""

from __future__ import annotations

import base64
import json
import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from dagtool.render.html.pack import pack

INTEGERS = st.lists(st.integers(-(2**30), 2**30 - 1), max_size=50)


def unpack(text: str) -> tuple[dict[str, object], dict[str, list[float]]]:
    data = zlib.decompress(base64.b64decode(text))
    (length,) = struct.unpack("<I", data[:4])
    header = json.loads(data[4 : 4 + length])
    at, found = 4 + length, {}
    for name, kind, count in header["columns"]:
        if kind == "d":
            found[name] = list(struct.unpack(f"<{count}d", data[at : at + 8 * count]))
            at += 8 * count
            continue
        last, values = 0, []
        for index in range(count):
            coded = sum(data[at + plane * count + index] << 8 * plane for plane in range(4))
            last += (coded >> 1) ^ -(coded & 1)
            values.append(last)
        found[name] = values
        at += 4 * count
    assert at == len(data)
    return header, found


@given(INTEGERS, INTEGERS, st.lists(st.floats(allow_nan=False), max_size=20))
def test_what_goes_in_comes_out(first, second, floats):
    header, found = unpack(pack({"title": "é\ud800<"}, {"a": first, "b": second}, {"c": floats}))
    assert header["title"] == "é\ud800<"
    assert found == {"a": first, "b": second, "c": floats}


def test_the_text_is_fit_for_html():
    text = pack({"x": "</script><!--"}, {"a": [1, 2, 3]}, {})
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_regular_columns_take_next_to_nothing():
    assert len(pack({}, {"a": list(range(100_000)), "b": [7] * 100_000}, {})) < 2500
