"""expf of the C libraries that the engines run on, bit for bit (SPEC 8.10)."""

from __future__ import annotations

import math

import numpy as np

_STEPS = 32
_POWERS = np.array([2 ** (i / _STEPS) for i in range(_STEPS)])
_PER_STEP = 1 / math.log(2) * _STEPS
_C3 = float.fromhex("0x1.c6af84b912394p-5") / _STEPS**3
_C2 = float.fromhex("0x1.ebfce50fac4f3p-3") / _STEPS**2
_C1 = float.fromhex("0x1.62e42ff0c52d6p-1") / _STEPS


def expf(v: np.ndarray | np.float32) -> np.ndarray:
    """Return e to the power of float32 values, as glibc (2.28 and later), musl and Bionic do.

    The algorithm and its constants are those of Arm's Optimized Routines. About one result of
    2,000 is not the nearest float32.  A library that fuses multiplications with additions may
    move a last bit.

    Parameters
    ----------
    v : ndarray of float32, or float32
        No NaN.

    Returns
    -------
    ndarray of float32
    """
    bounded = np.clip(np.asarray(v, np.float64), -200, 200)  # beyond float32 on either side
    z = bounded * _PER_STEP
    n = np.rint(z).astype(np.int64)
    r = z - n
    y = (_C3 * r + _C2) * (r * r) + (_C1 * r + 1)
    with np.errstate(over="ignore", under="ignore"):
        result: np.ndarray = np.ldexp(y * _POWERS[n % _STEPS], n // _STEPS).astype(np.float32)
    return result
