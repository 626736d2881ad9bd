"""``python -m dagtool``."""

import sys

try:
    from dagtool.cli import main

    status = main()
except KeyboardInterrupt:  # before the command line is there to say so
    status = 130
sys.exit(status)
