"""Less usual forms of ops: other axes, rows, groups, scales apart; random models of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

_AXES = ([1, 2], [1], [2], [3], [2, 3], [1, 3], [1, 2, 3])


def _mean_axes(rng: Rng, dtype: str) -> Made:
    w, shape, scale, keep = Writer(), draws.image(rng), draws.scale(rng), bool(rng.integers(0, 2))
    if rng.random() < 0.2:
        shape = (shape[0], *shape[2:])
    chosen = [a for a in _AXES[int(rng.integers(len(_AXES)))] if a < len(shape)] or [1]
    zero = draws.zero_point(rng, dtype)
    x = w.tensor(shape, dtype, scale, zero)
    negative = rng.random() < 0.5
    held = np.array([a - len(shape) for a in chosen] if negative else chosen)
    axes = w.tensor(held.shape, "int32", data=held)
    kept = ((1 if i in chosen else n, i in chosen) for i, n in enumerate(shape))
    out = tuple(n for n, gone in kept if keep or not gone)
    y_scale, y_zero = FLOAT(scale * 10 ** rng.uniform(-0.8, 0.3)), draws.zero_point(rng, dtype)
    if rng.random() < 0.2:
        y_scale, y_zero = scale, zero
    y = w.tensor(out, dtype, y_scale, y_zero)
    w.op("MEAN", [x, axes], y, 2, "ReducerOptions", KeepDims=keep)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "MEAN_AXES": _mean_axes,
}
"""By name: from a generator and a type, a model."""
