"""THE op table: each op declared once, with its fields, shapes and SPEC clause.

The golden model (``golden/<op>.py``), the C engine (``csrc/<op>.c``), the bindings, the artefact,
the int32 proof (``accumulators.py``) and the tests all work from this table, and
``tests/test_op_table.py`` proves that they cover the same set.  An op works on one image at a
time; shapes here have no batch dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ModelError
from .fields import Array, Choice, Field, Integer, Integers, Requantization, Scales

Shape = tuple[int, ...]
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class OpKind:
    """The declaration of one op.

    Parameters
    ----------
    name : str
        The one name in six places: golden, native, C, SPEC, tests and vectors.
    clause : str
        The SPEC clause that defines it.
    summary : str
        One line for people.
    inputs : tuple of str
        Argument names of the input tensors.
    input_dtype : str
        ``int8`` or ``int32``, of every input.
    fields : mapping of str to Field
        Everything else that the op needs, by name, in the order of the C struct.
    zero_points : tuple of str
        Zero points that the arithmetic uses, taken from the tensors (``<input>_zero_point``).
    accumulator : bool
        True when the op has an int32 accumulator per output value that a trace shows.
    scratch : bool
        True when the C function works in scratch memory.
    since : str
        The SPEC version that brought it; an artefact asks for no newer one than it needs.
    shape : callable
        ``(fields, input_shapes) -> output_shape``; raises ModelError on a mismatch.
    dims : callable
        ``(fields, input_shapes, output_shape) -> dict`` of the C struct's dimensions.
    """

    name: str
    clause: str
    summary: str
    inputs: tuple[str, ...]
    fields: Mapping[str, Field]
    shape: Callable[[Fields, Sequence[Shape]], Shape]
    dims: Callable[[Fields, Sequence[Shape], Shape], dict[str, int]]
    input_dtype: str = "int8"
    zero_points: tuple[str, ...] = ()
    accumulator: bool = False
    scratch: bool = False
    since: str = "1.0"

    @property
    def c_name(self) -> str:
        """The name of the C function."""
        return f"intgold_{self.name}_{'s8' if self.input_dtype == 'int8' else 's32'}"

    def output_dtype(self, fields: Fields) -> str:
        """Return ``int8``, or ``int32`` for int32 ops and for an op that is not requantized."""
        bare = "requantize" in self.fields and fields["requantize"] is None
        return "int32" if bare or self.input_dtype == "int32" else "int8"


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise ModelError(message)


def _channels(name: str, size: int, channels: int) -> None:
    _need(size in (1, channels), f"{name}: {size} entries for {channels} channels")


def _image(shapes: Sequence[Shape]) -> Shape:
    _need(len(shapes[0]) == 3, f"input shape {shapes[0]} is not (height, width, channels)")
    return shapes[0]


def _clamp(fields: Fields) -> None:
    lo, hi = fields["act_min"], fields["act_max"]
    _need(lo <= hi, f"act_min {lo} is above act_max {hi}")


def _window(in_size: int, kernel: int, stride: int, dilation: int, pads: Shape, axis: str) -> int:
    """Return the output size of a sliding window along one axis (SPEC 5.0)."""
    span = in_size + sum(pads) - ((kernel - 1) * dilation + 1)
    _need(span >= 0, f"kernel of {axis} {kernel} (dilation {dilation}) is larger than the input")
    return span // stride + 1


def _windows(fields: Fields, in_shape: Shape, kernel: Shape) -> Shape:
    stride, pad = fields["stride"], fields["padding"]
    dilation = fields.get("dilation", (1, 1))
    return (
        _window(in_shape[0], kernel[0], stride[0], dilation[0], pad[:2], "height"),
        _window(in_shape[1], kernel[1], stride[1], dilation[1], pad[2:], "width"),
    )


def _weighted(fields: Fields, out_c: int) -> None:
    """Check what the three multiply-accumulate ops share."""
    _need(fields["bias"].size == out_c, f"bias: {fields['bias'].size} entries, not {out_c}")
    _channels("weight_zero_point", fields["weight_zero_point"].size, out_c)
    if fields["weight_scale"] is not None:
        _channels("weight_scale", len(fields["weight_scale"]), out_c)
    if fields["requantize"] is not None:
        _channels("requantize", fields["requantize"].count, out_c)
    _clamp(fields)


def _conv2d_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, (out_c, kernel_h, kernel_w, in_c) = _image(shapes), fields["weights"].shape
    _need(in_c == in_shape[2], f"weights for {in_c} input channels, the input has {in_shape[2]}")
    _weighted(fields, out_c)
    return (*_windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def _depthwise_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, (kernel_h, kernel_w, out_c) = _image(shapes), fields["weights"].shape
    _need(
        out_c % in_shape[2] == 0, f"{out_c} weight channels are no multiple of {in_shape[2]} inputs"
    )
    _weighted(fields, out_c)
    return (*_windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def _size(shape: Shape) -> int:
    count = 1
    for extent in shape:
        count *= extent
    return count


def _fully_connected_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    out_c, in_c = fields["weights"].shape
    _need(in_c == _size(shapes[0]), f"weights for {in_c} inputs, the input has {_size(shapes[0])}")
    _weighted(fields, out_c)
    return (out_c,)


def _lut_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    _need(fields["table"].size == 256, f"table of {fields['table'].size} entries instead of 256")
    return shapes[0]


def _pwl_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    breakpoints = fields["breakpoints"].tolist()
    segments = fields["slope"].size
    _need(segments == fields["offset"].size, "slope and offset of different lengths")
    _need(len(breakpoints) == segments, f"{len(breakpoints)} breakpoints for {segments} segments")
    _need(breakpoints[0] == -128, f"the first breakpoint is {breakpoints[0]} instead of -128")
    rising = all(a < b for a, b in zip(breakpoints, breakpoints[1:], strict=False))
    _need(rising, f"breakpoints {breakpoints} do not rise")
    _clamp(fields)
    return shapes[0]


def _pool_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, kernel, pad = _image(shapes), fields["kernel"], fields["padding"]
    fits = max(pad[:2]) < kernel[0] and max(pad[2:]) < kernel[1]
    _need(fits, f"padding {pad} leaves windows of kernel {kernel} without a valid cell")
    _clamp(fields)
    return (*_windows(fields, in_shape, kernel), in_shape[2])


def _global_avg_pool_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    _channels("requantize", fields["requantize"].count, _image(shapes)[2])
    _clamp(fields)
    return (1, 1, shapes[0][2])


def _add_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    _need(shapes[0] == shapes[1], f"shapes {shapes[0]} and {shapes[1]} differ")
    for name in ("requantize1", "requantize2", "requantize"):
        _need(fields[name].count == 1, f"{name} has {fields[name].count} entries instead of 1")
    _clamp(fields)
    return shapes[0]


def _mul_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    _need(shapes[0] == shapes[1], f"shapes {shapes[0]} and {shapes[1]} differ")
    count = fields["requantize"].count
    _need(count == 1, f"requantize has {count} entries instead of 1")
    _clamp(fields)
    return shapes[0]


def _softmax_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    depth = shapes[0][-1]
    _need(depth <= 4095, f"softmax over {depth} values; the exact sum allows 4095")
    return shapes[0]


def _rescale_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    _channels("requantize", fields["requantize"].count, shapes[0][-1])
    return shapes[0]


def _argmax_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0][:-1], 1)


def _image_dims(shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    names = ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c")
    return dict(zip(names, (*shapes[0], *out), strict=True))


def _conv2d_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    _, kernel_h, kernel_w, _ = fields["weights"].shape
    return {**_image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def _depthwise_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    kernel_h, kernel_w, _ = fields["weights"].shape
    return {**_image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def _fully_connected_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"in_c": _size(shapes[0]), "out_c": out[0]}


def _count_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"count": _size(out)}


def _pwl_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"count": _size(out), "segments": fields["slope"].size}


def _rows_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"rows": _size(shapes[0][:-1]), "depth": shapes[0][-1]}


_ZERO_POINTS = ("x_zero_point", "y_zero_point")
_ACT: dict[str, Field] = {"act_min": Integer(-128, 127), "act_max": Integer(-128, 127)}
_STRIDE = Integers(("stride_h", "stride_w"), 1, 2**15)
_DILATION = Integers(("dilation_h", "dilation_w"), 1, 2**15)
_PADDING = Integers(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0, 2**15)
_KERNEL = Integers(("kernel_h", "kernel_w"), 1, 2**15)


def _weighted_fields(weight_dims: int, geometry: dict[str, Field]) -> dict[str, Field]:
    return {
        **geometry,
        "weights": Array("int8", weight_dims),
        "weight_zero_point": Array("int8", 1),
        "weight_scale": Scales(),
        "bias": Array("int32", 1),
        "requantize": Requantization(optional=True),
        **_ACT,
    }


_SLIDE: dict[str, Field] = {"stride": _STRIDE, "padding": _PADDING, "dilation": _DILATION}
_POOL: dict[str, Field] = {"kernel": _KERNEL, "stride": _STRIDE, "padding": _PADDING}

_TABLE = (
    OpKind(
        name="conv2d",
        clause="5.1",
        summary="2-D convolution, weights OHWI",
        inputs=("x",),
        fields=_weighted_fields(4, _SLIDE),
        zero_points=_ZERO_POINTS,
        accumulator=True,
        scratch=True,
        shape=_conv2d_shape,
        dims=_conv2d_dims,
    ),
    OpKind(
        name="depthwise_conv2d",
        clause="5.2",
        summary="2-D convolution of each channel by itself, weights HWO",
        inputs=("x",),
        fields=_weighted_fields(3, _SLIDE),
        zero_points=_ZERO_POINTS,
        accumulator=True,
        scratch=True,
        shape=_depthwise_shape,
        dims=_depthwise_dims,
    ),
    OpKind(
        name="fully_connected",
        clause="5.3",
        summary="matrix times the flattened input, weights OI",
        inputs=("x",),
        fields=_weighted_fields(2, {}),
        zero_points=_ZERO_POINTS,
        accumulator=True,
        scratch=True,
        shape=_fully_connected_shape,
        dims=_fully_connected_dims,
    ),
    OpKind(
        name="lut",
        clause="5.4",
        summary="any unary function by a table of 256 entries",
        inputs=("x",),
        fields={"table": Array("int8", 1)},
        shape=_lut_shape,
        dims=_count_dims,
    ),
    OpKind(
        name="pwl",
        clause="5.5",
        summary="a unary function by piecewise-linear segments",
        inputs=("x",),
        fields={
            "breakpoints": Array("int8", 1),
            "slope": Array("int16", 1),
            "offset": Array("int32", 1),
            "frac_bits": Integer(0, 15),
            **_ACT,
        },
        accumulator=True,
        shape=_pwl_shape,
        dims=_pwl_dims,
    ),
    OpKind(
        name="max_pool2d",
        clause="5.6",
        summary="largest valid cell of each window",
        inputs=("x",),
        fields={**_POOL, **_ACT},
        shape=_pool_shape,
        dims=lambda fields, shapes, out: _image_dims(shapes, out),
    ),
    OpKind(
        name="avg_pool2d",
        clause="5.7",
        summary="rounded mean of the valid cells of each window",
        inputs=("x",),
        fields={**_POOL, "form": Choice(("raw_away", "centred_away", "raw_up")), **_ACT},
        zero_points=_ZERO_POINTS,
        accumulator=True,
        shape=_pool_shape,
        dims=lambda fields, shapes, out: _image_dims(shapes, out),
    ),
    OpKind(
        name="global_avg_pool",
        clause="5.8",
        summary="mean over height and width, requantized to a scale of its own",
        inputs=("x",),
        fields={"requantize": Requantization(), **_ACT},
        zero_points=_ZERO_POINTS,
        accumulator=True,
        shape=_global_avg_pool_shape,
        dims=lambda fields, shapes, out: dict(
            zip(("in_h", "in_w", "in_c"), shapes[0], strict=True)
        ),
    ),
    OpKind(
        name="add",
        clause="5.9",
        summary="sum of two tensors of different scales",
        inputs=("x1", "x2"),
        fields={
            "form": Choice(("shared_scale",)),
            "left_shift": Integer(0, 22),
            "requantize1": Requantization(),
            "requantize2": Requantization(),
            "requantize": Requantization(),
            **_ACT,
        },
        zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
        accumulator=True,
        shape=_add_shape,
        dims=_count_dims,
    ),
    OpKind(
        name="softmax",
        clause="5.10",
        summary="fixed-point softmax over the last dimension",
        inputs=("x",),
        fields={"multiplier": Integer(2**30, 2**31 - 1), "left_shift": Integer(0, 31)},
        shape=_softmax_shape,
        dims=_rows_dims,
    ),
    OpKind(
        name="rescale",
        clause="5.11",
        summary="int32 to int32 by a requantize form, saturating",
        inputs=("x",),
        input_dtype="int32",
        fields={"requantize": Requantization()},
        shape=_rescale_shape,
        dims=_rows_dims,
    ),
    OpKind(
        name="argmax",
        clause="5.12",
        summary="index of the largest value of the last dimension, ties to the lowest",
        inputs=("x",),
        input_dtype="int32",
        fields={},
        shape=_argmax_shape,
        dims=_rows_dims,
    ),
    OpKind(
        name="mul",
        clause="5.13",
        summary="elementwise product of two tensors",
        inputs=("x1", "x2"),
        fields={"requantize": Requantization(), **_ACT},
        zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
        accumulator=True,
        since="1.1",
        shape=_mul_shape,
        dims=_count_dims,
    ),
)

OPS: Mapping[str, OpKind] = {kind.name: kind for kind in _TABLE}
"""Every op by its name, in SPEC order."""
