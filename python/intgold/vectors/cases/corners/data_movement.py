"""Corners of pad, reshape, strided_copy and gather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .case import Case, one_op, strided_fields


def _numbered(*shape: int) -> dict[str, np.ndarray]:
    """Return two images in which no value appears twice within one."""
    size = int(np.prod(shape))
    falling = np.arange(size)[::-1] - max(0, size - 128)
    return {"x": np.stack([np.arange(size) - size // 2, falling]).reshape(2, *shape)}


def pad_cases() -> Iterator[Case]:
    """Yield the cases of pad: each side of each dimension of every rank."""
    for rank in (1, 2, 3):
        shape = (2, 3, 4)[:rank]
        for axis in range(rank):
            for side in ("before", "after"):
                cells = tuple(2 if i == axis else 0 for i in range(3))
                fields = {"before": (0, 0, 0), "after": (0, 0, 0), "value": -128, side: cells}
                reason = f"two cells {side} along axis {axis} of {rank}"
                yield one_op(
                    "pad", f"rank{rank}_axis{axis}_{side}", reason, fields, _numbered(*shape)
                )
    fields = {"before": (1, 2, 3), "after": (3, 1, 2), "value": 127}
    yield one_op("pad", "all", "six different sides, of 127", fields, _numbered(2, 3, 4))
    fields = {"before": (0, 0, 0), "after": (0, 0, 0), "value": 5}
    yield one_op("pad", "nothing", "no cells: the values as they are", fields, _numbered(3, 2, 2))
    points = {"x": -128, "y": 5}
    fields = {"before": (1, 1, 0), "after": (1, 1, 0), "value": 0}
    reason = "zero points -128 and 5 and cells of 0: the value is as it is stored"
    yield one_op("pad", "zero_points", reason, fields, _numbered(2, 2, 1), points)


def reshape_cases() -> Iterator[Case]:
    """Yield the cases of reshape: between all ranks."""
    shapes = ((24,), (4, 6), (6, 4), (2, 3, 4), (4, 3, 2), (1, 24, 1))
    for origin in shapes:
        for to in shapes:
            name = f"from_{_shape_text(origin)}_to_{_shape_text(to)}"
            reason = f"{origin} as {to}: the values stay in C order"
            fields = {"shape": (*to, 0, 0)[:3]}
            yield one_op("reshape", name, reason, fields, _numbered(*origin))


def strided_copy_cases() -> Iterator[Case]:
    """Yield the cases of strided_copy: what each counter may do, and the ends of x."""
    for name, reason, shape, to, counts, strides, offset in (
        ("plain", "one counter: the values as they are", (2, 3, 4), (24,), (24,), (1,), 0),
        ("one_value", "no counter counts: the last value of x", (2, 3, 4), (1,), (1,), (1,), 23),
        ("backwards", "one counter from the last value to the first", (24,), (24,), (24,), (-1,),
         23),
        ("still", "the counter does not move the address: one value 24 times", (3, 5), (24,), (24,),
         (0,), 7),
        ("transposed_small", "two counters exchanged", (3, 5), (5, 3), (5, 3), (1, 5), 0),
        ("transposed_blocks", "two counters exchanged, more than a block of 8 of each", (9, 17),
         (17, 9), (17, 9), (1, 17), 0),
        ("axes_reversed", "three counters in the reverse order", (9, 2, 10), (10, 2, 9),
         (10, 2, 9), (1, 10, 20), 0),
        ("every_third", "a stride of 3 that does not end at the last value", (20,), (6,), (6,),
         (3,), 1),
        ("windows", "windows of 3 that overlap: an address occurs up to three times", (8,), (6, 3),
         (6, 3), (1, 1), 0),
        ("mixed_signs", "one counter forwards, one backwards", (4, 6), (4, 6), (4, 6), (6, -1), 5),
        ("six_counters", "six counters, none of which joins the next", (4, 6, 6), (4, 6, 6),
         (2, 2, 3, 2, 3, 2), (-1, 36, -2, 72, 6, 18), 5),
        ("unused_strides", "strides of counters that do not count, of any size", (2, 3), (3, 2),
         (1, 3, 1, 1, 1, 2), (2**28, 1, -(2**28), 7, -1, 3), 0),
    ):  # fmt: skip
        fields = strided_fields(to, counts, strides, offset)
        yield one_op("strided_copy", name, reason, fields, _numbered(*shape))
    fields, points = strided_fields((2, 2), (4,), (-1,), 3), {"x": -128, "y": 5}
    reason = "zero points -128 and 5: the values are as they are stored"
    yield one_op("strided_copy", "zero_points", reason, fields, _numbered(2, 2), points)


def gather_cases() -> Iterator[Case]:
    """Yield the cases of gather: every axis of every rank, and the ends of the axis."""
    for rank in (1, 2, 3):
        shape = (3, 4, 5)[:rank]
        for axis in range(rank):
            at = [shape[axis] - 1, 0, 0, 1]
            reason = f"axis {axis} of {rank}: the last place, the first one twice, the second"
            yield one_op(
                "gather", f"rank{rank}_axis{axis}", reason, _picked(axis, at), _numbered(*shape)
            )
    yield one_op(
        "gather", "one_place", "one index: the last place", _picked(1, [3]), _numbered(2, 4, 3)
    )
    yield one_op(
        "gather", "reversed", "every place, from the last to the first",
        _picked(0, range(5)[::-1]), _numbered(5, 6),
    )  # fmt: skip
    yield one_op(
        "gather", "longer", "more indices than places", _picked(2, [*range(3)] * 5),
        _numbered(2, 2, 3),
    )  # fmt: skip
    reason = "zero points -128 and 5: the values are as they are stored"
    points = {"x": -128, "y": 5}
    yield one_op("gather", "zero_points", reason, _picked(0, [1, 0]), _numbered(2, 3), points)


def _picked(axis: int, at: Sequence[int]) -> dict[str, Any]:
    return {"axis": axis, "indices": np.array(at, np.int32)}


def _shape_text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
