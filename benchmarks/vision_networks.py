"""Writes networks of the kinds that segment and detect, at real size, for imported.py.

    python benchmarks/vision_networks.py out/vision
    TFLITE_DIR=out/vision python benchmarks/imported.py --ops

decoder: 128x128, an encoder of convolutions of stride 2, a decoder of TRANSPOSE_CONV and skips.
unet: 256x256, pairs of convolutions and max pools, nearest upsampling, skips, one class.
segmenter: 257x257, a backbone of depthwise blocks to stride 16, 21 classes, bilinear to full size.
detector: 320x320, a backbone of depthwise blocks, a feature pyramid of nearest upsampling and sums,
heads of boxes and classes at three strides.

Weights are noise of a fixed seed, and so are scales, such that values spread and that there are as
few ties as in trained networks: only their time is of interest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

from tflite_writer import Writer

_SCALE = 0.05
_DEVIATION = 74  # of uniform int8
_NONE, _RELU = 0, 1
_SAME = 0

At = tuple[int, int, int]
"""A tensor: index, side, channels."""


class _Network:
    """A file that grows by layers."""

    def __init__(self) -> None:
        self.w, self.draw = Writer(), np.random.default_rng(0)

    def tensor(self, side: int, channels: int) -> At:
        return self.w.tensor((1, side, side, channels), "int8", _SCALE, -128), side, channels

    def weights(self, shape: tuple[int, ...], products: float, axis: int) -> list[int]:
        """Return the indices of weights and bias, per channel along an axis."""
        channels = shape[axis]
        scale = 1.5 / (np.sqrt(products) * _DEVIATION)
        scales = np.float32(scale * self.draw.uniform(0.7, 1.4, channels))
        values = self.draw.integers(-127, 128, shape)
        bias = self.draw.integers(-999, 999, channels)
        return [
            self.w.tensor(shape, "int8", scales, 0, values, axis),
            self.w.tensor((channels,), "int32", scales * np.float32(_SCALE), 0, bias),
        ]

    def conv(
        self, x: At, channels: int, kernel: int, stride: int = 1, activation: int = _RELU
    ) -> At:
        inputs = self.weights((channels, kernel, kernel, x[2]), kernel * kernel * x[2], 0)
        y = self.tensor(-(-x[1] // stride), channels)
        self.w.op(
            "CONV_2D", [x[0], *inputs], y[0], 4, "Conv2DOptions", Padding=_SAME, StrideH=stride,
            StrideW=stride, FusedActivationFunction=activation, DilationHFactor=1,
            DilationWFactor=1,
        )  # fmt: skip
        return y

    def depthwise(self, x: At, stride: int = 1) -> At:
        y = self.tensor(-(-x[1] // stride), x[2])
        self.w.op(
            "DEPTHWISE_CONV_2D", [x[0], *self.weights((1, 3, 3, x[2]), 9, 3)], y[0], 4,
            "DepthwiseConv2DOptions", Padding=_SAME, StrideH=stride, StrideW=stride,
            DepthMultiplier=1, FusedActivationFunction=_RELU, DilationHFactor=1, DilationWFactor=1,
        )  # fmt: skip
        return y

    def transposed(self, x: At, side: int, channels: int) -> At:
        weights, bias = self.weights((channels, 2, 2, x[2]), x[2], 0)
        y = self.tensor(side, channels)
        extents = self.w.tensor((4,), "int32", data=np.array([1, side, side, channels]))
        self.w.op(
            "TRANSPOSE_CONV", [extents, weights, x[0], bias], y[0], 4, "TransposeConvOptions",
            Padding=_SAME, StrideH=2, StrideW=2, FusedActivationFunction=_RELU,
        )  # fmt: skip
        return y

    def max_pool(self, x: At) -> At:
        y = self.tensor(x[1] // 2, x[2])
        self.w.op(
            "MAX_POOL_2D", [x[0]], y[0], 2, "Pool2DOptions", Padding=_SAME, StrideH=2, StrideW=2,
            FilterHeight=2, FilterWidth=2, FusedActivationFunction=_NONE,
        )  # fmt: skip
        return y

    def resized(self, x: At, side: int, kind: str, **fields: bool) -> At:
        """Add a RESIZE_... op."""
        y = self.tensor(side, x[2])
        extents = self.w.tensor((2,), "int32", data=np.array([side, side]))
        self.w.op(f"RESIZE_{kind}", [x[0], extents], y[0], 3, _OPTIONS[kind], **fields)
        return y

    def joined(self, a: At, b: At) -> At:
        y = self.tensor(a[1], a[2] + b[2])
        self.w.op(
            "CONCATENATION", [a[0], b[0]], y[0], 2, "ConcatenationOptions", Axis=3,
            FusedActivationFunction=_NONE,
        )  # fmt: skip
        return y

    def sum(self, a: At, b: At) -> At:
        y = self.w.tensor((1, a[1], a[1], a[2]), "int8", 1.4 * _SCALE, -128), a[1], a[2]
        self.w.op("ADD", [a[0], b[0]], y[0], 2, "AddOptions", FusedActivationFunction=_NONE)
        return y

    def block(self, x: At, channels: int, stride: int = 1) -> At:
        """Add an inverted residual: 1x1 to six times the channels, depthwise 3x3, 1x1."""
        wide = self.depthwise(self.conv(x, 6 * x[2], 1), stride)
        y = self.conv(wide, channels, 1, activation=_NONE)
        return self.sum(x, y) if stride == 1 and x[2] == channels else y


_OPTIONS = {
    "NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "BILINEAR": "ResizeBilinearOptions",
}


def decoder() -> bytes:
    """Return the file: each level halves the image, then doubles it and joins what was there."""
    net = _Network()
    image = x = net.tensor(128, 3)
    skips = []
    for channels in (16, 32, 64, 128):
        x = net.conv(x, channels, 3)
        skips.append(x)
        x = net.conv(x, channels, 3, 2)
    for skip in reversed(skips):
        x = net.transposed(x, skip[1], skip[2])
        x = net.conv(net.joined(x, skip), skip[2], 3)
    x = net.conv(x, 4, 1)
    return bytes(net.w.finish([image[0]], [x[0]]))


def unet() -> bytes:
    """Return the file: pairs of convolutions of 16 to 256 channels on each level."""
    net = _Network()
    image = x = net.tensor(256, 3)
    skips = []
    for channels in (16, 32, 64, 128):
        x = net.conv(net.conv(x, channels, 3), channels, 3)
        skips.append(x)
        x = net.max_pool(x)
    x = net.conv(net.conv(x, 256, 3), 256, 3)
    for skip in reversed(skips):
        x = net.resized(x, skip[1], "NEAREST_NEIGHBOR")
        x = net.joined(net.conv(x, skip[2], 3), skip)
        x = net.conv(net.conv(x, skip[2], 3), skip[2], 3)
    x = net.conv(x, 1, 1, activation=_NONE)
    return bytes(net.w.finish([image[0]], [x[0]]))


def _backbone(net: _Network, x: At) -> list[At]:
    """Return the features at strides 8, 16 and 32."""
    x, features = net.conv(x, 16, 3, 2), []
    for channels, stride, count in ((16, 2, 2), (24, 2, 2), (48, 2, 3), (96, 2, 2)):
        for i in range(count):
            x = net.block(x, channels, stride if i == 0 else 1)
        features.append(x)
    return features[1:]


def segmenter() -> bytes:
    """Return the file."""
    net = _Network()
    image = net.tensor(257, 3)
    x = _backbone(net, image)[1]
    x = net.conv(net.conv(x, 128, 1), 21, 1, activation=_NONE)
    x = net.resized(x, 257, "BILINEAR", AlignCorners=True)
    return bytes(net.w.finish([image[0]], [x[0]]))


def detector() -> bytes:
    """Return the file: three anchors of 4 numbers and 20 classes a cell."""
    net = _Network()
    image = net.tensor(320, 3)
    levels = [net.conv(x, 64, 1) for x in _backbone(net, image)]
    x, pyramid = levels[-1], [levels[-1]]
    for level in reversed(levels[:-1]):
        x = net.sum(net.resized(x, level[1], "NEAREST_NEIGHBOR"), level)
        x = net.conv(net.depthwise(x), 64, 1)
        pyramid.append(x)
    heads = []
    for x in pyramid:
        for channels in (3 * 4, 3 * 20):
            heads.append(net.conv(net.depthwise(x), channels, 1, activation=_NONE))
    return bytes(net.w.finish([image[0]], [head[0] for head in heads]))


NETWORKS: dict[str, Callable[[], bytes]] = {
    "decoder": decoder,
    "unet": unet,
    "segmenter": segmenter,
    "detector": detector,
}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where NAME.tflite of each goes")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in NETWORKS.items():
        (folder / f"{name}.tflite").write_bytes(network())


if __name__ == "__main__":
    main()
