"""``intgold vectors``."""

from __future__ import annotations

import argparse

import intgold

from ..run.backends import BACKENDS
from .common import (
    add_isa,
    add_layout,
    add_model,
    layout_of,
    names,
    naming_layout,
    print_summary,
    show_progress,
)
from .paths import InputPath, OutputFolder

HELP = "write a golden-vector set"
EXAMPLES = """
  intgold vectors lut --count 16 -o vectors
  intgold vectors lut --stimulus mnist --count 100 --format hex,mif -o vectors
  intgold vectors lut --images 0,7,100-199 --ops conv2,pool2 --partials ic:4,ky -o vectors
  intgold vectors lut --layout memory.toml --format hex,coe,sv -o vectors
  intgold vectors lut --count 10000 --format bin --backend c --jobs 2 --compress zst -o vectors
  intgold vectors lut --count 1000 --shards 2 --shard 0 -o part0     (and 1 into part1, then)
  intgold merge part0 part1 -o vectors"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..vectors.formats import FORMATS
    from ..vectors.formats.compression import COMPRESSIONS
    from ..vectors.sets.plan import DOCUMENT_FORMATS

    known = ", ".join([*FORMATS, *DOCUMENT_FORMATS])
    add_model(parser)
    parser.add_argument(
        "-o", "--output", type=OutputFolder, required=True, metavar="DIR",
        help="folder to write; an unchanged set that is there is replaced, anything else refused",
    )  # fmt: skip
    parser.add_argument(
        "--format",
        "--formats",
        default="npy,hex",
        metavar="F,F",
        help=f"of {known}",
    )
    add_layout(parser, "how tensors become memory words, see docs")
    what = parser.add_argument_group("what is in the set")
    what.add_argument(
        "--stimulus", type=InputPath, default="builtin", metavar="S",
        help="builtin, mnist, a .npy or IDX file (.gz too), or a folder with NAME.npy per input; "
        "uint8: camera bytes, of an imported model x ^ 0x80",
    )  # fmt: skip
    what.add_argument(
        "--count", type=int, metavar="N",
        help="images (default: all of a file or folder; 16 of builtin and mnist)",
    )  # fmt: skip
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
    scale.add_argument("--compress", choices=[c for c in COMPRESSIONS if c],
                       help="every file by itself")  # fmt: skip


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.sets.generate import write_set
    from ..vectors.sets.options import SetOptions

    with naming_layout(options):
        chosen = SetOptions(
            source=options.stimulus, count=options.count, seed=options.seed,
            formats=names(options.format), images=options.images, layout=layout_of(options),
            ops=names(options.ops), tensors=names(options.tensors), partials=options.partials,
            compression=options.compress or "", shards=options.shards, shard=options.shard,
            backend=options.backend, isa=options.isa, jobs=options.jobs,
        )  # fmt: skip
        model = intgold.load(options.model)
        written = write_set(model, options.output, chosen, progress=show_progress(options))
    print_summary(written, options)
    return 0
