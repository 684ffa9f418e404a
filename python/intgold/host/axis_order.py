"""The axes in which a training framework gives a batch, and those in which a model takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from ..model.graph import Model

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


def recorded_order(metadata: Mapping[str, str], name: str) -> str:
    """Return the order of an input from a model's metadata, or an empty text."""
    pairs = (entry.split(" ") for entry in metadata.get("input_order", "").split(", "))
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in ORDERS}
    return known.get(name, "")


def shape_given(model: Model, name: str) -> tuple[int, ...]:
    """Return the shape in which the float network takes an example; empty where none is known."""
    order = recorded_order(model.metadata, name)
    return given_shape(model.tensor(name).shape, order) if order else ()
