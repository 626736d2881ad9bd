"""Subjects of the presets, made once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from dagtool.analysis.subject import Priced, Subject
from dagtool.cost.schedule import schedule
from dagtool.cost.seconds import node_seconds
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.model.cluster import cluster


@cache
def _subject(name: str, settings: tuple[tuple[str, str], ...]) -> Subject:
    strategy = find_strategy(name, dict(settings))
    return Subject(name, partition(strategy), strategy, dict(settings))


@cache
def _priced(name: str, where: str) -> Subject:
    found = _subject(name, ())
    built = cluster(where)
    times = node_seconds(found.dag, built)
    return replace(found, priced=Priced(built, "bf16", times, schedule(found.dag, times.time_s)))


@pytest.fixture(scope="session")
def subject():
    """A preset by name, with settings."""
    return lambda name, **settings: _subject(name, tuple(sorted(settings.items())))


@pytest.fixture(scope="session")
def priced():
    """A preset on a cluster."""
    return lambda name, where="8xh100x8": _priced(name, where)
