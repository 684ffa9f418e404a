"""Stimulus: what a model is fed with; built-in images need no data (SPEC 11).

``builtin`` draws image i of a seed from a counter-based generator, so that it depends on nothing
else: any range of images can be made anywhere, in any language, in any order.  All of it is exact
integer arithmetic; ``div`` is the floor of the quotient, ``mod`` its remainder, never negative.

**Words.**  Unsigned arithmetic modulo 2^64, with G = 0x9E3779B97F4A7C15 and SplitMix64's finaliser

    mix(z):  z = (z xor z >> 30) * 0xBF58476D1CE4E5B9
             z = (z xor z >> 27) * 0x94D049BB133111EB
             z xor z >> 31

The key of image i for the input at position p (0 for the model's first input) is
``key = mix(mix(seed * G + i) + p)``; its words are ``w[k] = mix(key + (k + 1) * G)``, k = 0, 1, ...

**An int32 input.**  Value n, counted in C order, is the upper half of w[n] in two's complement.

**An int8 input** of height H, width W, C channels; a shape of one or two dimensions is (1, 1, C)
or (1, W, C).  An image is a byte B(y, x, c) in [0, 255] per value, and the int8 value is
``B - 128``.  The class of image i is entry ``i mod 8`` of `CLASSES`:

uniform
    Value n in C order is ``w[n] div 2^56``.
ramp
    ``(a*y + b*x + 37*c + s) mod 256``; a = w[0] mod 32, b = w[1] mod 32, s = w[2] mod 256.
checker
    ``(y div (1 + w[0] mod 8) + x div (1 + w[1] mod 8) + c) mod 2`` chooses ``w[2] mod 256`` for 0,
    ``w[3] mod 256`` for 1.
corner
    By ``(i div 8) mod 8``: 0: all 0; 1: all 255; 2: all 128; 3: all zero_point + 128;
    4: 0, but 255 at value ``w[0] mod (H*W*C)`` in C order; 5: 255, but 0 there;
    6: 255 where y is 0 or H-1 and x is 0 or W-1, else 0; 7: 255 where one of the two, else 0.
strokes
    A polyline through the first ``2 + w[0] mod 4`` of the points (py, px) with
    ``py = w[1 + 2j] mod min(H, 65536)``, ``px = w[2 + 2j] mod min(W, 65536)``, j = 0, 1, ...
    For the segment from point a to the next point b, with dy = by - ay, dx = bx - ax and
    ``L = max(dy*dy + dx*dx, 1)``, the lattice point nearest to (y, x) is (ny, nx):
    ``t = min(max((y - ay)*dy + (x - ax)*dx, 0), L)``, ``ny = ay + (2*t*dy + L) div (2*L)``,
    ``nx = ax + (2*t*dx + L) div (2*L)``.  D is the smallest ``(y - ny)^2 + (x - nx)^2`` of all
    segments and ``R = max(1, min(H, W) div 28)^2``.  The byte is 255 for D <= R, else 170 for
    D <= 2*R, else 85 for D <= 4*R, else 0; in odd channels it is halved: 127, 85, 42, 0.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...host.axis_order import shape_given
from ...images.arrays import read_images
from ...images.mnist import load_mnist
from ...model.graph import Model, Tensor
from ...support.arguments import checked
from ..memory.packing import from_offset_binary

WordArray = NDArray[np.uint64]
Extent = tuple[int, ...]

CLASSES = ("strokes", "uniform", "corner", "ramp", "strokes", "checker", "strokes", "uniform")
"""Class of image i: entry i mod 8; few images are already of several classes."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@checked
def stimulus(
    model: Model, source: str | os.PathLike[str] = "builtin", count: int = 10_000, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return `count` images for every input of the model, by name.

    Parameters
    ----------
    model : Model
    source : str or path
        ``builtin``; ``mnist``, the first test images; a file (.npy, IDX) of camera bytes (uint8,
        see `intgold.host.affine.camera_bytes`) or the input itself (int8, int32), shape (n,
        ...) of the input; or a folder with such a file NAME.npy for each input.
    count : int
    seed : int
        Of ``builtin``, in [0, 2^31).

    Raises
    ------
    InputError
        When count, seed or the file do not fit.
    DataError
        When the file cannot be read, or MNIST is asked for and not there.
    """
    return next(stimulus_chunks(model, source, count, seed, 2**24))


@checked
def stimulus_chunks(
    model: Model, source: str | os.PathLike[str], count: int, seed: int, chunk: int
) -> Iterator[dict[str, np.ndarray]]:
    """Return an iterator over what `stimulus` gives, `chunk` images at a time.

    Arguments are checked at once; built-in images are drawn when their turn comes.
    """
    check_range(count, seed)
    parts = ((first, min(chunk, count - first)) for first in range(0, count, chunk))
    if source == "builtin":
        return (builtin(model, first, n, seed) for first, n in parts)
    given = given_images(model, source, count)
    return ({name: x[first : first + n] for name, x in given.items()} for first, n in parts)


def check_range(count: int, seed: int) -> None:
    """Raise InputError unless a stimulus may have this count and seed."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 2**24:
        raise InputError(f"count: {count!r} is not from 1 to 2^24")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise InputError(f"seed: {seed!r} is not from 0 to 2^31 - 1")


def given_images(
    model: Model,
    source: str | os.PathLike[str],
    count: int | None,
    unsigned: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Return the first `count` images (None: all) of MNIST, a file, or a folder of one per input.

    uint8 are camera bytes; of the inputs `unsigned` they are q + 128, the device's encoding.

    Raises
    ------
    InputError
        When there are fewer, or not as many of each input.
    """
    if source != "mnist" and os.path.isdir(source):
        files = {n: Path(source) / f"{n}.npy" for n in model.inputs}
        missing = [path.name for path in files.values() if not path.exists()]
        if missing:
            raise InputError(
                f"stimulus {source}: no {', '.join(missing)} for an input of that name"
            )
        found = {
            n: _images(model, n, path, count, unsigned=n in unsigned) for n, path in files.items()
        }
        counts = {n: len(images) for n, images in found.items()}
        if len(set(counts.values())) != 1:
            listed = ", ".join(f"{count} of {n}" for n, count in counts.items())
            raise InputError(f"stimulus {source}: not as many images of each input: {listed}")
        return found
    if len(model.inputs) != 1:
        raise InputError(
            f"stimulus {source}: the model has {len(model.inputs)} inputs, not one: give a folder "
            f"with {', '.join(f'{n}.npy' for n in model.inputs)}"
        )
    (name,) = model.inputs
    return {name: _images(model, name, source, count, unsigned=name in unsigned)}


def _images(
    model: Model, name: str, source: str | os.PathLike[str], count: int | None, *, unsigned: bool
) -> np.ndarray:
    tensor = model.tensor(name)
    if source == "mnist":
        images = load_mnist("test")[0]
    else:
        dtypes = ("uint8", "int8") if tensor.dtype == "int8" else (tensor.dtype,)
        images = read_images(source, tensor.shape, dtypes, shape_given(model, name))
    if count is not None and len(images) < count:
        raise InputError(
            f"stimulus {source}: {len(images)} images, {count} are asked for (count); give at most "
            f"{len(images)}"
        )
    images = np.ascontiguousarray(images[:count])
    if images.dtype == np.uint8 and tensor.dtype == "int8":
        if unsigned and (source != "mnist" or tensor.scale is None):
            images = from_offset_binary(images)
        else:
            try:
                images = model.quantize_input(images, name)
            except InputError as error:
                raise InputError(f"stimulus {source}: {error}{_unsigned_hint(tensor)}") from None
    if images.dtype == np.int8 and tensor.dtype == "int8" and images.shape[1:] != tensor.shape:
        images = model.quantize_input(images, name)  # only the axes change
    if images.dtype != tensor.dtype or images.shape[1:] != tensor.shape:
        raise InputError(
            f"stimulus {source}: {images.dtype} {images.shape[1:]}, "
            f"input {tensor.name} is {tensor.dtype} {tensor.shape}"
        )
    return images


def _unsigned_hint(tensor: Tensor) -> str:
    if tensor.scale is not None:
        return ""
    return '; or a layout with [stimulus] encoding = "offset_binary", for bytes that are x ^ 0x80'


def builtin(model: Model, first: int, count: int, seed: int) -> dict[str, np.ndarray]:
    """Return built-in images `first` to ``first + count - 1`` for every input (SPEC 11)."""
    try:
        return _draw(model, first, count, seed)
    except MemoryError as error:
        sizes = ", ".join(f"{n} {model.tensor(n).shape}" for n in model.inputs[:8])
        raise InputError(
            f"stimulus builtin: not enough memory for {count} images of {sizes}: {error}"
        ) from error


def _draw(model: Model, first: int, count: int, seed: int) -> dict[str, np.ndarray]:
    index = np.arange(first, first + count, dtype=np.uint64)
    batch = {}
    for position, name in enumerate(model.inputs):
        tensor = model.tensor(name)
        with np.errstate(over="ignore"):  # unsigned arithmetic wraps, as it is meant to
            image_key = _mix(np.uint64(seed) * _GOLDEN + index)
            keys = _mix(image_key + np.uint64(position))
        if tensor.dtype == "int32":
            words = _words(keys, tensor.size)
            values = (words >> np.uint64(32)).astype(np.uint32).view(np.int32)
            batch[name] = values.reshape(count, *tensor.shape)
        else:
            batch[name] = _int8_images(tensor, index, keys)
    return batch


def _mix(z: WordArray) -> WordArray:
    """The finaliser of SplitMix64, on uint64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _words(keys: WordArray, count: int) -> WordArray:
    """Return words 0 to count - 1 of each key, uint64 (n, count)."""
    steps = np.arange(1, count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        return _mix(keys[:, np.newaxis] + steps * _GOLDEN)


def _int8_images(tensor: Tensor, index: WordArray, keys: WordArray) -> np.ndarray:
    height, width, channels = (1,) * (3 - len(tensor.shape)) + tensor.shape
    images = np.empty((len(index), height, width, channels), np.uint8)
    kinds = np.array(CLASSES)[(index % np.uint64(len(CLASSES))).astype(np.int64)]
    for kind, draw in _DRAW.items():
        chosen = np.flatnonzero(kinds == kind)
        if len(chosen):
            images[chosen] = draw(index[chosen], keys[chosen], images.shape[1:], tensor.zero_point)
    return (images ^ 0x80).view(np.int8).reshape(len(index), *tensor.shape)


def _uniform(index: WordArray, keys: WordArray, shape: Extent, zero: int) -> np.ndarray:
    """Byte n is the top byte of word n."""
    words = _words(keys, int(np.prod(shape)))
    return (words >> np.uint64(56)).astype(np.uint8).reshape(len(keys), *shape)


def _small(keys: WordArray, *modulus: int) -> list[np.ndarray]:
    """Return word k mod modulus[k] of each key, as int64 (n, 1, 1, 1)."""
    words = _words(keys, len(modulus))
    columns = [words[:, k] % np.uint64(m) for k, m in enumerate(modulus)]
    return [c.astype(np.int64).reshape(-1, 1, 1, 1) for c in columns]


def _grid(shape: Extent) -> list[np.ndarray]:
    return list(np.ogrid[: shape[0], : shape[1], : shape[2]])


def _ramp(index: WordArray, keys: WordArray, shape: Extent, zero: int) -> np.ndarray:
    """(a*y + b*x + 37*c + start) mod 256."""
    a, b, start = _small(keys, 32, 32, 256)
    y, x, c = _grid(shape)
    ramp: np.ndarray = (a * y + b * x + 37 * c + start) % 256
    return ramp.astype(np.uint8)


def _checker(index: WordArray, keys: WordArray, shape: Extent, zero: int) -> np.ndarray:
    """Fields of 1 to 8 by 1 to 8 pixels in two bytes, swapped from channel to channel."""
    high, wide, even, odd = _small(keys, 8, 8, 256, 256)
    y, x, c = _grid(shape)
    parity = (y // (high + 1) + x // (wide + 1) + c) % 2
    return np.where(parity == 0, even, odd).astype(np.uint8)


def _corner(index: WordArray, keys: WordArray, shape: Extent, zero: int) -> np.ndarray:
    """Eight extreme images in turn, (i div 8) mod 8."""
    y, x, c = _grid(shape)
    last_y, last_x = shape[0] - 1, shape[1] - 1
    at_corner = ((y == 0) | (y == last_y)) & ((x == 0) | (x == last_x)) & (c >= 0)
    at_border = ((y == 0) | (y == last_y) | (x == 0) | (x == last_x)) & (c >= 0)
    flat = np.arange(int(np.prod(shape))).reshape(shape)
    one = flat == _small(keys, flat.size)[0]
    cases = [
        np.zeros_like(one), np.full_like(one, 255, np.int64), np.full_like(one, 128, np.int64),
        np.full_like(one, zero + 128, np.int64), 255 * one, 255 - 255 * one,
        np.broadcast_to(255 * at_corner, one.shape), np.broadcast_to(255 * at_border, one.shape),
    ]  # fmt: skip
    which = (index // np.uint64(len(CLASSES)) % np.uint64(len(cases))).astype(np.int64)
    return np.choose(which.reshape(-1, 1, 1, 1), cases).astype(np.uint8)


def _strokes(index: WordArray, keys: WordArray, shape: Extent, zero: int) -> np.ndarray:
    """A polyline through 2 to 5 points, with soft edges; odd channels at half the brightness."""
    images = np.empty((len(keys), *shape), np.uint8)
    words = _words(keys, 11)
    for i, row in enumerate(words.tolist()):
        # Within 2^16 no product below leaves int64, however large the image.
        rows, columns = min(shape[0], 2**16), min(shape[1], 2**16)
        points = [(row[1 + 2 * p] % rows, row[2 + 2 * p] % columns) for p in range(5)]
        image = _polyline(points[: 2 + row[0] % 4], shape[0], shape[1])
        images[i, :, :, 0::2] = image[..., np.newaxis]
        images[i, :, :, 1::2] = image[..., np.newaxis] // 2
    return images


def _polyline(points: list[tuple[int, int]], height: int, width: int) -> np.ndarray:
    """Return bytes by the smallest squared distance to a segment's nearest lattice point."""
    image = np.zeros((height, width), np.uint8)
    reach = max(1, min(height, width) // 28)
    radius = reach**2
    for (ay, ax), (by, bx) in itertools.pairwise(points):
        dy, dx = by - ay, bx - ax
        square = max(dy * dy + dx * dx, 1)
        # The nearest point lies between the two: farther away than 2 * reach all is 0.
        rows = slice(max(min(ay, by) - 2 * reach, 0), max(ay, by) + 2 * reach + 1)
        columns = slice(max(min(ax, bx) - 2 * reach, 0), max(ax, bx) + 2 * reach + 1)
        y, x = np.ogrid[:height, :width]
        y, x = y[rows], x[:, columns]
        window = image[rows, columns]
        along = np.clip((y - ay) * dy + (x - ax) * dx, 0, square)
        near_y = ay + (2 * along * dy + square) // (2 * square)
        near_x = ax + (2 * along * dx + square) // (2 * square)
        distance = (y - near_y) ** 2 + (x - near_x) ** 2
        for limit, byte in ((4 * radius, 85), (2 * radius, 170), (radius, 255)):
            np.maximum(window, np.uint8(byte), out=window, where=distance <= limit)
    return image


_DRAW: dict[str, Callable[[WordArray, WordArray, Extent, int], np.ndarray]] = {
    "strokes": _strokes,
    "ramp": _ramp,
    "checker": _checker,
    "corner": _corner,
    "uniform": _uniform,
}
