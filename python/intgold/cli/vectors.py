"""``intgold vectors``."""

from __future__ import annotations

import argparse

import intgold

from ..engine import BACKENDS
from ..errors import IntgoldError
from .common import add_isa, add_layout, layout_of, names, show_progress

HELP = "write a golden-vector set"
EXAMPLES = """
  intgold vectors lut --count 16 -o vectors
  intgold vectors lut --stimulus mnist --count 100 --format hex,mif -o vectors
  intgold vectors lut --images 0,7,100-199 --ops conv2,pool2 --partials ic:4,ky -o vectors
  intgold vectors lut --layout memory.toml --format hex,coe,sv -o vectors
  intgold vectors lut --count 10000 --format bin --backend c --jobs 2 --compress zst -o vectors
  intgold vectors lut --count 1000 --shards 4 --shard 0 -o part0     (and 1, 2, 3, then)
  intgold vectors --merge part0 part1 part2 part3 -o vectors"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..vectors.compression import COMPRESSIONS
    from ..vectors.formats import FORMATS
    from ..vectors.plan import DOCUMENT_FORMATS

    known = ", ".join([*FORMATS, *DOCUMENT_FORMATS])
    parser.add_argument(
        "model", nargs="?", help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact"
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--format", "--formats", default="npy,hex", metavar="F,F", help=f"of {known}"
    )
    add_layout(parser, "how tensors become memory words, see docs")
    what = parser.add_argument_group("what is in the set")
    what.add_argument(
        "--stimulus", default="builtin", metavar="S", help="builtin, mnist, or a .npy file"
    )
    what.add_argument("--count", type=int, default=16, metavar="N", help="images")
    what.add_argument("--images", metavar="LIST", help="which instead, such as 0,5,100-199")
    what.add_argument("--seed", type=int, default=0, metavar="N", help="of the built-in stimulus")
    what.add_argument("--ops", metavar="A,B", help="these, with what they read; default all")
    what.add_argument("--tensors", metavar="A,B", help="values and accumulators of these")
    what.add_argument(
        "--partials", metavar="ORDER",
        help="partial accumulators at the boundaries of a loop order, such as ic:8,ky",
    )  # fmt: skip
    scale = parser.add_argument_group("scale")
    scale.add_argument("--backend", choices=BACKENDS, default="golden", help="never changes a bit")
    add_isa(scale)
    scale.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    scale.add_argument("--shards", type=int, default=1, metavar="N", help="pieces of the set")
    scale.add_argument("--shard", type=int, metavar="K", help="write piece K, from 0")
    scale.add_argument("--merge", nargs="+", metavar="DIR", help="make the whole of all its shards")
    scale.add_argument("--compress", choices=[c for c in COMPRESSIONS if c], default="",
                       help="every file by itself")  # fmt: skip


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.generate import merge_sets, write_set

    if (options.model is None) == (options.merge is None):
        raise IntgoldError("give a model or, with --merge, the shards of a set")
    if options.merge:
        made = merge_sets(options.merge, options.output, show_progress())
    else:
        made = write_set(
            intgold.load(options.model), options.output, options.stimulus, options.count,
            options.seed, names(options.format), options.backend, show_progress(), options.isa,
            images=options.images, layout=layout_of(options), ops=names(options.ops),
            tensors=names(options.tensors), partials=options.partials,
            compression=options.compress, shards=options.shards, shard=options.shard,
            jobs=options.jobs,
        )  # fmt: skip
    print(
        f"{made.images} images, {made.tensors} tensors, {made.files} files, "
        f"{made.bytes / 1e6:.1f} MB in {options.output}"
    )
    return 0
