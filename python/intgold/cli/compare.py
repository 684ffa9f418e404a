"""``intgold compare``."""

from __future__ import annotations

import argparse
from pathlib import Path

import intgold

from ..errors import IntgoldError
from ..support.file_kinds import COMPARISON
from .common import batch_and_labels, show_progress, write_file
from .paths import InputPath, OutputFolder, OutputOf

HELP = "compare float, simulated and integer forms: answers, bytes, speed"
EXAMPLES = """
  intgold compare --mnist                              the shipped network, lut and pwl
  intgold compare --mnist --plot pictures              errors, histograms, activations
  intgold compare net.npz a.npz b.npz --images x.npy --labels y.npy --json report.json"""


_MODELS = {"mnist": ("lut", "pwl"), "mnist_relu": ("relu",)}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "network",
        nargs="?",
        type=InputPath,
        help="float network; mnist (without one) or mnist_relu",
    )
    parser.add_argument("models", nargs="*", type=InputPath, help="models quantised from it")
    parser.add_argument("--mnist", action="store_true", help="the MNIST test images and labels")
    parser.add_argument(
        "--images", type=InputPath, metavar="FILE",
        help="test data: .npy, IDX or a folder (see quantize)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", type=InputPath, metavar="FILE", help="their labels: .npy or IDX"
    )
    parser.add_argument(
        "--json", type=OutputOf(COMPARISON), metavar="FILE", help="write the figures (.json)"
    )
    parser.add_argument(
        "--plot", type=OutputFolder, metavar="DIR", help="draw pictures into this folder"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..quantize.shipped import load_network
    from ..study.quantisation.compare import compare

    name = options.network or "mnist"
    if not options.models and name not in _MODELS:
        raise IntgoldError(f"{name}: give the models that were quantised from it as well")
    paths = options.models or _MODELS[name]
    network = load_network(name)
    models = {Path(path).stem: intgold.load(path) for path in paths}
    for path, model in zip(paths, models.values(), strict=False):
        origin = model.metadata.get("float_network", network.name)
        if origin != network.name:
            raise IntgoldError(f"{path}: was quantised from {origin}, not from {network.name}")
    if len(models) < len(paths):
        raise IntgoldError(f"models {', '.join(paths)}: two have the same name")
    if options.plot:
        from ..study.quantisation.plots import check_plot, pictures_into

        check_plot(Path(options.plot) / "errors.png")
        pictures_into(options.plot, models)
    images, labels = batch_and_labels(options, network)
    found = compare(network, models, images, labels, progress=show_progress(options))
    print(found)
    if options.json:
        write_file(options.json, found.json_text())
    if options.plot:
        from ..study.quantisation.plots import plot_all

        for path in plot_all(network, models, images, options.plot):
            print(path)
    return 0
