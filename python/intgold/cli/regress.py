"""``intgold regress``."""

from __future__ import annotations

import argparse
from pathlib import Path

from .common import add_isa, show_progress
from .paths import OutputFolder

HELP = "compare both engines over 10,000 images, and write vectors of the shipped models"
EXAMPLES = """
  intgold regress -o out/golden             what `make golden` runs
  intgold regress --count 1000 -o out/golden

The vector sets hold 64 images each, whatever --count is."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFolder,
        default="out/golden",
        metavar="DIR",
        help="folder to write",
    )
    parser.add_argument(
        "--count",
        type=int,
        default=10_000,
        metavar="N",
        help="number of images compared, of each stimulus",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the built-in stimulus")
    add_isa(parser)


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..regression.selftest import golden_job

    equal = golden_job(
        Path(options.output),
        options.count,
        seed=options.seed,
        progress=show_progress(options),
        isa=options.isa,
    )
    return 0 if equal else 1
