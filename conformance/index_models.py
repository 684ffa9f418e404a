"""Indices along an axis, and changes of a type: random models of one op of two types."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
import tflite
from draws import Made, Rng
from tflite_writer import Writer

_LONG = 700
"""Values of a long axis, at most."""


def _arg(kind: str, index: str = "int32") -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        rank = int(rng.integers(2, 6))
        shape = [1, *(int(n) for n in rng.integers(1, 8 if rank < 5 else 5, rank - 1))]
        axis = int(rng.choice([rank - 1, rng.integers(1, rank)]))
        shape[axis] = int(rng.choice([shape[axis], rng.integers(1, 40), rng.integers(1, _LONG)]))
        w = Writer()
        x = w.tensor(shape, dtype, draws.scale(rng), draws.zero_point(rng, dtype))
        at = axis if rng.random() < 0.5 else axis - rank
        held = w.tensor(() if rng.random() < 0.5 else (1,), "int32", data=np.array(at))
        y = w.tensor(shape[:axis] + shape[axis + 1 :], index)
        options = "ArgMaxOptions" if kind == "ARG_MAX" else "ArgMinOptions"
        w.op(kind, [x, held], y, 2, options, OutputType=getattr(tflite.TensorType, index.upper()))
        return Made(
            w.finish([x], [y]), ((x, tuple(shape)),), y, dtype, batch=_ties(rng, shape, dtype)
        )

    return make


def _cast(rng: Rng, dtype: str) -> Made:
    """CAST to int8 or uint8: of the same type or the other one."""
    w, shape = Writer(), draws.image(rng)
    other = str(rng.choice(["int8", "uint8"]))
    x = w.tensor(shape, dtype, draws.scale(rng), draws.zero_point(rng, dtype))
    y = w.tensor(shape, other, draws.scale(rng), draws.zero_point(rng, other))
    types = {t: getattr(tflite.TensorType, t.upper()) for t in (dtype, other)}
    w.op("CAST", [x], y, 1, "CastOptions", InDataType=types[dtype], OutDataType=types[other])
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _ties(rng: Rng, shape: list[int], dtype: str) -> np.ndarray:
    """Return images of every value and of few: in these the extreme occurs more than once."""
    images = rng.integers(-128, 128, (draws.IMAGES, *shape[1:]))
    images[1] = rng.integers(0, 3, shape[1:])
    images[2] = rng.integers(-128, -126, shape[1:])
    images[3] = rng.integers(126, 128, shape[1:])
    images[4] = int(rng.integers(-128, 128))
    return (images + (128 if dtype == "uint8" else 0)).astype(dtype)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "ARG_MAX": _arg("ARG_MAX"),
    "ARG_MIN": _arg("ARG_MIN"),
    "ARG_MAX_INT64": _arg("ARG_MAX", "int64"),
    "ARG_MIN_INT64": _arg("ARG_MIN", "int64"),
    "CAST": _cast,
}
"""By name: from a generator and a type, a model."""
