"""The command ``intgold``, and ``python -m intgold``."""

from __future__ import annotations

import os
import sys

from .support.interrupts import default, end_at_once


def main() -> int:
    """Run the command line; return the exit status."""
    end_at_once()  # from here on, NumPy and all the rest not being loaded
    from .cli import main as run

    status = run()
    default()
    if status > 128:  # stopped: threads may still be at work, and are not waited for
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
