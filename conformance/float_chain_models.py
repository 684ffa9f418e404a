"""FLOAT32_CHAIN: random models of DEQUANTIZE or CAST, float ops of one value, and QUANTIZE."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

_ONE = ("NEG", "ABS", "SQUARE", "FLOOR", "CEIL", "ROUND", "RELU", "RELU_N1_TO_1", "RELU6")
_TWO = {
    "ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions",
    "MAXIMUM": "", "MINIMUM": "",
}  # fmt: skip


def _shape(rng: Rng) -> tuple[int, ...]:
    """Return whole groups of 8, and others."""
    if rng.random() < 0.3:
        return draws.image(rng)
    return (1, int(rng.choice([256, 256 + rng.integers(1, 24), rng.integers(1, 20)])))


def _chain(rng: Rng, dtype: str) -> Made:
    """Up to three ops, each of what is before it and a constant, or of two floats before it."""
    w, shape, scale = Writer(), _shape(rng), draws.scale(rng)
    zero = draws.zero_point(rng, dtype)
    x = w.tensor(shape, dtype, scale, zero)
    floats = [w.tensor(shape, "float32")]
    w.op("DEQUANTIZE", [x], floats[0], 2)
    reach = float(scale) * 128
    for _ in range(int(rng.integers(0, 4))):
        made = w.tensor(shape, "float32")
        if rng.random() < 0.5:
            w.op(str(rng.choice(_ONE)), floats[-1:], made)
        else:
            kind = str(rng.choice(list(_TWO)))
            operands = [floats[-1], _constant(rng, w, scale)]
            if kind != "DIV" and rng.random() < 0.3:
                operands[1] = floats[int(rng.integers(len(floats)))]
            if kind != "DIV" and rng.random() < 0.5:
                operands.reverse()
            fields = {"FusedActivationFunction": draws.activation(rng)} if _TWO[kind] else {}
            w.op(kind, operands, made, options=_TWO[kind], **fields)
        floats.append(made)
    y_scale = FLOAT(reach * 10 ** rng.uniform(-0.7, 0.7) / 128)
    y_scale = draws.tied(rng, scale) if rng.random() < 0.4 else y_scale
    y = w.tensor(shape, dtype, y_scale, draws.zero_point(rng, dtype))
    w.op("QUANTIZE", floats[-1:], y)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _constant(rng: Rng, w: Writer, scale: np.float32) -> int:
    """Return one value: around 1, or a half of the input's scale and the like."""
    value = (
        FLOAT(rng.normal(0, 2)) if rng.random() < 0.5 else FLOAT(scale * rng.integers(1, 60) / 2)
    )
    return w.tensor([(), (1,), (1, 1)][int(rng.integers(3))], "float32", data=np.array(value))


def _of_bools(rng: Rng, dtype: str) -> Made:
    """A comparison of two tensors, cast to float."""
    w, shape, scale = Writer(), _shape(rng), draws.scale(rng)
    zero = draws.zero_point(rng, dtype)
    inputs = [w.tensor(shape, dtype, scale, zero) for _ in range(2)]
    bools, floats, y = (
        w.tensor(shape, "bool"), w.tensor(shape, "float32"),
        w.tensor(shape, dtype, draws.scale(rng, -2.5, 0.5), draws.zero_point(rng, dtype)),
    )  # fmt: skip
    w.op("GREATER", inputs, bools, 2, "GreaterOptions")
    w.op("CAST", [bools], floats, 1, "CastOptions", InDataType=6, OutDataType=0)
    w.op("QUANTIZE", [floats], y)
    return Made(w.finish(inputs, [y]), tuple((i, shape) for i in inputs), y, dtype)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "FLOAT32_CHAIN": _chain,
    "FLOAT32_CHAIN_BOOLS": _of_bools,
}
"""By name: from a generator and a type, a model."""
