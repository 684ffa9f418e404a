"""``intgold verify``."""

from __future__ import annotations

import argparse

from .common import add_layout, layout_of, show_progress

HELP = "compare a device's dump with a vector set"
EXAMPLES = """
  intgold verify vectors --dut dump        exit status: 0 equal, 1 different, 2 bad input
  intgold verify vectors --dut dump --partial       a dump without some of the arrays
  intgold verify vectors --dut dump --layout chip.toml     a dump in words of another layout
  intgold verify conv2d_vectors --dut dump          every case of an op, DUMP/CASE/outputs/y.hex
  intgold verify vectors --dut vectors     a set is itself a valid dump"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("vectors", help="a vector set")
    parser.add_argument("--dut", required=True, metavar="DIR", help="the device's dump")
    parser.add_argument(
        "--partial", action="store_true", help="take a dump that lacks arrays of the set"
    )
    add_layout(parser, "of the dump; default that of the set")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.op_sets import is_op_vectors, read_op_vectors
    from ..verify import verify, verify_op

    layout = layout_of(options) if options.layout else None
    if is_op_vectors(options.vectors):
        reports = verify_op(options.vectors, options.dut, show_progress(), options.partial, layout)
        for name, report in reports.items():
            if not report.equal:
                print(f"case {name}\n{report}\n")
        different = sum(not report.equal for report in reports.values())
        values = sum(report.values for report in reports.values())
        missing = sum(report.missing for report in reports.values())
        absent = len(read_op_vectors(options.vectors)) - len(reports)
        if absent:
            print(f"{absent} of {absent + len(reports)} cases are not in the dump")
        if missing:
            print(f"{missing} arrays of the others are not in the dump")
        print(f"{len(reports)} cases, {values} values compared, {different} cases differ")
        return 1 if different else 0
    report = verify(options.vectors, options.dut, show_progress(), options.partial, layout)
    print(report)
    return 0 if report.equal else 1
