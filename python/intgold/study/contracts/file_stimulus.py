"""What a whole file is fed with: corners and random bytes, also where its inputs are floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...importers.tflite.float_islands import CutGraph
from ...importers.tflite.reader import FileGraph, FileTensor
from ...support.quoting import short_repr

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
        By the inputs of the integer part; those behind further ops of a float head are not known.
    """

    __repr__ = short_repr

    inputs: Mapping[int, np.ndarray]
    integers: Mapping[int, np.ndarray]

    @property
    def images(self) -> int:
        """How many images a batch has."""
        return len(next(iter(self.inputs.values())))

    def blocks(self, images: int) -> Iterator[FileStimulus]:
        """Yield it in parts of at most so many images."""
        for start in range(0, self.images, images):
            part = slice(start, start + images)
            yield FileStimulus(
                {at: x[part] for at, x in self.inputs.items()},
                {at: x[part] for at, x in self.integers.items()},
            )


def file_stimulus(
    graph: FileGraph, cut: CutGraph, count: int, *, corners: bool = True
) -> FileStimulus:
    """Return `count` images: corners, random bytes, and bytes near the zero point.

    A float that a QUANTIZE reads is the real of such a byte, which the QUANTIZE brings back.

    Raises
    ------
    InputError
        Naming an input of the integer part that is neither int8 nor uint8.
    """
    rng = np.random.default_rng(0)
    tensors = graph.tensors
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
    return FileStimulus(inputs, integers)


def integer_batch(
    rng: np.random.Generator, tensor: FileTensor, count: int, *, corners: bool
) -> np.ndarray:
    """Return a batch for an int8 or uint8 tensor, as many images as asked for."""
    if tensor.dtype not in ("int8", "uint8"):
        raise InputError(f"input {tensor.name}: {tensor.dtype}; int8 and uint8 are fed")
    shape = tensor.shape[1:]
    least = int(np.iinfo(tensor.dtype).min)
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    first = _corners(shape, least, zero)[: count if corners else 0]
    near_count = (count - len(first)) * 3 // 10
    wide = rng.integers(least, least + 256, (count - len(first) - near_count, *shape))
    spread = 10 ** rng.uniform(0, 2, (near_count, *[1] * len(shape)))
    near = np.rint(zero + rng.normal(size=(near_count, *shape)) * spread)
    return np.concatenate([first, wide, near.clip(least, least + 255)]).astype(tensor.dtype)


def _corners(shape: tuple[int, ...], least: int, zero: int) -> np.ndarray:
    """Return the smallest value, the largest, the zero point, a ramp and a checker of the ends."""
    ramp = np.arange(int(np.prod(shape))).reshape(shape) % 256 + least
    checker = np.indices(shape).sum(0) % 2 * 255 + least
    return np.stack([*(np.full(shape, v) for v in (least, least + 255, zero)), ramp, checker])


def reals(integers: np.ndarray, tensor: FileTensor) -> np.ndarray:
    """Return the float32 that int8 or uint8 values of a tensor stand for, as engines compute it."""
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    made: np.ndarray = (integers.astype(np.int32) - zero).astype(np.float32) * tensor.scale[0]
    return made


def _host_batch(rng: np.random.Generator, tensor: FileTensor, count: int) -> np.ndarray:
    """Return a batch for an input that only ops of the host read."""
    shape = (count, *tensor.shape[1:])
    if tensor.dtype == "float32":
        ranges = [_REALS[i % len(_REALS)] for i in range(count)]
        each = (-1, *[1] * len(shape[1:]))
        low, high = (np.reshape(ends, each) for ends in zip(*ranges, strict=True))
        return rng.uniform(low, high, shape).astype(np.float32)
    if tensor.dtype.startswith("type"):
        raise InputError(f"input {tensor.name}: {tensor.dtype} of the schema is not fed")
    least = int(np.iinfo(tensor.dtype).min) if tensor.dtype in ("int8", "uint8") else 0
    return rng.integers(least, least + 256, shape).astype(tensor.dtype)
