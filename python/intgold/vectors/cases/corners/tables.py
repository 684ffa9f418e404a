"""Corners of lut and pwl: every entry once, every breakpoint, the ends of the proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import numpy as np

from ....ops.fields import INT32_MAX
from .case import FULL, Case, one_op

_ALL = np.arange(-128, 128).reshape(1, 256)


def lut_cases() -> Iterator[Case]:
    """Yield the cases of lut; the tables of all but one are permutations."""
    shuffled = list(range(-128, 128))
    Random(1).shuffle(shuffled)
    for name, reason, table in (
        ("identity", "entry i is i - 128: an index without its sign shows", range(-128, 128)),
        ("reversed", "entry i is 127 - i: a table read backwards shows", range(127, -129, -1)),
        ("permutation", "a random permutation: each entry read once, any other index shows",
         shuffled),
        ("last_bit", "entry i is 127 for odd i, else -128: any index off by one shows",
         [-128, 127] * 128),
    ):  # fmt: skip
        yield one_op("lut", name, reason, {"table": np.array(table, np.int8)}, {"x": _ALL})
    fields = {"table": np.array(shuffled, np.int8)}
    x = np.array(shuffled[::-1]).reshape(1, 8, 16, 2)
    yield one_op("lut", "image", "the permutation over three dimensions", fields, {"x": x})


def pwl_cases() -> Iterator[Case]:
    """Yield the cases of pwl."""
    points = [-128, -100, -5, -4, 0, 1, 64, 127]
    slope = [300, -200, 700, -100, 50, -900, 1000, 31]
    offset = [25600, -9000, 4000, 300, -200, 25600, -64000, 0]
    around = sorted({min(p + d, 127) for p in points for d in (-1, 0, 1)} - {-129})
    yield _pwl(
        "breakpoints", "every breakpoint, one below and one above: each segment from its start",
        points, slope, offset, 8, around,
    )  # fmt: skip
    yield _pwl("one_segment", "one segment for all 256 inputs", [-128], [201], [-77], 8)
    values = range(-128, 128)
    yield _pwl(
        "segment_per_value", "256 segments, each for one input",
        values, [v % 7 - 3 for v in values], [(v * 37) % 256 - 128 for v in values], 0,
    )  # fmt: skip
    yield _pwl(
        "frac_bits_0", "frac_bits 0: no rounding, both saturations", [-128, 0], [2, 3], [0, -5], 0
    )
    yield _pwl(
        "frac_bits_15",
        "frac_bits 15: slope -2^15 and an offset of a half make ties, 2^15-1 comes close",
        [-128, 0], [2**15 - 1, -(2**15)], [2**14, 2**14], 15,
    )  # fmt: skip
    yield _pwl(
        "ties", "halves: every odd sum a tie, of both signs and parities", [-128], [1], [0], 1
    )
    yield _pwl(
        "near_ties", "one below, at and above a tie, of both signs and parities",
        [-128, 0, 40], [128] * 3, [128 * 70 - 1, -128 * 20, 1 - 128 * 60], 8,
    )  # fmt: skip
    for bits in (0, 15):
        half = 2**14 if bits else 0
        low, high = 32767 * 128, 32768 * 128
        yield _pwl(
            f"proof_ends_{bits}",
            f"frac_bits {bits}: the steepest slopes and offsets that the proof allows, the sum "
            "at its largest",
            [-128, -127], [-32768, 32767], [INT32_MAX - half - high, -(INT32_MAX - half - low)],
            bits, [-128, -127, 0, 127],
        )  # fmt: skip
        yield _pwl(
            f"proof_low_{bits}",
            f"frac_bits {bits}: the steepest rising slope by -128 and the smallest offset",
            [-128, -127], [32767, -32768], [-(INT32_MAX - half - low), INT32_MAX - half - high],
            bits, [-128, -127, 0, 127],
        )  # fmt: skip
    for name, reason, lo, hi in (
        ("narrow_clamp", "act_min -3, act_max 5, values one inside and outside", -3, 5),
        ("one_value_clamp", "act_min = act_max = -9: nothing else comes out", -9, -9),
    ):
        yield _pwl(
            name, reason, [-128], [1], [0], 0, [-128, -4, -3, 0, 5, 6, 127], act_min=lo, act_max=hi
        )


def _pwl(
    name: str, reason: str, breakpoints: Sequence[int], slope: Sequence[int],
    offset: Sequence[int], frac_bits: int, x: Sequence[int] = tuple(range(-128, 128)),
    **other: Any,
) -> Case:  # fmt: skip
    fields = {
        "breakpoints": np.array(breakpoints, np.int8),
        "slope": np.array(slope, np.int16),
        "offset": np.array(offset, np.int32),
        "frac_bits": frac_bits,
        **FULL,
        **other,
    }
    return one_op("pwl", name, reason, fields, {"x": np.array([list(x)])})
