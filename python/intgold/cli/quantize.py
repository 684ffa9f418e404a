"""``intgold quantize``."""

from __future__ import annotations

import argparse

from ..errors import IntgoldError
from ..support.file_kinds import MODEL, RANGES
from .common import add_network, naming, show_progress
from .paths import InputPath, OutputOf

HELP = "quantise a float network to an integer model"
EXAMPLES = """
  intgold quantize mnist -o lut.npz
  intgold quantize net.npz --images train.npy --calibration mse -o mse.npz
  intgold quantize mnist --activation pwl:8 -o pwl.npz
  intgold quantize mnist --activation-of gelu3=pwl:4 -o m.npz
  intgold quantize mnist --form double --multiplier-bits 16 -o m.npz
  intgold quantize mnist --weight-bits 4 --weight-scales mse -o w4.npz"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_network(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--ranges",
        type=InputPath,
        metavar="JSON",
        help="calibration ranges; a shipped network has its own",
    )
    source.add_argument(
        "--images", type=InputPath, metavar="FILE",
        help="calibrate on this data: a .npy as the network takes it (floats, or uint8 for camera "
        "bytes), or a folder with a NAME.npy for each input",
    )  # fmt: skip
    parser.add_argument(
        "-o",
        "--output",
        type=OutputOf(MODEL),
        required=True,
        metavar="NPZ",
        help="artefact to write (.npz)",
    )
    parser.add_argument(
        "--save-ranges",
        type=OutputOf(RANGES),
        metavar="JSON",
        help="write the ranges found as well (.json)",
    )
    parser.add_argument("--name", help="of the model; by default NETWORK_lut or NETWORK_pwl")
    add_choices(parser)


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Declare one argument for each choice of quantisation."""
    from ..ops.fields import FORMS

    parser.add_argument(
        "--calibration", metavar="HOW",
        help="minmax (the default), percentile:P such as percentile:99.9, or mse",
    )  # fmt: skip
    parser.add_argument(
        "--activation", default="lut", metavar="HOW",
        help="lut (256 entries), or pwl:N (N segments, 2 to 64)",
    )  # fmt: skip
    parser.add_argument(
        "--activation-of", action="append", default=[], metavar="LAYER=HOW",
        help="the same for one layer; may be given several times",
    )  # fmt: skip
    parser.add_argument("--per-tensor", action="store_true", help="one weight scale per layer")
    parser.add_argument("--weight-bits", type=int, default=8, metavar="N", help="2 to 8")
    parser.add_argument(
        "--weight-scales", choices=("max", "mse"), default="max",
        help="by the largest weight, or of the smallest squared error",
    )  # fmt: skip
    parser.add_argument(
        "--multiplier-bits", type=int, default=31, metavar="N", help="1 (only a shift) to 31"
    )
    parser.add_argument("--form", choices=FORMS, default="single", help="of requantize, SPEC 4.2")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..quantize.calibrate import Ranges, calibrate
    from ..quantize.choices import Choices
    from ..quantize.data_files import read_batch
    from ..quantize.quantizer import quantize_network
    from ..quantize.shipped import NETWORKS, load_network, load_ranges

    pairs = [entry.partition("=") for entry in options.activation_of]
    for layer, sign, how in pairs:
        if not (layer and how):
            raise IntgoldError(f"--activation-of {layer}{sign}{how}: not LAYER=HOW")
    choices = Choices(
        calibration=options.calibration or "minmax",
        activation=options.activation,
        activations={layer: how for layer, _, how in pairs},
        per_channel=not options.per_tensor,
        weight_bits=options.weight_bits,
        weight_scales=options.weight_scales,
        multiplier_bits=options.multiplier_bits,
        form=options.form,
    )
    network = load_network(options.network)
    if not options.images:
        if options.calibration or options.save_ranges:
            raise IntgoldError("--calibration and --save-ranges go with --images")
        if not options.ranges and options.network not in NETWORKS:
            raise IntgoldError("give --ranges, or --images to calibrate on")
        ranges = Ranges.load(options.ranges) if options.ranges else load_ranges(options.network)
    else:
        batch = read_batch(network, options.images)
        with naming(options.network, options.images):
            ranges = calibrate(network, batch, choices.calibration, progress=show_progress(options))
    with naming(options.network, *filter(None, (options.ranges or options.images,))):
        model = quantize_network(network, ranges, choices, options.name)
    model.save(options.output)
    if options.save_ranges:
        ranges.save(options.save_ranges)
    print(model.describe())
    return 0
