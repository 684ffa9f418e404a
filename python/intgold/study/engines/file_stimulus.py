"""What a whole file is fed with: corners and random bytes, also where its inputs are floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...importers.tflite.file.reader import FileGraph, FileTensor
from ...importers.tflite.graph.float_islands import CutGraph
from ...support.quoting import short_repr

_NEAR = 1e-3
"""Of a step of a tensor: how far a real may be from that of an integer."""
_FLOATS = {"float32": np.float32, "type 1": np.float16, "type 10": np.float64}
"""As the reader of a file calls them."""
_REALS = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (-8.0, 8.0))
"""Ranges that inputs of a float head are drawn from, image by image."""


@dataclass(frozen=True, eq=False)
class FileStimulus:
    """A batch for a file, and what its integer part sees of it.

    Parameters
    ----------
    inputs : mapping of int to ndarray
        A batch for each input of the file, in their order.
    integers : mapping of int to ndarray
        By the inputs of the integer part; those after further ops of a float head are not known.
    at_once : int
        Images that the file takes at once; a batch has a multiple of them.
    """

    __repr__ = short_repr

    inputs: Mapping[int, np.ndarray]
    integers: Mapping[int, np.ndarray]
    at_once: int = 1

    @property
    def images(self) -> int:
        """How many images a batch has."""
        return len(next(iter(self.inputs.values())))

    def blocks(self, images: int) -> Iterator[FileStimulus]:
        """Yield it in parts of about `images` images."""
        step = -(-images // self.at_once) * self.at_once
        for start in range(0, self.images, step):
            part = slice(start, start + step)
            yield FileStimulus(
                {at: x[part] for at, x in self.inputs.items()},
                {at: x[part] for at, x in self.integers.items()},
                self.at_once,
            )


def file_stimulus(
    graph: FileGraph, cut: CutGraph, count: int, *, corners: bool = True
) -> FileStimulus:
    """Return `count` images: corners, random bytes, and bytes near the zero point.

    There may be more, so that a file of several images at once takes them all.  A float that a
    QUANTIZE reads is the real of such a byte, which the QUANTIZE brings back.

    Raises
    ------
    InputError
        Naming an input of a type that is not fed.
    """
    rng = np.random.default_rng(0)
    tensors, count = graph.tensors, -(-count // cut.batch) * cut.batch
    direct = {op.inputs[0]: op.outputs[0] for op in reversed(cut.head) if op.kind == "QUANTIZE"}
    integers, inputs = {}, {}
    for at in graph.inputs:
        if at in cut.graph.inputs:
            inputs[at] = integers[at] = integer_batch(rng, tensors[at], count, corners=corners)
        elif at in direct:
            quantised = tensors[direct[at]]
            integers[direct[at]] = integer_batch(rng, quantised, count, corners=corners)
            inputs[at] = reals(integers[direct[at]], quantised)
        else:
            inputs[at] = _host_batch(rng, tensors[at], count)
    return FileStimulus(inputs, integers, cut.batch)


def integer_batch(
    rng: np.random.Generator, tensor: FileTensor, count: int, *, corners: bool
) -> np.ndarray:
    """Return a batch for an int8, uint8 or bool tensor, as many images as asked for."""
    shape = tensor.shape[1:]
    if tensor.dtype == "bool":
        first = _corners(shape, 0, 1, 0)[: count if corners else 0] != 0
        return np.concatenate([first, _bools(rng, (count - len(first), *shape))])
    if tensor.dtype not in ("int8", "uint8"):
        raise InputError(f"input {tensor.name}: {tensor.dtype}; int8, uint8 and bool are fed")
    lowest = int(np.iinfo(tensor.dtype).min)
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    first = _corners(shape, lowest, lowest + 255, zero)[: count if corners else 0]
    near_count = (count - len(first)) * 3 // 10
    wide = rng.integers(lowest, lowest + 256, (count - len(first) - near_count, *shape))
    spread = 10 ** rng.uniform(0, 2, (near_count, *[1] * len(shape)))
    near = np.rint(zero + rng.normal(size=(near_count, *shape)) * spread)
    return np.concatenate([first, wide, near.clip(lowest, lowest + 255)]).astype(tensor.dtype)


def _bools(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made: np.ndarray = rng.integers(0, 2, shape).astype(bool)
    return made


def _corners(shape: tuple[int, ...], lowest: int, highest: int, zero: int) -> np.ndarray:
    """Return the smallest value, the largest, the zero point, a ramp and a checker of the ends."""
    ramp = np.arange(int(np.prod(shape))).reshape(shape) % (highest - lowest + 1) + lowest
    checker = np.indices(shape).sum(0) % 2 * (highest - lowest) + lowest
    return np.stack([*(np.full(shape, v) for v in (lowest, highest, zero)), ramp, checker])


def reals(integers: np.ndarray, tensor: FileTensor) -> np.ndarray:
    """Return the float32 that int8 or uint8 values of a tensor stand for, as engines compute it."""
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    made: np.ndarray = (integers.astype(np.int32) - zero).astype(np.float32) * tensor.scale[0]
    return made


def integers_of(values: np.ndarray, tensor: FileTensor) -> np.ndarray:
    """Return the integers that reals of a tensor stand for, as float64; NaN where one is none.

    Kernels of DEQUANTIZE differ in the last bits of a real.
    """
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    exact = values.astype(np.float64) / float(tensor.scale[0]) + zero
    nearest: np.ndarray = np.rint(exact)
    return np.where(np.abs(exact - nearest) < _NEAR, nearest, np.nan)


def _host_batch(rng: np.random.Generator, tensor: FileTensor, count: int) -> np.ndarray:
    """Return a batch for an input that only ops of the host read."""
    shape = (count, *tensor.shape[1:])
    if tensor.dtype in _FLOATS:
        ranges = [_REALS[i % len(_REALS)] for i in range(count)]
        each = (-1, *[1] * len(shape[1:]))
        low, high = (np.reshape(ends, each) for ends in zip(*ranges, strict=True))
        return rng.uniform(low, high, shape).astype(_FLOATS[tensor.dtype])
    if tensor.dtype == "bool":
        return _bools(rng, shape)
    if tensor.dtype.startswith("type"):
        raise InputError(f"input {tensor.name}: {tensor.dtype} of the schema is not fed")
    lowest = int(np.iinfo(tensor.dtype).min) if tensor.dtype in ("int8", "uint8") else 0
    return rng.integers(lowest, lowest + 256, shape).astype(tensor.dtype)
