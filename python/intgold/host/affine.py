"""Reals to integers and back (SPEC 8): scale, zero point, quantize, dequantize; float64."""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import InputError, ModelError
from ..model.graph import Model, Tensor
from ..ops.fields import DTYPE_RANGE
from ..support.arguments import are_bytes, checked
from ..support.quoting import batch_of, labelled, shown
from .axis_order import arranged, recorded_order, two_orders


def round_away(x: np.ndarray | float) -> np.ndarray:
    """Return the nearest integers, halves away from zero, as float64."""
    x = np.asarray(x, np.float64)
    whole: np.ndarray = np.trunc(x)
    # The difference is exact: adding a half to x first would round once more.
    return np.asarray(whole + np.sign(x) * (np.abs(x - whole) >= 0.5))


@checked
def pixel_values(images: np.ndarray) -> np.ndarray:
    """Return camera bytes, uint8 of any shape, as float32 in [0, 1].

    Raises
    ------
    InputError
        When the images are not uint8.
    """
    if images.dtype != np.uint8:
        raise InputError(f"images are {images.dtype}, wants uint8")
    return images.astype(np.float32) / np.float32(255)


@checked
def scale_zero_point(
    rmin: float, rmax: float, qmin: int = -128, qmax: int = 127
) -> tuple[float, int]:
    """Return ``S = (rmax - rmin)/(qmax - qmin)`` and ``Z = round(qmin - rmin/S)``, clamped.

    Parameters
    ----------
    rmin, rmax : float
        Range of the reals; it is widened to hold 0, which then has an exact integer.
    qmin, qmax : int
        Range of the integers.

    Returns
    -------
    scale : float
        Positive; 1.0 for the empty range [0, 0].
    zero_point : int

    Raises
    ------
    ModelError
        When the range is not finite or upside down.
    """
    if not (np.isfinite(rmin) and np.isfinite(rmax)) or rmin > rmax or qmin >= qmax:
        raise ModelError(f"range [{rmin}, {rmax}] to [{qmin}, {qmax}] is no range")
    rmin, rmax = min(float(rmin), 0.0), max(float(rmax), 0.0)
    scale = (rmax - rmin) / (qmax - qmin)
    if scale == 0.0:
        return 1.0, 0
    return scale, zero_point_of(rmin, scale, qmin, qmax)


def zero_point_of(rmin: float, scale: float, qmin: int = -128, qmax: int = 127) -> int:
    """Return ``round(qmin - rmin/scale)``, clamped: rmin <= 0 becomes about qmin."""
    return min(max(int(round_away(qmin - rmin / scale)), qmin), qmax)


def refuse_non_finite(where: str, x: np.ndarray) -> None:
    """Raise InputError that names the first value that is not finite, and its place."""
    place = np.unravel_index(int(np.argmin(np.isfinite(x))), x.shape)
    raise InputError(f"{where}: {x[place]} at {tuple(map(int, place))}")


@checked
def quantize(
    x: np.ndarray | float, scale: float, zero_point: int = 0, dtype: str = "int8"
) -> np.ndarray:
    """Return ``clamp(round(x / scale) + zero_point)``, halves away from zero.

    Raises
    ------
    InputError
        When a value is NaN or infinite.
    """
    if dtype not in DTYPE_RANGE:
        raise InputError(f"quantize: dtype {shown(dtype)} is none of {', '.join(DTYPE_RANGE)}")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"quantize: scale {scale} is not positive and finite")
    x = np.asarray(x)
    if x.dtype.kind not in "iuf":
        raise InputError(f"quantize: {x.dtype} instead of numbers")
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        refuse_non_finite("quantize", x)
    clamped: np.ndarray = np.clip(round_away(x / scale) + zero_point, *DTYPE_RANGE[dtype])
    return clamped.astype(dtype)


@checked
def dequantize(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Return ``(q - zero_point) * scale`` in float64.

    Raises
    ------
    InputError
        When the tensor has no scale, or another dtype than the values.
    """
    return reals_of(values, tensor)


def reals_of(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Return `dequantize` of an array and a tensor that are known to be such."""
    if tensor.scale is None:
        raise InputError(f"tensor {tensor.name} has no scale")
    if values.dtype != tensor.dtype:
        advice = ", which model.run(x).output is" if values.dtype.kind == "f" else ""
        raise InputError(f"tensor {tensor.name}: {values.dtype} instead of {tensor.dtype}{advice}")
    return (values.astype(np.float64) - tensor.zero_point) * tensor.scale


@checked
def dequantize_tensor(model: Model, values: np.ndarray, tensor: str | None = None) -> np.ndarray:
    """Return the reals, float64, that integers of a tensor stand for.

    Parameters
    ----------
    model : Model
    values : ndarray, shape (n, ...) or (...) of the tensor, in its dtype
    tensor : str, optional
        Its name; by default the first output.

    Raises
    ------
    InputError
        Naming the tensor, and the shape or dtype that is not its own.
    """
    of = model.tensor(model.outputs[0] if tensor is None else tensor)
    if values.shape[values.ndim - len(of.shape) :] != of.shape:
        raise InputError(f"tensor {of.name}: shape {values.shape} instead of {batch_of(of.shape)}")
    return reals_of(values, of)


@checked
def quantize_input(model: Model, images: np.ndarray, name: str | None = None) -> np.ndarray:
    """Return a batch as an int8 input of the model, in C order.

    Parameters
    ----------
    model : Model
    images : ndarray
        Shape (n, *input shape), or without a last dimension of 1; or, of a model that was made
        from a module, the axes that the module takes: (n, c, h, w), (n, c, length).  uint8 is a
        camera byte, see `camera_bytes`; floats are the input's reals; int8 is returned as it is.
        Pictures of equal height, width and channels are channels last, which a warning says.
    name : str, optional
        Of the input; by default the only one.

    Raises
    ------
    InputError
        Naming dtype, shape or value.
    """
    if name is None and len(model.inputs) != 1:
        listed = ", ".join(model.inputs)
        raise InputError(
            f"model {model.name} has the inputs {listed}: give the name, such as "
            f'model.quantize_input(x, "{model.inputs[0]}")'
        )
    if name is not None and name not in model.inputs:
        listed = ", ".join(model.inputs)
        raise InputError(f"model {model.name}: {shown(name)} is no input; inputs: {listed}")
    tensor = model.tensor(model.inputs[0] if name is None else name)
    where = labelled("input", tensor.name)
    if tensor.dtype != "int8":
        raise InputError(f"model {model.name}: {where} is {tensor.dtype}, not int8")
    order = recorded_order(model.metadata, tensor.name)
    if images.dtype != np.int8 and two_orders(images, tensor.shape, order):
        warnings.warn(f"{where}: {two_orders(images, tensor.shape, order)}", stacklevel=3)
    images = arranged(images, tensor.shape, order)
    if tensor.shape[-1] == 1 and images.ndim == len(tensor.shape):
        images = images[..., np.newaxis]
    if images.shape[1:] != tensor.shape:
        raise InputError(f"{where}: shape {images.shape} instead of {batch_of(tensor.shape)}")
    if images.dtype == np.int8:
        return np.ascontiguousarray(images)
    if images.dtype == np.uint8:
        mapped: np.ndarray = camera_bytes(model, tensor)[np.ascontiguousarray(images)]
        return mapped
    if tensor.scale is None:
        raise InputError(f"{where} has no scale: give int8")
    if images.dtype.kind != "f":
        camera, advice = takes_bytes(model, tensor), "x.astype(numpy.float32) produces reals"
        if are_bytes(images) and camera:
            advice = "x.astype(numpy.uint8) produces camera bytes, which stand for x/255"
        accepted = "uint8, int8" if camera else "int8"
        raise InputError(f"{where}: {images.dtype} is neither {accepted} nor a float: {advice}")
    if not np.isfinite(images).all():
        refuse_non_finite(where, images)
    _refuse_bytes(where, images, tensor.scale, tensor.zero_point)
    return np.ascontiguousarray(quantize(images, tensor.scale, tensor.zero_point))


def _refuse_bytes(where: str, images: np.ndarray, scale: float, zero_point: int) -> None:
    """Refuse floats that are bytes by their range, where the reals are of another magnitude."""
    lo, hi = (-128 - zero_point) * scale, (127 - zero_point) * scale
    smallest, largest = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    if smallest >= 0 and 16 * max(-lo, hi) < largest <= 255:
        raise InputError(
            f"{where}: floats from {smallest:g} to {largest:g}, as bytes are, but its reals are "
            f"from {lo:.4g} to {hi:.4g}: give images / 255, or the bytes as uint8"
        )


def takes_bytes(model: Model, tensor: Tensor) -> bool:
    """Return whether camera bytes have an int8 value in an input; see `camera_bytes`."""
    try:
        camera_bytes(model, tensor)
    except InputError:
        return False
    return True


def camera_bytes(model: Model, tensor: Tensor) -> np.ndarray:
    """Return the int8 value of each byte, shape (256,).

    A network that is quantised here is trained on x/255; one that was calibrated on reals outside
    [0, 1] takes no bytes.  A file of another engine does not say what its input's reals are;
    x ^ 0x80 is its own uint8, and what int8 files take for bytes: those with reals in [0, 255],
    [0, 1] or [-1, 1] alike.

    Raises
    ------
    InputError
        When the input has no scale, or takes reals that are no x/255.
    """
    if "engine" in model.metadata:  # importers name it
        return np.arange(-128, 128, dtype=np.int8)
    if tensor.scale is None:
        raise InputError(
            f"input {tensor.name} has no scale, so that bytes of a camera have no int8 value: give "
            "int8, which is (x ^ 0x80).view(numpy.int8) of an unsigned device's bytes"
        )
    lo, hi = ((q - tensor.zero_point) * tensor.scale for q in (-128, 127))
    # Narrow multipliers raise a scale to the next power of two: that of [0, 1] to 2^-7.
    most = 2.0 if np.frexp(tensor.scale)[0] == 0.5 else 1.0
    if "float_network" in model.metadata and (lo < 0 or hi > most):
        raise InputError(
            f"{labelled('input', tensor.name)}: bytes stand for x/255, from 0 to 1, but it was "
            f"calibrated on reals and takes those from {lo:.4g} to {hi:.4g}: give floats, as the "
            "float network takes them"
        )
    return quantize(np.arange(256) / 255, tensor.scale, tensor.zero_point)
