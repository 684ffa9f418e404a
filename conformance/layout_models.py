"""Ops that only move values: random models of one op, of every rank that engines take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

_NO_SCALE, _OTHER_SCALE = 0.05, 0.05
"""How often no tensor has a scale, or the output another scale and zero point than the input."""


@dataclass
class _Draft:
    """A file of one op on one tensor, whose outputs may have other scales, or all none."""

    rng: Rng
    dtype: str
    shape: tuple[int, ...]
    w: Writer = field(default_factory=Writer)
    scaled: bool = False

    def __post_init__(self) -> None:
        self.scale, self.zero = draws.scale(self.rng), draws.zero_point(self.rng, self.dtype)
        if not self.scaled and self.rng.random() < _NO_SCALE:
            self.scale, self.zero = None, 0
        self.x = self.w.tensor(self.shape, self.dtype, self.scale, self.zero)

    def held(self, values: Any) -> int:
        return self.w.tensor(np.shape(values), "int32", data=np.array(values))

    def made(
        self, kind: str, inputs: Sequence[int], shapes: Sequence[Sequence[int]], options: str = "",
        version: int = 2, **fields: Any,
    ) -> Made:  # fmt: skip
        scale, zero = self.scale, self.zero
        if scale is not None and self.rng.random() < _OTHER_SCALE:
            scale = FLOAT(scale * 10 ** self.rng.uniform(-0.5, 0.5))
            zero = draws.zero_point(self.rng, self.dtype)
        ys = [self.w.tensor(shape, self.dtype, scale, zero) for shape in shapes]
        self.w.op(kind, list(inputs), ys, version, options, **fields)
        data = self.w.finish([self.x], ys)
        return Made(data, ((self.x, self.shape),), ys[0], self.dtype, others=tuple(ys[1:]))


def _shape(rng: Rng, low: int = 2, high: int = 4, most: int = 9) -> tuple[int, ...]:
    """Return a shape of a batch of 1, its dimensions with it."""
    rank = int(rng.integers(low, high + 1))
    extents = rng.integers(1, most if rank < 5 else 5, rank - 1)
    return (1, *(int(n) for n in extents))


def _signed(rng: Rng, axis: int, rank: int) -> int:
    return axis if rng.random() < 0.5 else axis - rank


def _transpose(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 6))
    order = [0, *(rng.permutation(len(d.shape) - 1) + 1)]
    return d.made("TRANSPOSE", [d.x, d.held(order)], [[d.shape[a] for a in order]],
                  "TransposeOptions")  # fmt: skip


def _slice(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 1, 5))
    begins = [int(rng.integers(n)) for n in d.shape]
    sizes = [int(rng.integers(1, n - b + 1)) for n, b in zip(d.shape, begins, strict=True)]
    shown = [-1 if b + s == n and rng.random() < 0.4 else s
             for n, b, s in zip(d.shape, begins, sizes, strict=True)]  # fmt: skip
    return d.made("SLICE", [d.x, d.held(begins), d.held(shown)], [sizes], "SliceOptions")


def _strided_slice(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 4))
    masks = dict.fromkeys(("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis"), 0)
    spec: list[Any] = []
    entries: list[tuple[int, int, int]] = []
    axis, skips = 0, rng.random() < 0.2
    while axis < len(d.shape):
        bit, n = 1 << len(entries), d.shape[axis]
        if skips and rng.random() < 0.4:
            skipped = int(rng.integers(1, len(d.shape) - axis + 1))
            masks["Ellipsis"] |= bit
            entries.append((0, 0, 1))
            spec += [slice(None)] * skipped
            axis, skips = axis + skipped, False
        elif rng.random() < 0.1 and len(entries) < 4:
            masks["NewAxis"] |= bit
            entries.append((0, 0, 1))
            spec.append(None)
        elif axis and rng.random() < 0.15:
            at = _signed(rng, int(rng.integers(n)), n)
            masks["ShrinkAxis"] |= bit
            entries.append((at, at + 1, 1))
            spec.append(at)
            axis += 1
        else:
            stride = int(rng.choice([1, 1, 2, 3, -1, -2])) if axis else 1
            first, last = sorted(int(v) for v in rng.integers(0, n + 1, 2))
            begin, end = (first, last) if stride > 0 else (last - 1, first - 1)
            if not axis or first == last or rng.random() < 0.3:
                masks["Begin"] |= bit
                masks["End"] |= bit
                one: Any = slice(None, None, stride)
            else:
                if end < 0:
                    masks["End"] |= bit
                if rng.random() < 0.3:
                    begin = begin - n if begin < n else begin
                one = slice(begin, None if end < 0 else end, stride)
            entries.append((begin, end, stride))
            spec.append(one)
            axis += 1
    made = np.empty(d.shape, np.int8)[tuple(spec)].shape
    if not math.prod(made) or made[:1] != (1,):
        return _strided_slice(rng, dtype)
    begins, ends, strides = zip(*entries, strict=True)
    return d.made(
        "STRIDED_SLICE", [d.x, d.held(begins), d.held(ends), d.held(strides)], [made],
        "StridedSliceOptions", **{f"{name}Mask": bits for name, bits in masks.items()},
    )  # fmt: skip


def _parts(d: _Draft, axis: int, sizes: Sequence[int]) -> list[list[int]]:
    return [[*d.shape[:axis], size, *d.shape[axis + 1 :]] for size in sizes]


def _split(rng: Rng, dtype: str) -> Made:
    shape, count = list(_shape(rng, 2, 4, 5)), int(rng.integers(1, 5))
    axis = int(rng.integers(1, len(shape)))
    shape[axis] *= count
    d = _Draft(rng, dtype, tuple(shape))
    held = d.w.tensor((), "int32", data=np.array(_signed(rng, axis, len(shape))))
    parts = _parts(d, axis, [shape[axis] // count] * count)
    return d.made("SPLIT", [held, d.x], parts, "SplitOptions", NumSplits=count)


def _split_v(rng: Rng, dtype: str) -> Made:
    shape = list(_shape(rng, 2, 4))
    axis = int(rng.integers(1, len(shape)))
    sizes = [int(n) for n in rng.integers(1, 5, int(rng.integers(1, 5)))]
    shape[axis] = sum(sizes)
    d = _Draft(rng, dtype, tuple(shape))
    shown = list(sizes)
    if rng.random() < 0.5:
        shown[int(rng.integers(len(sizes)))] = -1
    held = d.w.tensor((), "int32", data=np.array(_signed(rng, axis, len(shape))))
    return d.made("SPLIT_V", [d.x, d.held(shown), held], _parts(d, axis, sizes),
                  "SplitVOptions", NumSplits=len(sizes))  # fmt: skip


def _pack(rng: Rng, dtype: str) -> Made:
    d, count = _Draft(rng, dtype, _shape(rng, 2, 4)), int(rng.integers(1, 5))
    inputs = [d.x, *(d.w.tensor(d.shape, dtype, d.scale, d.zero) for _ in range(count - 1))]
    axis = int(rng.integers(1, len(d.shape) + 1)) if count > 1 else 0
    shape = (*d.shape[:axis], count, *d.shape[axis:])
    one = d.made("PACK", inputs, [shape], "PackOptions", ValuesCount=count,
                 Axis=_signed(rng, axis, len(shape)))  # fmt: skip
    data = d.w.finish(inputs, [one.output]) if count > 1 else one.data
    return Made(data, tuple((i, d.shape) for i in inputs), one.output, dtype)


def _unpack(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, (*_shape(rng, 3, 4, 5),))
    axis = int(rng.integers(1, len(d.shape)))
    shape = (*d.shape[:axis], *d.shape[axis + 1 :])
    return d.made("UNPACK", [d.x], [shape] * d.shape[axis], "UnpackOptions", Num=d.shape[axis],
                  Axis=_signed(rng, axis, len(d.shape)))  # fmt: skip


def _reverse(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 5))
    first = int(rng.integers(1, len(d.shape)))
    axes = list(range(first, min(len(d.shape), first + int(rng.integers(1, 3)))))
    return d.made("REVERSE_V2", [d.x, d.held(axes)], [d.shape], "ReverseV2Options", 3)


def _tile(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 5, 6))
    times = [1, *(int(n) for n in rng.integers(1, 4, len(d.shape) - 1))]
    shape = np.multiply(d.shape, times).tolist()
    return d.made("TILE", [d.x, d.held(times)], [shape], "TileOptions")


def _broadcast_to(rng: Rng, dtype: str) -> Made:
    target = _shape(rng, 2, 5, 6)
    own = [n if rng.random() < 0.5 else 1 for n in target]
    d = _Draft(rng, dtype, tuple(own))
    return d.made("BROADCAST_TO", [d.x, d.held(target)], [target], "BroadcastToOptions", 3)


def _mirror_pad(rng: Rng, dtype: str) -> Made:
    d, mode = _Draft(rng, dtype, _shape(rng, 2, 4)), int(rng.integers(2))
    sides = [[0, 0]] + [[int(v) for v in rng.integers(0, n + mode, 2)] for n in d.shape[1:]]
    shape = np.add(d.shape, np.sum(sides, axis=1)).tolist()
    return d.made("MIRROR_PAD", [d.x, d.held(sides)], [shape], "MirrorPadOptions", Mode=mode)


def _gather(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 4))
    axis = int(rng.integers(1, len(d.shape)))
    places = (
        ()
        if rng.random() < 0.1 and len(d.shape) > 2
        else rng.integers(1, 5, 1 + int(rng.random() < 0.2))
    )
    at = rng.integers(0, d.shape[axis], tuple(places))
    shape = (*d.shape[:axis], *at.shape, *d.shape[axis + 1 :])
    return d.made("GATHER", [d.x, d.held(at)], [shape], "GatherOptions",
                  Axis=_signed(rng, axis, len(d.shape)), BatchDims=0)  # fmt: skip


def _gather_nd(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, _shape(rng, 2, 4))
    depth = int(rng.integers(1, len(d.shape) + 1))
    places = (1, *rng.integers(1, 5, int(rng.integers(1, 3))))
    at = np.stack([rng.integers(0, n, places) for n in d.shape[:depth]], axis=-1)
    return d.made("GATHER_ND", [d.x, d.held(at)], [(*places, *d.shape[depth:])],
                  "GatherNdOptions", 3)  # fmt: skip


def _depth_to_space(rng: Rng, dtype: str) -> Made:
    b, (_, h, w, c) = int(rng.integers(1, 4)), _shape(rng, 4, 4, 6)
    d = _Draft(rng, dtype, (1, h, w, c * b * b))
    return d.made(
        "DEPTH_TO_SPACE", [d.x], [(1, h * b, w * b, c)], "DepthToSpaceOptions", 1, BlockSize=b
    )


def _space_to_depth(rng: Rng, dtype: str) -> Made:
    b, (_, h, w, c) = int(rng.integers(1, 4)), _shape(rng, 4, 4, 6)
    d = _Draft(rng, dtype, (1, h * b, w * b, c))
    return d.made("SPACE_TO_DEPTH", [d.x], [(1, h, w, c * b * b)], "SpaceToDepthOptions",
                  BlockSize=b)  # fmt: skip


def _space_to_batch(rng: Rng, dtype: str) -> Made:
    """SPACE_TO_BATCH_ND and back, so that the file ends with a batch of 1; crops of their own."""
    axes = int(rng.integers(1, 3))
    shape = (1, *(int(n) for n in rng.integers(1, 8, axes + 1)))
    block = [int(b) for b in rng.integers(1, 4, axes)]
    sides, crops, cut, out = [], [], [], []
    for n, b in zip(shape[1:], block, strict=False):
        before = int(rng.integers(0, 3))
        after = -(n + before) % b + (b if rng.random() < 0.2 else 0)
        whole = n + before + after
        first = int(rng.integers(0, min(3, whole)))
        last = int(rng.integers(0, min(3, whole - first)))
        sides.append((before, after))
        crops.append((first, last))
        cut.append(whole // b)
        out.append(whole - first - last)
    d = _Draft(rng, dtype, shape)
    between = d.w.tensor((math.prod(block), *cut, shape[-1]), dtype, d.scale, d.zero)
    d.w.op("SPACE_TO_BATCH_ND", [d.x, d.held(block), d.held(sides)], between, 3,
           "SpaceToBatchNDOptions")  # fmt: skip
    return d.made("BATCH_TO_SPACE_ND", [between, d.held(block), d.held(crops)],
                  [(1, *out, shape[-1])], "BatchToSpaceNDOptions", 3)  # fmt: skip


def _resize(rng: Rng, dtype: str) -> Made:
    d = _Draft(rng, dtype, (1, *(int(n) for n in rng.integers(1, 14, 2)), draws.channels(rng)))
    times = int(rng.integers(1, 4))
    size = [int(n) for n in rng.integers(1, 40, 2)]
    if rng.random() < 0.3:
        size = [d.shape[1] * times, d.shape[2] * times]
    corners, centres = [(False, False), (True, False), (False, True), (True, True)][
        int(rng.integers(4))
    ]
    return d.made(
        "RESIZE_NEAREST_NEIGHBOR", [d.x, d.held(size)], [(1, *size, d.shape[3])],
        "ResizeNearestNeighborOptions", 3, AlignCorners=corners, HalfPixelCenters=centres,
    )  # fmt: skip


def _reduce(kind: str) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        d, keeps = _Draft(rng, dtype, _shape(rng, 2, 4)), bool(rng.integers(2))
        chosen = rng.choice(np.arange(1, len(d.shape)), int(rng.integers(1, len(d.shape))), False)
        axes = [_signed(rng, int(a), len(d.shape)) for a in chosen]
        gone = {a % len(d.shape) for a in axes}
        shape = [1 if a in gone else n for a, n in enumerate(d.shape) if keeps or a not in gone]
        return d.made(kind, [d.x, d.held(axes)], [shape], "ReducerOptions", KeepDims=keeps)

    return make


def _dilated(kind: str) -> Callable[[Rng, str], Made]:
    """A convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""

    def make(rng: Rng, dtype: str) -> Made:
        depthwise = kind == "DEPTHWISE_CONV_2D"
        while True:
            image, kernel, block = (
                draws.pair(rng, 1, 12),
                draws.pair(rng, 1, 4),
                draws.pair(rng, 1, 4),
            )
            padding = int(rng.integers(2))
            before = [int(v) for v in rng.integers(0, 5, 2)]
            after = [-(n + p) % b for n, p, b in zip(image, before, block, strict=True)]
            whole = [n + p + q for n, p, q in zip(image, before, after, strict=True)]
            cut = [m // b for m, b in zip(whole, block, strict=True)]
            sizes = draws.windows((1, *cut), kernel, [1, 1], [1, 1], padding)
            room = [(k - 1) // 2 * b * (1 - padding) for k, b in zip(kernel, block, strict=True)]
            crops = [
                [int(rng.integers(0, p + r + 1)), int(rng.integers(0, q + 1))]
                for p, q, r in zip(before, after, room, strict=True)
            ]
            out = [n * b - sum(c) for n, b, c in zip(sizes, block, crops, strict=True)]
            if min(*sizes, *out) > 0:
                break
        in_c = draws.channels(rng)
        d = _Draft(rng, dtype, (1, *image, in_c), scaled=True)
        w, batch = d.w, math.prod(block)
        phases = w.tensor((batch, *cut, in_c), dtype, d.scale, d.zero)
        sides = list(zip(before, after, strict=True))
        w.op("SPACE_TO_BATCH_ND", [d.x, d.held(block), d.held(sides)], phases, 1,
             "SpaceToBatchNDOptions")  # fmt: skip
        out_c = in_c if depthwise else draws.channels(rng)
        of = (1, *kernel, out_c) if depthwise else (out_c, *kernel, in_c)
        held, product = draws.weights(rng, w, dtype, of, 3 if depthwise else 0, d.scale)
        depth = math.prod(kernel) * (1 if depthwise else in_c)
        scale = draws.output_scale(rng, product * 4900 * depth**0.5, product)
        zero = draws.zero_point(rng, dtype)
        made = w.tensor((batch, *sizes, out_c), dtype, scale, zero)
        w.op(
            kind, [phases, *held], made, 3,
            "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions", Padding=padding, StrideH=1,
            StrideW=1, DilationHFactor=1, DilationWFactor=1,
            FusedActivationFunction=draws.activation(rng),
            **({"DepthMultiplier": 1} if depthwise else {}),
        )  # fmt: skip
        y = w.tensor((1, *out, out_c), dtype, scale, zero)
        w.op("BATCH_TO_SPACE_ND", [made, d.held(block), d.held(crops)], y, 1,
             "BatchToSpaceNDOptions")  # fmt: skip
        return Made(w.finish([d.x], [y]), ((d.x, d.shape),), y, dtype)

    return make


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "TRANSPOSE": _transpose,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "PACK": _pack,
    "UNPACK": _unpack,
    "REVERSE_V2": _reverse,
    "TILE": _tile,
    "BROADCAST_TO": _broadcast_to,
    "MIRROR_PAD": _mirror_pad,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), _space_to_batch),
    "CONV_2D_DILATED": _dilated("CONV_2D"),
    "DEPTHWISE_CONV_2D_DILATED": _dilated("DEPTHWISE_CONV_2D"),
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "REDUCE_MAX": _reduce("REDUCE_MAX"),
    "REDUCE_MIN": _reduce("REDUCE_MIN"),
}
"""By the name of the op: from a generator and a type, a model."""
