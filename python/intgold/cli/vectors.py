"""``intgold vectors``."""

from __future__ import annotations

import argparse

import intgold

from ..engine import BACKENDS
from .common import add_isa, add_model, show_progress

HELP = "write a golden-vector set"
EXAMPLES = """
  intgold vectors lut --count 16 -o vectors
  intgold vectors lut --stimulus mnist --count 100 --formats hex -o vectors
  intgold vectors model.npz --stimulus images.npy --count 5 -o vectors"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..vectors.formats import FORMATS

    add_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--stimulus", default="builtin", metavar="S", help="builtin, mnist, or a .npy file"
    )
    parser.add_argument("--count", type=int, default=16, metavar="N", help="images")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the built-in stimulus")
    parser.add_argument("--formats", default=",".join(FORMATS), help="comma-separated")
    parser.add_argument("--backend", choices=BACKENDS, default="golden", help="never changes a bit")
    add_isa(parser)


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.generate import write_set

    made = write_set(
        intgold.load(options.model), options.output, options.stimulus, options.count,
        options.seed, options.formats.split(","), options.backend, show_progress(), options.isa,
    )  # fmt: skip
    print(
        f"{made.images} images, {made.tensors} tensors, {made.files} files, "
        f"{made.bytes / 1e6:.1f} MB in {options.output}"
    )
    return 0
