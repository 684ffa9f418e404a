"""Corners of pad and reshape."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .case import Case, one_op


def _numbered(*shape: int) -> dict[str, np.ndarray]:
    """Return two images in which no value appears twice within one."""
    size = int(np.prod(shape))
    return {"x": np.stack([np.arange(size) - size // 2, np.arange(size)[::-1]]).reshape(2, *shape)}


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


def _shape_text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
