"""The int32 proof (SPEC 7): every accumulator fits, in any order of summation, or the model is
refused.

Each op's file has a function that turns the range of its inputs into bounds of its accumulator
and the range of its output.  The bounds come from the actual weights, so they also show a
hardware team how many accumulator bits each layer needs.  This file has what they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..support.quoting import short_repr
from .fields import INT32_MAX, INT32_MIN, Requantize
from .shapes import Fields, Shape

Range = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Bounds:
    """What an op can produce.

    Parameters
    ----------
    output : (int, int)
        Smallest and largest value of the output tensor.
    lo, hi : ndarray of int64, shape (channels,) or (1,), or None
        Smallest and largest accumulator or partial sum per channel; None without accumulator.
    """

    output: Range
    lo: np.ndarray | None = None
    hi: np.ndarray | None = None

    __repr__ = short_repr

    @property
    def bits(self) -> int | None:
        """Two's complement bits that hold every accumulator and partial sum."""
        if self.lo is None or self.hi is None:
            return None
        lo, hi = int(self.lo.min()), int(self.hi.max())
        return max((~lo if lo < 0 else lo).bit_length(), hi.bit_length()) + 1


@dataclass(frozen=True)
class InputRanges:
    """What is known of the inputs of one op.

    Parameters
    ----------
    raw : sequence of (int, int)
        Smallest and largest value of each input tensor.
    centred : sequence of (int, int)
        The same, less the tensor's zero point.
    shape : tuple of int
        Of the first input.
    """

    raw: Sequence[Range]
    centred: Sequence[Range]
    shape: Shape


def unchanged(fields: Fields, inputs: InputRanges) -> Bounds:
    """Return the bounds of an op that only moves values of its one input."""
    return Bounds(inputs.raw[0])


def span(fields: Fields, lo: int, hi: int) -> Bounds:
    """Return the bounds of an op that clamps, of one accumulator range for all channels."""
    ends = (np.array([int(end)], np.int64) for end in (lo, hi))
    return Bounds((fields["act_min"], fields["act_max"]), *ends)


def need_int32(lo: np.ndarray | None, hi: np.ndarray | None, what: str) -> None:
    """Raise ModelError naming the first channel whose bounds are beyond int32."""
    if lo is None or hi is None:
        return
    for channel, (smallest, largest) in enumerate(zip(lo.tolist(), hi.tolist(), strict=True)):
        if smallest < INT32_MIN or largest > INT32_MAX:
            raise ModelError(
                f"channel {channel}: {what} can reach [{smallest}, {largest}], beyond int32"
            )


def need_pre_shift(
    requantize: Requantize, lo: np.ndarray, hi: np.ndarray, what: str = "accumulator"
) -> None:
    """Forms double and double_up shift left before they multiply: that must fit int32 too."""
    pre_shift = np.array(
        [
            max(31 - t, 0) if form in ("double", "double_up") else 0
            for form, t in zip(requantize.form, requantize.right_shift.tolist(), strict=True)
        ]
    )
    need_int32(
        np.atleast_1d(lo << pre_shift), np.atleast_1d(hi << pre_shift), f"pre-shifted {what}"
    )
