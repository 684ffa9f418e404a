"""Corners of log_softmax and log_softmax_float32: sums, limits, what each step rounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import rows
from .case import Case, one_op
from .rows import ONE, table_entries

_SIXTEENTH = ONE - (4 << 23)


def log_softmax_cases() -> Iterator[Case]:
    """Yield the cases of log_softmax."""
    yield _case("one_value", "depth 1: the logarithm of 1, stored as 127", rows.EVERY)
    for depth in (2, 3, 255, 4095):
        yield _case(
            f"equal_{depth}", f"{depth} equal values: the logarithm of each is that of 1/{depth}",
            rows.equal(depth),
        )  # fmt: skip
    for place, x in rows.dominant():
        yield _case(f"dominant_{place}", f"one dominant value, the {place}: 127, else -128", x)
    places = np.arange(64)
    yield _case(
        "sums", "1 to 64 values that count: significands of the sum from 1/2 to 1",
        np.where(places <= places[:, None], 90, -128),
    )  # fmt: skip
    yield _case("left_shift_0", "left_shift 0: every difference vanishes, all count", rows.STEPS, 0)
    yield _case("left_shift_31", "left_shift 31: no difference but 0 counts", rows.STEPS, 31)
    yield _case("multiplier_high", "the largest multiplier, 2^31-1", rows.STEPS, 22, 2**31 - 1)
    yield _case("multiplier_low", "the smallest multiplier, 2^30", rows.STEPS, 22)
    for name, count, multiplier in (("tie_to_odd", 1, 1452290560), ("tie_to_even", 2, 1504914432)):
        yield _case(
            name, "the last value lies between two units: away from zero",
            np.array([[70] * count + [69]]), 24, multiplier,
        )  # fmt: skip
    yield _case(
        "every_difference", "every difference that counts: each constant of exp takes part",
        rows.DIFFERENCES, 24, 2**31 - 1,
    )  # fmt: skip
    yield _case("pairs", "two values at every difference", rows.PAIRS, 23)
    yield _case("rows", "an image: each pixel is a row of its own", rows.IMAGE, 25)


def _case(
    name: str, reason: str, x: np.ndarray, left_shift: int = 24, multiplier: int = 2**30
) -> Case:
    fields = {"multiplier": multiplier, "left_shift": left_shift}
    return one_op("log_softmax", name, reason, fields, {"x": x})


def log_softmax_float32_cases() -> Iterator[Case]:
    """Yield the cases of log_softmax_float32.

    The probes are scales and entries at which the step that the reason names moves a value of y;
    they were found by search with exact integers.
    """
    for form in ("signed", "unsigned"):
        reason = "depth 1: the logarithm of 1, stored as 127"
        yield _float32(f"one_value_{form}", reason, rows.EVERY, form=form)
    for depth in (2, 3, 255, 4095):
        yield _float32(
            f"equal_{depth}", f"{depth} equal values: the logarithm of each is that of 1/{depth}",
            rows.equal(depth),
        )  # fmt: skip
    for place, x in rows.dominant():
        yield _float32(f"dominant_{place}", f"one dominant value, the {place}: 127, else -128", x)
    places = np.arange(64)
    yield _float32(
        "sums", "1 to 64 values that count: logarithms of every interval",
        np.where(places <= places[:, None], 90, -128), table_entries({}),
    )  # fmt: skip
    yield _float32("pairs", "two values at every difference", rows.PAIRS)
    for name, bits in (("scale_least", 1), ("scale_most", 240 << 23)):
        yield _float32(name, f"the {name.split('_')[1]} scale_bits", rows.PAIRS, scale_bits=bits)
    odd = [[127, 127 - d] for d in range(1, 128, 2)]
    yield _float32(
        "ties", "16*d lies between two integers: the even one",
        odd, table_entries({}), _SIXTEENTH - 2**23,
    )  # fmt: skip
    small = [-1] * 4000
    yield _float32(
        "order", "4,000 values of 2^-24 vanish after the largest and count before it",
        [[0, *small], [*small, 0]], table_entries({1: 103 << 23}), _SIXTEENTH - 2**23,
    )  # fmt: skip
    yield _float32(
        "sum_rounds_each_time", "1 + 2^-24 + 2^-24 stays 1: what the first loses is lost",
        [[0, -1, -1]], table_entries({1: 103 << 23}), _SIXTEENTH - 2**23,
    )  # fmt: skip
    yield _float32(
        "not_the_nearest", "a logarithm that is not the nearest float32",
        [[0, -1]], table_entries({1: 1062620518}), 1043412088,
    )  # fmt: skip
    for name, reason, (top, count, step), entry, bits, form in (
        ("signed", "the products of x: those of x + 128 round differently", (55, 28, 7),
         1025990003, 1055515003, "signed"),
        ("unsigned", "the products of x + 128: those of x round differently", (55, 28, 7),
         1025990003, 1055515003, "unsigned"),
        ("product", "the product is a float32 before anything is subtracted", (55, 28, 7),
         1025990042, 1055514986, "unsigned"),
        ("subtrahend", "what is subtracted is a float32 itself", (55, 28, 7),
         1025990034, 1055514990, "signed"),
        ("difference", "the difference is a float32 before it becomes an integer", (-23, 24, 4),
         1060716302, 1034264737, "signed"),
    ):  # fmt: skip
        row = [*[top] * count, top - step]
        yield _float32(name, reason, [row], table_entries({step: entry}), bits, form)
    yield _float32("rows", "an image: each pixel is a row of its own", rows.IMAGE)


_FALLING = tuple(ONE - (255 - i) * 2**19 for i in range(256))
"""Half as much for every sixteen of a difference, nearly evenly."""


def _float32(
    name: str,
    reason: str,
    x: object,
    table: object = _FALLING,
    scale_bits: int = _SIXTEENTH,
    form: str = "signed",
) -> Case:
    held = np.array(table).clip(0).astype(np.int32)
    fields = {"form": form, "scale_bits": scale_bits, "table": held}
    return one_op("log_softmax_float32", name, reason, fields, {"x": np.array(x)})
