"""Axes with collectives in every layer that leave a host while data parallel ones do not."""

import pytest

from dagtool.cost.hosts import find_crossing
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings
from dagtool.model.cluster import cluster

SIZES = {"B": 64, "S": 16, "H": 32, "N": 16, "D": 8, "F": 64, "V": 128, "L": 2}


def warned(where, *, order=("dp", "tp"), dp=2, tp=8, stream="B/dp", **degrees):
    """What is said of data parallel times tensor parallel in an order of axes."""
    document = {
        "sizes": SIZES,
        "degrees": {"dp": dp, "tp": tp, **degrees},
        "mesh": {"all": list(order)},
        "layout": {"stream": stream, "attention": "B/dp N/tp", "mlp": "B/dp F/tp", "head": "B/dp V/tp"},
    }
    return find_crossing(partition(apply_settings("mine", document, {})), cluster(where))


@pytest.mark.parametrize(
    ("where", "document", "expected"),
    [
        ("2xh100x8", {}, False),
        ("2xh100x8", {"order": ("tp", "dp")}, True),
        ("1xh100x16", {"order": ("tp", "dp")}, False),
        ("4xh100x8", {"tp": 16}, False),
        ("4xh100x8", {"tp": 16, "order": ("tp", "dp")}, True),
        ("2xh100x8", {"order": ("tp", "dp"), "stream": "B/dp S/tp"}, True),
        ("4xh100x8", {"order": ("tp", "dp"), "pp": 2}, True),
        ("4xh100x4", {}, False),
        ("3xh100x6", {}, False),
    ],
)
def test_said_where_another_order_would_keep_them_inside(where, document, expected):
    """Not where both or neither cross."""
    warning = warned(where, **document)
    assert bool(warning) == expected
    if expected:
        assert "groups along tp, with collectives in every layer, lie on several hosts" in warning
        assert "along dp on one" in warning
        assert "put tp last in [mesh]" in warning
