"""``intgold export``."""

from __future__ import annotations

import argparse

import intgold

from ..errors import IntgoldError
from .paths import InputPath, OutputFolder

HELP = "write the C engine, or models with it, as C source for any compiler"
EXAMPLES = """
  intgold export engine -o engine                  all files of the engine, side by side
  intgold export engine -o engine --amalgamated    the same as one file: intgold.c and intgold.h
  intgold export c lut -o firmware                 models.c beside intgold.c and intgold.h
  cc -O2 -c firmware/*.c                           nothing else is needed"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "what", choices=["engine", "c"], help="engine: its sources; c: models as C, with the engine"
    )
    parser.add_argument(
        "models", nargs="*", type=InputPath, metavar="model",
        help=f"of c: {', '.join(intgold.SHIPPED)}, or paths of artefacts",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=OutputFolder, required=True, metavar="DIR",
        help="folder to write: new, empty, or an earlier export that nobody changed",
    )  # fmt: skip
    parser.add_argument(
        "--amalgamated", action="store_true", help="the engine as one file (always so for c)"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..exporters import copy_engine, export_c

    if options.what == "engine":
        if options.models:
            raise IntgoldError(f"export engine takes no model, not {options.models[0]!s}")
        copy_engine(options.output, amalgamated=options.amalgamated)
    else:
        if not options.models:
            raise IntgoldError("export c: name a model, such as lut, or the path of one")
        export_c([intgold.load(name) for name in options.models], options.output)
    print(options.output)
    return 0
