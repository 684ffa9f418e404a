"""``intgold contracts``."""

from __future__ import annotations

import argparse

HELP = "list the engines whose arithmetic is known, or show where two of them differ"
EXAMPLES = """
  intgold contracts                              per op: values compared with each engine
  intgold contracts litert_reference xnnpack     where two differ: how often, with witnesses
  intgold contracts tflm xnnpack --probes 200    the same from more probes of each op"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..contracts import CONTRACTS

    names = ", ".join(CONTRACTS)
    parser.add_argument("first", nargs="?", metavar="A", help=f"one of {names}")
    parser.add_argument("second", nargs="?", metavar="B", help="another of them")
    parser.add_argument("--probes", type=int, default=40, metavar="N", help="graphs of each op")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..contracts import contract_named, evidence
    from ..errors import IntgoldError
    from ..study.contracts import differences

    if not 1 <= options.probes <= 10_000:
        raise IntgoldError(f"--probes {options.probes}: 1 to 10000 are possible")
    if options.first is None:
        print(*evidence.contract_lines(), sep="\n")
        return 0
    contract_named(options.first)
    if options.second is None:
        raise IntgoldError(f"{options.first}: name a second contract to compare it with")
    print(*differences.difference_lines(options.first, options.second, options.probes), sep="\n")
    return 0
