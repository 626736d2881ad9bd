"""From arguments to an exit status, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import signal
import sys

import click

from dagtool.cli._group import cli
from dagtool.cli._overview import command_names
from dagtool.cli._pipe import ClosedPipeError, close_quietly
from dagtool.errors import DagtoolError
from dagtool.escape import as_lines

__all__ = ["run"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_INTERNAL_ERROR = 3
_TERMINATED = 143
_INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run a command. Its return value is the status, None counts as 0."""
    _prepare()
    # So that a file half written is cleaned away also when the system asks us to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        status = cli.main(arguments, prog_name="dagtool", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return _INTERRUPTED
    except click.ClickException as error:
        return _usage(error, arguments)
    except DagtoolError as error:
        return max(_say(one.message, one.hint, one.exit_code) for one in error.errors)
    except (ClosedPipeError, BrokenPipeError):
        close_quietly()
        return 0
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            close_quietly()
            return _say(f"standard output cannot be written: {error.strerror}", "", 2)
        return _unexpected(error)
    except Exception as error:
        return _unexpected(error)
    return int(status or 0)


def _prepare() -> None:
    """Make the streams write any text, and shells complete files."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a letter the terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    if "_DAGTOOL_COMPLETE" in os.environ:
        from dagtool.cli._complete_files import complete_files

        complete_files()


def _unexpected(error: Exception) -> int:
    """The last resort: one line, and a way to see more."""
    if os.environ.get("DAGTOOL_DEBUG"):
        raise error
    return _say(f"internal error: {_one_line(error)}", "DAGTOOL_DEBUG=1 shows the traceback", _INTERNAL_ERROR)


def _usage(error: click.ClickException, arguments: list[str]) -> int:
    """What click found wrong with the call; of some mistakes it does not say in which command."""
    ctx = getattr(error, "ctx", None)
    named = [one for one in arguments[:1] if one in command_names()]
    path = ctx.command_path if ctx is not None else " ".join(["dagtool", *named])
    return _say(error.format_message().rstrip("."), f"'{path} --help' shows how it is called", 2)


def _say(message: str, hint: str, status: int) -> int:
    lines = [f"error: {message}", *([f"hint: {hint}"] if hint else [])]
    sys.stderr.write(as_lines(lines) + "\n")
    return status


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
