"""``intgold info``."""

from __future__ import annotations

import argparse

import intgold

from .common import add_model

HELP = "describe a model: ops, scales, accumulator bits"
EXAMPLES = """
  intgold info lut
  intgold info model.npz"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    print(intgold.load(options.model).describe())
    return 0
