"""What several subcommands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

import intgold

from ..errors import IntgoldError, LayoutError
from .paths import InputPath, OutputFile

if TYPE_CHECKING:
    from ..quantize.inference import FloatNetwork
    from ..vectors.memory.layout import Layout
    from ..vectors.sets.generate import Summary


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Declare what every command has: `--quiet` and `--verbose`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "-q", "--quiet", action="store_true",
        help="no progress and no notes; results, warnings and errors stay",
    )  # fmt: skip
    group.add_argument(
        "-v", "--verbose", action="store_true",
        help="name each file that is written, of a set its folder and how many files it has; say "
        "how long it took; show where an error arose",
    )  # fmt: skip


def show_progress(options: argparse.Namespace) -> bool:
    """Return whether long work says how far it is."""
    return not options.quiet


@contextmanager
def naming(*paths: str) -> Iterator[None]:
    """Put the files that were given before an error that arises when they are used."""
    try:
        yield
    except IntgoldError as error:
        raise IntgoldError(f"{', '.join(paths)}: {error}") from error


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the positional argument `model`."""
    parser.add_argument(
        "model", type=InputPath, help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact"
    )


def add_isa(parser: argparse._ActionsContainer) -> None:
    """Declare the option `--isa`."""
    parser.add_argument(
        "--isa", default="auto", metavar="NAME",
        help="variant of the C kernels, such as portable or avx2; never changes a bit",
    )  # fmt: skip


def add_layout(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Declare the option `--layout`."""
    parser.add_argument("--layout", type=InputPath, metavar="FILE", help=f"TOML file: {help_text}")


def layout_of(options: argparse.Namespace) -> Layout:
    """Return the layout of `--layout`, else the default one."""
    from ..vectors.memory.layout import Layout
    from ..vectors.memory.layout_file import read_layout

    return read_layout(options.layout) if options.layout else Layout()


@contextmanager
def naming_layout(options: argparse.Namespace) -> Iterator[None]:
    """Put the file of `--layout` before an error of it that arises when arrays are packed."""
    try:
        yield
    except LayoutError as error:
        where, text = f"{options.layout}: ", str(error)
        if not options.layout or text.startswith(where):
            raise
        raise LayoutError(where + text.removeprefix("layout: ")) from error


def names(text: str | None) -> list[str]:
    """Return the names of a comma-separated list."""
    return [] if text is None else text.split(",")


def print_summary(written: Summary, options: argparse.Namespace) -> None:
    """Print what a command has written of a vector set."""
    print(
        f"{written.images} images, {written.tensors} tensors, {written.files} files, "
        f"{written.bytes / 1e6:.1f} MB in {options.output}"
    )


def add_network(parser: argparse.ArgumentParser) -> None:
    """Declare the positional argument `network`."""
    parser.add_argument(
        "network", type=InputPath,
        help="float network: mnist, mnist_relu, or a file of intgold.quantize.save_network",
    )  # fmt: skip


def batch_and_labels(
    options: argparse.Namespace, network: FloatNetwork
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return what ``--mnist``, or ``--images`` and perhaps ``--labels``, name; inputs by name."""
    from ..images.arrays import read_labels
    from ..images.mnist import load_mnist
    from ..quantize.data_files import read_batch

    if options.mnist == bool(options.images):
        raise IntgoldError("give either --mnist or --images")
    if options.mnist:
        images, labels = load_mnist("test")
        return {network.inputs[0].name: images}, labels
    batch = read_batch(network, options.images)
    count = min(len(array) for array in batch.values())
    return batch, read_labels(options.labels, count) if options.labels else None


def write_file(path: OutputFile, text: str) -> None:
    """Write a text file as a whole or not at all."""
    from ..support.safe_files import replacing

    with replacing(path, path.kind) as file:
        file.write(text.encode())
