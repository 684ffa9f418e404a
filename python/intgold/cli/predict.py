"""``intgold predict``."""

from __future__ import annotations

import argparse

import numpy as np

import intgold

from ..engine import BACKENDS
from ..errors import IntgoldError
from .common import add_model, naming

HELP = "answer images"
EXAMPLES = """
  intgold predict lut digits.npy           one answer a line
  intgold predict lut t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz
  intgold predict model.npz --mnist --threads 2"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("images", nargs="?", help="images: .npy (uint8, int8) or IDX file")
    parser.add_argument("--mnist", action="store_true", help="the MNIST test images and labels")
    parser.add_argument(
        "--labels", metavar="FILE", help="labels: .npy or IDX file; gives the accuracy"
    )
    parser.add_argument("--backend", choices=BACKENDS, default="c", help="never changes a bit")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="over the images")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..data import load_mnist
    from ..images import read_images, read_labels

    model = intgold.load(options.model)
    if options.mnist == bool(options.images):
        raise IntgoldError("give either a file of images or --mnist")
    labels: np.ndarray | None
    if options.mnist:
        images, labels = load_mnist("test")
    else:
        images = read_images(options.images, model.tensor(model.inputs[0]).shape)
        labels = read_labels(options.labels, len(images)) if options.labels else None
    with naming(options.model):
        answers = model.predict(images, backend=options.backend, threads=options.threads)
    if labels is None:
        print("\n".join(map(str, answers.tolist())))
        return 0
    right = int((answers == labels).sum())
    print(f"{right} of {len(labels)} right, {right / len(labels):.2%}")
    return 0
