"""Ops that only move values, as steps: what each of their outputs is made of, and its shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ....errors import ImportFileError
from ....support.quoting import short_repr
from ..file.reader import FileOp, FileTensor
from .address_walk import AddressWalk, Pick, Shape
from .nearest import nearest_places

_INTEGERS = ("int32", "int64")
_MAX_RANK = 6
_MAX_RESIZED = 2**15
_MAX_MIRRORED = 2**18
"""Places of an axis that are listed, before anything else is known of their tensor's size."""


@dataclass(frozen=True, eq=False)
class Gathering:
    """Places of an axis of a tensor of this shape, in the order of a list."""

    __repr__ = short_repr

    shape: Shape
    axis: int
    indices: np.ndarray


@dataclass(frozen=True, eq=False)
class Padding:
    """Cells of one value around a tensor of this shape."""

    shape: Shape
    before: Shape
    after: Shape


Step = Gathering | Padding | AddressWalk


@dataclass(frozen=True, eq=False)
class OutputPlan:
    """One output: its shape in the file, and the steps from the input to it.

    Parameters
    ----------
    shape : tuple of int
    steps : tuple
        None where the values stay in C order.
    """

    __repr__ = short_repr

    shape: Shape
    steps: tuple[Step, ...] = ()


class _Operands:
    """The operands of an op; they have to be constants."""

    def __init__(self, op: FileOp, tensors: Sequence[FileTensor], x: int = 0) -> None:
        self.op, self.tensors, self.options = op, tensors, op.options
        self.shape = tensors[op.inputs[x]].shape
        if not 1 <= len(self.shape) <= _MAX_RANK or min(self.shape) < 1:
            raise self.fail(f"input of shape {self.shape}; 1 to {_MAX_RANK} dimensions are read")

    def fail(self, why: str) -> ImportFileError:
        return ImportFileError(f"{self.op}: {why}")

    @property
    def rank(self) -> int:
        return len(self.shape)

    def array(self, i: int) -> np.ndarray:
        tensor = self.tensors[self.op.inputs[i]]
        if tensor.data is None or tensor.dtype not in _INTEGERS:
            raise self.fail(f"input {i} ({tensor.name}) is no constant of int32 or int64")
        return tensor.data

    def integers(self, i: int, count: int | None = None) -> list[int]:
        values: list[int] = self.array(i).ravel()[: 2 * _MAX_RANK + 1].tolist()
        if count is not None and self.array(i).size != count:
            raise self.fail(f"input {i} has {self.array(i).size} values instead of {count}")
        return values

    def axis(self, value: int, rank: int | None = None) -> int:
        rank = self.rank if rank is None else rank
        if not -rank <= value < rank:
            raise self.fail(f"axis {value} of {rank} dimensions")
        return value % rank

    def sides(self, i: int, axes: int) -> np.ndarray:
        """Return what is added before and after each of some axes, shape (axes, 2)."""
        sides = self.array(i)
        if sides.shape != (axes, 2) or (sides < 0).any() or (sides >= 2**15).any():
            raise self.fail(f"input {i}: {sides.shape} values, or one beyond [0, 2^15 - 1]")
        return sides.astype(np.int64)


def _selected(of: _Operands, picks: Mapping[int, Pick | np.ndarray]) -> OutputPlan:
    """Return the layout of places along some axes: gathers first, then one walk for the rest."""
    shape, gathers = list(of.shape), []
    walks: dict[int, Pick] = {}
    for axis, pick in picks.items():
        made = pick if isinstance(pick, Pick) else Pick.of(pick)
        if made is not None:
            walks[axis] = made
        elif isinstance(pick, np.ndarray):
            gathers.append(Gathering(tuple(shape), axis, pick))
            shape[axis] = pick.size
    walk = AddressWalk.over(tuple(shape))
    for axis, chosen in walks.items():
        walk = walk.picked(axis, chosen)
        shape[axis] = math.prod(count for count, _ in chosen.counters)
    return OutputPlan(tuple(shape), (*gathers, walk))


def _transpose(of: _Operands) -> list[OutputPlan]:
    order = [of.axis(a) for a in of.integers(1, of.rank)]
    if len(set(order)) != of.rank:
        raise of.fail(f"permutation {order}")
    walk = AddressWalk.over(of.shape).ordered(order)
    return [OutputPlan(tuple(of.shape[a] for a in order), (walk,))]


def _slice(of: _Operands) -> list[OutputPlan]:
    begins, sizes = of.integers(1, of.rank), of.integers(2, of.rank)
    picks: dict[int, Pick | np.ndarray] = {}
    for axis, (begin, size, n) in enumerate(zip(begins, sizes, of.shape, strict=True)):
        end = n if size == -1 else begin + size
        if not 0 <= begin < end <= n:
            raise of.fail(f"axis {axis} of {n} places from {begin}, of size {size}")
        picks[axis] = Pick.along(range(begin, end))
    return [_selected(of, picks)]


def _strided_slice(of: _Operands) -> list[OutputPlan]:
    o = of.options
    begins, ends, strides = (of.integers(i) for i in (1, 2, 3))
    if not len(begins) == len(ends) == len(strides) <= 2 * _MAX_RANK:
        raise of.fail(f"{len(begins)} begins, {len(ends)} ends, {len(strides)} strides")
    marks = [
        {name: bool(o[f"{name}Mask"] >> i & 1) for name in
         ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")}
        for i in range(len(begins))
    ]  # fmt: skip
    taken = sum(not (m["NewAxis"] or m["Ellipsis"]) for m in marks)
    if sum(m["Ellipsis"] for m in marks) > 1 or taken > of.rank:
        raise of.fail(f"{taken} places for {of.rank} dimensions, or more than one ellipsis")
    picks: dict[int, Pick | np.ndarray] = {}
    shape: list[int] = []
    axis = 0
    for mark, begin, end, stride in zip(marks, begins, ends, strides, strict=True):
        if mark["Ellipsis"]:
            if taken == of.rank:
                raise of.fail("an ellipsis of no dimension, for which kernels take one")
            shape += of.shape[axis : axis + of.rank - taken]
            axis += of.rank - taken
        elif mark["NewAxis"]:
            shape.append(1)
        elif mark["ShrinkAxis"]:
            at = _place(of, axis, begin)
            picks[axis] = Pick.along(range(at, at + 1))
            axis += 1
        else:
            if stride == 0:
                raise of.fail("a stride of 0")
            until = begin + end if o["Offset"] else end
            places = range(of.shape[axis])[
                slice(None if mark["Begin"] else begin, None if mark["End"] else until, stride)
            ]
            if not places:
                raise of.fail(f"no places of axis {axis} from {begin} to {until}")
            picks[axis] = Pick.along(places)
            shape.append(len(places))
            axis += 1
    shape += of.shape[axis:]
    return [OutputPlan(tuple(shape), _selected(of, picks).steps)]


def _place(of: _Operands, axis: int, value: int) -> int:
    n = of.shape[axis]
    if not -n <= value < n:
        raise of.fail(f"place {value} of axis {axis}, which has {n}")
    return value % n


def _parts(of: _Operands, axis: int, sizes: Sequence[int]) -> list[OutputPlan]:
    made, begin = [], 0
    for size in sizes:
        made.append(_selected(of, {axis: Pick.along(range(begin, begin + size))}))
        begin += size
    return made


def _split(of: _Operands) -> list[OutputPlan]:
    axis, count = of.axis(of.integers(0, 1)[0]), len(of.op.outputs)
    if of.shape[axis] % count or of.options["NumSplits"] != count:
        raise of.fail(f"{of.shape[axis]} places of axis {axis} in {count} outputs")
    return _parts(of, axis, [of.shape[axis] // count] * count)


def _split_v(of: _Operands) -> list[OutputPlan]:
    sizes, axis = of.array(1).ravel().tolist(), of.axis(of.integers(2, 1)[0])
    n = of.shape[axis]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = n - sum(s for s in sizes if s != -1)
    if len(sizes) != len(of.op.outputs) or min(sizes, default=0) < 1 or sum(sizes) != n:
        raise of.fail(f"sizes {sizes} of {n} places in {len(of.op.outputs)} outputs")
    return _parts(of, axis, sizes)


def _unpack(of: _Operands) -> list[OutputPlan]:
    axis = of.axis(of.options["Axis"])
    if of.options["Num"] != len(of.op.outputs) or of.shape[axis] != len(of.op.outputs):
        raise of.fail(f"{of.shape[axis]} places of axis {axis} in {len(of.op.outputs)} outputs")
    shape = (*of.shape[:axis], *of.shape[axis + 1 :])
    return [OutputPlan(shape, part.steps) for part in _parts(of, axis, [1] * of.shape[axis])]


def _reverse(of: _Operands) -> list[OutputPlan]:
    axes = {of.axis(a) for a in of.integers(1)}
    return [_selected(of, {a: Pick.along(range(of.shape[a])[::-1]) for a in axes})]


def _tile(of: _Operands) -> list[OutputPlan]:
    """Repeat along axes, as many of them in one step as there are counters."""
    times = of.integers(1, of.rank)
    if min(times) < 1:
        raise of.fail(f"multiples {times}")
    shape, steps, walk = list(of.shape), [], AddressWalk.over(of.shape)
    for axis, (n, count) in enumerate(zip(of.shape, times, strict=True)):
        longer = walk.picked(axis, Pick(0, ((count, 0), (n, 1))))
        if not longer.fits:
            steps.append(walk)
            longer = AddressWalk.over(tuple(shape)).picked(axis, Pick(0, ((count, 0), (n, 1))))
        walk = longer
        shape[axis] = n * count
    return [OutputPlan(tuple(shape), (*steps, walk))]


def _broadcast_to(of: _Operands) -> list[OutputPlan]:
    shape = tuple(of.integers(1))
    if not of.rank <= len(shape) <= _MAX_RANK or min(shape) < 1:
        raise of.fail(f"{of.shape} as {shape}")
    own = (*(1,) * (len(shape) - of.rank), *of.shape)
    if any(n not in (1, m) for n, m in zip(own, shape, strict=True)):
        raise of.fail(f"{of.shape} as {shape}")
    walk = AddressWalk.over(own)
    for axis, (n, m) in enumerate(zip(own, shape, strict=True)):
        if n != m:
            walk = walk.picked(axis, Pick(0, ((m, 0),)))
    return [OutputPlan(shape, (walk,))]


def _mirror_pad(of: _Operands) -> list[OutputPlan]:
    symmetric = of.options["Mode"] == 1
    picks: dict[int, Pick | np.ndarray] = {}
    for axis, (before, after) in enumerate(of.sides(1, of.rank).tolist()):
        n = of.shape[axis]
        if max(before, after) > (n if symmetric else n - 1):
            raise of.fail(f"{before} and {after} places beside the {n} of axis {axis}")
        if (before or after) and n > _MAX_MIRRORED:
            raise of.fail(f"{n} places of axis {axis}; at most {_MAX_MIRRORED} are mirrored")
        if before or after:
            at = np.arange(-before, n + after)
            low = -1 - at if symmetric else -at
            high = 2 * n - 1 - at if symmetric else 2 * n - 2 - at
            picks[axis] = np.where(at < 0, low, np.where(at < n, at, high))
    return [_selected(of, picks)]


def _gather(of: _Operands) -> list[OutputPlan]:
    axis, batch = of.axis(of.options["Axis"]), of.options["BatchDims"]
    indices = of.array(1)
    if batch:
        plain = 0 < batch <= min(axis, indices.ndim) and set(of.shape[:batch]) == {1}
        if not plain or set(indices.shape[:batch]) != {1}:
            raise of.fail(f"{batch} dimensions of batches, not all of 1")
        indices = indices.reshape(indices.shape[batch:])
    _inside(of, indices, of.shape[axis])
    made = _selected(of, {axis: indices.ravel()})
    return [OutputPlan((*of.shape[:axis], *indices.shape, *of.shape[axis + 1 :]), made.steps)]


def _gather_nd(of: _Operands) -> list[OutputPlan]:
    indices = of.array(1)
    depth = indices.shape[-1] if indices.ndim else 0
    if not 1 <= depth <= of.rank:
        raise of.fail(f"indices of shape {indices.shape} into {of.rank} dimensions")
    taken, rest = of.shape[:depth], of.shape[depth:]
    columns = indices.reshape(-1, depth)
    for axis, n in enumerate(taken):
        _inside(of, columns[:, axis], n)
    flat = np.ravel_multi_index(tuple(columns.T), taken)
    shape = (math.prod(taken), math.prod(rest))
    pick = Pick.of(flat)
    step = AddressWalk.over(shape).picked(0, pick) if pick else Gathering(shape, 0, flat)
    return [OutputPlan((*indices.shape[:-1], *rest), (step,))]


def _inside(of: _Operands, indices: np.ndarray, n: int) -> None:
    if indices.size == 0 or indices.min() < 0 or indices.max() >= n:
        raise of.fail(f"no indices, or some that are not from 0 to {n - 1}")


def _image(of: _Operands) -> Shape:
    if of.rank != 4:
        raise of.fail(f"input of shape {of.shape} instead of 4 dimensions")
    return of.shape


def _depth_to_space(of: _Operands) -> list[OutputPlan]:
    (n, h, w, c), b = _image(of), of.options["BlockSize"]
    if b < 1 or c % (b * b):
        raise of.fail(f"blocks of {b} of {c} channels")
    walk = AddressWalk.over((n, h, w, b, b, c // b // b)).ordered((0, 1, 3, 2, 4, 5))
    return [OutputPlan((n, h * b, w * b, c // b // b), (walk,))]


def _space_to_depth(of: _Operands) -> list[OutputPlan]:
    (n, h, w, c), b = _image(of), of.options["BlockSize"]
    if b < 1 or h % b or w % b:
        raise of.fail(f"blocks of {b} of {h} rows and {w} columns")
    walk = AddressWalk.over((n, h // b, b, w // b, b, c)).ordered((0, 1, 3, 2, 4, 5))
    return [OutputPlan((n, h // b, w // b, c * b * b), (walk,))]


def _blocks(of: _Operands) -> list[int]:
    """Return the block of each spatial axis of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""
    found = of.integers(1)
    if not 1 <= len(found) <= 2 or of.rank != len(found) + 2 or min(found) < 1:
        raise of.fail(f"blocks {found} of {of.rank} dimensions")
    return found


def _space_to_batch(of: _Operands) -> list[OutputPlan]:
    block = _blocks(of)
    sides = of.sides(2, len(block))
    n, *image, c = of.shape
    steps: list[Step] = []
    if sides.any():
        before, after = ((0, *sides[:, i].tolist(), 0) for i in (0, 1))
        steps.append(Padding(of.shape, before, after))
        image = [m + s for m, s in zip(image, sides.sum(axis=1).tolist(), strict=True)]
    if any(m % b for m, b in zip(image, block, strict=True)):
        raise of.fail(f"blocks {block} of {image}")
    cut = [m // b for m, b in zip(image, block, strict=True)]
    pairs = [n for pair in zip(cut, block, strict=True) for n in pair]
    axes = len(block)
    order = [*range(2, 2 * axes + 1, 2), 0, *range(1, 2 * axes, 2), 2 * axes + 1]
    steps.append(AddressWalk.over((n, *pairs, c)).ordered(order))
    return [OutputPlan((n * math.prod(block), *cut, c), tuple(steps))]


def _batch_to_space(of: _Operands) -> list[OutputPlan]:
    block = _blocks(of)
    crops = of.sides(2, len(block))
    n, *image, c = of.shape
    if n % math.prod(block):
        raise of.fail(f"blocks {block} of a batch of {n}")
    axes, batch = len(block), n // math.prod(block)
    order = [axes, *(a for i in range(axes) for a in (axes + 1 + i, i)), 2 * axes + 1]
    walk = AddressWalk.over((*block, batch, *image, c)).ordered(order)
    whole = (batch, *(m * b for m, b in zip(image, block, strict=True)), c)
    if not crops.any():
        return [OutputPlan(whole, (walk,))]
    cut, shape = AddressWalk.over(whole), list(whole)
    for axis, (before, after) in enumerate(crops.tolist(), 1):
        places = range(whole[axis])[before : whole[axis] - after]
        if not places:
            raise of.fail(f"crops {before} and {after} of {whole[axis]}")
        cut, shape[axis] = cut.picked(axis, Pick.along(places)), len(places)
    return [OutputPlan(tuple(shape), (walk, cut))]


def _resize_nearest(of: _Operands) -> list[OutputPlan]:
    _, *image, _ = _image(of)
    size = of.integers(1, 2)
    if not all(1 <= m <= _MAX_RESIZED for m in size):
        raise of.fail(f"size {size}")
    options = {
        "align_corners": bool(of.options["AlignCorners"]),
        "half_pixel_centers": bool(of.options["HalfPixelCenters"]),
    }
    picks: dict[int, Pick | np.ndarray] = {
        axis: nearest_places(n, m, **options)
        for axis, n, m in zip((1, 2), image, size, strict=True)
    }
    return [_selected(of, picks)]


_PLANS: Mapping[str, tuple[int, Callable[[_Operands], list[OutputPlan]]]] = {
    "TRANSPOSE": (0, _transpose),
    "SLICE": (0, _slice),
    "STRIDED_SLICE": (0, _strided_slice),
    "SPLIT": (1, _split),
    "SPLIT_V": (0, _split_v),
    "UNPACK": (0, _unpack),
    "REVERSE_V2": (0, _reverse),
    "TILE": (0, _tile),
    "BROADCAST_TO": (0, _broadcast_to),
    "MIRROR_PAD": (0, _mirror_pad),
    "GATHER": (0, _gather),
    "GATHER_ND": (0, _gather_nd),
    "DEPTH_TO_SPACE": (0, _depth_to_space),
    "SPACE_TO_DEPTH": (0, _space_to_depth),
    "SPACE_TO_BATCH_ND": (0, _space_to_batch),
    "BATCH_TO_SPACE_ND": (0, _batch_to_space),
    "RESIZE_NEAREST_NEIGHBOR": (0, _resize_nearest),
}
"""Which input holds the values, and the layouts of the outputs."""
LAYOUT_OPS = frozenset(_PLANS)


def moved_input(op: FileOp) -> int:
    """Return which input of a layout op holds the values."""
    return _PLANS[op.kind][0]


def layouts(op: FileOp, tensors: Sequence[FileTensor]) -> list[OutputPlan]:
    """Return the layout of each output of an op.

    Raises
    ------
    ImportFileError
        Naming the op and the operand that is no constant, or is none that it may have.
    """
    x, plan = _PLANS[op.kind]
    return plan(_Operands(op, tensors, x))
