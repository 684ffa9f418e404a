"""``intgold op-vectors``."""

from __future__ import annotations

import argparse

from ..errors import IntgoldError
from .common import add_layout, layout_of, names, naming_layout, show_progress
from .paths import OutputFolderOrLines

HELP = "write vectors of one op: directed corner cases, then random ones"
EXAMPLES = """
  intgold op-vectors conv2d --random 20 --format hex,lines -o conv2d_vectors
  intgold op-vectors requantize --form single --multiplier-bits 8 --random 1000 -o -"""

_FORMATS = "npy,hex"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..vectors.formats import FORMATS

    parser.add_argument("op", metavar="OP", help="of the op table, or requantize")
    parser.add_argument(
        "-o", "--output", type=OutputFolderOrLines, required=True, metavar="DIR",
        help="folder to write, - prints lines; unchanged vectors that are there are replaced, "
        "anything else refused",
    )  # fmt: skip
    parser.add_argument(
        "--format", "--formats", default=_FORMATS, metavar="F,F",
        help=f"of {', '.join(FORMATS)}, lines; a requantize has only lines",
    )  # fmt: skip
    add_layout(parser, "how tensors become memory words, see docs")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="random cases or lines")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random cases")
    parser.add_argument("--form", metavar="FORM", help="of requantize; default all")
    parser.add_argument("--multiplier-bits", type=int, metavar="B",
                        help="of requantize, 1 to 31; default all")  # fmt: skip


def _check(options: argparse.Namespace) -> None:
    """Refuse an option that would have no effect."""
    where, unused = f"op {options.op}", ["form", "multiplier_bits"]
    if options.op == "requantize":
        unused = ["layout"]
    if options.output == "-":
        where, unused = "-o -", [*unused, "format", "layout"]
    for name in unused:
        if getattr(options, name) not in (None, _FORMATS):
            raise IntgoldError(f"--{name.replace('_', '-')}: has no effect with {where}")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    _check(options)
    if options.output == "-":
        return _print_lines(options)
    from ..vectors.op_vectors.sets import OpSetOptions, write_op_sets

    with naming_layout(options):
        chosen = OpSetOptions(
            random=options.random, seed=options.seed, formats=names(options.format),
            layout=layout_of(options), form=options.form, bits=options.multiplier_bits,
        )  # fmt: skip
        written = write_op_sets(options.op, options.output, chosen, progress=show_progress(options))
    print(
        f"{written.tensors} cases, {written.images} images, {written.files} files, "
        f"{written.bytes / 1e6:.1f} MB in {options.output}"
    )
    return 0


def _print_lines(options: argparse.Namespace) -> int:
    from ..vectors.op_vectors.requantize import requantize_lines
    from ..vectors.op_vectors.sets import REQUANTIZE, check_op, lines_of, requantize_blocks

    check_op(options.op)
    if options.op == REQUANTIZE:
        for form, bits in requantize_blocks(options.form, options.multiplier_bits):
            for line in requantize_lines(form, bits, options.random, options.seed):
                print(line)
        return 0
    for line in lines_of(options.op, options.random, options.seed):
        print(line)
    return 0
