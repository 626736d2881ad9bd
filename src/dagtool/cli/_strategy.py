"""The options of every command that takes a preset, a strategy file or a strategy in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from dagtool.cli._complete import complete_models

__all__ = ["MODEL_GROUP", "strategy_options"]

MODEL_GROUP = {"The model and its run": "model phase batch seq context set"}
"""For commands whose help has groups."""

_COUNT = click.IntRange(1, 10**12)


def strategy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--model``, ``--phase``, ``--batch``, ``--seq``, ``--context`` and ``--set``, given as one ``request``."""

    @wraps(command)
    def wrapped(
        *args: Any,
        model: str,
        phase: str,
        batch: int | None,
        seq: int | None,
        context: int | None,
        settings: tuple[str, ...],
        **options: Any,
    ) -> Any:
        from dagtool.generators.plans.document import Run
        from dagtool.generators.request import Request
        from dagtool.generators.settings import parse_settings

        run = Run(phase, batch, seq, context)
        return command(*args, request=Request(parse_settings(settings), model, run), **options)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_OPTIONS = (
    click.option(
        "--model",
        default="",
        metavar="CONFIG|FOLDER|NAME",
        shell_complete=complete_models,
        help="The model of words like tp8_sp: its config.json, a folder with one, or a name of 'dagtool list models'.",
    ),
    click.option(
        "--phase",
        default="",
        metavar="PHASE",
        help="What is run: prefill, decode, forward, loss, or 'prefill decode*3'.  [default: prefill, or as the file]",
    ),
    click.option("--batch", type=_COUNT, metavar="B", help="Sequences of the whole deployment, all replicas together."),
    click.option("--seq", type=_COUNT, metavar="S", help="New tokens of each sequence: of its prompt; 1 in decode."),
    click.option("--context", type=_COUNT, metavar="T", help="Tokens of each sequence in the cache (decode)."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="K=V",
        help="Change a size or degree (L=64), or keep a size a symbol (B=B).",
    ),
)
