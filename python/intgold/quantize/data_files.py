"""Calibration and test data of a float network, from files."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np

from ..errors import DataError, InputError
from ..host.axis_order import arranged, given_shape, two_orders
from ..images.arrays import REALS, read_images
from .inference import FloatNetwork
from .inputs import Input

_log = logging.getLogger("intgold")


def read_batch(network: FloatNetwork, path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the data in a file, or in a folder with a file NAME.npy for each input, by name.

    Parameters
    ----------
    network : FloatNetwork
    path : path
        Each .npy has the axes that the training framework gives (`Input.order`), or the stored
        ones: floats, and uint8 where the input is camera bytes (which IDX files hold too).

    Returns
    -------
    dict of str to ndarray
        uint8 or float32, as `FloatNetwork.batch` takes them.

    Raises
    ------
    DataError, InputError
        Naming the file and what is wrong with it.
    """
    if len(network.inputs) == 1 and not os.path.isdir(path):
        files = {network.inputs[0].name: Path(path)}
    else:
        files = {x.name: Path(path) / f"{x.name}.npy" for x in network.inputs}
        missing = [file.name for file in files.values() if not file.exists()]
        if missing:
            raise DataError(f"{path}: wants a folder with a file for each input; {missing[0]} is "
                            "not there")  # fmt: skip
    made = {x.name: _read(x, files[x.name]) for x in network.inputs}
    counts = {len(array) for array in made.values()}
    if len(counts) > 1:
        found = ", ".join(f"{len(array)} of {name}" for name, array in made.items())
        raise DataError(f"{path}: {found}; they go together one by one")
    return made


def _read(x: Input, path: Path) -> np.ndarray:
    dtypes = ("uint8", *REALS) if x.pixels else REALS
    other = given_shape(x.shape, x.order) if x.order else ()
    found = read_images(path, x.shape, dtypes, other)
    if open_order := two_orders(found, x.shape, x.order):
        _log.warning("%s: %s", path, open_order)
    array = arranged(found, x.shape, x.order)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    array = np.ascontiguousarray(array, np.float32)
    try:
        x.check(array)
    except InputError as error:
        raise DataError(f"{path}: {error}") from None
    return array
