"""Deployments as they are run or were published: generated, validated, proved, and their figures held against a hand's.

Graphs are generated and validated at the sizes of ``shrunk.py``; with DEPLOYMENTS=full in the environment as the files
have them, up to 2,048 GPUs, which takes minutes.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from collections.abc import Iterable
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from deployments.findings import FINDINGS, WRONG
from deployments.hand import HAND
from deployments.shrunk import SHRUNK

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.execute.prove import prove
from dagtool.generators.partition import partition
from dagtool.generators.representatives import represent
from dagtool.generators.settings import apply_settings
from dagtool.generators.strategy import Strategy
from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes

PROFILES = ("minimal", "standard", "strict")
DOCS = Path(__file__).parents[2] / "docs"
FULL = os.environ.get("DEPLOYMENTS") == "full"
FIGURES = {
    "weights": lambda hand: (
        2 * hand.weights + hand.mxfp4_weights * Fraction(17, 32) + hand.fp8_weights * Fraction(128 * 128 + 4, 128 * 128)
    ),
    "cache": lambda hand: 2 * hand.cache,
    "flops": lambda hand: 2 * (hand.products + hand.pairs),
    "kept_flops": lambda hand: 2 * (hand.products + hand.kept_pairs),
    "sent": lambda hand: 2 * hand.sent + hand.fp8_sent * Fraction(128 + 4, 128),
}
"""By name: the figure of a GPU in bytes or FLOPs, from a count by hand."""


def _pages() -> ModuleType:
    """The program that reads the figures off the graphs."""
    spec = importlib.util.spec_from_file_location("deployment_pages", DOCS / "deployments.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = _pages()
NAMES: list[str] = PAGES.names()


@cache
def _figures(name: str) -> Any:
    return PAGES.deployment(name)


def _strategy(name: str, *, shrunk: bool) -> Strategy:
    document = tomllib.loads((PAGES.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for table, keys in SHRUNK[name].items() if shrunk else ():
        document[table] = {**document[table], **keys}
    return apply_settings(name, document, {})


@lru_cache(maxsize=1)
def _text(name: str, *, shrunk: bool) -> bytes:
    return partition(_strategy(name, shrunk=shrunk)).to_dot().encode()


def _marked(check: str, names: Iterable[str] = NAMES) -> list[Any]:
    """Names, those of a check that is known to go wrong marked with the reason."""
    reasons = {name: WRONG.get((name, check), "") for name in names}
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=reason) if reason else ())
        for name, reason in reasons.items()
    ]


def test_every_file_has_its_figures_and_its_small_sizes() -> None:
    assert NAMES == sorted(HAND) == sorted(SHRUNK)
    assert {name for name, _ in WRONG} | FINDINGS.keys() <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_shrunk_deployment_has_every_part_of_the_real_one(name: str) -> None:
    assert _parts(partition(_strategy(name, shrunk=True))) == _parts(represent(_strategy(name, shrunk=False)).dag)


def _parts(dag: Dag) -> set[tuple[str, str, str]]:
    return {(kind.phase, kind.role, kind.op) for kind in dag.kinds}


@pytest.mark.parametrize(
    ("name", "profile"),
    [pytest.param(*case.values, profile, marks=case.marks) for case in _marked("validate") for profile in PROFILES],
)
def test_nothing_is_found_but_what_is_named_here(name: str, profile: str) -> None:
    report = check_bytes(_text(name, shrunk=not FULL), name, select_rules((), (), profile, ()))
    assert [(one.code, one.message) for one in report.findings if one.code not in FINDINGS.get(name, {})] == []
    assert {one.code for one in report.findings} == set(FINDINGS.get(name, {}))


@pytest.mark.parametrize("name", _marked("prove"))
def test_it_is_proved_equal_to_the_unsharded_model(name: str) -> None:
    proof = prove(to_dag(parse(_text(name, shrunk=True))[0]), seeds=(0, 1, 2))
    assert proof.failure is None
    assert 0 < proof.worst_error < 1e-9


@pytest.mark.parametrize("name", _marked("order", ["llama70b_prefill_decode"]))
def test_a_step_waits_for_the_token_of_the_one_before(name: str) -> None:
    dag = partition(_strategy(name, shrunk=True))
    assert {dag.kind(node).phase for node in dag.critical_path().nodes} == {kind.phase for kind in dag.kinds}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_classes_of_gpus_are_those_by_hand(name: str) -> None:
    assert _figures(name).parameters == HAND[name].parameters
    assert [one.gpus for one in _figures(name).classes] == [one.gpus for one in HAND[name].classes]


@pytest.mark.parametrize(
    ("name", "figure"),
    [pytest.param(*case.values, figure, marks=case.marks) for figure in FIGURES for case in _marked(figure)],
)
def test_figures_of_a_gpu_are_those_by_hand(name: str, figure: str) -> None:
    found = [getattr(one, figure) for one in _figures(name).classes]
    assert found == [FIGURES[figure](hand) for hand in HAND[name].classes]


def test_the_page_is_made_of_these_files() -> None:
    # If this fails and the new figures are right: `python3 dev.py docs`.
    text = (DOCS / "deployments.md").read_text(encoding="utf-8")
    assert PAGES.page(text) == text
