"""``python -m dagtool``."""

import sys

from dagtool.cli import main

sys.exit(main())
