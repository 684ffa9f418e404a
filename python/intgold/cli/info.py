"""``intgold info``."""

from __future__ import annotations

import argparse
import json

import intgold

from ..support.file_kinds import SHEET
from .common import add_model
from .paths import OutputOf

HELP = "describe a model: ops, scales, multipliers, accumulators, bytes; its data sheet"
EXAMPLES = """
  intgold info lut                         a table for people
  intgold info model.npz --json            all but the weights, for programs
  intgold info lut --sheet lut.html        formulas, constants, worked elements: to build from
  intgold info lut --sheet lut.md"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print all but the weights as JSON")
    parser.add_argument(
        "--sheet",
        type=OutputOf(SHEET),
        metavar="FILE",
        help="write the arithmetic data sheet (.md or .html)",
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..describe.data_sheet import write_sheet
    from ..describe.summary import description

    model = intgold.load(options.model)
    if options.sheet is not None:
        write_sheet(model, options.sheet)
    if options.json:
        print(json.dumps(description(model), indent=1))
    elif options.sheet:
        print(options.sheet)
    else:
        print(model.describe())
    return 0
