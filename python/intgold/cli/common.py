"""What several subcommands share."""

from __future__ import annotations

import argparse
import sys

import intgold


def show_progress() -> bool:
    """Return whether a person is watching."""
    return sys.stderr.isatty()


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the positional argument `model`."""
    parser.add_argument("model", help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact")
