"""The command line: one module per command, found by name; nothing else prints.

Only what a call needs is imported. The overview (``dagtool --help``) does without click, which costs more
than all the rest of it.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status. Never raises, never shows a traceback unasked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from dagtool.cli._pipe import open_closed_streams

        open_closed_streams()
    try:
        if arguments in (["--help"], ["-h"]):
            from dagtool.cli._overview import overview

            sys.stdout.write(overview())
            sys.stdout.flush()
            return 0
        from dagtool.cli._run import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        from dagtool.cli._pipe import close_quietly

        close_quietly()
        return 0
    except OSError as error:  # only the overview's own writing comes here
        from dagtool.cli._pipe import close_quietly

        close_quietly()
        sys.stderr.write(f"error: standard output cannot be written: {error.strerror}\n")
        return 2
