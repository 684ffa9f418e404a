"""Corners of add, mul, concat, maximum, minimum and lut2d."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ....ops.fields import FORMS, Requantize
from .case import FULL, QUARTERS, UNIT, Case, one_op

_PLACES = ("requantize1", "requantize2", "requantize")
_DIFFERENCE = "shared_scale_difference"
_SQUARED = "shared_scale_squared_difference"
_ENDS = (-128, -127, -1, 0, 1, 126, 127)
_CLAMPS = (
    ("narrow_clamp", "act_min -3 and act_max 5, values one inside and outside", -3, 5),
    ("one_value_clamp", "act_min = act_max = 7: nothing else comes out", 7, 7),
)
Values = Sequence[int]


def _crossed(a: Values, b: Values) -> dict[str, np.ndarray]:
    """Return every value of a with every value of b."""
    x1, x2 = np.meshgrid(a, b)
    return {"x1": x1.reshape(1, -1), "x2": x2.reshape(1, -1)}


def add_cases() -> Iterator[Case]:
    """Yield the cases of add."""
    values = _crossed(_ENDS, _ENDS)
    yield _add("saturation", "sums -256 to 254: both saturations", values)
    yield _add("by_one", "sums 128 and -129: saturation by one", _crossed((127, -128), (1, -1)))
    quarter = {"x1": [list(QUARTERS)], "x2": [[0] * len(QUARTERS)]}
    swapped = {"x1": quarter["x2"], "x2": quarter["x1"]}
    for place in _PLACES:
        for form in FORMS:
            yield _add(
                f"ties_{place}_{form}",
                f"quarters in {place}, form {form}: ties of both signs and parities, the others "
                "exact",
                swapped if place == "requantize2" else quarter,
                **{place: Requantize.of(2**30, 32, form)},
            )
    for form in FORMS:
        by = Requantize.of(2**30, 31, form)
        yield _add(
            f"three_roundings_{form}",
            f"halves in all three places, form {form}: odd values round twice",
            _crossed(range(-7, 8), range(-7, 8)), requantize1=by, requantize2=by, requantize=by,
        )  # fmt: skip
    yield _add(
        "left_shift_0", "left_shift 0: thirds, every rounding shows", values,
        requantize1=Requantize.of(1431655765, 32), requantize2=Requantize.of(1431655765, 31),
    )  # fmt: skip
    wide = Requantize.of(2**31 - 1, 31)
    for x_zero in (-128, 127):
        yield _add(
            f"left_shift_22_{'low' if x_zero < 0 else 'high'}",
            f"left_shift 22 and zero points {x_zero}: the sum comes next to an end of int32",
            values, x1=x_zero, x2=x_zero, y=x_zero, left_shift=22,
            requantize1=wide, requantize2=wide, requantize=Requantize.of(2**30, 54),
        )  # fmt: skip
    yield _add(
        "zero_points_apart", "zero points -128 and 127 of the inputs, 127 of the output",
        values, x1=-128, x2=127, y=127,
    )  # fmt: skip
    dead = Requantize.of(0, 31)
    yield _add("dead_first", "multiplier 0 in requantize1: x1 does not count", values,
               requantize1=dead)  # fmt: skip
    yield _add("dead_second", "multiplier 0 in requantize2: x2 does not count", values,
               requantize2=dead)  # fmt: skip
    yield _add("dead", "multiplier 0 in requantize: the zero point", values, y=9, requantize=dead)
    opposite = _crossed((-128, 127), (127, -128))
    yield _add(
        "difference_ends", "u1 - u2 from -255 to 255: both saturations", opposite,
        form=_DIFFERENCE,
    )  # fmt: skip
    yield _add(
        "difference_ties", "halves of u2 in a difference: the tie goes up before the sign changes",
        _crossed((0,), range(-7, 8)), form=_DIFFERENCE, requantize2=Requantize.of(2**30, 31),
    )  # fmt: skip
    one = {"x": np.arange(-128, 128).reshape(1, 256)}
    yield _add(
        "difference_of_one_tensor", "a tensor less itself: the zero point", one, y=-9,
        form=_DIFFERENCE,
    )  # fmt: skip
    yield _add("one_tensor", "both inputs are one tensor: twice each value", one)
    for form in FORMS:
        yield _add(
            f"squared_ties_{form}", f"squares by 1/8, form {form}: ties above even integers",
            _crossed(range(-7, 8), (-7, 0, 7)), form=_SQUARED,
            requantize=Requantize.of(2**30, 33, form),
        )  # fmt: skip
    wide = Requantize.of(2**30, 31)
    yield _add(
        "squared_ends", "left_shift 8 halved, zero points -128 and 127: squares up to (2^7*255)^2",
        _crossed(_ENDS, _ENDS), x1=-128, x2=-128, y=-128, form=_SQUARED, left_shift=8,
        requantize1=wide, requantize2=wide, requantize=Requantize.of(2**30, 53),
    )  # fmt: skip
    yield _add(
        "squared_saturation", "squares from 0 to 65025: saturation by one and by far",
        _crossed((-128, -11, 0, 11, 127), (-128, 0, 127)), form=_SQUARED, y=6,
    )  # fmt: skip
    for name, reason, lo, hi in _CLAMPS:
        yield _add(name, reason, _crossed(range(-5, 8), (0,)), act_min=lo, act_max=hi)


def _add(name: str, reason: str, x: dict[str, Any], **other: Any) -> Case:
    names: tuple[str, ...] = ("x1", "x2", "y")
    points = {n: other.pop(n) for n in names if n in other}
    fields = {
        "form": "shared_scale",
        "left_shift": 0,
        **dict.fromkeys(_PLACES, UNIT),
        **FULL,
        **other,
    }
    return one_op("add", name, reason, fields, x, points)


def mul_cases() -> Iterator[Case]:
    """Yield the cases of mul."""
    values = _crossed(_ENDS, _ENDS)
    yield _mul("saturation", "products -16256 to 16384: both saturations", values)
    for form in FORMS:
        x = {"x1": [list(QUARTERS)], "x2": [[1] * len(QUARTERS)]}
        yield _mul(
            f"ties_{form}", f"quarters, form {form}: ties of both signs and parities", x,
            requantize=Requantize.of(2**30, 32, form),
        )  # fmt: skip
    for x1 in (-128, 127):
        for x2 in (-128, 127):
            yield _mul(
                f"zero_points_{'low' if x1 < 0 else 'high'}_{'low' if x2 < 0 else 'high'}",
                f"zero points {x1} and {x2}: the product of 255 by 255",
                values, x1=x1, x2=x2, y=-128 if x1 == x2 else 127,
                requantize=Requantize.of(2**30, 39),
            )  # fmt: skip
    yield _mul(
        "zero_operand", "one operand at its zero point: the zero point of y, whatever the other",
        {"x1": [[-128, 127, 3, 3]], "x2": [[-4, -4, -128, 127]]}, x1=3, x2=-4, y=-2,
    )  # fmt: skip
    yield _mul(
        "dead", "multiplier 0: the zero point of y", values, y=-128, requantize=Requantize.of(0, 31)
    )
    yield _mul(
        "right_shift_62", "the largest right_shift: every product vanishes", values,
        requantize=Requantize.of(2**31 - 1, 62),
    )  # fmt: skip
    one = {"x": np.arange(-128, 128).reshape(1, 256)}
    yield _mul(
        "one_tensor", "both inputs are one tensor: the square of each value", one,
        requantize=Requantize.of(2**30, 37),
    )  # fmt: skip
    for name, reason, lo, hi in _CLAMPS:
        yield _mul(name, reason, _crossed(range(-5, 8), (1,)), act_min=lo, act_max=hi)


def _mul(name: str, reason: str, x: dict[str, Any], **other: Any) -> Case:
    names: tuple[str, ...] = ("x1", "x2", "y")
    points = {n: other.pop(n) for n in names if n in other}
    return one_op("mul", name, reason, {"requantize": UNIT, **FULL, **other}, x, points)


def concat_cases() -> Iterator[Case]:
    """Yield the cases of concat: every axis of every rank; no value appears twice."""
    for rank in (1, 2, 3):
        for axis in range(rank):
            shape = (2, 3, 4)[:rank]
            for case, extents in (
                ("equal", (2, 2)),
                ("short_first", (1, 3)),
                ("long_first", (4, 1)),
            ):
                shapes = [(*shape[:axis], e, *shape[axis + 1 :]) for e in extents]
                yield _concat(
                    f"rank{rank}_axis{axis}_{case}",
                    f"{rank} dimensions along axis {axis}, extents {extents[0]} and {extents[1]}",
                    shapes, axis,
                )  # fmt: skip
    x = {"x": np.arange(-6, 6).reshape(1, 2, 3, 2)}
    yield one_op("concat", "one_tensor", "both inputs are one tensor", {"axis": 1}, x)
    points = {"x1": -128, "x2": 127, "y": 5}
    ends = {"x1": [[-128, 127, 0]], "x2": [[127, -128]]}
    yield one_op(
        "concat", "zero_points", "three zero points that differ: the values stay as they are",
        {"axis": 0}, ends, points,
    )  # fmt: skip


def _concat(name: str, reason: str, shapes: list[tuple[int, ...]], axis: int) -> Case:
    first, second = (int(np.prod(s)) for s in shapes)
    x = {
        "x1": np.arange(-128, first - 128).reshape(1, *shapes[0]),
        "x2": np.arange(second)[::-1].reshape(1, *shapes[1]),
    }
    return one_op("concat", name, reason, {"axis": axis}, x)


def maximum_cases() -> Iterator[Case]:
    """Yield the cases of maximum."""
    yield from _extreme_cases("maximum")


def minimum_cases() -> Iterator[Case]:
    """Yield the cases of minimum."""
    yield from _extreme_cases("minimum")


def _extreme_cases(kind: str) -> Iterator[Case]:
    values = _crossed(_ENDS, _ENDS)
    yield one_op(kind, "signs", "every pair of values of both signs and of the ends", {}, values)
    near = {"x1": [[*range(-128, 127)]], "x2": [[*range(-127, 128)]]}
    yield one_op(kind, "next_above", "x2 is one more than x1, over the whole range", {}, near)
    near = {"x1": near["x2"], "x2": near["x1"]}
    yield one_op(kind, "next_below", "x2 is one less than x1, over the whole range", {}, near)
    one = {"x": np.arange(-128, 128).reshape(1, 256)}
    yield one_op(kind, "one_tensor", "both inputs are one tensor: the values as they are", {}, one)
    points = {"x1": -128, "x2": 127, "y": 5}
    reason = "three zero points that differ: no zero point takes part"
    yield one_op(kind, "zero_points", reason, {}, values, points)


def lut2d_cases() -> Iterator[Case]:
    """Yield the cases of lut2d."""
    q = np.arange(-128, 128)
    every = _crossed(range(-128, 128), range(-128, 128))
    by_places = (5 * q[:, None] + 3 * q) % 256 - 128
    yield _lut2d("every_pair", "all 65,536 pairs; each row and column differs from the next",
                 by_places, every)  # fmt: skip
    rows, columns = (np.broadcast_to(v, (256, 256)) for v in (q[:, None], q))
    for name, table in (("first", rows), ("second", columns)):
        yield _lut2d(f"{name}_only", f"the table is x{1 if name == 'first' else 2} itself", table,
                     _crossed(_ENDS, _ENDS))  # fmt: skip
    one = {"x": np.arange(-128, 128).reshape(1, 256)}
    yield _lut2d(
        "one_tensor", "both inputs are one tensor: the diagonal of the table", by_places, one
    )
    points = {"x1": -128, "x2": 127, "y": 5}
    fields = {"table": by_places.astype(np.int8)}
    reason = "three zero points that differ: no zero point takes part"
    yield one_op("lut2d", "zero_points", reason, fields, _crossed(_ENDS, _ENDS), points)


def _lut2d(name: str, reason: str, table: np.ndarray, x: dict[str, Any]) -> Case:
    return one_op("lut2d", name, reason, {"table": table.astype(np.int8)}, x)
