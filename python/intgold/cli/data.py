"""``intgold data``."""

from __future__ import annotations

import argparse

from ..errors import IntgoldError
from .paths import OutputFolder

HELP = "find MNIST, or fetch it"
EXAMPLES = """
  intgold data                             fetch MNIST into data/mnist (needs torchvision)
  intgold data --check                     only say where it is"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFolder,
        default="data/mnist",
        metavar="DIR",
        help="folder to fetch to",
    )
    parser.add_argument("--check", action="store_true", help="only look for it")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..images.mnist import fetch_mnist, find_mnist

    found = find_mnist()
    if found is None and options.check:
        raise IntgoldError(
            "MNIST is neither in MNIST_DIR nor in data/mnist: set MNIST_DIR to the folder of its "
            "four IDX files, or fetch them (intgold data)"
        )
    print(f"MNIST is in {found or fetch_mnist(options.output)}")
    return 0
