"""Corners of softmax and softmax_float32: shares, limits, what each step rounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import rows
from .case import Case, one_op
from .rows import ONE, table_entries

_FALLING = tuple(ONE - (255 - i) * 2**22 for i in range(256))
"""A half less for every two of a difference, down to subnormal values, nearly evenly."""


def softmax_cases() -> Iterator[Case]:
    """Yield the cases of softmax."""
    yield _softmax("one_value", "depth 1: the probability is 1, stored as 127", rows.EVERY, 24)
    for depth in (2, 3, 255, 4095):
        yield _softmax(
            f"equal_{depth}", f"{depth} equal values: each has the probability 1/{depth}",
            rows.equal(depth), 24,
        )  # fmt: skip
    for place, x in rows.dominant():
        yield _softmax(f"dominant_{place}", f"one dominant value, the {place}: 127, else -128",
                       x, 24)  # fmt: skip
    limit = 31 * 2**26
    for shift, diff in ((31, 0), (30, -1), (26, -31), (25, -62), (24, -124)):
        assert diff == -(limit >> shift)
        x = np.full((2, 4095), diff)
        x[1] -= 1
        x[:, 7] = 0
        yield _softmax(
            f"limit_{shift}",
            f"left_shift {shift}: a difference of {diff} is the last that counts, then one more",
            x, shift,
        )  # fmt: skip
    yield _softmax(
        "left_shift_0", "left_shift 0: every difference vanishes, all count", rows.STEPS, 0
    )
    yield _softmax("multiplier_high", "the largest multiplier, 2^31-1", rows.STEPS, 22, 2**31 - 1)
    yield _softmax("multiplier_low", "the smallest multiplier, 2^30", rows.STEPS, 22)
    yield _softmax(
        "every_difference", "every difference that counts: each constant of exp takes part",
        rows.DIFFERENCES, 24, 2**31 - 1,
    )  # fmt: skip
    yield _softmax("pairs", "two values at every difference", rows.PAIRS, 23)
    yield _softmax("rows", "an image: each pixel is a row of its own", rows.IMAGE, 25)


def _softmax(
    name: str, reason: str, x: np.ndarray, left_shift: int, multiplier: int = 2**30
) -> Case:
    fields = {"multiplier": multiplier, "left_shift": left_shift}
    return one_op("softmax", name, reason, fields, {"x": x})


def softmax_float32_cases() -> Iterator[Case]:
    """Yield the cases of softmax_float32.

    The probes are entries at which the step that the reason names moves a value of y; they were
    found by search with exact integers.
    """
    yield _float32("one_value", "depth 1: the probability is 1, stored as 127", rows.EVERY)
    for depth in (2, 3, 255, 512, 4095):
        yield _float32(
            f"equal_{depth}", f"{depth} equal values: each has the probability 1/{depth}",
            rows.equal(depth),
        )  # fmt: skip
    for place, x in rows.dominant():
        yield _float32(f"dominant_{place}", f"one dominant value, the {place}: 127, else -128", x)
    yield _float32("pairs", "two values at every difference, down to subnormal ones", rows.PAIRS)
    zeros = [0] * 255 + [ONE]
    yield _float32("zeros", "a table of zeros: only the largest value counts", rows.PAIRS, zeros)
    odd = range(1, 128, 2)
    of = {d: _share(d) for d in odd} | {d + 1: _share(256 - d) for d in odd}
    yield _float32(
        "ties", "probabilities of k + 1/2 units, up to the next",
        [[127, 127 - d, 126 - d] for d in odd], table_entries(of),
    )  # fmt: skip
    for name, reason, of, row in (
        ("sum_tie_down", "1 + 2^-24 lies between two values of float32: the even one, 1, is below",
         {1: 103 << 23, 2: 1059419151}, [0, 1, 2]),
        ("sum_tie_up", "1 + 2^-23 + 2^-24 lies between two: the even one, 1 + 2^-22, is above",
         {1: 104 << 23, 2: 103 << 23, 3: 1059419150}, [0, 1, 2, 3]),
        ("sum_above_tie", "1 + 2^-24 * (1 + 2^-23) is above the half: a bit far below decides",
         {1: (103 << 23) + 1, 2: 1056989208}, [0, 1, 2]),
        ("sum_rounds_each_time", "1 + 2^-24 + 2^-24 stays 1: what the first loses is lost",
         {1: 103 << 23, 2: 1059419152}, [0, 1, 1, 2]),
        ("quotient", "1/sum is rounded to nearest, not cut off",
         {1: 126 << 23, 2: 1064840728}, [0, 1, 2]),
        ("product", "the product is a float32 before it becomes an integer",
         {1: 126 << 23, 2: 1064575996}, [0, 1, 2]),
    ):  # fmt: skip
        yield _float32(name, reason, np.array([[100 - d for d in row]]), table_entries(of))
    # Seven sums, each a tie but for what the one before it kept: the first term decides.
    for name, bits, reason in (
        ("subnormal_tie", 32, "a subnormal value that makes the first sum a tie"),
        ("subnormal_counts", 33, "a subnormal value that takes the first sum above a tie"),
    ):
        chain = {i: 127 - 24 * (i - 1) << 23 for i in range(2, 7)}
        chained = [[93, 94, 95, 96, 97, 98, 100, 99]]
        yield _float32(name, reason, chained, table_entries({7: bits, **chain, 1: 1056989208}))
    small = [99] * 4000
    yield _float32(
        "order", "4,000 values of 2^-24 vanish after the largest and count before it",
        [[100, *small, 98], [*small, 100, 98]], table_entries({1: 103 << 23, 2: 1059420454}),
    )  # fmt: skip
    for form in ("rounded", "half_added"):
        yield _float32(
            f"below_half_{form}",
            f"the float32 before 1/2, form {form}: half_added gives 1, rounded gives 0",
            [[5, 5, 5, 4]], table_entries({1: 1002463280}), form,
        )  # fmt: skip
    yield _float32("rows", "an image: each pixel is a row of its own", rows.IMAGE)


def _share(odd: int) -> int:
    """Return the bits of odd / 256: half as many units where the sum is 2."""
    up = odd.bit_length() - 1
    return (127 - 8 + up << 23) + ((odd << 23 >> up) - 2**23)


def _float32(
    name: str, reason: str, x: object, table: object = _FALLING, form: str = "rounded"
) -> Case:
    fields = {"form": form, "table": np.array(table).clip(0).astype(np.int32)}
    return one_op("softmax_float32", name, reason, fields, {"x": np.array(x)})
