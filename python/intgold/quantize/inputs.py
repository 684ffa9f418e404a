"""The inputs of a float network: names, shapes and what values they take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, ModelError
from ..host.axis_order import ORDERS
from ..support.quoting import labelled
from .limits import MAX_VALUES

IMAGE = "image"
"""What layers call the input of a network that takes one picture."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def input_orders(inputs: Sequence[Input]) -> dict[str, str]:
    """Return the entry of a model's metadata that keeps the orders; none where there are none."""
    known = [f"{x.name} {x.order}" for x in inputs if x.order]
    return {"input_order": ", ".join(known)} if known else {}


def refuse_nan(where: str, batch: np.ndarray) -> None:
    """Raise InputError that names the first NaN of a batch and its place, if there is one."""
    is_nan = np.isnan(batch)
    if is_nan.any():
        place = np.unravel_index(int(is_nan.argmax()), batch.shape)
        raise InputError(f"{where}: NaN at {tuple(map(int, place))}")


@dataclass(frozen=True)
class Input:
    """One input of a float network.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of one example: (height, width, channels) of a picture, (1, length, channels) of a
        sequence, (features,) of a vector.
    pixels : bool
        True: camera bytes over 255, in [0, 1].  False: any reals; their range is calibrated.
    order : str
        Axes in which the training framework gives a batch, one of `ORDERS`; empty where there
        is none but the stored one.

    Raises
    ------
    ModelError
        Naming the input and the value.
    """

    name: str
    shape: tuple[int, ...]
    pixels: bool = True
    order: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ModelError(f"input {self.name!r}: not a name (letters, digits, _; at most 64)")
        shape = self.shape
        fits = all(type(n) is int and 0 < n <= MAX_VALUES for n in shape)
        if len(shape) not in (1, 3) or not fits:
            raise ModelError(f"input {self.name}: shape {shape} is not (h, w, c) or (features,)")
        if type(self.pixels) is not bool:
            raise ModelError(f"input {self.name}: pixels {self.pixels!r} is not true or false")
        axes = len(shape) + 1 if len(shape) == 1 else 4
        if self.order and (self.order not in ORDERS or not self._fits(axes)):
            raise ModelError(f"input {self.name}: order {self.order!r} for shape {shape}")

    def _fits(self, axes: int) -> bool:
        if self.order in ("NCL", "NLC"):
            return axes == 4 and self.shape[0] == 1
        return len(self.order) == axes

    @property
    def _batch(self) -> str:
        return "images" if self.name == IMAGE else f"values of {labelled('input', self.name)}"

    def check(self, batch: np.ndarray) -> None:
        """Raise InputError unless a batch is of reals that this input takes."""
        if not isinstance(batch, np.ndarray) or batch.dtype not in (np.float32, np.float64):
            found = getattr(batch, "dtype", type(batch).__name__)
            wants = "float32 (pixel / 255)" if self.pixels else "float32: x.astype(numpy.float32)"
            raise InputError(f"{self._batch} are {found}, wants {wants}")
        if batch.shape[1:] != self.shape or len(batch) == 0:
            wants = ", ".join(("n", *map(str, self.shape)))
            raise InputError(f"{self._batch} of shape {batch.shape}, wants ({wants})")
        low, high = (0.0, 1.0) if self.pixels else (-np.finfo("f4").max, np.finfo("f4").max)
        # Written so that a NaN, which compares false, is refused too.
        if not (batch.min() >= low and batch.max() <= high):
            refuse_nan(self._batch, batch)
            found = f"[{batch.min()}, {batch.max()}]"
            raise InputError(f"{self._batch} lie in {found}, wants [{low:g}, {high:g}]")
