"""``intgold verify``."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..support.file_kinds import REPORT
from .common import add_layout, layout_of, show_progress
from .paths import InputPath, OutputOf

HELP = "compare a device's dump with a vector set: where it differs, and why"
EXAMPLES = """
  intgold verify vectors --dut dump        exit status: 0 equal, 1 different, 2 bad input
  intgold verify vectors --dut dump --html report.html     maps, histogram, arithmetic, cause
  intgold verify vectors --dut dump --json          the same for a machine
  intgold verify vectors --dut dump --partial       a dump without some of the arrays
  intgold verify vectors --dut dump --images 1      of a simulation of only the first image
  intgold verify vectors --dut dump --products 999  the first wrong value, worked through
  intgold verify vectors --dut dump --layout chip.toml     a dump in words of another layout
  intgold verify vectors --signatures chip.txt      of a chip that cannot dump
  intgold verify conv2d_vectors --dut dump          every case of an op, DUMP/CASE/outputs/y.hex
  intgold verify vectors --dut vectors     a set is itself a valid dump"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("vectors", type=InputPath, help="a vector set")
    device = parser.add_mutually_exclusive_group(required=True)
    device.add_argument("--dut", type=InputPath, metavar="DIR", help="the device's dump")
    device.add_argument(
        "--signatures",
        type=InputPath,
        metavar="FILE",
        help="of a chip that cannot dump: its read-outs",
    )
    parser.add_argument(
        "--partial", action="store_true", help="take a dump that lacks arrays of the set"
    )
    parser.add_argument(
        "--images", type=int, metavar="N", help="take a dump of only the set's first N images"
    )  # fmt: skip
    parser.add_argument(
        "--products", type=int, metavar="N",
        help="work the first wrong value through, with N products written out",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--html",
        type=OutputOf(REPORT),
        metavar="FILE",
        help="write the report as a page, too (.html)",
    )
    parser.add_argument(
        "--no-causes", action="store_true", help="compare only: do not look for the cause"
    )
    add_layout(parser, "of the dump; default that of the set")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..errors import IntgoldError
    from ..vectors.op_vectors.sets import is_op_vectors

    if options.products is not None and options.products < 0:
        raise IntgoldError(f"--products {options.products}: a number from 0 on")
    if options.signatures is not None:
        return _signatures(options)
    if is_op_vectors(options.vectors):
        return _op_vectors(options)
    from ..describe.data_sheet.worked_examples import PRODUCTS_SHOWN
    from ..verify.dump import Dump
    from ..verify.report.page import write_page
    from ..verify.report.verification_report import verification_report

    layout = layout_of(options) if options.layout else None
    dump = Dump(
        options.vectors, options.dut, layout, partial=options.partial,
        progress=show_progress(options), images=options.images,
    )  # fmt: skip
    products = options.products
    if products is None and options.html:
        products = PRODUCTS_SHOWN
    made = verification_report(
        dump, causes=not options.no_causes, products=products, progress=show_progress(options)
    )
    if options.html:
        write_page(made, options.html)
    if options.products is None:  # worked through only for the page
        made = replace(made, worked=())
    print(made.document().decode() if options.json else made, end="" if options.json else "\n")
    return 0 if made.comparison.equal else 1


def _signatures(options: argparse.Namespace) -> int:
    from ..errors import IntgoldError
    from ..verify.signatures import compare_signatures

    names = ("partial", "images", "layout", "json", "html", "products", "no_causes")
    odd = [n for n in names if getattr(options, n) not in (None, False)]
    if odd:
        raise IntgoldError(f"--{odd[0].replace('_', '-')}: has no effect with --signatures")
    report = compare_signatures(
        options.vectors, options.signatures, progress=show_progress(options)
    )
    print(report)
    return 0 if report.equal else 1


def _op_vectors(options: argparse.Namespace) -> int:
    from ..errors import IntgoldError
    from ..vectors.op_vectors.sets import read_op_vectors
    from ..verify.comparison import verify_op

    names = ("json", "html", "products", "no_causes")
    odd = [n for n in names if getattr(options, n) not in (None, False)]
    if odd:
        raise IntgoldError(
            f"--{odd[0].replace('_', '-')}: of one set; give the folder of a case as VECTORS"
        )
    layout = layout_of(options) if options.layout else None
    reports = verify_op(
        options.vectors,
        options.dut,
        progress=show_progress(options),
        partial=options.partial,
        layout=layout,
        images=options.images,
    )
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
