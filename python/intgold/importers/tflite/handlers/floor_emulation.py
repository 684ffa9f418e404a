"""ADD whose inputs are floored at last: kernels that lack a rounding shift of lanes.

No form of SPEC 4.2 rounds a first time and floors then.  An add has 65,536 pairs of values, though,
and an output 20 bits coarser than its sums: entries of R nearby are tried with all of the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ....golden.requantize import requantize, scale
from ....ops.fields import Requantize
from .op_context import OpContext, as_int8

_OFFSETS = sorted(range(-2, 3), key=abs)
_ROWS = 8
_INPUTS = ("requantize1", "requantize2")


def add_floor_emulation(context: OpContext, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an add that has the bits of one which floors its inputs.

    Parameters
    ----------
    fields : dict
        Of an add, its inputs in form ``double``: the floor is in the place of its last rounding.
    """
    centred = [
        (_values(context, i) - context.zero_point(context.file(i)))[:, None] << fields["left_shift"]
        for i in (0, 1)
    ]
    expected = [_floored_terms(x, fields[name]) for x, name in zip(centred, _INPUTS, strict=True)]
    each = [list(_neighbours(fields[name])) for name in _INPUTS]
    shared = [
        [scale(x, by) for by in candidates] for x, candidates in zip(centred, each, strict=True)
    ]
    for i, j in sorted(product(range(len(each[0])), range(len(each[1]))), key=sum):
        if _alike(context, fields, expected, [shared[0][i], shared[1][j]]):
            return fields | {_INPUTS[0]: each[0][i], _INPUTS[1]: each[1][j]}
    raise context.fail("inputs that are floored at last: no entries of R nearby have the bits")


def _values(context: OpContext, i: int) -> np.ndarray:
    """Return every value that input `i` can have."""
    if context.file(i).data is None:
        return np.arange(-128, 128)
    return np.unique(as_int8(context.constant(i, ("int8", "uint8")))).astype(np.int64)


def _floored_terms(centred: np.ndarray, by: Requantize) -> np.ndarray:
    m, t = int(by.multiplier[0]), int(by.right_shift[0])
    return scale(centred, Requantize.of(m, 31)) >> (t - 31)


def _neighbours(by: Requantize) -> Iterator[Requantize]:
    """Yield entries, the likeliest first."""
    m, t = int(by.multiplier[0]), int(by.right_shift[0])
    for offset, form in product(_OFFSETS, ("single_down", "double", "single")):
        if 0 <= m + offset < 2**31:
            yield Requantize.of(m + offset, t, form)


def _alike(
    context: OpContext, fields: dict[str, Any], one: list[np.ndarray], other: list[np.ndarray]
) -> bool:
    """Return whether the add gives the same for every pair, brought to the shared scale."""
    for i in range(0, len(one[0]), _ROWS):  # few pairs at once, for the sake of memory
        made, expected = (
            _outputs(context, fields, u[0][i : i + _ROWS], u[1]) for u in (one, other)
        )
        if not np.array_equal(made, expected):
            return False
    return True


def _outputs(
    context: OpContext, fields: dict[str, Any], u1: np.ndarray, u2: np.ndarray
) -> np.ndarray:
    ends = {name: fields[name] for name in ("act_min", "act_max")}
    acc = (u1 + u2.T).reshape(-1, 1)
    return requantize(acc, fields["requantize"], y_zero_point=context.zero_point(context.y), **ends)
