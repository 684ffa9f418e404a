"""The inputs of a float network: their shapes, and how they come out of a training framework."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, ModelError
from ..support.quoting import labelled
from .limits import MOST_VALUES

if TYPE_CHECKING:
    from ..model.graph import Model

IMAGE = "image"
"""What layers call the input of a network that takes one picture."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_STORED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "NF": lambda x: x,
    "NCL": lambda x: x.transpose(0, 2, 1)[:, np.newaxis],
    "NLC": lambda x: x[:, np.newaxis],
    "NCHW": lambda x: x.transpose(0, 2, 3, 1),
    "NHWC": lambda x: x,
}
ORDERS = tuple(_STORED)
"""Axes in which a framework gives a batch: features, channels, length, height, width."""
OUTPUT_ORDERS = ("N", *ORDERS)
"""The same of an output, which may be one number for each example."""


def stored_shape(given: tuple[int, ...], order: str) -> tuple[int, ...]:
    """Return the shape that one example of the shape `given` has in a network and a model."""
    if len(given) + 1 != len(order):
        raise InputError(f"shape {given} is not that of one example in the order {order}")
    return tuple(stored(np.empty((0, *given), np.int8), order).shape[1:])


def given_shape(stored: tuple[int, ...], order: str) -> tuple[int, ...]:
    """Return the shape that a framework gives: the inverse of `stored_shape`."""
    sizes = dict(zip("HWC", stored, strict=True)) if len(stored) == 3 else {"F": stored[0]}
    sizes["L"] = sizes.get("W", 1)
    return tuple(sizes[axis] for axis in order[1:])


def arranged(batch: np.ndarray, shape: tuple[int, ...], order: str) -> np.ndarray:
    """Return a batch as a network and its model take it.

    Parameters
    ----------
    batch : ndarray
        (n, *shape); or the axes of `order`, where the two shapes differ.
    shape : tuple of int
        Of one example as it is stored.
    order : str
        One of `ORDERS`; an empty one leaves every batch as it is.
    """
    if not order or batch.shape[1:] == shape or batch.shape[1:] != given_shape(shape, order):
        return batch
    return stored(batch, order)


def two_orders(batch: np.ndarray, shape: tuple[int, ...], order: str) -> str:
    """Return what to say of a batch whose shape leaves two orders open, or an empty text."""
    square = order == "NCHW" and batch.shape[1:] == shape == given_shape(shape, order)
    if not square or max(shape) == 1:
        return ""
    return (
        f"shape {batch.shape} is taken as (n, h, w, c); of (n, c, h, w) give "
        "x.transpose(0, 2, 3, 1)"
    )


def stored(batch: np.ndarray, order: str) -> np.ndarray:
    """Return a batch, given with the axes of `order`, as a network and its model take it."""
    return _STORED[order](batch)


def output_order(order: np.ndarray, stored: tuple[int, ...]) -> str:
    """Return the axes in which a framework gives an output; empty where none of the names fits.

    Parameters
    ----------
    order : ndarray of int
        In the framework's shape of one example: where each value lies in the stored one.
    stored : tuple of int
        Shape of one example as it is stored.
    """
    places = np.arange(order.size).reshape(1, *stored)
    same = np.array_equal(order.ravel(), places.ravel())
    if same and order.ndim < 2 and stored[:-1] in ((), (1, 1)):
        return ("N", "NF")[order.ndim]
    names = [name for name in ("NCL", "NLC", "NCHW", "NHWC") if len(name) == order.ndim + 1]
    for name in names if len(stored) == 3 else ():
        fits = given_shape(stored, name) == order.shape and (order.ndim == 3 or stored[0] == 1)
        if fits and np.array_equal(_STORED[name](order[np.newaxis]), places):
            return name
    return ""


def input_orders(inputs: Sequence[Input]) -> dict[str, str]:
    """Return the entry of a model's metadata that keeps the orders; none where there are none."""
    known = [f"{x.name} {x.order}" for x in inputs if x.order]
    return {"input_order": ", ".join(known)} if known else {}


def order_of(metadata: Mapping[str, str], name: str) -> str:
    """Return the order of an input from a model's metadata, or an empty text."""
    pairs = (entry.split(" ") for entry in metadata.get("input_order", "").split(", "))
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in ORDERS}
    return known.get(name, "")


def refuse_nan(where: str, batch: np.ndarray) -> None:
    """Raise InputError that names the first NaN of a batch and its place, if there is one."""
    odd = np.isnan(batch)
    if odd.any():
        place = np.unravel_index(int(odd.argmax()), batch.shape)
        raise InputError(f"{where}: NaN at {tuple(map(int, place))}")


def shape_given(model: Model, name: str) -> tuple[int, ...]:
    """Return the shape in which the float network takes an example; empty where none is known."""
    order = order_of(model.metadata, name)
    return given_shape(model.tensor(name).shape, order) if order else ()


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
        fits = all(type(n) is int and 0 < n <= MOST_VALUES for n in shape)
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
