"""``intgold import``."""

from __future__ import annotations

import argparse

from ..contracts.table import DEFAULT_CONTRACT
from ..errors import ImportFileError, IntgoldError
from ..model.graph import Model
from ..support.file_kinds import MODEL
from .common import show_progress
from .paths import InputPath, OutputOf

HELP = "convert a TFLite file to an integer model, with the arithmetic of a named engine"
EXAMPLES = """
  intgold import kws.tflite -o kws.npz                  and how other contracts differ on it
  intgold import kws.tflite --contract tflm -o kws.npz
  intgold import kws.tflite --contract xnnpack --check  every tensor compared with the real engine
  intgold vectors kws.npz --count 8 -o vectors          then as for any model"""

_CHECK_IMAGES = 64
_LISTED = 12
"""Ops of a float head or tail that are printed; `intgold info` has them all."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..contracts import CONTRACTS

    parser.add_argument("file", type=InputPath, help="a .tflite file, int8 or uint8, of batch 1")
    parser.add_argument(
        "--contract", metavar="NAME",
        help=f"one of {', '.join(CONTRACTS)}; without it {DEFAULT_CONTRACT}, and a table of the "
        "others: which of them take the file, and in how many values they differ on random images",
    )  # fmt: skip
    parser.add_argument(
        "-o",
        "--output",
        type=OutputOf(MODEL),
        metavar="NPZ",
        help="artefact to write (.npz)",
    )
    parser.add_argument(
        "--signature", metavar="NAME",
        help="which signature of the file; by default the only one, else that of the main subgraph",
    )  # fmt: skip
    parser.add_argument("--name", help="of the model; by default that of the file")
    parser.add_argument(
        "--check", action="store_true",
        help="run the file on the contract's engine, where its package is installed "
        "(ai-edge-litert, tflite-micro), and compare every tensor; exit status 1 where any differs",
    )  # fmt: skip
    parser.add_argument(
        "--count", type=int, metavar="N", help=f"images of --check (default: {_CHECK_IMAGES})"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if options.output is None and not options.check:
        raise IntgoldError("give -o NPZ to write the model, --check to compare it, or both")
    if options.count is not None and not options.check:
        raise IntgoldError(f"--count {options.count} goes with --check")
    if options.count is not None and not 1 <= options.count <= 10_000:
        raise IntgoldError(f"--count {options.count}: 1 to 10000")
    if options.output is not None:
        _write(options)
    return _check(options) if options.check else 0


def _write(options: argparse.Namespace) -> None:
    from ..importers import import_tflite

    try:
        model = import_tflite(
            options.file, options.contract or DEFAULT_CONTRACT, options.name, options.signature
        )
    except ImportFileError:
        if options.contract is None:
            _print_contracts(options)
        raise
    model.save(options.output)
    print(f"{options.output}: {len(model.ops)} ops, contract {model.contract}")
    if options.name is not None and model.name != options.name:
        print(f"name: {model.name}, since {options.name!r} is no name in C")
    if "signature" in model.metadata:
        print(f"signature: {model.metadata['signature']}")
    if "inexact" in model.metadata:
        print(f"not exact: {model.metadata['inexact']}")
    if "no_answer" in model.metadata:
        print(f"inputs to which the engine has no answer: {model.metadata['no_answer']}")
    if "overwritten" in model.metadata:
        print(f"the engine may overwrite a tensor too early: {model.metadata['overwritten']}")
    _print_host_ops(model)
    if options.contract is None:
        _print_contracts(options)


def _print_host_ops(model: Model) -> None:
    from ..describe.summary import HOST_ENTRIES

    for key, what in HOST_ENTRIES.items():
        if key in model.metadata:
            first, *others = model.metadata[key].split("\n")
            if not others:
                print(f"{what[0].lower()}{what[1:]}: {first}")
                continue
            lines = [first, *others]
            print(f"{what[0].lower()}{what[1:]}:", *lines[:_LISTED], sep="\n  ")
            if len(lines) > _LISTED:
                print(f"  and {len(lines) - _LISTED} more, which intgold info lists")


def _print_contracts(options: argparse.Namespace) -> None:
    """Print which contracts take the file and how they differ."""
    if options.quiet:
        return
    from ..study.contracts.file_contracts import file_contract_lines, file_contracts

    try:
        found, images = file_contracts(options.file, DEFAULT_CONTRACT, options.signature)
    except IntgoldError as error:  # what was asked for, the import, is done or has its own error
        print(f"contracts are not compared: {error}")
        return
    if all(f.refused for f in found):
        return
    print(*file_contract_lines(found, images, DEFAULT_CONTRACT), sep="\n")


def _check(options: argparse.Namespace) -> int:
    from ..contracts import contract_named
    from ..study.engines.engine_check import check_file

    found = check_file(
        options.file,
        contract_named(options.contract or DEFAULT_CONTRACT),
        options.count or _CHECK_IMAGES,
        signature=options.signature,
        progress=show_progress(options),
    )
    print(found)
    return 1 if found.differing else 0
