"""``intgold merge``."""

from __future__ import annotations

import argparse

from .common import print_summary, show_progress
from .paths import InputPath, OutputFolder

HELP = "join the shards of a vector set"
EXAMPLES = """
  intgold vectors lut --count 1000 --shards 2 --shard 0 -o part0     (and 1 into part1, then)
  intgold merge part0 part1 -o vectors"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shards", nargs="+", type=InputPath, metavar="DIR", help="all of one set")
    parser.add_argument(
        "-o", "--output", type=OutputFolder, required=True, metavar="DIR",
        help="folder to write; an unchanged set that is there is replaced, anything else refused",
    )  # fmt: skip


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.sets.generate import merge_sets

    print_summary(
        merge_sets(options.shards, options.output, progress=show_progress(options)), options
    )
    return 0
