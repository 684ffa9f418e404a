"""``intgold locate``."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict

from ..errors import IntgoldError
from ..support.safe_files import canonical_json
from ..support.text_table import columns
from .paths import InputPath

HELP = "find a value of a vector set in its files, or what lies at a line or an address"
EXAMPLES = """
  intgold locate vectors outputs/conv1 3,14,15,2        image 3, y 14, x 15, channel 2
  intgold locate vectors parameters/conv1.weights 7,0,2,0
  intgold locate vectors outputs/conv1.hex:1000          a line (of bin: a byte offset)
  intgold locate vectors outputs/conv1@3e8               an address of the memory, hexadecimal
  intgold locate vectors outputs/conv1.bank2@fa          an address in its bank"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("vectors", type=InputPath, help="a vector set")
    parser.add_argument(
        "what", help="ARRAY with a coordinate, FILE:LINE, ARRAY@ADDRESS or ARRAY.bankK@ADDRESS"
    )
    # A negative number is a coordinate that is refused, no option.
    parser._negative_number_matcher = re.compile(r"-[0-9][0-9,-]*$")
    parser.add_argument("coordinate", nargs="?", help="image,y,x,channel (of a parameter: its own)")
    parser.add_argument("--json", action="store_true", help="for programs")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..verify.locate import at_place, locate

    if options.coordinate is None:
        spots = at_place(options.vectors, options.what)
    else:
        words = options.coordinate.split(",")
        if not all(re.fullmatch("[0-9]{1,11}", word) for word in words):
            raise IntgoldError(f"coordinate {options.coordinate!r}: not numbers such as 3,14,15,2")
        spots = locate(options.vectors, options.what, [int(word) for word in words])
    if options.json:
        print(canonical_json([asdict(spot) for spot in spots]).decode(), end="")
        return 0
    of_file = ("array", "coordinate", "value", "file", "place", "word")
    head = (*of_file, "address", "bank", "in bank", "lane")
    rows = [head]
    for s in spots:
        at = ",".join(map(str, s.coordinate))
        rows.append(
            (
                s.array, at, str(s.value), s.file, s.place, str(s.word), f"0x{s.address:x}",
                str(s.bank), f"0x{s.bank_address:x}", str(s.lane),
            )
        )  # fmt: skip
    print("\n".join(columns(rows, left=range(len(head)))))
    return 0
