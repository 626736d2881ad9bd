"""Small graphs that are checked as deployments, though too little stands in them for the tool to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dagtool.report.finding import FileReport
from dagtool.validators.engine import check_bytes
from dagtool.validators.rule import LoadedRule
from dagtool.validators.wishes import DEPLOYMENT, Wishes

__all__ = ["check_deployment"]


def check_deployment(
    data: bytes,
    path: str = "",
    rules: Sequence[LoadedRule] | None = None,
    *,
    wishes: Wishes | None = None,
    **options: Any,
) -> FileReport:
    """Check a text as ``dagtool validate --treat-as deployment`` does."""
    return check_bytes(data, path, rules, wishes=replace(wishes or Wishes(), treat_as=DEPLOYMENT), **options)
