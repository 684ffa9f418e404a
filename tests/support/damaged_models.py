"""Models as C data with one thing wrong, and the status that each must get: `DAMAGES`.

Every number of every structure beyond its limits, every array missing, every entry of an array out
of its range, accumulators that leave int32, and graphs that SPEC 6.2 forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from intgold import Builder, Model, Requantize
from intgold.native.compiled import ffi, lib
from intgold.native.lowering import lower
from intgold.native.structures import Structures
from intgold.ops.fields import FORMS
from intgold.ops.table import OPS
from intgold.vectors.cases.random_models import random_model

KINDS = list(OPS)
INT32 = (-(2**31), 2**31 - 1)


@dataclass
class CModel:
    """A model as C data that can be written to."""

    owner: Structures
    model: Any

    @classmethod
    def of(cls, model: Model) -> CModel:
        """Return `model` as C data of its own."""
        owner = Structures()
        return cls(owner, owner.model(lower(model)))

    def op(self, i: int = 0) -> Any:
        """Return an op, of the list that the model points to."""
        return ffi.cast("intgold_op *", self.model.ops) + i

    def tensor(self, i: int) -> Any:
        """Return a tensor."""
        return ffi.cast("intgold_tensor *", self.model.tensors) + i

    def fields(self, i: int = 0) -> Any:
        """Return the structure of an op."""
        kind = KINDS[self.model.ops[i].kind]
        return ffi.cast(f"intgold_{kind} *", self.op(i).fields)


@dataclass(frozen=True)
class Damage:
    """One thing wrong with a model: `do` does it; the status, without ``INTGOLD_ERROR_``."""

    name: str
    make: Callable[[], Model]
    do: Callable[[CModel], None]
    status: str
    op: int = 0

    @property
    def number(self) -> int:
        """The status as C has it."""
        return int(getattr(lib, f"INTGOLD_ERROR_{self.status}"))


def one(kind: str, suits: Callable[[Any], bool] = lambda op: True) -> Callable[[], Model]:
    """Return what makes a model of one op of this kind that `suits`."""

    def make() -> Model:
        for seed in range(10_000):
            model = random_model(seed, (kind,), 1)
            if suits(model.ops[0]):
                return model
        raise AssertionError(kind)

    return make


def _set(name: str, value: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        at = model.fields()
        *path, last = name.split(".")
        for part in path:
            at = getattr(at, part)
        setattr(at, last, value)

    return do


def _more(name: str) -> Callable[[CModel], None]:
    return lambda model: setattr(model.fields(), name, getattr(model.fields(), name) + 1)


BEYOND = {
    **dict.fromkeys(("in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "rows", "depth", "count",
                     "in0", "in1", "in2", "depth1", "depth2", "shape0",
                     "batch", "columns"), (0, "SHAPE")),
    **dict.fromkeys(("shape1", "shape2"), (-1, "SHAPE")),
    **dict.fromkeys(("count0", "count1", "count2", "count3", "count4", "count5", "in_count",
                     "in_extent", "out_extent"),
                    (0, "SHAPE")),
    **dict.fromkeys((f"stride{k}" for k in range(6)), (-(2**28) - 1, "PARAMETER")),
    **dict.fromkeys(("kernel_h", "kernel_w"), (0, "")),
    **dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), (0, "PARAMETER")),
    **dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right", "before0", "before1",
                     "before2", "after0", "after1", "after2"), (-1, "PARAMETER")),
    **dict.fromkeys(("x_zero_point", "y_zero_point", "x1_zero_point", "x2_zero_point", "act_min",
                     "act_max", "value"), (-129, "PARAMETER")),
    "segments": (0, "COUNT"), "frac_bits": (-1, "PARAMETER"), "left_shift": (-1, "PARAMETER"),
    "multiplier": (2**30 - 1, "PARAMETER"), "axis": (-1, "PARAMETER"), "form": (-1, "FORM"),
    "weight_zero_point_count": (0, "COUNT"), "offset": (-1, "PARAMETER"),
    "scale_bits": (0, "PARAMETER"),
}  # fmt: skip
"""int32 member -> the number below its smallest, and the status of that."""
ABOVE = {
    **dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_bottom",
                     "pad_left", "pad_right", "before0", "before1", "before2", "after0", "after1",
                     "after2"), 2**15 + 1),
    **dict.fromkeys(("x_zero_point", "y_zero_point", "x1_zero_point", "x2_zero_point", "act_min",
                     "act_max", "value"), 128),
    "segments": 257, "frac_bits": 16, "left_shift": 32, "axis": 3, "form": 3,
    "weight_zero_point_count": 99, "offset": 2**28, "scale_bits": (240 << 23) + 1,
    **dict.fromkeys((f"stride{k}" for k in range(6)), 2**28 + 1),
}  # fmt: skip
"""The number above the largest; where there is none, the largest int32."""
FITTING = (
    "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "rows", "depth", "count", "in0", "in1",
    "in2", "depth1", "depth2", "shape0", "kernel_h", "kernel_w", "in_count",
    *(f"count{k}" for k in range(6)), "in_extent", "out_extent", "batch", "columns",
)  # fmt: skip
"""Members that one more makes wrong."""


def _int_members(kind: str) -> list[str]:
    declared = ffi.typeof(f"intgold_{kind}").fields
    return [name for name, field in declared if field.type.cname == "int32_t"]


def _numbers() -> Iterator[Damage]:
    for kind in KINDS:
        make = one(kind)
        for name in _int_members(kind):
            below, status = BEYOND[name]
            if kind == "transpose_conv2d" and name in ("pad_bottom", "pad_right"):
                below = -(2**15) - 1
            above = ABOVE.get(name, INT32[1])
            if not status:
                status = "PARAMETER" if "pool" in kind else "SHAPE"
            if (kind, name) == ("resize_bilinear", "frac_bits"):
                above = 12
            if kind == "add" and name == "left_shift":
                above = 23
            if name == "form" and kind not in ("avg_pool2d", "add"):
                above = 2
            if name == "multiplier":  # int32 holds none that is too large
                above = below
            for value in sorted({below, above, INT32[0]}):
                yield Damage(f"{kind} {name} {value}", make, _set(name, value), status)
            if name in FITTING:
                dense = one(kind, lambda op: op.fields.get("stride", (1, 1)) == (1, 1))
                yield Damage(f"{kind} {name} and one more", dense, _more(name), "SHAPE")
    for kind in ("softmax", "log_softmax"):
        yield Damage(f"{kind} depth 4096", one(kind), _deep_rows, "SHAPE")
    yield Damage("fully_connected in_c 2^28 + 1", one("fully_connected"),
                 _set("in_c", 2**28 + 1), "SHAPE")  # fmt: skip
    yield from _large_extents()
    for kind in KINDS:
        two = one(kind, lambda op: len(set(op.inputs)) == len(op.inputs))
        for i in range(len(OPS[kind].inputs) + 1):
            yield Damage(f"{kind} tensor {i} of one more", two, _larger(i), "SHAPE")
    yield Damage("act_max below act_min", one("mul", lambda op: op["act_min"] > -128),
                 lambda m: setattr(m.fields(), "act_max", m.fields().act_min - 1),
                 "PARAMETER")  # fmt: skip
    for kind in ("max_pool2d", "avg_pool2d"):
        for pad, kernel in (("top", "h"), ("bottom", "h"), ("left", "w"), ("right", "w")):
            yield Damage(f"{kind} pad_{pad} of a kernel", one(kind), _pad_all(pad, kernel),
                         "PARAMETER")  # fmt: skip
    yield Damage("depthwise channels", one("depthwise_conv2d", lambda op: _channels(op) > 1),
                 _divide_channels, "SHAPE")  # fmt: skip
    yield Damage("pool channels", one("max_pool2d"), _swap_channels, "SHAPE")
    yield Damage("reshape with a hole", one("reshape"), _hole, "SHAPE")
    for case, strides, offset in (("below", (-7,), 5), ("above", (1,), 5), ("one below", (0,), 6)):
        yield Damage(f"strided_copy with an address {case} x", _walked, _walk_to(strides, offset),
                     "PARAMETER")  # fmt: skip
    yield Damage("strided_copy of 2^65 + 1 values", _walked, _wrap_counts, "SHAPE")
    yield Damage("concat of rows along axis 0", _joined_rows, _set("axis", 0), "SHAPE")
    yield Damage("gather of rows along axis 0", _gathered_rows, _set("axis", 0), "SHAPE")
    for axis, name in enumerate("hw"):
        yield Damage(f"conv2d in_{name} above 2^24, every second read", one("conv2d", _made),
                     _members(**{f"in_{name}": 2**24 + 2, f"out_{name}": 2**23 + 1,
                                 f"stride_{name}": 2}), "SHAPE")  # fmt: skip
        yield Damage(f"conv2d kernel_{name} of no value", one("conv2d", _made),
                     _members(**{f"kernel_{name}": 0, f"out_{name}": 2}), "SHAPE")  # fmt: skip
        yield Damage(f"transpose_conv2d kernel_{name} of no value", one("transpose_conv2d", _made),
                     _members(**{f"kernel_{name}": 0, f"in_{name}": 3, f"out_{name}": 2}),
                     "SHAPE")  # fmt: skip
        yield Damage(f"transpose_conv2d in_{name} above 2^24, cut", one("transpose_conv2d", _made),
                     _members(**{f"in_{name}": 2**24 + 2, f"out_{name}": 2**24,
                                 f"pad_{('top', 'left')[axis]}": 2}), "SHAPE")  # fmt: skip
    yield Damage("concat of -1 row", _joined_rows, _fields(rows=-1, depth1=-6, depth2=-6), "SHAPE")
    yield Damage("gather of -1 row", _gathered_rows, _fields(rows=-1, depth=-2), "SHAPE")
    yield Damage("strided_copy of -1 times -2 values", _walked,
                 _fields(count4=-1, count5=-2, stride5=0), "SHAPE")  # fmt: skip
    yield Damage("pad of -2 times -3 values", _small_pad,
                 _fields(in0=-2, in1=-3, before0=5, before1=7), "SHAPE")  # fmt: skip
    for axis in range(3):
        yield Damage(f"pad beyond 2^24 along {axis}", _padded(axis), _pad_by_one(axis), "SHAPE")


def _fields(**values: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        for name, value in values.items():
            setattr(model.fields(), name, value)

    return do


def _members(**values: int) -> Callable[[CModel], None]:
    """An op on images of one value, with these members; its tensors hold what they state."""

    def do(model: CModel) -> None:
        fields = model.fields()
        for name in _int_members(KINDS[model.model.ops[0].kind]):
            if name in FITTING or name.startswith(("stride_", "dilation_", "weight_zero")):
                setattr(fields, name, 1)
            elif name.startswith("pad_"):
                setattr(fields, name, 0)
        _fields(**values)(model)
        fields.requantize.count = 1
        model.tensor(0).size = fields.in_h * fields.in_w * fields.in_c
        model.tensor(1).size = fields.out_h * fields.out_w * fields.out_c

    return do


def _walked() -> Model:
    builder = Builder("walk")
    x = builder.input("x", (6,))
    walk = {"counts": (1, 1, 1, 1, 1, 2), "strides": (0, 0, 0, 0, 0, 1), "offset": 4}
    builder.op("strided_copy", x, name="c", shape=(2, 0, 0), **walk)
    return builder.model("c")


def _walk_to(strides: tuple[int], offset: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        model.fields().stride5, model.fields().offset = strides[0], offset

    return do


def _wrap_counts(model: CModel) -> None:
    """Counts whose product is 1 modulo 2^64, as many as the output has values."""
    fields = model.fields()
    fields.count0, fields.count1, fields.count2 = 998724481, 1119412321, 33
    fields.count5, fields.shape0, model.tensor(1).size = 1, 1, 1


def _deep_rows(model: CModel) -> None:
    """A row of 4096 values, which the tensors hold."""
    fields = model.fields()
    fields.rows, fields.depth = 1, 4096
    model.tensor(0).size = model.tensor(1).size = 4096


def _joined_rows() -> Model:
    builder = Builder("concat")
    x1, x2 = builder.input("x1", (2, 3)), builder.input("x2", (2, 3))
    builder.op("concat", x1, x2, name="c", axis=1)
    return builder.model("c")


def _gathered_rows() -> Model:
    builder = Builder("gather")
    x = builder.input("x", (2, 3))
    builder.op("gather", x, name="g", axis=1, indices=np.array([2, 0], np.int32))
    return builder.model("g")


def _small_pad() -> Model:
    builder = Builder("pad")
    x = builder.input("x", (2, 3, 1))
    builder.op("pad", x, name="p", before=(1, 1, 0), after=(0, 0, 0), value=0)
    return builder.model("p")


def _padded(axis: int) -> Callable[[], Model]:
    def make() -> Model:
        builder = Builder("pad")
        x = builder.input("x", tuple(2**24 if i == axis else 1 for i in range(3)))
        builder.op("pad", x, name="p", before=(0,) * 3, after=(0,) * 3, value=0)
        return builder.model("p")

    return make


def _pad_by_one(axis: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        setattr(model.fields(), f"before{axis}", 1)
        model.tensor(model.op().output).size += 1

    return do


def _larger(i: int) -> Callable[[CModel], None]:
    """One more value in input i of an op, or in its output."""

    def do(model: CModel) -> None:
        op = model.op()
        taken = len(OPS[KINDS[op.kind]].inputs)
        model.tensor(op.inputs[i] if i < taken else op.output).size += 1

    return do


EXTENTS = {
    "conv2d": ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c"),
    "depthwise_conv2d": ("in_h", "in_w", "out_h", "out_w", "out_c"),
    "transpose_conv2d": ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c"),
    "max_pool2d": ("in_h", "in_w", "in_c", "out_h", "out_w"),
    "avg_pool2d": ("in_h", "in_w", "in_c", "out_h", "out_w"),
    "global_avg_pool": ("in_h", "in_w", "in_c"), "fully_connected": ("out_c",),
    "rescale": ("depth",), "argmax": ("depth",), "softmax_float32": ("depth",),
    "log_softmax_float32": ("depth",),
    "pad": ("in0", "in1", "in2"),
    **dict.fromkeys(("reshape", "strided_copy"), ("shape0", "shape1", "shape2")),
    "gather": ("in_extent", "out_extent"),
    "resize_bilinear": ("in_h", "in_w", "in_c", "out_h", "out_w"),
    "matmul": ("batch", "rows", "columns", "depth"),
}  # fmt: skip
"""Members that no other number of an op bounds by 2^24."""


def _large_extents() -> Iterator[Damage]:
    """An extent of more than 2^24 in an op that fits its tensors."""
    for kind, names in EXTENTS.items():
        for name in names:
            yield Damage(f"{kind} {name} above 2^24", one(kind, _made), _extend(name), "SHAPE")


def _extend(name: str) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        fields = model.fields()
        declared = set(_int_members(KINDS[model.model.ops[0].kind]))
        for member in declared & set(FITTING):
            setattr(fields, member, 1)
        for member in declared & {"stride_h", "stride_w", "dilation_h", "dilation_w"}:
            setattr(fields, member, 1)
        for member in declared & {m for m in ABOVE if m.startswith(("pad_", "before", "after"))}:
            setattr(fields, member, 0)
        large = 2**24 + 2
        if name in ("out_h", "out_w") and "pad_top" in declared:
            axis = name[-1]  # a padding before and after
            setattr(fields, f"in_{axis}", large - 2)
            for side in ("top", "bottom") if axis == "h" else ("left", "right"):
                setattr(fields, f"pad_{side}", 1)
            if "dilation_h" not in declared and "weights" in dir(
                fields
            ):  # transposed: less than none
                for side, pad in zip(("top", "bottom") if axis == "h" else ("left", "right"),
                                     (0, -2), strict=True):  # fmt: skip
                    setattr(fields, f"pad_{side}", pad)
            if "pool" in KINDS[model.model.ops[0].kind]:  # whose kernel is larger than its padding
                setattr(fields, f"kernel_{axis}", 2)
                setattr(fields, f"in_{axis}", large - 1)
        setattr(fields, name, large)
        other = {"in_h": "out_h", "in_w": "out_w", "in_c": "out_c"}.get(name)
        of_own = KINDS[model.model.ops[0].kind] == "resize_bilinear" and name != "in_c"
        if other in declared and not of_own and (
            name != "in_c" or "stride_h" not in declared or
            "pool" in KINDS[model.model.ops[0].kind]
        ):  # fmt: skip
            setattr(fields, other, large)
        _set_sizes(model, large, name)

    return do


def _set_sizes(model: CModel, large: int, name: str) -> None:
    """Tensors of the sizes that the members state; counts of entries that any shape may have."""
    fields, kind = model.fields(), KINDS[model.model.ops[0].kind]
    x = y = large
    if "in_h" in dir(fields):
        x = fields.in_h * fields.in_w * fields.in_c
    if "out_h" in dir(fields):
        y = fields.out_h * fields.out_w * fields.out_c
    if kind == "global_avg_pool":
        y = fields.in_c
    if kind == "fully_connected":
        x = 1
    if kind == "argmax":
        y = 1
    if kind == "gather":
        x, y = fields.in_extent, fields.out_extent
    if kind in ("reshape", "strided_copy"):
        setattr(fields, "count" if kind == "reshape" else "count0", large)
        if kind == "strided_copy":  # all of x's one value
            x, fields.stride0, fields.offset = 1, 0, 0
        if name == "shape2":
            fields.shape1 = 1
    model.tensor(0).size, model.tensor(1).size = x, y
    if kind == "matmul":
        sizes = (("rows", "depth"), ("columns", "depth"), ("rows", "columns"))
        for i, (a, b) in enumerate(sizes):
            model.tensor(i).size = fields.batch * getattr(fields, a) * getattr(fields, b)
    if "weight_zero_point_count" in dir(fields):
        fields.weight_zero_point_count = 1
    if "requantize" in dir(fields):
        fields.requantize.count = 1


def _pad_all(pad: str, kernel: str) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        fields = model.fields()
        setattr(fields, f"pad_{pad}", getattr(fields, f"kernel_{kernel}"))

    return do


def _channels(op: Any) -> int:
    return int(op["weights"].shape[-1])


def _divide_channels(model: CModel) -> None:
    """in_c that does not divide out_c; the input has as many values."""
    fields = model.fields()
    fields.in_c = fields.out_c + 1
    model.tensor(0).size = fields.in_h * fields.in_w * fields.in_c


def _swap_channels(model: CModel) -> None:
    fields = model.fields()
    fields.out_c = fields.in_c + 1
    model.tensor(1).size = fields.out_h * fields.out_w * fields.out_c


def _hole(model: CModel) -> None:
    """shape (n, 0, 1): as many values, and an extent after one that is missing."""
    fields = model.fields()
    fields.shape0, fields.shape1, fields.shape2 = fields.count, 0, 1


def _requantizes(kind: str) -> list[str]:
    declared = ffi.typeof(f"intgold_{kind}").fields
    return [name for name, field in declared if field.type.kind == "struct"]


def _made(op: Any) -> bool:
    return op.fields.get("requantize", True) is not None


def _arrays() -> Iterator[Damage]:
    for kind in KINDS:
        make = one(kind, _made)
        pointers = [n for n, f in ffi.typeof(f"intgold_{kind}").fields if f.type.kind == "pointer"]
        for by in _requantizes(kind):
            parts = ("form", "multiplier", "right_shift", "multiplier_low")
            pointers += [f"{by}.{part}" for part in parts]
            yield Damage(f"{kind} {by} of 1000 entries", make, _set(f"{by}.count", 1000), "COUNT")
            yield Damage(f"{kind} {by} of -1 entries", make, _set(f"{by}.count", -1), "COUNT")
            if not OPS[kind].fields[by].optional:
                yield Damage(f"{kind} no {by}", make, _set(f"{by}.count", 0), "COUNT")
        for name in pointers:
            yield Damage(f"{kind} no {name}", make, _set(name, ffi.NULL), "NULL")


def _entry(name: str, entry: str, value: int) -> Callable[[CModel], None]:
    """Write one entry of the last of an array."""

    def do(model: CModel) -> None:
        by = getattr(model.fields(), name)
        values = getattr(by, entry)
        ffi.cast(ffi.typeof(values), values)[by.count - 1] = value

    return do


def _of_form(kind: str, by: str, form: str) -> Callable[[], Model]:
    """One op whose last entry has this form and a multiplier."""

    def suits(op: Any) -> bool:
        found = op.fields[by]
        return found is not None and found.form[-1] == form and found.multiplier[-1] > 0

    return one(kind, suits)


def _entries() -> Iterator[Damage]:
    for kind in KINDS:
        for by in _requantizes(kind):
            make = one(kind, _made)
            for entry, value, status in (
                ("form", len(FORMS), "FORM"), ("form", 255, "FORM"),
                ("multiplier", -1, "PARAMETER"), ("multiplier", INT32[0], "PARAMETER"),
                ("right_shift", 0, "PARAMETER"), ("right_shift", 63, "PARAMETER"),
                ("right_shift", 255, "PARAMETER"), ("multiplier_low", -1, "PARAMETER"),
                ("multiplier_low", 2**22, "PARAMETER"),
            ):  # fmt: skip
                yield Damage(f"{kind} {by} {entry} {value}", make, _entry(by, entry, value), status)
    for form, entry, value in (
        ("float64", "multiplier", 2**30 - 1), ("float32", "multiplier", 2**30 - 2**7),
        ("float32", "multiplier", 2**30 + 1), ("float32", "multiplier_low", 1),
        ("single", "multiplier_low", 1),
    ):  # fmt: skip
        yield Damage(f"{form} {entry} {value}", _of_form("mul", "requantize", form),
                     _entry("requantize", entry, value), "PARAMETER")  # fmt: skip
    yield Damage("float64 multiplier 0 with low", _of_form("mul", "requantize", "float64"),
                 _zero_with_low, "PARAMETER")  # fmt: skip


def _zero_with_low(model: CModel) -> None:
    _entry("requantize", "multiplier", 0)(model)
    _entry("requantize", "multiplier_low", 1)(model)


def _put(name: str, at: int, value: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        getattr(model.fields(), name)[at] = value

    return do


def _tables() -> Iterator[Damage]:
    several = one("pwl", lambda op: op["slope"].size > 2)
    for at, value in ((0, -127), (1, -128), (2, -128)):
        yield Damage(f"pwl breakpoint {at}", several, _put("breakpoints", at, value), "PARAMETER")
    for at, value in ((0, -1), (7, 2**30), (255, 2**29), (254, INT32[0])):
        for kind in ("softmax_float32", "log_softmax_float32"):
            yield Damage(f"{kind} entry {at}", one(kind), _put("table", at, value), "PARAMETER")
    for value in (-1, 1000, *INT32):
        yield Damage(f"gather index {value}", one("gather"), _put("indices", 0, value),
                     "PARAMETER")  # fmt: skip
    for table in ("row0", "row1", "column0", "column1", "row_weight", "column_weight"):
        for value in (-1, 2**14):
            yield Damage(f"resize_bilinear {table} {value}", one("resize_bilinear"),
                         _put(table, 0, value), "PARAMETER")  # fmt: skip
    yield Damage("resize_bilinear of other channels", one("resize_bilinear"), _other_channels,
                 "SHAPE")  # fmt: skip


def _other_channels(model: CModel) -> None:
    """One more channel in the output, whose tensor holds it."""
    fields = model.fields()
    fields.out_c = fields.in_c + 1
    model.tensor(1).size = fields.out_h * fields.out_w * fields.out_c


def _sums() -> Iterator[Damage]:
    """Accumulators beyond int32."""
    for kind in ("conv2d", "depthwise_conv2d", "fully_connected", "transpose_conv2d"):
        for value in INT32:
            for suits in (_moves, _moves_bare):
                yield Damage(f"{kind} bias {value} {suits.__name__}", one(kind, suits),
                             _put("bias", 0, value), "ACCUMULATOR")  # fmt: skip
    for at in (0, 2):
        yield Damage(f"pwl offset {at}", one("pwl", lambda op: op["slope"].size > 2),
                     _put("offset", at, INT32[0]), "ACCUMULATOR")  # fmt: skip
    yield Damage("avg_pool2d of a large window", lambda: _wide_pool("avg_pool2d"), _huge_window,
                 "ACCUMULATOR")  # fmt: skip
    yield Damage("global_avg_pool of a large image", one("global_avg_pool"), _huge_image,
                 "ACCUMULATOR")  # fmt: skip
    for by in ("requantize1", "requantize2"):
        yield Damage(f"add {by} by 2^30", _of_form("add", by, "single"), _large_terms(by),
                     "ACCUMULATOR")  # fmt: skip
    for kind in ("mul", "fully_connected", "rescale", "add", "global_avg_pool"):
        for form in ("double", "double_up"):
            yield Damage(f"{kind} {form} shifts left by 30", _of_form(kind, "requantize", form),
                         _entry("requantize", "right_shift", 1), "ACCUMULATOR")  # fmt: skip
    for point in (-128, 127):  # sums of one sign
        yield Damage(f"global_avg_pool double, zero point {point}",
                     _of_form("global_avg_pool", "requantize", "double"), _one_sided(point),
                     "ACCUMULATOR")  # fmt: skip
    yield Damage("add's input shifted left by 30", _of_form("add", "requantize2", "double"),
                 _entry("requantize2", "right_shift", 1), "ACCUMULATOR")  # fmt: skip


def _moves(op: Any) -> bool:
    """Whether an op with requantize has weights of both signs in its first channel, so that any
    bias at an end is too much.
    """
    return _has_both_signs(op) and _made(op)


def _moves_bare(op: Any) -> bool:
    """The same without requantize."""
    return _has_both_signs(op) and not _made(op)


def _has_both_signs(op: Any) -> bool:
    weights = op["weights"].astype(int) - int(op["weight_zero_point"][0])
    first = weights[..., 0] if op.kind == "depthwise_conv2d" else weights[0]
    return bool(first.min() < 0 < first.max())


def _one_sided(point: int) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        model.fields().x_zero_point = point
        _entry("requantize", "right_shift", 1)(model)

    return do


def _wide_pool(kind: str) -> Model:
    builder = Builder("pool")
    x = builder.input("x", (8, 8, 1))
    fields = {"kernel": (2, 2), "stride": (1, 1), "padding": (0,) * 4}
    builder.op(kind, x, name="p", **fields, form="raw_away")
    return builder.model("p")


def _huge_window(model: CModel) -> None:
    """A window of 2^14 by 2^11 cells on an image of as many."""
    fields = model.fields()
    fields.in_h = fields.kernel_h = 2**14
    fields.in_w = fields.kernel_w = 2**11
    fields.out_h = fields.out_w = 1
    model.tensor(0).size, model.tensor(1).size = 2**25, 1


def _huge_image(model: CModel) -> None:
    fields = model.fields()
    fields.in_h, fields.in_w = 2**14, 2**13
    fields.in_c, fields.requantize.count = 1, 1
    model.tensor(0).size, model.tensor(1).size = 2**27, 1


def _large_terms(by: str) -> Callable[[CModel], None]:
    def do(model: CModel) -> None:
        model.fields().left_shift = 22
        _entry(by, "multiplier", INT32[1])(model)
        _entry(by, "right_shift", 20)(model)

    return do


def chain() -> Model:
    """Three luts in a row, an add of the first two outputs: three tensors alive at once."""
    builder, table = Builder("chain"), np.arange(-128, 128).astype(np.int8)
    a = builder.op("lut", builder.input("x", (100,)), name="a", table=table)
    b = builder.op("lut", a, name="b", table=table)
    c = builder.op("lut", b, name="c", table=table)
    same = Requantize.of(2**30, 31)
    scales = {"requantize1": same, "requantize2": same, "requantize": same}
    d = builder.op("add", a, c, name="d", form="shared_scale", left_shift=10, **scales)
    builder.op("lut", d, name="e", table=table)
    return replace(builder.model("e"), name="chain")


def _graphs() -> Iterator[Damage]:
    def model(name: str, do: Callable[[CModel], None], status: str, op: int = -1) -> Damage:
        return Damage(f"model: {name}", chain, do, status, op)

    for name in ("tensors", "ops", "inputs", "outputs"):
        yield model(f"no {name}", lambda m, n=name: setattr(m.model, n, ffi.NULL), "NULL")
    for name in ("n_tensors", "n_ops", "n_inputs", "n_outputs"):
        for value in (0, -1, 6 if name == "n_outputs" else 3, 99, *INT32):
            yield model(
                f"{name} {value}", lambda m, n=name, v=value: setattr(m.model, n, v), "COUNT"
            )
    yield model("activations -1", lambda m: setattr(m.model, "activations_size", -1), "OFFSET")
    yield model("activations 0", lambda m: setattr(m.model, "activations_size", 0), "OFFSET", 0)
    yield model("input 1", lambda m: m.owner.keep(_point(m, "inputs", [1])), "GRAPH")
    for value in (0, 6, -1, INT32[1]):
        yield model(
            f"output {value}", lambda m, v=value: m.owner.keep(_point(m, "outputs", [v])), "GRAPH"
        )
    yield model("an output twice", _twice, "GRAPH")
    for name, value, status in (
        *(("kind", kind, "UNKNOWN_OP") for kind in (-1, len(KINDS), *INT32)),
        ("fields", ffi.NULL, "NULL"), ("inputs", ffi.NULL, "NULL"),
        ("output", 1, "GRAPH"), ("output", -1, "GRAPH"), ("output", INT32[1], "GRAPH"),
    ):  # fmt: skip
        yield model(
            f"op {name} {value}", lambda m, n=name, v=value: setattr(m.op(1), n, v), status, 1
        )
    for value in (-1, 2, 5, INT32[1]):
        yield model(f"op reads {value}", lambda m, v=value: _read(m, v), "GRAPH", 1)
    for name, values, status in (
        ("dtype", (-1, 2), "DTYPE"),
        ("size", (0, -1, 2**28 + 1), "SHAPE"), ("size", (99,), "SHAPE"),
        ("offset", (-1, -2, -64, 1, 32, 2**30, 2**31 - 64), "OFFSET"),
    ):  # fmt: skip
        for value in values:
            yield model(
                f"tensor {name} {value}", lambda m, n=name, v=value: setattr(m.tensor(2), n, v),
                status, 1,
            )  # fmt: skip
    yield model("int32 made by a lut", _widen, "DTYPE", 1)
    yield model("int32 read by a lut", lambda m: setattr(m.tensor(0), "dtype", 1), "DTYPE", 0)
    yield model("an input in the activations", lambda m: setattr(m.tensor(0), "offset", 0),
                "OFFSET")  # fmt: skip
    yield model("an output in the activations", lambda m: setattr(m.tensor(5), "offset", 0),
                "OFFSET", 4)  # fmt: skip
    yield model("tensor ends beyond", _at_the_end, "OFFSET", 1)
    for writer in (2, 3, 4):  # b, c and d are written while a is still read
        yield model(
            f"tensor {writer} over the first",
            lambda m, w=writer: setattr(m.tensor(w), "offset", m.tensor(1).offset), "OFFSET", 0,
        )  # fmt: skip
    yield Damage("model: no input", chain, _no_input, "COUNT", -1)
    for name, value, status in (
        ("size", 0, "SHAPE"), ("size", 2**28 + 1, "SHAPE"), ("dtype", 2, "DTYPE"),
        ("dtype", -1, "DTYPE"), ("offset", 0, "OFFSET"),
    ):  # fmt: skip
        yield Damage(f"model: unread input, {name} {value}", _unread,
                     lambda m, n=name, v=value: setattr(m.tensor(0), n, v), status, -1)  # fmt: skip
    yield Damage("model: 3 GB of tensors", _rescales, _large_tensors, "SIZE", -1)
    yield Damage("rescale of int8", one("rescale"), lambda m: setattr(m.tensor(0), "dtype", 0),
                 "DTYPE")  # fmt: skip
    yield Damage("bare with an int8 output", one("fully_connected", lambda op: not _made(op)),
                 lambda m: setattr(m.tensor(1), "dtype", 0), "DTYPE")  # fmt: skip
    yield Damage("weights of 2^80 bytes", one("conv2d", _made), _huge_weights, "SIZE")


def _point(model: CModel, name: str, values: list[int]) -> Any:
    made = ffi.new("int32_t[]", values)
    setattr(model.model, name, made)
    return made


def _twice(model: CModel) -> None:
    model.owner.keep(_point(model, "outputs", [5, 5]))
    model.model.n_outputs = 2


def _at_the_end(model: CModel) -> None:
    model.tensor(2).offset = model.model.activations_size // 64 * 64


def _widen(model: CModel) -> None:
    """The dtype of what op 1 produces, in room enough."""
    model.tensor(2).dtype = lib.INTGOLD_INT32
    model.model.activations_size += 4096
    model.tensor(2).offset = model.model.activations_size // 64 * 64 - 512


def _read(model: CModel, value: int) -> None:
    model.op(1).inputs = model.owner.keep(ffi.new("int32_t[]", [value]))


def _no_input(model: CModel) -> None:
    model.model.n_inputs, model.model.n_tensors = 0, 5


def _unread() -> Model:
    """Two inputs, of which an op reads the second."""
    builder, table = Builder("unread"), np.arange(-128, 128).astype(np.int8)
    builder.input("x", (5,))
    builder.op("lut", builder.input("x2", (6,)), name="a", table=table)
    return builder.model("a")


def _rescales() -> Model:
    """Two rescales in a row."""
    builder, same = Builder("rescales"), Requantize.of(2**30, 31)
    a = builder.op("rescale", builder.input("x", (4,), "int32"), name="a", requantize=same)
    builder.op("rescale", a, name="b", requantize=same)
    return builder.model("b")


def _large_tensors(model: CModel) -> None:
    """Three of 2^30 bytes."""
    model.model.activations_size = 2**30
    for i in range(3):
        model.tensor(i).size = 2**28
    for i in range(2):
        model.fields(i).rows, model.fields(i).depth = 2**28, 1


def _huge_weights(model: CModel) -> None:
    """2^24 channels to 2^24, a kernel of 2^15 by 2^15 over one cell and its padding."""
    fields = model.fields()
    for side, ends in (("h", ("top", "bottom")), ("w", ("left", "right"))):
        for name, value in (("in", 1), ("out", 1), ("kernel", 2**15), ("stride", 1),
                            ("dilation", 1)):  # fmt: skip
            setattr(fields, f"{name}_{side}", value)
        setattr(fields, f"pad_{ends[0]}", 2**15 - 1)
        setattr(fields, f"pad_{ends[1]}", 0)
    fields.in_c = fields.out_c = model.tensor(0).size = model.tensor(1).size = 2**24
    fields.weight_zero_point_count = fields.requantize.count = 1


DAMAGES = [*_numbers(), *_arrays(), *_entries(), *_tables(), *_sums(), *_graphs()]
