"""What is known about a deployment: findings that are right, and checks that go wrong."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FINDINGS", "WRONG"]

FINDINGS: Mapping[str, Mapping[str, str]] = {}
"""By deployment: the codes that ``validate`` finds, each with the reason why the plan has it."""

WRONG: Mapping[tuple[str, str], str] = {}
"""By deployment and check: why dagtool is wrong there. A check that goes right again fails here, as it is marked."""
