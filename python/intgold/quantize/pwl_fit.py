"""Piecewise-linear segments for a 256-entry table, with optimal breakpoints.

Dynamic programming over the 256 inputs: first the smallest possible largest error of the *integer*
evaluation (SPEC 5.5) in LSB, then, at that error, the smallest sum of squared errors.  The line
of a segment is the best of a few candidates: the least-squares line, and the middle of all lines
that stay within the error (which finds a line whenever one of the slope grid exists).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from ..golden.pwl import pwl
from ..support.quoting import short_repr

_Q = np.arange(-128, 128, dtype=np.int64)
_NEVER = 2**40


@dataclass(frozen=True, eq=False)
class Segments:
    """Fields of a ``pwl`` op, and how far it is from the table.

    Parameters
    ----------
    breakpoints : ndarray of int8, shape (segments,)
        The first is -128.
    slope : ndarray of int16, shape (segments,)
    offset : ndarray of int32, shape (segments,)
    frac_bits : int
    max_error : int
        Largest |y - table| over the 256 inputs, in LSB.
    differing : int
        Inputs whose output is not the table's.
    """

    __repr__ = short_repr

    breakpoints: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    frac_bits: int
    max_error: int
    differing: int


def fit(table: np.ndarray, segments: int = 8) -> Segments:
    """Return at most `segments` segments that follow a table best.

    Parameters
    ----------
    table : ndarray of int8, shape (256,)
    segments : int
        1 to 64.

    Raises
    ------
    ModelError
        When the table or the number of segments is not as above.
    """
    if not isinstance(table, np.ndarray) or table.dtype != np.int8 or table.shape != (256,):
        raise ModelError("pwl: the table is not 256 values of int8")
    if not 1 <= segments <= 64:
        raise ModelError(f"pwl: {segments} segments; 1 to 64 are possible")
    target = table.astype(np.int64)
    frac_bits = _frac_bits(target)
    error, starts = _least_error(target, segments), None
    while starts is None:  # error 255 allows any line
        lines = _FittedLines(target, error, frac_bits)
        starts = _best_split(lines.squares, segments)
        error += 1
    ends = [*starts[1:], 256]
    chosen = [(lines.slope[i, j], lines.offset[i, j]) for i, j in zip(starts, ends, strict=True)]
    slope, offset = (np.array(column) for column in zip(*chosen, strict=True))
    fields: dict[str, Any] = {
        "breakpoints": _Q[starts].astype(np.int8),
        "slope": slope.astype(np.int16),
        "offset": offset.astype(np.int32),
        "frac_bits": frac_bits,
    }
    made, _ = pwl(_Q.astype(np.int8).reshape(1, -1), **fields, act_min=-128, act_max=127)
    errors = np.abs(made[0].astype(np.int64) - target)
    return Segments(**fields, max_error=int(errors.max()), differing=int((errors > 0).sum()))


def _least_error(target: np.ndarray, segments: int) -> int:
    """Return the smallest error at which `segments` real lines cover all inputs, longest first."""
    for error in range(256):
        lowest, highest = _slope_ranges(target, error)
        at = used = 0
        while at < 256:
            fits = lowest[at, at:] <= highest[at, at:]
            at += len(fits) if fits.all() else int(fits.argmin())
            used += 1
        if used <= segments:
            return error
    return 255


def _frac_bits(target: np.ndarray) -> int:
    """Return the most fraction bits with which the steepest slope still fits int16."""
    steepest = int(np.abs(np.diff(target)).max()) + 1
    return min(15, (32767 // steepest).bit_length() - 1)


class _FittedLines:
    """For each first and end input (end excluded): a line and its sum of squares, or `_NEVER`.

    A line's integer evaluation is within `error` of the target.
    """

    def __init__(self, target: np.ndarray, error: int, frac_bits: int) -> None:
        self._target, self._error, self._frac_bits = target, error, frac_bits
        self.slope, self.offset, self.squares = (np.zeros((257, 257), np.int64) for _ in range(3))
        self.squares[:] = _NEVER
        lowest, highest = _slope_ranges(target, error)
        one = 2**frac_bits
        lowest, highest = np.maximum(lowest, -32768 / one), np.minimum(highest, 32767 / one)
        for i in range(256):
            lo, hi = lowest[i, i:], highest[i, i:]
            none = lo > hi  # then a longer interval has no line either
            ends = int(none.argmax()) if none.any() else len(lo)
            middle = np.rint((lo + hi)[:ends] / 2 * one).astype(np.int64)
            slopes = (middle, np.rint(_least_squares(target[i : i + ends]) * one).astype(np.int64))
            for slope in np.sort(np.clip(slopes, -32768, 32767), axis=0):
                self._try(i, slope)

    def _try(self, i: int, slope: np.ndarray) -> None:
        """Keep the best offset for a slope where the line beats what the interval has.

        Row k is the interval of the inputs i to i + k, and `slope[k]` its slope.
        """
        ends = len(slope)
        target, error, frac_bits = self._target[i : i + ends], self._error, self._frac_bits
        half = (1 << frac_bits) >> 1
        inside = np.tri(ends, dtype=np.bool_)
        remainder = (target << frac_bits) - slope[:, np.newaxis] * _Q[i : i + ends]
        # y = floor((slope*q + offset + half) / 2^frac_bits) is within the error for these offsets.
        low = remainder - (error << frac_bits) - half
        high = remainder + (error << frac_bits) + (1 << frac_bits) - 1 - half
        bottom = np.where(inside & (target - error > -128), low, -_NEVER).max(axis=1)
        top = np.where(inside & (target + error < 127), high, _NEVER).min(axis=1)
        limit = 2**31 - 1 - half - abs(slope) * 128
        mean = np.where(inside, remainder, 0).sum(axis=1) / np.arange(1, ends + 1)
        for expected in _tried((bottom + top) // 2, mean.astype(np.int64)):
            offset = np.clip(expected, np.maximum(bottom, -limit), np.minimum(top, limit))
            shifted = (target << frac_bits) - remainder + offset[:, np.newaxis] + half
            made = np.clip(shifted >> frac_bits, -128, 127)
            squares = np.where(inside, (made - target) ** 2, 0).sum(axis=1)
            at = slice(i + 1, i + ends + 1)
            better = (bottom <= offset) & (offset <= top) & (squares < self.squares[i, at])
            for kept, new in (
                (self.slope, slope),
                (self.offset, offset),
                (self.squares, squares),
            ):
                kept[i, at] = np.where(better, new, kept[i, at])


def _tried(middle: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return two offsets to try for each interval, shape (2, n); of equal ones the first is kept.

    The order is that of a set, by which models in use were made.
    """
    pairs = [[*{a, b}] for a, b in zip(middle.tolist(), mean.tolist(), strict=True)]
    return np.array([(pair[0], pair[-1]) for pair in pairs]).T


def _slope_ranges(target: np.ndarray, error: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each first and last input, the slopes of all real lines within the error.

    A line must pass every input between ``target - error - 1/2`` and ``target + error + 1/2``;
    two inputs bound the slope; an interval's range is what all of its pairs leave.
    """
    # What is clamped may lie anywhere beyond.
    low = np.where(target - error <= -128, -1e6, target - error - 0.5)
    high = np.where(target + error >= 127, 1e6, target + error + 0.5)
    run = _Q[np.newaxis] - _Q[:, np.newaxis]
    after = run > 0
    run = np.where(after, run, 1)
    lowest = np.where(after, (low[np.newaxis] - high[:, np.newaxis]) / run, -1e9)
    highest = np.where(after, (high[np.newaxis] - low[:, np.newaxis]) / run, 1e9)
    for length in range(1, 256):
        i = np.arange(256 - length)
        j = i + length
        lowest[i, j] = np.maximum(lowest[i, j], np.maximum(lowest[i, j - 1], lowest[i + 1, j]))
        highest[i, j] = np.minimum(highest[i, j], np.minimum(highest[i, j - 1], highest[i + 1, j]))
    return lowest, highest


def _least_squares(target: np.ndarray) -> np.ndarray:
    """Return the least-squares slope of the first 1, 2, ... values; 0 of one value.

    All sums are exact: of integers and halves.
    """
    count = np.arange(1, len(target) + 1)
    at = count - 1
    centre = at / 2  # mean of the places
    products = np.cumsum(at * target) - centre * np.cumsum(target)
    squares = count * (count**2 - 1) / 12  # of the places less their mean
    slopes: np.ndarray = products / np.where(at, squares, 1)
    return slopes


def _best_split(squares: np.ndarray, segments: int) -> list[int] | None:
    """Return the first inputs of the segments of the smallest total; None: there are too few."""
    total = np.full((segments + 1, 257), _NEVER, np.int64)
    total[0, 0] = 0
    came = np.zeros((segments + 1, 257), np.int64)
    for s in range(1, segments + 1):
        sums = total[s - 1][:, np.newaxis] + squares
        came[s], total[s] = sums.argmin(axis=0), sums.min(axis=0)
    used = int(total[:, 256].argmin())
    if total[used, 256] >= _NEVER:
        return None
    starts, at = [], 256
    for s in range(used, 0, -1):
        at = int(came[s, at])
        starts.append(at)
    return starts[::-1]
