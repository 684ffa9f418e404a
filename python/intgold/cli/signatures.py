"""``intgold signatures``."""

from __future__ import annotations

import argparse
import re

from ..errors import IntgoldError
from ..support.file_kinds import SIGNATURES
from .common import show_progress
from .paths import InputPath, OutputOf

HELP = "write the signatures of a vector set, for a chip that cannot dump"
EXAMPLES = """
  intgold signatures vectors --tile 8,28,16 -o golden.txt      a running CRC-32 after each tile
  intgold verify vectors --signatures chip.txt                 some or all of its lines, read out"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("vectors", type=InputPath, help="a vector set")
    parser.add_argument(
        "--tile", required=True, metavar="H,W,C", help="height, width and channels of a tile"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputOf(SIGNATURES),
        required=True,
        metavar="FILE",
        help="text to write (.txt)",
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..verify.signatures import write_signatures

    if not re.fullmatch("[0-9]{1,6}(,[0-9]{1,6}){2}", options.tile):
        raise IntgoldError(f"--tile {options.tile!r}: not height,width,channels such as 8,28,16")
    extents = [int(n) for n in options.tile.split(",")]
    count = write_signatures(
        options.vectors, extents, options.output, progress=show_progress(options)
    )
    print(f"{count} signatures in {options.output}")
    return 0
