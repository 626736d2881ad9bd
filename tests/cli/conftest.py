"""Calls of the real program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def dagtool() -> Call:
    def call(*arguments: object, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "DAGTOOL_DEBUG")}
        done = subprocess.run(
            [sys.executable, "-m", "dagtool", *map(str, arguments)],
            input=b"" if stdin is None else stdin,
            capture_output=True,
            env={**env, "PYTHONUTF8": "1", **environment},
            timeout=60,
            check=False,
        )
        texts = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return subprocess.CompletedProcess(done.args, done.returncode, *texts)

    return call


def treat_as_deployments(call: Call) -> Call:
    """Calls in which ``validate`` takes graphs for deployments that are too small to be seen as such."""

    def validate(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        insist = ("--treat-as", "deployment") if arguments[:1] == ("validate",) else ()
        return call(*arguments[:1], *insist, *arguments[1:], **options)

    return validate
