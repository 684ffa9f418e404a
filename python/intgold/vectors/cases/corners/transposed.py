"""Corners of transpose_conv2d: strides, what is cut off, outputs that no tap reaches.

Weights are 1, 2, 3, ... without a repeat, so that one hot pixel shows which tap took it where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Case, one_op
from .weighted import weighted_fields
from .windows import every_pixel


def transposed_cases() -> Iterator[Case]:
    """Yield the cases of strides and paddings."""
    yield _case(
        "hot_pixels", "one hot pixel at every place, corners among them; nothing is cut off",
        (3, 5), every_pixel(3, 4, 7), x_zero=7, stride=(2, 3),
    )  # fmt: skip
    yield _case(
        "four_cuts", "four different paddings: one hot pixel at every place, parts of it cut off",
        (5, 6), every_pixel(4, 3, -3), x_zero=-3, stride=(2, 2), padding=(1, 2, 3, 0),
    )  # fmt: skip
    yield _case(
        "stride_1", "stride 1: a convolution with the kernel mirrored; the pixels' kernels overlap",
        (3, 2), every_pixel(3, 4, -128), x_zero=-128, padding=(1, 1, 0, 1),
    )  # fmt: skip
    yield _case(
        "stride_beyond_kernel",
        "stride 3 by 4 over a kernel 2x2: rows and columns between that only the bias reaches",
        (2, 2), every_pixel(3, 2, 126), x_zero=126, stride=(3, 4), bias=[11, -12],
    )  # fmt: skip
    yield _case(
        "output_padding",
        "negative padding at the bottom and right: outputs after the full result hold the bias",
        (3, 3), every_pixel(2, 3, 5), x_zero=5, stride=(2, 2), padding=(1, -1, 1, -2),
        bias=[100, -100],
    )  # fmt: skip
    yield _case(
        "inputs_cut_off", "paddings beyond the kernel: the first and last pixels reach no output",
        (2, 2), every_pixel(5, 6, 0), stride=(2, 1), padding=(3, 2, 2, 3),
    )  # fmt: skip
    yield _case(
        "kernel_in_squares", "kernel and stride 2x2: each pixel becomes a square, no taps overlap",
        (2, 2), every_pixel(3, 3, 1), x_zero=1, stride=(2, 2),
    )  # fmt: skip
    ends = np.empty((2, 2, 3, 1), np.int8)
    ends[0], ends[1] = 127, -128
    yield _case(
        "inserted_zeros_add_nothing",
        "zero point 127, weight zero point not 0: an image of 127 leaves the bias everywhere, one "
        "of -128 adds taps that meet an input only",
        (3, 3), ends, x_zero=127, stride=(2, 2), padding=(1, 0, 0, -2), bias=[1000, -1000],
        weight_zero_point=[100],
    )  # fmt: skip
    yield _case(
        "bias_alone", "one pixel, all of its kernel cut off: every output is the bias",
        (1, 2), np.array([-128, 127], np.int8).reshape(2, 1, 1, 1), stride=(2, 2),
        padding=(1, -2, 3, -4), bias=[21, -22],
    )  # fmt: skip


def _case(
    name: str, reason: str, kernel: tuple[int, int], x: np.ndarray, x_zero: int = 0, **other: Any
) -> Case:
    """Return a case of one input channel and two output channels."""
    weights = np.arange(1, 2 * kernel[0] * kernel[1] + 1, dtype=np.int8).reshape(2, *kernel, 1)
    geometry = {"stride": (1, 1), "padding": (0, 0, 0, 0)}
    fields = {**geometry, **weighted_fields(weights, 2, **other)}
    return one_op("transpose_conv2d", name, reason, fields, {"x": x}, {"x": x_zero})
