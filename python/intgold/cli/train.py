"""``intgold train``."""

from __future__ import annotations

import argparse

from ..errors import IntgoldError
from .common import show_progress
from .paths import OutputFolder

HELP = "train the MNIST network and quantise it"
EXAMPLES = """
  intgold train -o trained                 80 epochs; float network, ranges, lut and pwl models
  intgold train --quick -o trained         a few epochs, to see that all works
  intgold train --seed 1 --epochs 20 -o t"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o", "--output", type=OutputFolder, default="trained", metavar="DIR",
        help="folder to write",
    )  # fmt: skip
    parser.add_argument(
        "--epochs", type=int, default=80, metavar="N", help="passes over the images"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of weights, order, augmentation"
    )
    parser.add_argument(
        "--strength", type=float, default=0.75, metavar="S", help="of the augmentation"
    )
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="of torch")
    parser.add_argument("--quick", action="store_true", help="a few epochs on a few images")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    try:
        import pytorch_optimizer  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise IntgoldError(
            f"{error.name} is needed to train: pip install '.[train]' in the sources, or "
            "'intgold[train]'"
        ) from None
    from ..quantize.training.pipeline import train_and_quantize
    from ..quantize.training.settings import TrainingSettings

    settings = TrainingSettings(
        options.epochs, options.seed, options.strength, options.quick, threads=options.threads
    )
    made = train_and_quantize(options.output, settings, progress=show_progress(options))
    print(f"validation  {made.validation_accuracy:8.2%}  float")
    for name, accuracy in made.test_accuracy.items():
        differing = made.differing.get(name)
        note = "" if differing is None else f", {differing} answers differ from float"
        print(f"test        {accuracy:8.2%}  {name}{note}")
    for path in made.paths:
        print(path)
    return 0
