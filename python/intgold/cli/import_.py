"""``intgold import``."""

from __future__ import annotations

import argparse

from ..support.file_kinds import MODEL
from .paths import InputPath, OutputOf

HELP = "convert a TFLite file to an integer model, with the arithmetic of a named engine"
EXAMPLES = """
  intgold import kws.tflite --contract tflm -o kws.npz
  intgold import kws.tflite --contract xnnpack -o kws.npz
  intgold vectors kws.npz --count 8 -o vectors        then as for any model"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..contracts import CONTRACTS

    parser.add_argument("file", type=InputPath, help="a .tflite file, int8 or uint8, of batch 1")
    parser.add_argument(
        "--contract", required=True, metavar="NAME", help=f"one of {', '.join(CONTRACTS)}"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputOf(MODEL),
        required=True,
        metavar="NPZ",
        help="artefact to write (.npz)",
    )
    parser.add_argument("--name", help="of the model; by default that of the file")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..importers import import_tflite

    model = import_tflite(options.file, options.contract, options.name)
    model.save(options.output)
    print(f"{options.output}: {len(model.ops)} ops, contract {model.contract}")
    if options.name is not None and model.name != options.name:
        print(f"name: {model.name}, since {options.name!r} is no name in C")
    if "inexact" in model.metadata:
        print(f"not exact: {model.metadata['inexact']}")
    if "no_answer" in model.metadata:
        print(f"inputs to which the engine has no answer: {model.metadata['no_answer']}")
    if "overwritten" in model.metadata:
        print(f"the engine may overwrite a tensor too early: {model.metadata['overwritten']}")
    return 0
