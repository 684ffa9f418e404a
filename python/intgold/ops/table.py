"""THE op table: each op declared once, with its fields, shapes and SPEC clause.

The golden model (``golden/<op>.py``), the C engine (``csrc/ops/<op>.c``), the bindings, the
artefact, the int32 proof (``bounds.py``) and the tests all work from this table, and
``tests/golden/test_op_table.py`` proves that they cover the same set.  An op works on one image at
a time; shapes here have no batch dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..support.quoting import short_repr
from . import shapes
from .fields import Array, Choice, Field, Integer, Integers, Requantization, Scales
from .shapes import Fields, Shape


def spec_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of a version of SPEC.md."""
    major, minor = text.split(".")
    return int(major), int(minor)


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

    __repr__ = short_repr

    @property
    def c_name(self) -> str:
        """The name of the C function."""
        return f"intgold_{self.name}_{'s8' if self.input_dtype == 'int8' else 's32'}"

    def needs(self, fields: Fields) -> str:
        """Return the SPEC version that an op with these fields asks for."""
        chosen = [
            kind.since.get(fields[name], self.since)
            for name, kind in self.fields.items()
            if isinstance(kind, Choice)
        ]
        return max([self.since, *chosen], key=spec_version)

    def output_dtype(self, fields: Fields) -> str:
        """Return ``int8``, or ``int32`` for int32 ops and for an op that is not requantized."""
        bare = "requantize" in self.fields and fields["requantize"] is None
        return "int32" if bare or self.input_dtype == "int32" else "int8"


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
        shape=shapes.conv2d_shape,
        dims=shapes.conv2d_dims,
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
        shape=shapes.depthwise_conv2d_shape,
        dims=shapes.depthwise_conv2d_dims,
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
        shape=shapes.fully_connected_shape,
        dims=shapes.fully_connected_dims,
    ),
    OpKind(
        name="lut",
        clause="5.4",
        summary="any unary function by a table of 256 entries",
        inputs=("x",),
        fields={"table": Array("int8", 1)},
        shape=shapes.lut_shape,
        dims=shapes.count_dims,
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
        shape=shapes.pwl_shape,
        dims=shapes.pwl_dims,
    ),
    OpKind(
        name="max_pool2d",
        clause="5.6",
        summary="largest valid cell of each window",
        inputs=("x",),
        fields={**_POOL, **_ACT},
        shape=shapes.pool_shape,
        dims=shapes.pool_dims,
    ),
    OpKind(
        name="avg_pool2d",
        clause="5.7",
        summary="rounded mean of the valid cells of each window",
        inputs=("x",),
        fields={**_POOL, "form": Choice(("raw_away", "centred_away", "raw_up")), **_ACT},
        zero_points=_ZERO_POINTS,
        accumulator=True,
        shape=shapes.pool_shape,
        dims=shapes.pool_dims,
    ),
    OpKind(
        name="global_avg_pool",
        clause="5.8",
        summary="mean over height and width, requantized to a scale of its own",
        inputs=("x",),
        fields={"requantize": Requantization(), **_ACT},
        zero_points=_ZERO_POINTS,
        accumulator=True,
        shape=shapes.global_avg_pool_shape,
        dims=shapes.global_avg_pool_dims,
    ),
    OpKind(
        name="add",
        clause="5.9",
        summary="sum or difference of two tensors of different scales",
        inputs=("x1", "x2"),
        fields={
            "form": Choice(
                ("shared_scale", "shared_scale_difference"),
                {"shared_scale_difference": "1.3"},
            ),
            "left_shift": Integer(0, 22),
            "requantize1": Requantization(),
            "requantize2": Requantization(),
            "requantize": Requantization(),
            **_ACT,
        },
        zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
        accumulator=True,
        shape=shapes.add_shape,
        dims=shapes.count_dims,
    ),
    OpKind(
        name="softmax",
        clause="5.10",
        summary="fixed-point softmax over the last dimension",
        inputs=("x",),
        fields={"multiplier": Integer(2**30, 2**31 - 1), "left_shift": Integer(0, 31)},
        shape=shapes.softmax_shape,
        dims=shapes.rows_dims,
    ),
    OpKind(
        name="rescale",
        clause="5.11",
        summary="int32 to int32 by a requantize form, saturating",
        inputs=("x",),
        input_dtype="int32",
        fields={"requantize": Requantization()},
        shape=shapes.rescale_shape,
        dims=shapes.rows_dims,
    ),
    OpKind(
        name="argmax",
        clause="5.12",
        summary="index of the largest value of the last dimension, ties to the lowest",
        inputs=("x",),
        input_dtype="int32",
        fields={},
        shape=shapes.argmax_shape,
        dims=shapes.rows_dims,
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
        shape=shapes.mul_shape,
        dims=shapes.count_dims,
    ),
    OpKind(
        name="concat",
        clause="5.14",
        summary="two tensors joined along one axis",
        inputs=("x1", "x2"),
        fields={"axis": Integer(0, 2)},
        since="1.2",
        shape=shapes.concat_shape,
        dims=shapes.concat_dims,
    ),
    OpKind(
        name="pad",
        clause="5.15",
        summary="a tensor set into a larger one of a constant",
        inputs=("x",),
        fields={
            "before": Integers(("before0", "before1", "before2"), 0, 2**15),
            "after": Integers(("after0", "after1", "after2"), 0, 2**15),
            "value": Integer(-128, 127),
        },
        since="1.3",
        shape=shapes.pad_shape,
        dims=shapes.pad_dims,
    ),
    OpKind(
        name="reshape",
        clause="5.16",
        summary="the same values in another shape",
        inputs=("x",),
        fields={"shape": Integers(("shape0", "shape1", "shape2"), 0, 2**24)},
        since="1.3",
        shape=shapes.reshape_shape,
        dims=shapes.count_dims,
    ),
    OpKind(
        name="softmax_float32",
        clause="5.17",
        summary="softmax over the last dimension by a table of float32 exponentials",
        inputs=("x",),
        fields={"form": Choice(("rounded", "half_added")), "table": Array("int32", 1)},
        since="1.4",
        shape=shapes.softmax_float32_shape,
        dims=shapes.rows_dims,
    ),
)

OPS: Mapping[str, OpKind] = {kind.name: kind for kind in _TABLE}
"""Every op by its name, in SPEC order."""
