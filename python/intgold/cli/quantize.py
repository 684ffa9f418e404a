"""``intgold quantize``."""

from __future__ import annotations

import argparse

from .common import naming

HELP = "make an integer model of a float network"
EXAMPLES = """
  intgold quantize mnist_float.npz --ranges mnist_ranges.json -o lut.npz
  intgold quantize mnist_float.npz --images train.npy --activation pwl --segments 8 -o pwl.npz
  intgold quantize mnist_float.npz --ranges r.json --form double --multiplier-bits 16 -o m.npz"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..fields import FORMS

    parser.add_argument("network", help="float network (.npz) that training wrote")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ranges", metavar="JSON", help="calibration ranges")
    source.add_argument("--images", metavar="NPY", help="calibrate on these images (uint8)")
    parser.add_argument("-o", "--output", required=True, metavar="NPZ", help="artefact to write")
    parser.add_argument("--activation", choices=("lut", "pwl"), default="lut", help="SELU, GELU as")
    parser.add_argument(
        "--segments", type=int, default=8, metavar="N", help="of each pwl activation"
    )
    parser.add_argument("--form", choices=FORMS, default="single", help="of requantize")
    parser.add_argument("--multiplier-bits", type=int, default=31, metavar="N", help="1 to 31")
    parser.add_argument("--per-tensor", action="store_true", help="one weight scale per layer")
    parser.add_argument(
        "--percentile", type=float, default=100.0, metavar="P", help="of the calibration"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..floating.affine import pixel_values
    from ..floating.calibrate import Ranges, calibrate
    from ..floating.inference import FloatNetwork
    from ..floating.quantize import quantize_network
    from ..images import read_images

    network = FloatNetwork.load(options.network)
    if options.ranges:
        ranges = Ranges.load(options.ranges)
    else:
        images = read_images(options.images, network.input_shape)
        with naming(options.network, options.images):
            ranges = calibrate(network, pixel_values(images), options.percentile)
    with naming(options.network, options.ranges or options.images):
        model = quantize_network(
            network, ranges, options.activation, options.segments, None, options.form,
            options.multiplier_bits, not options.per_tensor,
        )  # fmt: skip
    model.save(options.output)
    print(model.describe())
    return 0
