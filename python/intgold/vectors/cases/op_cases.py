"""Directed models of one op each, with the reason for each: the corners that random ones miss.

Together with the built-in images (all -128, all 127, one hot value, ...) they reach the ends of
every op.  They hold every op of the op table; a test asserts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...model.graph import Model, Op, Tensor
from ...ops.fields import FORMS, INT32_MAX, INT32_MIN, Requantize
from ...ops.shapes import Shape
from ...ops.table import OPS
from .corners.case import strided_fields

Fields = dict[str, Any]

_FULL: Fields = {"act_min": -128, "act_max": 127}
_SLIDE: Fields = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1)}
_HALF = Requantize.of(2**30, 31)  # R(acc) = acc / 2: every odd accumulator is a tie
_SMALL = Requantize.of(2**30, 35)  # acc / 32: sums of some products stay within int8


def directed_models() -> Iterator[Model]:
    """Yield the models; the name is ``<op>_<case>``, the reason is in the metadata."""
    for cases in (
        _convolutions,
        _transposed,
        _fully_connected,
        _tables,
        _pools,
        _elementwise,
        _data_movement,
        _matmul,
        _resizes,
        _int32,
    ):
        yield from cases()


def _model(
    kind: str, case: str, reason: str, shape: Shape, fields: Fields,
    x_zero: int = 0, y_zero: int = 0,
) -> Model:  # fmt: skip
    """Return a model of one op, every input of the same shape and zero point.

    A case whose name begins with int8 has inputs of int8, where the op takes others as well.
    """
    spec = OPS[kind]
    read = "int8" if case.startswith("int8") else spec.input_dtypes[0]
    inputs = [Tensor(name, shape, read, None, x_zero) for name in spec.inputs]
    op = Op(kind, "op", spec.inputs, "y", fields)
    made = spec.output_dtype(op.fields)
    y = Tensor("y", spec.shape(op.fields, [shape] * len(inputs)), made, None, y_zero)
    return Model(
        f"{kind}_{case}", [*inputs, y], [op], spec.inputs, ["y"], metadata={"reason": reason}
    )


def _weighted(weights: np.ndarray, out_c: int, **other: Any) -> Fields:
    return {
        "weights": weights,
        "weight_zero_point": np.zeros(1, np.int8),
        "weight_scale": None,
        "bias": np.zeros(out_c, np.int32),
        "requantize": _SMALL,
        **_FULL,
        **other,
    }


def _some_weights(*shape: int) -> np.ndarray:
    """Return small weights without a pattern that a transposition would keep."""
    size = int(np.prod(shape))
    return (np.arange(size) * 7 % 11 - 5).astype(np.int8).reshape(shape)


def _convolutions() -> Iterator[Model]:
    """Yield cases of conv2d (weights OHWI) and the same of depthwise_conv2d (HWO)."""
    cases: tuple[tuple[str, str, Shape, tuple[int, int], Fields, int, int], ...] = (
        ("smallest", "one pixel, one channel, kernel 1x1", (1, 1, 1), (1, 1), {}, 0, 0),
        ("kernel_beyond_image", "kernel 5x5 on a 2x3 image: padding in every window",
         (2, 3, 2), (5, 5), {"padding": (2, 2, 2, 2)}, -128, 5),
        ("stride_beyond_kernel", "stride 3 over a kernel 1x2: pixels that no window reads",
         (7, 8, 2), (1, 2), {"stride": (3, 3)}, 3, -7),
        ("uneven_padding", "four different paddings; the padded value is the zero point 127",
         (4, 5, 2), (3, 4), {"padding": (0, 2, 3, 1)}, 127, 0),
        ("dilation", "dilation 2 by 3, stride 2 by 1",
         (6, 8, 2), (3, 2), {"dilation": (2, 3), "stride": (2, 1)}, -1, 1),
    )  # fmt: skip
    for case, reason, shape, kernel, geometry, x_zero, y_zero in cases:
        in_c, out_c = shape[2], 3 * shape[2]
        slide = {**_SLIDE, **geometry}
        fields = {**slide, **_weighted(_some_weights(out_c, *kernel, in_c), out_c)}
        yield _model("conv2d", case, reason, shape, fields, x_zero, y_zero)
        fields = {**slide, **_weighted(_some_weights(*kernel, out_c), out_c)}
        yield _model("depthwise_conv2d", case, reason, shape, fields, x_zero, y_zero)
    reason = "weights -128 by inputs 255 above the zero point: the largest products"
    by = Requantize.of(2**30, 46)
    fields = {**_SLIDE, **_weighted(np.full((1, 3, 3, 16), -128, np.int8), 1, requantize=by)}
    yield _model("conv2d", "extremes", reason, (3, 3, 16), fields, -128, 127)
    reason = "one channel per requantize form, every accumulator an exact quarter or tie"
    count = len(FORMS)
    by = Requantize.of(2**30, 32, FORMS)
    fields = {**_SLIDE, **_weighted(np.ones((count, 1, 1, 1), np.int8), count, requantize=by)}
    yield _model("conv2d", "forms", reason, (4, 4, 1), fields)
    reason = "a weight zero point per channel, its ends among them, and a narrow clamp"
    points = np.array([-128, 127, 1], np.int8)
    clamp = {"act_min": -20, "act_max": 30}
    fields = {
        **_SLIDE,
        **_weighted(_some_weights(3, 2, 2, 2), 3, weight_zero_point=points, **clamp),
        "requantize": Requantize.of(2**30, 40),
    }
    yield _model("conv2d", "weight_zero_points", reason, (3, 3, 2), fields, 9, 4)


def _transposed() -> Iterator[Model]:
    cases: tuple[tuple[str, str, Shape, tuple[int, int], Fields, int, int], ...] = (
        ("smallest", "one pixel, one channel, kernel 1x1", (1, 1, 1), (1, 1), {}, 0, 0),
        ("same_2", "kernel 3x3 of stride 2 with one row and column cut: twice the size",
         (3, 4, 2), (3, 3), {"stride": (2, 2), "padding": (0, 1, 0, 1)}, -128, 5),
        ("stride_beyond_kernel", "stride 3 over a kernel 1x2, rows at the end: bias between",
         (2, 3, 2), (1, 2), {"stride": (3, 3), "padding": (0, -2, 0, -1)}, 3, -7),
        ("uneven_cuts", "four different paddings, one beyond the kernel, one negative",
         (4, 5, 2), (3, 4), {"stride": (2, 1), "padding": (0, 2, 5, -1)}, 127, 0),
    )  # fmt: skip
    for case, reason, shape, kernel, geometry, x_zero, y_zero in cases:
        in_c, out_c = shape[2], 3 * shape[2]
        slide = {"stride": (1, 1), "padding": (0, 0, 0, 0), **geometry}
        weights = _some_weights(out_c, *kernel, in_c)
        fields = {**slide, **_weighted(weights, out_c, bias=np.arange(out_c, dtype=np.int32) * 99)}
        yield _model("transpose_conv2d", case, reason, shape, fields, x_zero, y_zero)


def _fully_connected() -> Iterator[Model]:
    reason = "one input, one output"
    yield _model("fully_connected", "smallest", reason, (1,), _weighted(_some_weights(1, 1), 1))
    reason = "bias that takes the accumulator to both ends of int32, left as it is"
    bias = np.array([INT32_MAX - 127 * 4, INT32_MIN + 128 * 4], np.int32)
    fields = _weighted(np.ones((2, 4), np.int8), 2, bias=bias, requantize=None)
    yield _model("fully_connected", "int32_ends", reason, (4,), fields)
    reason = "multiplier 0: a dead channel gives the zero point"
    by = Requantize.of([0, 2**31 - 1], [31, 32])
    fields = _weighted(_some_weights(2, 6), 2, requantize=by)
    yield _model("fully_connected", "dead_channel", reason, (1, 2, 3), fields, 0, -3)


def _tables() -> Iterator[Model]:
    table = np.arange(127, -129, -1).astype(np.int8)
    reason = "entry i is 127 - i: an index off by one or without its sign shows"
    yield _model("lut", "reversed", reason, (4, 64, 1), {"table": table})
    fields: Fields = {
        "breakpoints": np.arange(-128, 128).astype(np.int8),
        "slope": np.ones(256, np.int16),
        "offset": np.arange(256, dtype=np.int32) % 3,
        "frac_bits": 1,
        **_FULL,
    }
    yield _model("pwl", "ties", "a segment per value; odd sums are ties", (4, 64, 1), fields)
    fields = {
        "breakpoints": np.array([-128], np.int8),
        "slope": np.array([-(2**15)], np.int16),
        "offset": np.array([2**31 - 1 - 2**22 - 2**14], np.int32),
        "frac_bits": 15,
        **_FULL,
    }
    yield _model("pwl", "int32_end", "one segment; sum and half reach 2^31-1", (4, 64, 1), fields)
    for case, depth, reason in (
        ("one_value", 1, "depth 1: the probability is 1, stored as 127"),
        ("many_values", 4095, "the greatest depth; equal values share the probability"),
    ):
        fields = {"multiplier": 2**30, "left_shift": 23}
        yield _model("softmax", case, reason, (depth,), fields)
        of_log = reason.replace("the probability is 1", "its logarithm is 0")
        yield _model("log_softmax", case, of_log, (depth,), fields)
        one = 127 << 23
        falling = [one - (255 - i) * 2**20 for i in range(256)]
        fields = {"form": "rounded", "table": np.array(falling, np.int32)}
        yield _model("softmax_float32", case, reason, (depth,), fields)
        fields = {"form": "signed", "scale_bits": one - (5 << 23), "table": fields["table"]}
        yield _model("log_softmax_float32", case, of_log, (depth,), fields)

    reason = "the lower of two neighbours lies between two units: away from zero"
    fields = {"multiplier": 1452290560, "left_shift": 24}
    yield _model("log_softmax", "ties", reason, (16, 32, 2), fields)
    reason = "a table of zeros, 1/32: every odd difference lies between two units, to the even one"
    fields = {
        "form": "unsigned", "scale_bits": 122 << 23,
        "table": np.array([0] * 255 + [127 << 23], np.int32),
    }  # fmt: skip
    yield _model("log_softmax_float32", "ties", reason, (16, 32, 2), fields)
    reason = "a scale of 2^13 and a bit: products of x + 128 leave few bits to the logarithm"
    fields = {**fields, "scale_bits": (140 << 23) + 1}
    yield _model("log_softmax_float32", "large_scale", reason, (16, 32, 2), fields)


def _pools() -> Iterator[Model]:
    corner: Fields = {"kernel": (3, 3), "stride": (3, 3), "padding": (2, 2, 2, 2), **_FULL}
    reason = "padding kernel - 1: corner windows of one valid cell"
    yield _model("max_pool2d", "one_valid_cell", reason, (5, 5, 2), corner, -128, -128)
    gapped: Fields = {"kernel": (1, 2), "stride": (3, 4), "padding": (0, 0, 0, 0), **_FULL}
    reason = "stride beyond the kernel: cells that no window reads"
    yield _model("max_pool2d", "stride_beyond_kernel", reason, (7, 9, 3), gapped)
    for form in ("raw_away", "centred_away", "raw_up"):
        reason = "windows of 1, 2, 3, 4, 6 and 9 valid cells; ties of both signs"
        fields = {**corner, "stride": (2, 1), "form": form}
        yield _model("avg_pool2d", form, reason, (5, 5, 2), fields, 3, 3)
    for case, shape, reason in (
        ("one_pixel", (1, 1, 3), "the mean of one pixel"),
        ("ties", (1, 2, 3), "the mean of two: every odd sum is a tie"),
    ):
        fields = {"requantize": _HALF, **_FULL}
        yield _model("global_avg_pool", case, reason, shape, fields, -2, 7)


def _elementwise() -> Iterator[Model]:
    shape = (3, 4, 5)
    for case, left_shift, x_zero, reason in (
        ("ends", 20, -128, "the usual left_shift 20, zero point -128: the greatest sums"),
        ("unshifted", 0, 0, "left_shift 0: every rounding shows"),
    ):
        fields: Fields = {
            "form": "shared_scale",
            "left_shift": left_shift,
            "requantize1": _HALF,
            "requantize2": Requantize.of(2**30, 32),
            "requantize": Requantize.of(2**30, 31 + left_shift),
            **_FULL,
        }
        yield _model("add", case, reason, shape, fields, x_zero, -1)
    for case, x_zero, right_shift, reason in (
        ("ends", -128, 39, "zero points -128: products up to 255 * 255"),
        ("ties", 1, 31, "half of the product: every odd one a tie"),
    ):
        by = Requantize.of(2**30, right_shift)
        yield _model("mul", case, reason, shape, {"requantize": by, **_FULL}, x_zero, 2)
    reason = "u1 - u2: the second input with its sign exchanged"
    fields = {
        "form": "shared_scale_difference", "left_shift": 3, "requantize1": _HALF,
        "requantize2": Requantize.of(2**30, 32), "requantize": Requantize.of(2**30, 34), **_FULL,
    }  # fmt: skip
    yield _model("add", "difference", reason, shape, fields, -5, 3)
    for kind, larger in (("maximum", "larger"), ("minimum", "smaller")):
        for case, x_zero, reason in (
            ("signs", 0, f"the {larger} of two signed values, of equal and of different signs"),
            ("zero_points", -128, "zero points that differ: the values stay as they are"),
        ):
            yield _model(kind, case, reason, shape, {}, x_zero, 5 * (x_zero < 0))
    fields = {
        "form": "shared_scale_squared_difference", "left_shift": 7, "requantize1": _HALF,
        "requantize2": Requantize.of(2**30, 32), "requantize": Requantize.of(2**30, 51), **_FULL,
    }  # fmt: skip
    reason = "(u1 - u2)^2, left_shift 7"
    yield _model("add", "squared_difference", reason, shape, fields, -5, 3)
    q = np.arange(-128, 128)
    for case, table, reason in (
        ("plane", (q[:, None] - q) // 2, "half of x1 - x2: which input is the row of the table"),
        ("quotient", _quotients(q), "x1 / x2 toward minus infinity; 0 for a divisor of 0"),
    ):
        entries = np.clip(table, -128, 127).astype(np.int8)
        yield _model("lut2d", case, reason, shape, {"table": entries}, -128, 3)
    for axis in range(3):
        reason = f"axis {axis}: the order of the values tells the axes apart"
        yield _model("concat", f"axis{axis}", reason, shape, {"axis": axis})
    tensors = [Tensor("x1", (2, 3, 1)), Tensor("x2", (2, 3, 4)), Tensor("y", (2, 3, 5))]
    yield Model(
        "concat_unequal", tensors, [Op("concat", "op", ("x1", "x2"), "y", {"axis": 2})],
        ["x1", "x2"], ["y"], metadata={"reason": "extents 1 and 4"},
    )  # fmt: skip


def _quotients(q: np.ndarray) -> np.ndarray:
    """Return floor(q_i / q_j), 0 where q_j is 0."""
    return np.where(q == 0, 0, q[:, None] // np.where(q == 0, 1, q))


def _matmul() -> Iterator[Model]:
    for case, shapes, zeros, reason in (
        ("matrices", ((5, 33), (9, 33)), (-3, 7), "5 rows by 9 columns, an odd depth"),
        (
            "batches",
            ((3, 4, 16), (3, 6, 16)),
            (-128, 127),
            "three batches; zero points at the ends",
        ),
        ("vector", ((1, 64), (1, 64)), (0, 0), "a dot product of 64 terms"),
    ):
        columns = shapes[1][-2]
        fields: Fields = {
            "bias": np.arange(columns, dtype=np.int32) * 100 - 300,
            "requantize": Requantize.of(2**30, 40), **_FULL,
        }  # fmt: skip
        tensors = [
            Tensor("x1", shapes[0], "int8", None, zeros[0]),
            Tensor("x2", shapes[1], "int8", None, zeros[1]),
            Tensor("y", (*shapes[0][:-1], columns), "int8", None, -1),
        ]
        yield Model(
            f"matmul_{case}", tensors, [Op("matmul", "op", ("x1", "x2"), "y", fields)],
            ["x1", "x2"], ["y"], metadata={"reason": reason},
        )  # fmt: skip


def _data_movement() -> Iterator[Model]:
    shape = (3, 4, 5)
    for case, before, after in (
        ("every_side", (1, 2, 3), (3, 2, 1)),
        ("height", (2, 0, 0), (1, 0, 0)),
        ("width", (0, 1, 0), (0, 2, 0)),
        ("channels", (0, 0, 1), (0, 0, 2)),
    ):
        reason = f"{before} cells of -7 in front, {after} behind"
        fields: Fields = {"before": before, "after": after, "value": -7}
        yield _model("pad", case, reason, shape, fields, -7, -7)
    for case, to in (("flat", (60,)), ("rows", (12, 5)), ("image", (5, 3, 4))):
        reason = f"(3, 4, 5) as {to}: the values stay in C order"
        yield _model("reshape", case, reason, shape, {"shape": (*to, 0, 0)[:3]})
    for case, reason, to, counts, strides, offset in (
        ("transposed", "channels first", (5, 3, 4), (5, 12), (1, 5), 0),
        ("reversed", "rows and columns from the last to the first", shape, (3, 4, 5),
         (-20, -5, 1), 55),
        ("every_second", "every second column and channel", (3, 2, 3), (3, 2, 3), (20, 10, 2), 0),
        ("repeated", "each row twice", (6, 4, 5), (3, 2, 20), (20, 0, 1), 0),
        ("blocks", "2x2 blocks of pixels as channels, four counters", (1, 2, 20),
         (2, 2, 2, 5), (10, 20, 5, 1), 0),
    ):  # fmt: skip
        yield _model(
            "strided_copy", case, reason, shape, strided_fields(to, counts, strides, offset)
        )
    for axis, at in enumerate(((2, 0, 0, 1), (3, 1), (4, 4, 3, 0, 1, 2))):
        reason = f"places {at} of axis {axis}: in no order, some twice or never"
        fields = {"axis": axis, "indices": np.array(at, np.int32)}
        yield _model("gather", f"axis{axis}", reason, shape, fields)


def resize_tables(in_size: int, out_size: int, frac_bits: int, axis: str) -> Fields:
    """Return tables by which the first and the last output lie on the ends of the input."""
    one, steps = 1 << frac_bits, max(out_size - 1, 1)
    at = [i * (in_size - 1) * one // steps for i in range(out_size)]
    return {
        f"{axis}0": np.array([p >> frac_bits for p in at], np.int32),
        f"{axis}1": np.array([min((p >> frac_bits) + 1, in_size - 1) for p in at], np.int32),
        f"{axis}_weight": np.array([p % one for p in at], np.int16),
    }


def _resizes() -> Iterator[Model]:
    for case, shape, out, frac_bits, form, reason in (
        ("halves_up", (3, 4, 3), (5, 7), 1, "up", "every second place a half: ties go up"),
        ("halves_away", (3, 4, 3), (5, 7), 1, "away", "the same: ties go away from zero"),
        ("larger", (2, 3, 5), (7, 8), 10, "away", "from 2 x 3 to 7 x 8, ten fraction bits"),
        ("smaller", (7, 8, 2), (3, 2), 11, "up", "from 7 x 8 to 3 x 2, eleven fraction bits"),
        ("one_pixel", (1, 1, 3), (2, 3), 11, "up", "one pixel, spread over 2 x 3"),
        ("nearest", (3, 3, 2), (6, 5), 0, "up", "no fraction bit: the values themselves"),
    ):
        fields: Fields = {"frac_bits": frac_bits, "form": form}
        for axis, a, b in zip(("row", "column"), shape, out, strict=False):
            fields |= resize_tables(a, b, frac_bits, axis)
        yield _model("resize_bilinear", case, reason, shape, fields, 3, 3)


def _int32() -> Iterator[Model]:
    reason = "the greatest multiplier by the least right_shift: both ends saturate"
    by = Requantize.of(2**31 - 1, 1)
    yield _model("rescale", "saturates", reason, (2, 3, 4), {"requantize": by})
    reason = "half, by a form per channel: every odd value a tie, the ends of int32 among them"
    by = Requantize.of(2**30, 31, FORMS)
    yield _model("rescale", "forms", reason, (3, 3, len(FORMS)), {"requantize": by})
    reason = "values brought to -1, 0 and 1 first: ties go to the lowest index"
    tensors = [Tensor(n, s, "int32") for n, s in (("x", (9, 8)), ("t", (9, 8)), ("y", (9, 1)))]
    ops = [
        Op("rescale", "op0", ("x",), "t", {"requantize": Requantize.of(2**30, 61)}),
        Op("argmax", "op", ("t",), "y", {}),
    ]
    yield Model("argmax_ties", tensors, ops, ["x"], ["y"], metadata={"reason": reason})
    yield _model("argmax", "one_value", "depth 1: always 0", (3, 1), {})
    reason = "int8, 21 classes for each pixel, as of a segmentation map"
    yield _model("argmax", "int8_pixels", reason, (4, 5, 21), {}, 7)
    reason = "int8 rows of more than 256 values: equal ones in two blocks of 256"
    yield _model("argmax", "int8_long", reason, (2, 600), {})
