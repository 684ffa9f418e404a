"""What several subcommands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import intgold

from ..errors import IntgoldError


def show_progress() -> bool:
    """Return whether a person is watching."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def naming(*paths: str) -> Iterator[None]:
    """Put the files that were given before an error that arises when they are used."""
    try:
        yield
    except IntgoldError as error:
        raise IntgoldError(f"{', '.join(paths)}: {error}") from error


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the positional argument `model`."""
    parser.add_argument("model", help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact")
