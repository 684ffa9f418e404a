"""``intgold vectors``."""

from __future__ import annotations

import argparse

import intgold

from ..errors import IntgoldError
from ..run.backends import BACKENDS
from .common import add_isa, add_layout, layout_of, names, naming_layout, show_progress
from .paths import InputPath, OutputFolder

HELP = "write a golden-vector set"
EXAMPLES = """
  intgold vectors lut --count 16 -o vectors
  intgold vectors lut --stimulus mnist --count 100 --format hex,mif -o vectors
  intgold vectors lut --images 0,7,100-199 --ops conv2,pool2 --partials ic:4,ky -o vectors
  intgold vectors lut --layout memory.toml --format hex,coe,sv -o vectors
  intgold vectors lut --count 10000 --format bin --backend c --jobs 2 --compress zst -o vectors
  intgold vectors lut --count 1000 --shards 4 --shard 0 -o part0     (and 1, 2, 3, then)
  intgold vectors --merge part0 part1 part2 part3 -o vectors
  intgold vectors --op conv2d --random 20 --format hex,lines -o conv2d_vectors
  intgold vectors --op requantize --form single --multiplier-bits 8 --random 1000 -o -"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..vectors.formats import FORMATS
    from ..vectors.formats.compression import COMPRESSIONS
    from ..vectors.sets.plan import DOCUMENT_FORMATS

    known = ", ".join([*FORMATS, *DOCUMENT_FORMATS])
    parser.add_argument(
        "model", nargs="?", type=InputPath,
        help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=OutputFolder, required=True, metavar="DIR",
        help="folder to write; an unchanged set that is there is replaced, anything else refused",
    )  # fmt: skip
    parser.add_argument(
        "--format",
        "--formats",
        default="npy,hex",
        metavar="F,F",
        help=f"of {known}; with --op also lines",
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
    single = parser.add_argument_group("vectors of one op: directed corner cases, then random ones")
    single.add_argument("--op", metavar="OP", help="of the op table, or requantize; -o - for lines")
    single.add_argument("--random", type=int, default=0, metavar="N", help="random cases or lines")
    single.add_argument("--form", metavar="FORM", help="of requantize; default all")
    single.add_argument("--multiplier-bits", type=int, metavar="B", help="1 to 31; default all")
    scale = parser.add_argument_group("scale")
    scale.add_argument("--backend", choices=BACKENDS, default="golden", help="never changes a bit")
    add_isa(scale)
    scale.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    scale.add_argument("--shards", type=int, default=1, metavar="N", help="pieces of the set")
    scale.add_argument("--shard", type=int, metavar="K", help="write piece K, from 0")
    scale.add_argument("--merge", nargs="+", type=InputPath, metavar="DIR",
                       help="merge all shards of a set")  # fmt: skip
    scale.add_argument("--compress", choices=[c for c in COMPRESSIONS if c],
                       help="every file by itself")  # fmt: skip


_OF_MODEL = {
    "stimulus", "count", "images", "seed", "ops", "tensors", "partials", "backend", "isa", "jobs",
    "shards", "shard", "compress", "format", "layout",
}  # fmt: skip
_OF_OP = {"random", "seed", "format", "layout"}
_OF_REQUANTIZE = {"random", "seed", "format", "form", "multiplier_bits"}


def _check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse an option that would have no effect."""
    if sum(o is not None for o in (options.model, options.merge, options.op)) != 1:
        raise IntgoldError("give a model or, with --merge, the shards of a set, or --op")
    what, allowed = "--merge", set[str]()
    if options.model is not None:
        what, allowed = "a model", _OF_MODEL
    elif options.op is not None:
        alone = options.op == "requantize"
        what, allowed = f"--op {options.op}", _OF_REQUANTIZE if alone else _OF_OP
    if options.output == "-" and options.op is None:
        raise IntgoldError("-o -: only lines of one op can be printed, with --op")
    if options.output == "-":
        allowed = allowed - {"format", "layout"}
    for name in sorted({*_OF_MODEL, *_OF_OP, *_OF_REQUANTIZE} - allowed):
        if getattr(options, name) != parser.get_default(name):
            raise IntgoldError(f"--{name.replace('_', '-')}: has no effect with {what}")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser()
    add(parser)
    _check_options(parser, options)
    with naming_layout(options):
        return _write(options)


def _write(options: argparse.Namespace) -> int:
    from ..vectors.op_vectors.sets import OpSetOptions, write_op_sets
    from ..vectors.sets.generate import merge_sets, write_set
    from ..vectors.sets.options import SetOptions

    if options.op is not None and options.output == "-":
        return _print_lines(options)
    if options.op is not None:
        cases = OpSetOptions(
            random=options.random, seed=options.seed, formats=names(options.format),
            layout=layout_of(options), form=options.form, bits=options.multiplier_bits,
        )  # fmt: skip
        made = write_op_sets(options.op, options.output, cases, progress=show_progress(options))
        print(
            f"{made.tensors} cases, {made.images} images, {made.files} files, "
            f"{made.bytes / 1e6:.1f} MB in {options.output}"
        )
        return 0
    if options.merge:
        made = merge_sets(options.merge, options.output, progress=show_progress(options))
    else:
        chosen = SetOptions(
            source=options.stimulus, count=options.count, seed=options.seed,
            formats=names(options.format), images=options.images, layout=layout_of(options),
            ops=names(options.ops), tensors=names(options.tensors), partials=options.partials,
            compression=options.compress or "", shards=options.shards, shard=options.shard,
            backend=options.backend, isa=options.isa, jobs=options.jobs,
        )  # fmt: skip
        made = write_set(
            intgold.load(options.model), options.output, chosen, progress=show_progress(options)
        )
    print(
        f"{made.images} images, {made.tensors} tensors, {made.files} files, "
        f"{made.bytes / 1e6:.1f} MB in {options.output}"
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
