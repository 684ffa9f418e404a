"""Networks that take several images at once, written from a seed: each image as by itself.

    >>> from batched_networks import network
    >>> data = network(3)

Layers of every kind that a file of a batch may have, int8 or uint8, in half of them float ends.
"""

from __future__ import annotations

import numpy as np
from tflite_writer import Writer

COUNT = 8
"""Networks that the live proof runs."""
_RELU = 1
_CLASSES = 5


def network(seed: int) -> bytes:
    """Return the file of a seed: a batch of 2 to 9."""
    return _Network(seed).file()


class _Network:
    """A file that grows layer by layer; a value is the index of its tensor."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, *b"batched"])
        self.w, self.batch = Writer(), 2 + seed
        self.dtype, self.float_ends = ("int8", "uint8")[seed % 2], seed % 4 > 1

    def file(self) -> bytes:
        rng, w = self.rng, self.w
        h, width, c = (int(n) for n in rng.integers((7, 7, 1), (14, 14, 4)))
        if self.batch > COUNT // 2:  # images of whole groups, which every engine keeps separate
            h, width = h // 4 * 4 + 4, width // 4 * 4
        image = (h, width, c)
        x = start = self.value(image, 1 / 255)
        if self.float_ends:
            start = w.tensor((self.batch, *image), "float32")
            w.op("QUANTIZE", [start], x)
        x = self.conv(x, 8)
        x = self.joined("CONCATENATION", self.conv(x, 5), self.depthwise(x))
        x = self.joined("ADD", x, self.conv(x, self.shape(x)[-1]))
        x = self.pool(x)
        x = self.unary("LOGISTIC", x) if rng.random() < 0.5 else self.unary("HARD_SWISH", x)
        y = self.unary("SOFTMAX", self.dense(self.flat(x)))
        if self.float_ends:
            end = w.tensor((self.batch, _CLASSES), "float32")
            w.op("DEQUANTIZE", [y], end)
            y = end
        return w.finish([start], [y])

    def shape(self, at: int) -> tuple[int, ...]:
        return tuple(self.w.tensors[at]["shape"][1:])

    def value(self, image: tuple[int, ...], scale: float, zero: int | None = None) -> int:
        """Add what an op produces; `zero` as of int8."""
        zero = int(self.rng.integers(-30, 31)) if zero is None else zero
        zero += 128 * (self.dtype == "uint8")
        return self.w.tensor((self.batch, *image), self.dtype, scale, zero)

    def constant(self, shape: tuple[int, ...], scale: float) -> int:
        unsigned = self.dtype == "uint8"
        values = self.rng.integers(*((0, 256) if unsigned else (-127, 128)), shape)
        return self.w.tensor(shape, self.dtype, scale, 128 if unsigned else 0, values)

    def weighted(
        self, kind: str, x: int, shape: tuple[int, ...], made: tuple[int, ...], count: int,
        options: str, version: int, **fields: int,
    ) -> int:  # fmt: skip
        scale_x = float(self.w.tensors[x]["scale"])
        scale_w = float(self.rng.uniform(0.004, 0.02))
        bias = self.rng.integers(-900, 900, made[-1])
        held = self.constant(shape, scale_w)
        b = self.w.tensor((made[-1],), "int32", np.float32(scale_x) * np.float32(scale_w), 0, bias)
        y = self.value(made, scale_x * scale_w * 70 * count**0.5)
        self.w.op(kind, [x, held, b], y, version, options, **fields)
        return y

    def conv(self, x: int, channels: int) -> int:
        h, w, c = self.shape(x)
        return self.weighted(
            "CONV_2D", x, (channels, 3, 3, c), (h, w, channels), 9 * c, "Conv2DOptions", 3,
            StrideH=1, StrideW=1, FusedActivationFunction=_RELU,
        )  # fmt: skip

    def depthwise(self, x: int) -> int:
        image = self.shape(x)
        return self.weighted(
            "DEPTHWISE_CONV_2D", x, (1, 3, 3, image[-1]), image, 9, "DepthwiseConv2DOptions", 3,
            StrideH=1, StrideW=1, DepthMultiplier=1,
        )  # fmt: skip

    def dense(self, x: int) -> int:
        (n,) = self.shape(x)
        return self.weighted(
            "FULLY_CONNECTED", x, (_CLASSES, n), (_CLASSES,), n, "FullyConnectedOptions", 4
        )

    def joined(self, kind: str, a: int, b: int) -> int:
        tensor, image = self.w.tensors[a], self.shape(a)
        if kind == "ADD":
            y = self.value(image, 1.4 * float(tensor["scale"]))
            self.w.op("ADD", [a, b], y, 2, "AddOptions", FusedActivationFunction=_RELU)
            return y
        same = self.w.tensor(self.w.tensors[b]["shape"], self.dtype, tensor["scale"],
                             tensor["zero_point"])  # fmt: skip
        self.w.op("QUANTIZE", [b], same, 2)
        y = self.w.tensor((self.batch, *image[:2], image[2] + self.shape(b)[2]), self.dtype,
                          tensor["scale"], tensor["zero_point"])  # fmt: skip
        self.w.op("CONCATENATION", [a, same], y, 2, "ConcatenationOptions", Axis=3)
        return y

    def pool(self, x: int) -> int:
        tensor, (h, w, c) = self.w.tensors[x], self.shape(x)
        kind = str(self.rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
        y = self.w.tensor((self.batch, (h + 1) // 2, (w + 1) // 2, c), self.dtype,
                          tensor["scale"], tensor["zero_point"])  # fmt: skip
        self.w.op(kind, [x], y, 2, "Pool2DOptions", Padding=0, StrideH=2, StrideW=2,
                  FilterHeight=3, FilterWidth=3)  # fmt: skip
        return y

    def unary(self, kind: str, x: int) -> int:
        fixed = kind in ("LOGISTIC", "SOFTMAX")
        scale = 1 / 256 if fixed else float(self.w.tensors[x]["scale"])
        y = self.value(self.shape(x), scale, -128 if fixed else None)
        softmax = ("SoftmaxOptions", {"Beta": 1.0}) if kind == "SOFTMAX" else ("", {})
        self.w.op(kind, [x], y, 2 if fixed else 1, softmax[0], **softmax[1])
        return y

    def flat(self, x: int) -> int:
        tensor, size = self.w.tensors[x], int(np.prod(self.shape(x)))
        y = self.w.tensor((self.batch, size), self.dtype, tensor["scale"], tensor["zero_point"])
        shape = np.array([(self.batch, -1)[self.batch % 2], size])
        self.w.op("RESHAPE", [x, self.w.tensor((2,), "int32", data=shape)], y)
        return y
