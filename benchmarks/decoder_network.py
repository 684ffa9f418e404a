"""Writes a network of the U-Net kind, an encoder and a decoder of TRANSPOSE_CONV, for imported.py.

    python benchmarks/decoder_network.py out/decoder
    TFLITE_DIR=out/decoder python benchmarks/imported.py --ops

Weights are noise of a fixed seed, scales such that values spread: only its time is of interest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

from tflite_writer import Writer

SIDE, CHANNELS = 128, (16, 32, 64, 128)
_SCALE = 0.05
_DEVIATION = 74  # of uniform int8


class _Network:
    """A file that grows by layers; a tensor is (index, side, channels)."""

    def __init__(self) -> None:
        self.w, self.draw = Writer(), np.random.default_rng(0)

    def tensor(self, side: int, channels: int) -> tuple[int, int, int]:
        return self.w.tensor((1, side, side, channels), "int8", _SCALE, -128), side, channels

    def weighted(
        self, kind: str, x: tuple[int, int, int], side: int, channels: int, kernel: int,
        stride: int,
    ) -> tuple[int, int, int]:  # fmt: skip
        """Add a convolution, or a transposed one, with a fused RELU."""
        transposed = kind == "TRANSPOSE_CONV"
        products = kernel * kernel * x[2] / (stride * stride if transposed else 1)
        scale = np.float32(1.5 / (np.sqrt(products) * _DEVIATION))
        shape, scales = (channels, kernel, kernel, x[2]), np.full(channels, scale, np.float32)
        weights = self.w.tensor(shape, "int8", scales, 0, self.draw.integers(-127, 128, shape))
        bias = self.w.tensor(
            (channels,), "int32", scales * np.float32(_SCALE), 0,
            self.draw.integers(-999, 999, channels),
        )  # fmt: skip
        y = self.tensor(side, channels)
        fields = dict(Padding=0, StrideH=stride, StrideW=stride, FusedActivationFunction=1)
        if transposed:
            extents = self.w.tensor((4,), "int32", data=np.array([1, side, side, channels]))
            inputs, options = [extents, weights, x[0], bias], "TransposeConvOptions"
        else:
            fields |= dict(DilationHFactor=1, DilationWFactor=1)
            inputs, options = [x[0], weights, bias], "Conv2DOptions"
        self.w.op(kind, inputs, y[0], 4, options, **fields)
        return y

    def joined(self, a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
        y = self.tensor(a[1], a[2] + b[2])
        self.w.op(
            "CONCATENATION", [a[0], b[0]], y[0], 2, "ConcatenationOptions", Axis=3,
            FusedActivationFunction=0,
        )  # fmt: skip
        return y


def network() -> bytes:
    """Return the file: each level halves the image, then doubles it and joins what was there."""
    net = _Network()
    image = net.tensor(SIDE, 3)
    x, skips = image, []
    for channels in CHANNELS:
        x = net.weighted("CONV_2D", x, x[1], channels, 3, 1)
        skips.append(x)
        x = net.weighted("CONV_2D", x, x[1] // 2, channels, 3, 2)
    for skip in reversed(skips):
        x = net.weighted("TRANSPOSE_CONV", x, skip[1], skip[2], 2, 2)
        x = net.weighted("CONV_2D", net.joined(x, skip), skip[1], skip[2], 3, 1)
    x = net.weighted("CONV_2D", x, SIDE, 4, 1, 1)
    return bytes(net.w.finish([image[0]], [x[0]]))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where decoder.tflite goes")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "decoder.tflite").write_bytes(network())


if __name__ == "__main__":
    main()
