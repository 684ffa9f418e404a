"""Partial accumulators of a stated loop order (SPEC 10.6): what an array of MACs holds on the way.

An order such as ``ic:8,ky`` names loops, the outermost first: tiles of eight input channels, in
each of them the kernel's rows; whatever is not named is summed inside.  The accumulators are
shown at every boundary, that is after each pass of the innermost named loop.  The bias is there
from the start, or, with ``bias`` as the last word, added at the end, which is a boundary too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ... import golden
from ...errors import VectorError
from ...model.graph import Model, Op
from ...support.quoting import short_repr

_LOOP = re.compile(r"(ic|ky|kx)(?::([1-9]\d{0,4}))?")
_AXES = {
    "conv2d": {"ky": 1, "kx": 2, "ic": 3},
    "depthwise_conv2d": {"ky": 0, "kx": 1},
    "fully_connected": {"ic": 1},
    "transpose_conv2d": {"ky": 1, "kx": 2, "ic": 3},
}
"""The axis of the weights that each loop walks."""


@dataclass(frozen=True)
class LoopOrder:
    """Loops, the outermost first, with how much a pass takes, and where the bias is added."""

    __repr__ = short_repr

    loops: tuple[tuple[str, int], ...]
    bias_last: bool = False

    @classmethod
    def parse(cls, text: str) -> LoopOrder:
        """Return the order of a text such as ``ic:8,ky``, ``ky,kx,bias``.

        Raises
        ------
        VectorError
            Naming the text.
        """
        words = text.split(",")
        last = words[-1] == "bias"
        found = [_LOOP.fullmatch(word) for word in (words[:-1] if last else words)]
        loops = tuple((m[1], int(m[2] or 1)) for m in found if m)
        if not loops or len(loops) != len(found) or len({n for n, _ in loops}) != len(loops):
            raise VectorError(
                f"partials {text!r}: not a loop order such as ic:8,ky (loops ic, ky, kx; bias last)"
            )
        return cls(loops, last)

    def __str__(self) -> str:
        words = [name if step == 1 else f"{name}:{step}" for name, step in self.loops]
        return ",".join([*words, *(["bias"] if self.bias_last else [])])

    def _of(self, op: Op) -> list[tuple[int, int, int]]:
        """Return (axis, extent, step) of the loops that the op has."""
        axes = _AXES.get(op.kind, {})
        return [
            (axes[name], op["weights"].shape[axes[name]], step)
            for name, step in self.loops
            if name in axes
        ]

    def steps(self, op: Op) -> int:
        """Return how many boundaries the op has; 0 when it has none of the loops."""
        loops = self._of(op)
        if not loops:
            return 0
        return int(np.prod([-(-extent // step) for _, extent, step in loops])) + self.bias_last

    def masks(self, op: Op) -> list[np.ndarray]:
        """Return, for each pass in order, which weights it takes: bool, broadcast over the rest."""
        shape = op["weights"].shape
        found = []
        loops = self._of(op)
        for starts in product(*(range(0, extent, step) for _, extent, step in loops)):
            mask = np.ones((1,) * len(shape), bool)
            for (axis, extent, step), start in zip(loops, starts, strict=True):
                at = np.arange(extent)
                inside = (start <= at) & (at < start + step)
                mask = mask & inside.reshape([-1 if a == axis else 1 for a in range(len(shape))])
            found.append(mask)
        return found


def partial_accumulators(
    model: Model,
    op: Op,
    order: LoopOrder,
    x: np.ndarray,
    functions: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """Return the accumulators of an op at each boundary of the order.

    Parameters
    ----------
    model : Model
    op : Op
        An op with weights.
    order : LoopOrder
    x : ndarray of int8, shape (n, ...)
        The op's input.
    functions : mapping of str to callable, optional
        The op functions; default the golden ones. They cannot change a bit.

    Returns
    -------
    ndarray of int32, shape (n, steps, ...) of the output
        Of every partial sum SPEC 7 proves that it fits.
    """
    run = functions[op.kind] if functions else getattr(golden, op.kind)
    arguments = {**model.arguments(op), "requantize": None}
    zero = op["weight_zero_point"]
    if op.kind != "depthwise_conv2d":
        zero = zero.reshape(-1, *(1,) * (op["weights"].ndim - 1))
    bias = op["bias"]
    acc = np.zeros((), np.int32) if order.bias_last else bias
    boundaries = []
    for mask in order.masks(op):
        # Weights that are their zero point add nothing.
        weights = np.ascontiguousarray(np.where(mask, op["weights"], zero).astype(np.int8))
        _, part = run(x, **{**arguments, "weights": weights, "bias": np.zeros_like(bias)})
        acc = acc + part
        boundaries.append(acc)
    if order.bias_last:
        boundaries.append(acc + bias)
    return np.ascontiguousarray(np.stack(boundaries, axis=1), np.int32)
