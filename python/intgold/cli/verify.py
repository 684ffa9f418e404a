"""``intgold verify``."""

from __future__ import annotations

import argparse

from .common import show_progress

HELP = "compare a device's dump with a vector set"
EXAMPLES = """
  intgold verify vectors --dut dump        exit status: 0 equal, 1 different, 2 bad input
  intgold verify vectors --dut vectors     a set is itself a valid dump"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("vectors", help="a vector set")
    parser.add_argument("--dut", required=True, metavar="DIR", help="the device's dump")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..verify import verify

    report = verify(options.vectors, options.dut, show_progress())
    print(report)
    return 0 if report.equal else 1
