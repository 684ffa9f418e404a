"""Corner cases of every op, each with its stimulus and reason, and seeded random ones.

The directed cases bring an op to a corner for certain: a hot pixel under each tap, exact ties in
every requantize form, the accumulators 2^31-1 and -2^31.  Random ones are models of one op by
`random_models`, with built-in images (SPEC 11) and uniform values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...errors import InputError
from ...ops.table import OPS
from .corners.case import Case
from .corners.data_movement import gather_cases, pad_cases, reshape_cases, strided_copy_cases
from .corners.elementwise import (
    add_cases,
    concat_cases,
    lut2d_cases,
    maximum_cases,
    minimum_cases,
    mul_cases,
)
from .corners.int32 import argmax_cases, rescale_cases
from .corners.log_softmax import log_softmax_cases, log_softmax_float32_cases
from .corners.matmul import matmul_cases
from .corners.pools import avg_pool2d_cases, global_avg_pool_cases, max_pool2d_cases
from .corners.resizes import resize_bilinear_cases
from .corners.softmax import softmax_cases, softmax_float32_cases
from .corners.tables import lut_cases, pwl_cases
from .corners.transposed import transposed_cases
from .corners.weighted import weighted_cases
from .corners.windows import window_cases
from .random_models import random_inputs, random_model
from .stimulus import builtin, check_range

BUILTIN_IMAGES, UNIFORM_IMAGES = 8, 3


def _conv2d_cases() -> Iterator[Case]:
    yield from weighted_cases("conv2d")
    yield from window_cases("conv2d")


def _depthwise_conv2d_cases() -> Iterator[Case]:
    yield from weighted_cases("depthwise_conv2d")
    yield from window_cases("depthwise_conv2d")


def _fully_connected_cases() -> Iterator[Case]:
    yield from weighted_cases("fully_connected")


def _transpose_conv2d_cases() -> Iterator[Case]:
    yield from weighted_cases("transpose_conv2d")
    yield from transposed_cases()


_CASES: dict[str, Callable[[], Iterator[Case]]] = {
    "conv2d": _conv2d_cases,
    "depthwise_conv2d": _depthwise_conv2d_cases,
    "fully_connected": _fully_connected_cases,
    "lut": lut_cases,
    "pwl": pwl_cases,
    "max_pool2d": max_pool2d_cases,
    "avg_pool2d": avg_pool2d_cases,
    "global_avg_pool": global_avg_pool_cases,
    "add": add_cases,
    "softmax": softmax_cases,
    "rescale": rescale_cases,
    "argmax": argmax_cases,
    "mul": mul_cases,
    "concat": concat_cases,
    "pad": pad_cases,
    "reshape": reshape_cases,
    "softmax_float32": softmax_float32_cases,
    "strided_copy": strided_copy_cases,
    "gather": gather_cases,
    "transpose_conv2d": _transpose_conv2d_cases,
    "resize_bilinear": resize_bilinear_cases,
    "maximum": maximum_cases,
    "minimum": minimum_cases,
    "lut2d": lut2d_cases,
    "matmul": matmul_cases,
    "log_softmax": log_softmax_cases,
    "log_softmax_float32": log_softmax_float32_cases,
}


def corner_cases(op: str) -> Iterator[Case]:
    """Return an iterator over the directed cases of one op of the op table.

    Raises
    ------
    InputError
        When there is no such op.
    """
    _need_op(op)
    return _CASES[op]()


def random_case(op: str, seed: int) -> Case:
    """Return a random case of one op, the same for the same seed.

    The stimulus is eight built-in images, one of each class of SPEC 11 in its order, then three
    of uniform values, some of them replaced by the ends of the type and the zero point.

    Parameters
    ----------
    op : str
        A name of the op table.
    seed : int
        In [0, 2^31).

    Raises
    ------
    InputError
        When there is no such op, or the seed is out of range.
    """
    _need_op(op)
    check_range(1, seed)
    model = random_model(seed, (op,), max_ops=1)
    # Another extreme image (corner, by image number div 8) from seed to seed.
    drawn = builtin(model, BUILTIN_IMAGES * (seed % 8), BUILTIN_IMAGES, seed)
    uniform = random_inputs(model, UNIFORM_IMAGES, seed)
    x = {name: np.concatenate([drawn[name], uniform[name]]) for name in model.inputs}
    return Case(f"random_{seed}", f"random operands of seed {seed}", model, x)


def _need_op(op: str) -> None:
    if op not in OPS:
        raise InputError(f"op: {op!r} is none of {', '.join(OPS)}")
