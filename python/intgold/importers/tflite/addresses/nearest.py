"""Which place of an axis each place of a resized one is nearest to, as engines work it out."""

from __future__ import annotations

import numpy as np

_FLOAT = np.float32


def nearest_places(
    size: int,
    resized: int,
    *,
    align_corners: bool,
    half_pixel_centers: bool,
) -> np.ndarray:
    """Return a place of the axis for each place of the resized one.

    Scales are float32, every step rounded; with `align_corners` halves go up, else the fraction is
    dropped.

    Parameters
    ----------
    size, resized : int
        Places of the axis before and after.

    Returns
    -------
    ndarray of int64, shape (resized,)
        In [0, size - 1].
    """
    if align_corners and resized > 1:
        scale = _FLOAT(size - 1) / _FLOAT(resized - 1)
    else:
        scale = _FLOAT(size) / _FLOAT(resized)
    at = (np.arange(resized, dtype=_FLOAT) + _FLOAT(0.5 if half_pixel_centers else 0)) * scale
    whole = np.floor(at.astype(np.float64) + 0.5) if align_corners else np.floor(at)
    places: np.ndarray = np.clip(whole, 0, size - 1).astype(np.int64)
    return places
