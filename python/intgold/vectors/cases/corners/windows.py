"""Corners of conv2d and depthwise_conv2d of a window: padding, stride, dilation.

Weights are 1, 2, 3, ... without a repeat, so that one hot pixel tells which tap read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Case, one_op
from .weighted import SLIDE, weighted_fields


def window_cases(kind: str) -> Iterator[Case]:
    """Yield the cases of one of the two convolutions."""
    yield _case(
        kind, "hot_pixels",
        "one hot pixel at every place, corners and edges among them, with four different paddings",
        (3, 5), every_pixel(4, 5, 7), x_zero=7, padding=(1, 2, 3, 4),
    )  # fmt: skip
    yield _case(
        kind, "kernel_beyond_image",
        "kernel 5x5 on a 2x3 image: padding in every window; one hot pixel at every place",
        (5, 5), every_pixel(2, 3, -128), x_zero=-128, padding=(2, 2, 2, 2),
    )  # fmt: skip
    yield _case(
        kind, "stride_beyond_kernel",
        "stride 3 over a kernel 1x2: one hot pixel at every place, most of them never read",
        (1, 2), every_pixel(7, 8, 3), x_zero=3, stride=(3, 3),
    )  # fmt: skip
    yield _case(
        kind, "dilation",
        "dilation 2 by 3 with stride 2 by 1: one hot pixel at every place, between taps too",
        (3, 2), every_pixel(6, 8, -1), x_zero=-1, stride=(2, 1), dilation=(2, 3),
    )  # fmt: skip
    yield _case(
        kind, "dilation_over_padding",
        "dilation 3 with four different paddings: taps step over the image's edges",
        (3, 3), every_pixel(4, 3, 0), padding=(2, 3, 4, 1), dilation=(3, 3),
    )  # fmt: skip
    yield _case(
        kind, "one_by_one", "kernel 1x1 with stride 2 by 1 on a 3x2 image",
        (1, 1), every_pixel(3, 2, 0), stride=(2, 1),
    )  # fmt: skip
    ends = np.empty((2, 3, 4, 1), np.int8)
    ends[0], ends[1] = 127, -128
    yield _case(
        kind, "padding_is_zero_point",
        "zero point 127, weight zero point not 0: an image of 127 leaves the bias everywhere, one "
        "of -128 adds valid taps only",
        (3, 3), ends, x_zero=127, padding=(1, 2, 2, 1), bias=[1000, -1000],
        weight_zero_point=[100],
    )  # fmt: skip
    yield _case(
        kind, "windows_of_padding",
        "paddings beyond the kernel: windows without a valid tap leave the bias",
        (1, 1), np.array([-128, 127], np.int8).reshape(2, 1, 1, 1),
        padding=(2, 3, 4, 5), bias=[11, -12],
    )  # fmt: skip


def every_pixel(height: int, width: int, zero: int) -> np.ndarray:
    """Return an image for each pixel: that one is 1 above the zero point, the others at it."""
    count = height * width
    return (np.eye(count, dtype=np.int8) + np.int8(zero)).reshape(count, height, width, 1)


def _case(
    kind: str, name: str, reason: str, kernel: tuple[int, int], x: np.ndarray,
    x_zero: int = 0, **other: Any,
) -> Case:  # fmt: skip
    """Return a case of one input channel and two output channels."""
    weights = np.arange(1, 2 * kernel[0] * kernel[1] + 1, dtype=np.int8)
    shape = (2, *kernel, 1) if kind == "conv2d" else (*kernel, 2)
    fields = {**SLIDE, **weighted_fields(weights.reshape(shape), 2, **other)}
    return one_op(kind, name, reason, fields, {"x": x}, {"x": x_zero})
