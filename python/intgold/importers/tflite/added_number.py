"""ADD of one number to a row by LiteRT's optimised kernels, which floor a shift in their groups."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...fields import Requantize
from ...golden.requantize import requantize, scale
from .operands import spread, table_with
from .places import halves, joined
from .step import Step, as_int8, inner

GROUP = 8
"""Values that the kernel takes at once."""


def add_number(step: Step, fields: dict[str, Any]) -> None:
    """Add the sum with a number that stands still, by a table or two.

    Parameters
    ----------
    fields : dict
        Of the op add that computes the values behind the last whole group.
    """
    held = [step.file(i).data for i in (0, 1)]
    numbers = [i for i, data in enumerate(held) if data is not None and data.size == 1]
    if len(numbers) != 1:
        raise step.fail("values of another scale, each spread over a row: no form of R does it")
    at = numbers[0]
    value = int(as_int8(step.constant(at, ("int8", "uint8"))).ravel()[0])
    x, like, size = spread(step, 1 - at), step.file(1 - at), math.prod(inner(step.y))
    tables = [_floored(step, at, value, fields), table_with(step, "add", at, value, fields)]
    whole = size // GROUP * GROUP
    if whole == size or (tables[0] == tables[1]).all():
        step.add("lut", x, table=tables[0])
        return
    cut = halves(step, x, like, 1, size, whole)
    joined(
        step, [step.add("lut", x, last=False, table=t) for x, t in zip(cut, tables, strict=True)]
    )


def _floored(step: Step, at: int, value: int, fields: dict[str, Any]) -> np.ndarray:
    """Return the table of a group: the second shift of each input goes toward minus infinity."""
    each = {1 - at: np.arange(-128, 128), at: np.full(256, value)}
    shared = np.zeros((256, 1), np.int64)
    for i, name in enumerate(("requantize1", "requantize2")):
        m, t = (int(part[0]) for part in (fields[name].multiplier, fields[name].right_shift))
        centred = (each[i] - step.zero_point(step.file(i)))[:, None] << fields["left_shift"]
        shared += scale(centred, Requantize.of(m, 31)) >> (t - 31)
    ends = {name: fields[name] for name in ("act_min", "act_max")}
    y_zero = step.zero_point(step.y)
    return requantize(shared, fields["requantize"], y_zero_point=y_zero, **ends)[:, 0]
