"""Random models of TRANSPOSE_CONV: odd shapes, strides, output shapes; also computed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
import tflite
from draws import Made, Rng
from shape_models import Shapes
from tflite_writer import Writer


def _output(rng: Rng, in_size: int, kernel: int, stride: int, padding: int) -> int:
    """Return an extent of which a convolution of this padding would make the input's."""
    if padding == tflite.Padding.SAME:
        return int(rng.integers((in_size - 1) * stride + 1, in_size * stride + 1))
    return (in_size - 1) * stride + kernel + int(rng.integers(0, stride))


def _transposed(computed: bool) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        w, shape, kernel = Writer(), draws.image(rng), draws.pair(rng, 1, 6)
        stride, padding = draws.pair(rng, 1, 5), int(rng.integers(0, 2))
        out_c, x_scale = draws.channels(rng), draws.scale(rng)
        sizes = [
            _output(rng, n, k, s, padding)
            for n, k, s in zip(shape[1:3], kernel, stride, strict=True)
        ]
        x = w.tensor(shape, dtype, x_scale, draws.zero_point(rng, dtype))
        held, product = draws.weights(rng, w, dtype, (out_c, *kernel, shape[3]), 0, x_scale)
        depth = max(1.0, kernel[0] * kernel[1] * shape[3] / (stride[0] * stride[1]))
        scale = draws.output_scale(rng, product * 4900 * depth**0.5, product)
        out = [1, *sizes, out_c]
        if computed:
            s = Shapes(w)
            batch = s.first(s.shape_of(x, 4))
            extents = s.pack([batch, *(s.held(n) for n in out[1:])])
        else:
            extents = w.tensor((4,), "int32", data=np.array(out))
        y = w.tensor(out, dtype, scale, draws.zero_point(rng, dtype))
        inputs = [extents, held[0], x, held[1]]
        if rng.random() < 0.2:
            inputs.pop()
        w.op(
            "TRANSPOSE_CONV", inputs, y, 4, "TransposeConvOptions", Padding=padding,
            StrideH=stride[0], StrideW=stride[1], FusedActivationFunction=draws.activation(rng),
        )  # fmt: skip
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "TRANSPOSE_CONV": _transposed(computed=False),
    "TRANSPOSE_CONV_COMPUTED": _transposed(computed=True),
}
