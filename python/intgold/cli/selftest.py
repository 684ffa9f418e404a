"""``intgold selftest``."""

from __future__ import annotations

import argparse

from .common import show_progress

HELP = "compare golden and C on random graphs and shipped models"
EXAMPLES = """
  intgold selftest
  intgold selftest --graphs 5000 --images 2000"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--graphs", type=int, default=300, metavar="N", help="random graphs")
    parser.add_argument(
        "--images", type=int, default=200, metavar="N", help="of each shipped model"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..regression import selftest

    progress = show_progress(options)
    ok = selftest.run_selftest(options.graphs, options.images, progress=progress)
    return 0 if ok else 1
