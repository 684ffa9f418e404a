"""Random integer models: seeded, valid, and full of corners; for self-tests and op vectors.

Every op of the op table, every requantize form, per tensor and per channel, uneven padding,
strides, dilation, weight zero points, extreme zero points and clamps, several inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from ...errors import InputError, ModelError
from ...model.graph import Model, Op, Tensor
from ...ops.fields import DTYPE_RANGE, FORMS, Requantize
from ...ops.shapes import Shape
from ...ops.table import OPS
from ...support.arguments import checked
from ...support.quoting import shown
from .stimulus import check_range

Fields = dict[str, Any]
_MAX_OPS = 10_000


@checked
def random_model(seed: int, kinds: Sequence[str] = tuple(OPS), max_ops: int = 7) -> Model:
    """Return a valid model drawn from `seed`; the first op has the kind ``kinds[seed % len]``.

    Parameters
    ----------
    seed : int
        From 0 to 2^31 - 1.
    kinds : sequence of str
        Op kinds to draw from, one or more of `intgold.ops.OPS`.
    max_ops : int
        Most ops of the graph, from 1 to 10,000.

    Raises
    ------
    InputError
        When an argument is not of these.
    """
    check_range(1, seed)
    unknown = [kind for kind in kinds if kind not in OPS]
    if unknown or not kinds:
        what = shown(unknown[0]) if unknown else "none"
        raise InputError(f"kinds: {what} instead of ops such as {', '.join([*OPS][:3])}")
    if not 1 <= max_ops <= _MAX_OPS:
        raise InputError(f"max_ops: {shown(max_ops)} is not from 1 to {_MAX_OPS}")
    rng = Random(seed)
    first = kinds[seed % len(kinds)]
    while True:
        inputs = _inputs(rng, first)
        draft = _GrowingGraph(rng, inputs)
        if not draft.grow(first):
            continue
        for _ in range(rng.randrange(max_ops)):
            draft.grow(rng.choice(kinds))
        return draft.model(f"random_{seed}")


@checked
def random_inputs(model: Model, count: int, seed: int) -> dict[str, np.ndarray]:
    """Return a batch for `model`: uniform values, the extremes and the zero point among them.

    Parameters
    ----------
    model : Model
    count : int
        Images, from 1 to 2^24.
    seed : int
        From 0 to 2^31 - 1.

    Returns
    -------
    dict of str to ndarray
        Of each input int8 or int32, ``(count, *shape)``.

    Raises
    ------
    InputError
        When an argument is not of these.
    """
    check_range(count, seed)
    rng = Random(seed)
    batch = {}
    for name in model.inputs:
        tensor = model.tensor(name)
        lo, hi = DTYPE_RANGE[tensor.dtype]
        corners = [lo, hi, tensor.zero_point, tensor.zero_point, lo + 1]
        images = []
        for i in range(count):
            share = (0.0, 0.3, 1.0)[i % 3]
            fixed = rng.choice(corners)
            images.append(
                [fixed if rng.random() < share else rng.randint(lo, hi) for _ in range(tensor.size)]
            )
        batch[name] = np.array(images, tensor.dtype).reshape(count, *tensor.shape)
    return batch


def _inputs(rng: Random, kind: str) -> list[Tensor]:
    """Return what an op of this kind may take."""
    spec, shape = OPS[kind], _shape(rng)
    shapes = [shape] * len(spec.inputs)
    if kind == "concat":
        axis = rng.randrange(3)
        shapes[1] = (*shape[:axis], rng.randint(1, 9), *shape[axis + 1 :])
    if kind == "matmul":
        shapes[1] = (shape[0], rng.randint(1, 20), shape[2])
        if rng.random() < 0.4:
            shapes = [s[1:] for s in shapes]
    dtypes = spec.input_dtypes
    dtype = dtypes[0] if len(dtypes) == 1 else rng.choice(dtypes)
    return [Tensor(f"in{i}", s, dtype, None, _zero_point(rng, dtype)) for i, s in enumerate(shapes)]


def _shape(rng: Random) -> Shape:
    return (rng.randint(1, 9), rng.randint(1, 9), rng.choice((1, 2, 3, 4, 5, 8, 16, 17)))


def _zero_point(rng: Random, dtype: str) -> int:
    return 0 if dtype == "int32" else rng.choice((0, -128, 127, rng.randint(-128, 127)))


class _GrowingGraph:
    """A graph that grows by one valid op at a time."""

    def __init__(self, rng: Random, inputs: list[Tensor]) -> None:
        self.rng, self.inputs = rng, inputs
        self.tensors: list[Tensor] = list(inputs)
        self.ops: list[Op] = []

    def grow(self, kind: str) -> bool:
        """Add an op of this kind if some tensors fit it and the model stays valid."""
        spec = OPS[kind]
        for _ in range(8):
            fitting = [t for t in self.tensors if t.dtype in spec.input_dtypes]
            chosen = [self.rng.choice(fitting)] if fitting else []
            while chosen and len(chosen) < len(spec.inputs):
                same = [t for t in fitting if _goes_with(kind, chosen[0].shape, t.shape)]
                chosen.append(self.rng.choice(same))
            if not chosen:
                return False
            try:
                self._add(kind, chosen)
                return True
            except ModelError:
                continue  # for example a pool on a vector, or an accumulator beyond int32
        return False

    def _add(self, kind: str, inputs: list[Tensor]) -> None:
        spec = OPS[kind]
        fields = _FIELDS[kind](self.rng, [t.shape for t in inputs])
        names = tuple(t.name for t in inputs)
        op = Op(kind, f"op{len(self.ops)}", names, f"t{len(self.ops)}", fields)
        dtype = spec.output_dtype(op.fields)
        shape = spec.shape(op.fields, [t.shape for t in inputs])
        out = Tensor(op.output, shape, dtype, None, _zero_point(self.rng, dtype))
        Model("trial", [*self.tensors, out], [*self.ops, op], self._names(), [op.output])
        self.tensors.append(out)
        self.ops.append(op)

    def _names(self) -> list[str]:
        return [t.name for t in self.inputs]

    def model(self, name: str) -> Model:
        """Return the model; its outputs are the last op's and perhaps another's."""
        made = [op.output for op in self.ops]
        outputs = [made[-1]]
        if len(made) > 1 and self.rng.random() < 0.4:
            outputs.append(self.rng.choice(made[:-1]))
        return Model(name, self.tensors, self.ops, self._names(), outputs)


def _goes_with(kind: str, shape: Shape, other: Shape) -> bool:
    """Return whether a second input may have this shape: one extent may differ for some ops."""
    if kind not in ("concat", "matmul") or len(shape) != len(other):
        return shape == other
    if kind == "matmul":
        return (*shape[:-2], shape[-1]) == (*other[:-2], other[-1])
    return sum(a != b for a, b in zip(shape, other, strict=True)) <= 1


def _array(rng: Random, dtype: str, shape: Shape, lo: int, hi: int) -> np.ndarray:
    size = int(np.prod(shape))
    style = rng.randrange(4)
    values = [
        rng.choice((lo, hi)) if style == 0 else 0 if style == 1 and i % 2 else rng.randint(lo, hi)
        for i in range(size)
    ]
    return np.array(values, dtype).reshape(shape)


def _clamp(rng: Random) -> Fields:
    if rng.random() < 0.5:
        return {"act_min": -128, "act_max": 127}
    lo, hi = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    return {"act_min": lo, "act_max": hi}


def _entry(rng: Random, form: str, reach: int) -> tuple[int, int, int]:
    """Draw (multiplier, right_shift, multiplier_low) that brings `reach` to some hundreds."""
    exact = form in ("float32", "float64")
    m = rng.choice((2**30, 2**31 - 128, rng.randrange(2**30, 2**31), rng.randrange(2**30, 2**31)))
    if not exact:
        # Few significant bits make exact ties, which distinguish the forms.
        m = rng.choice((m, m, rng.randrange(1, 256) << 23, 1 << rng.randrange(31), 2**31 - 1, 0))
    if form == "float32":
        m &= ~0x7F
    low = rng.choice((0, 2**21, rng.randrange(2**22))) if form == "float64" and m else 0
    t = (reach * max(m, 1)).bit_length() - rng.randint(6, 10)
    return m, min(max(t, 1), 62), low


def requantize_of(rng: Random, channels: int, reach: int) -> Requantize:
    """Draw a `Requantize` of one entry or one per channel, of one form or several."""
    count = rng.choice((1, channels))
    form = rng.choice(FORMS)
    forms = [rng.choice(FORMS) if rng.random() < 0.2 else form for _ in range(count)]
    entries = [_entry(rng, f, reach) for f in forms]
    m, t, low = (np.array(column, np.int64) for column in zip(*entries, strict=True))
    return Requantize.of(m, t, forms, low)


def _pair(rng: Random, most: int) -> tuple[int, int]:
    return (rng.randint(1, most), rng.randint(1, most))


def _padding(rng: Random, kernel: tuple[int, int], most: int) -> tuple[int, int, int, int]:
    h, w = (max(k - 1, 0) if most == 0 else most for k in kernel)
    return (rng.randint(0, h), rng.randint(0, h), rng.randint(0, w), rng.randint(0, w))


def _weighted(rng: Random, out_c: int, shape: Shape, depth: int) -> Fields:
    lo = rng.choice((-127, -128, -3))
    zero = [0] if rng.random() < 0.6 else [rng.randint(-128, 127)]
    if rng.random() < 0.2:
        zero = [rng.randint(-128, 127) for _ in range(out_c)]
    bias = rng.choice((0, 2**8, 2**15, 2**24))
    bare = rng.random() < 0.15
    return {
        "weights": _array(rng, "int8", shape, lo, -lo - 1 if lo == -128 else -lo),
        "weight_zero_point": np.array(zero, np.int8),
        "weight_scale": None,
        "bias": _array(rng, "int32", (out_c,), -bias, bias),
        "requantize": None if bare else requantize_of(rng, out_c, depth * 2**13 + bias),
        **_clamp(rng),
    }


def _image(shapes: list[Shape]) -> Shape:
    if len(shapes[0]) != 3:
        raise ModelError(f"shape {shapes[0]} is no image")
    return shapes[0]


def _slide(rng: Random, kernel: tuple[int, int]) -> Fields:
    return {
        "stride": _pair(rng, 3),
        "padding": _padding(rng, kernel, 3),
        "dilation": (1, 1) if rng.random() < 0.6 else _pair(rng, 3),
    }


def _conv2d(rng: Random, shapes: list[Shape]) -> Fields:
    in_c, kernel = _image(shapes)[2], _pair(rng, 4)
    out_c = rng.choice((1, 2, 3, 4, 5, 7, 8, 9, 16))
    depth = kernel[0] * kernel[1] * in_c
    return {**_slide(rng, kernel), **_weighted(rng, out_c, (out_c, *kernel, in_c), depth)}


def _depthwise_conv2d(rng: Random, shapes: list[Shape]) -> Fields:
    out_c, kernel = _image(shapes)[2] * rng.choice((1, 1, 2, 3)), _pair(rng, 4)
    depth = kernel[0] * kernel[1]
    return {**_slide(rng, kernel), **_weighted(rng, out_c, (*kernel, out_c), depth)}


def _fully_connected(rng: Random, shapes: list[Shape]) -> Fields:
    in_c, out_c = int(np.prod(shapes[0])), rng.choice((1, 2, 3, 5, 10, 16))
    return _weighted(rng, out_c, (out_c, in_c), in_c)


def _lut(rng: Random, shapes: list[Shape]) -> Fields:
    return {"table": np.array([rng.randint(-128, 127) for _ in range(256)], np.int8)}


def _pwl(rng: Random, shapes: list[Shape]) -> Fields:
    segments = rng.choice((1, 2, 8, 16))
    breakpoints = [-128, *sorted(rng.sample(range(-127, 128), segments - 1))]
    frac_bits = rng.choice((0, 1, 8, 15))
    steep = min(2 ** (frac_bits + 1), 2**15) - 1
    shift = 2 ** (frac_bits + 7)
    return {
        "breakpoints": np.array(breakpoints, np.int8),
        "slope": _array(rng, "int16", (segments,), -steep, steep),
        "offset": _array(rng, "int32", (segments,), -shift, shift),
        "frac_bits": frac_bits,
        **_clamp(rng),
    }


def _pool(rng: Random, shapes: list[Shape]) -> Fields:
    _image(shapes)
    kernel = _pair(rng, 4)
    return {
        "kernel": kernel,
        "stride": _pair(rng, 3),
        "padding": _padding(rng, kernel, 0),
        **_clamp(rng),
    }


def _avg_pool2d(rng: Random, shapes: list[Shape]) -> Fields:
    form = rng.choice(("raw_away", "centred_away", "raw_up"))
    return {**_pool(rng, shapes), "form": form}


def _global_avg_pool(rng: Random, shapes: list[Shape]) -> Fields:
    height, width, channels = _image(shapes)
    by = requantize_of(rng, channels, height * width * 128)
    return {"requantize": by, **_clamp(rng)}


def _add(rng: Random, shapes: list[Shape]) -> Fields:
    form = rng.choice(
        ("shared_scale", "shared_scale_difference", "shared_scale_squared_difference")
    )
    squared = form == "shared_scale_squared_difference"
    left_shift = rng.choice((0, 3, 7) if squared else (0, 3, 20, 22))
    reach = 2 ** ((7 + left_shift) * (1 + squared))
    return {
        "form": form,
        "left_shift": left_shift,
        "requantize1": requantize_of(rng, 1, 2**9),
        "requantize2": requantize_of(rng, 1, 2**9),
        "requantize": requantize_of(rng, 1, reach),
        **_clamp(rng),
    }


def _softmax(rng: Random, shapes: list[Shape]) -> Fields:
    return {"multiplier": rng.randrange(2**30, 2**31), "left_shift": rng.randint(18, 27)}


def _rescale(rng: Random, shapes: list[Shape]) -> Fields:
    return {"requantize": requantize_of(rng, shapes[0][-1], 2 ** rng.choice((12, 24, 31)))}


def _no_fields(rng: Random, shapes: list[Shape]) -> Fields:
    return {}


def _mul(rng: Random, shapes: list[Shape]) -> Fields:
    return {"requantize": requantize_of(rng, 1, 2**14), **_clamp(rng)}


def _concat(rng: Random, shapes: list[Shape]) -> Fields:
    pairs = zip(*shapes, strict=True)
    differing = [i for i, (a, b) in enumerate(pairs) if a != b]
    return {"axis": differing[0] if differing else rng.randrange(len(shapes[0]))}


def _pad(rng: Random, shapes: list[Shape]) -> Fields:
    rank = len(shapes[0])
    sides = [[rng.choice((0, 0, 1, 3)) if i < rank else 0 for i in range(3)] for _ in range(2)]
    return {"before": sides[0], "after": sides[1], "value": rng.randint(-128, 127)}


def _reshape(rng: Random, shapes: list[Shape]) -> Fields:
    return {"shape": _extents(rng, int(np.prod(shapes[0])))}


def _extents(rng: Random, size: int) -> tuple[int, ...]:
    """Draw a shape of as many values, as three extents."""
    extents = [size]
    while len(extents) < 3 and rng.random() < 0.7:
        divisors = [d for d in range(1, extents[-1] + 1) if extents[-1] % d == 0]
        first = rng.choice(divisors)
        extents[-1:] = [first, extents[-1] // first]
    return (*extents, 0, 0)[:3]


def _softmax_float32(rng: Random, shapes: list[Shape]) -> Fields:
    """The bits of float32 values that fall evenly are nearly those of exponentials."""
    one, step = 127 << 23, rng.choice((0, 2**16, 2**19, 2**21, 2**23))
    bits = [one - (255 - i) * step - rng.randrange(2**15) for i in range(255)]
    table = np.array([max(b, 0) for b in bits] + [one], np.int32)
    return {"form": rng.choice(("rounded", "half_added")), "table": table}


def _log_softmax_float32(rng: Random, shapes: list[Shape]) -> Fields:
    """Scales from 2^-30 to 2^16, mostly those that leave several values of a row above -128."""
    exponent = rng.choice((rng.randint(-30, 16), rng.randint(-8, -1)))
    bits = (127 + exponent << 23) + rng.randrange(2**23)
    table = _softmax_float32(rng, shapes)["table"]
    return {"form": rng.choice(("signed", "unsigned")), "scale_bits": bits, "table": table}


def _strided_copy(rng: Random, shapes: list[Shape]) -> Fields:
    """Walk x in C order, then cut, reverse, split, repeat and exchange what its counters do."""
    counters, offset = [], 0
    for axis, extent in enumerate(shapes[0]):
        pitch = int(np.prod(shapes[0][axis + 1 :]))
        step = rng.choice((1, 1, 1, 2, 3))
        first = rng.randrange(extent) if rng.random() < 0.3 else 0
        count = rng.randint(1, -(-(extent - first) // step)) if rng.random() < 0.3 else 1
        count = -(-(extent - first) // step) if rng.random() < 0.6 else count
        backwards = rng.random() < 0.2
        offset += (first + (count - 1) * step * backwards) * pitch
        counters.append((count, step * pitch * (-1 if backwards else 1)))
    if rng.random() < 0.4:
        counters.append((rng.randint(2, 5), 0))
    if rng.random() < 0.3:
        count, stride = counters.pop(rng.randrange(len(counters)))
        inner = rng.choice([d for d in range(1, count + 1) if count % d == 0])
        counters += [(count // inner, stride * inner), (inner, stride)]
    if rng.random() < 0.7:
        rng.shuffle(counters)
    counters = [(1, rng.choice((0, 2**28, -5)))] * (6 - len(counters)) + counters
    counts, strides = zip(*counters, strict=True)
    return {
        "shape": _extents(rng, int(np.prod(counts))), "counts": counts, "strides": strides,
        "offset": offset,
    }  # fmt: skip


def _gather(rng: Random, shapes: list[Shape]) -> Fields:
    axis = rng.randrange(len(shapes[0]))
    extent = shapes[0][axis]
    indices = [rng.randrange(extent) for _ in range(rng.randint(1, 12))]
    return {"axis": axis, "indices": np.array(indices, np.int32)}


def _transpose_conv2d(rng: Random, shapes: list[Shape]) -> Fields:
    (height, width, in_c), kernel = _image(shapes), _pair(rng, 5)
    out_c = rng.choice((1, 2, 3, 4, 5, 7, 8, 9, 16))
    stride = _pair(rng, 4 if height * width <= 100 else 1)  # several in a row stay small
    sides = [rng.randint(lo, k) for k, s in zip(kernel, stride, strict=True) for lo in (0, 1 - s)]
    return {
        "stride": stride,
        "padding": tuple(sides),
        **_weighted(rng, out_c, (out_c, *kernel, in_c), kernel[0] * kernel[1] * in_c),
    }


def _resize_bilinear(rng: Random, shapes: list[Shape]) -> Fields:
    frac_bits = rng.choice((0, 1, 4, 10, 11))
    fields: Fields = {"frac_bits": frac_bits, "form": rng.choice(("up", "away"))}
    for axis, in_size in zip(("row", "column"), _image(shapes), strict=False):
        out = rng.randint(1, 12)
        for name in (f"{axis}0", f"{axis}1"):
            fields[name] = np.array([rng.randrange(in_size) for _ in range(out)], np.int32)
        if rng.random() < 0.5:  # neighbours, as in a resize
            fields[f"{axis}1"] = np.minimum(fields[f"{axis}0"] + 1, in_size - 1).astype(np.int32)
        fields[f"{axis}_weight"] = _array(rng, "int16", (out,), 0, 1 << frac_bits)
    return fields


def _lut2d(rng: Random, shapes: list[Shape]) -> Fields:
    """A plane, cut at both ends or not, with some entries at random."""
    a, b, c = (rng.choice((-1, 0, 1, 2, 0.5)) for _ in range(3))
    q = np.arange(-128, 128)
    table = np.clip(np.floor(a * q[:, None] + b * q + c * 20), -128, 127).astype(np.int8)
    for _ in range(rng.choice((0, 100))):
        table[rng.randrange(256), rng.randrange(256)] = rng.randint(-128, 127)
    return {"table": table}


def _matmul(rng: Random, shapes: list[Shape]) -> Fields:
    if len(shapes[0]) == 1:
        raise ModelError("no rows")
    depth = shapes[0][-1]
    return {
        "bias": _array(rng, "int32", (shapes[1][-2],), -3000, 3000),
        "requantize": requantize_of(rng, 1, 2**13 * depth),
        **_clamp(rng),
    }


_FIELDS: dict[str, Callable[[Random, list[Shape]], Fields]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "fully_connected": _fully_connected,
    "lut": _lut,
    "pwl": _pwl,
    "max_pool2d": _pool,
    "avg_pool2d": _avg_pool2d,
    "global_avg_pool": _global_avg_pool,
    "add": _add,
    "softmax": _softmax,
    "rescale": _rescale,
    "argmax": _no_fields,
    "mul": _mul,
    "concat": _concat,
    "pad": _pad,
    "reshape": _reshape,
    "softmax_float32": _softmax_float32,
    "strided_copy": _strided_copy,
    "gather": _gather,
    "transpose_conv2d": _transpose_conv2d,
    "resize_bilinear": _resize_bilinear,
    "maximum": _no_fields,
    "minimum": _no_fields,
    "lut2d": _lut2d,
    "matmul": _matmul,
    "log_softmax": _softmax,
    "log_softmax_float32": _log_softmax_float32,
}
