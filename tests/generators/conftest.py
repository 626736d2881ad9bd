"""The eight documented systems, generated once."""

from functools import cache

import pytest

from dagtool.dag.graph import Dag
from dagtool.generators import generate

SYSTEMS = [
    "ma_separation", "tp8", "pp2", "dense_tp8_pp2", "ep16_tp4", "moe_tp8_pp2", "ep16", "ma_separation B=B",
]  # fmt: skip


@cache
def system(text: str) -> Dag:
    """``name K=V …`` generated."""
    name, *settings = text.split()
    return generate(name, dict(one.split("=") for one in settings))


@pytest.fixture(params=SYSTEMS)
def documented(request: pytest.FixtureRequest) -> tuple[str, Dag]:
    """One of the eight: what it is called here, and its DAG."""
    return request.param, system(request.param)


@pytest.fixture
def load():
    """Generate by ``name K=V …``, once per text."""
    return system
