"""Proofs of the ops that move values."""

import itertools
import re

import numpy as np


def pad(ran):
    """Every value stands where the definition puts it; each named side has cells."""
    x, before, after = ran.x, ran.op["before"], ran.op["after"]
    for at in np.ndindex(*ran.y.shape):
        origin = [at[0], *(i - b for i, b in zip(at[1:], before, strict=False))]
        inside = all(0 <= i < n for i, n in zip(origin, x.shape, strict=True))
        assert ran.y[at] == (x[tuple(origin)] if inside else ran.op["value"])
    name = ran.case.name
    if found := re.fullmatch(r"rank(\d)_axis(\d)_(\w+)", name):
        assert ran.y.ndim == int(found[1]) + 1
        assert [i for i, n in enumerate(ran.op[found[3]]) if n] == [int(found[2])]
        assert sum(before) + sum(after) == 2
    elif name == "all":
        assert min(*before, *after) > 0
    elif name == "nothing":
        assert np.array_equal(ran.y, x)
    else:
        assert ran.zero == {"x": -128, "y": 5} and (ran.y == 0).sum() > (x == 0).sum()


def reshape(ran):
    """The values keep their order; the shapes are those of the name."""
    assert ran.y.ravel().tolist() == ran.x.ravel().tolist()
    names = ran.case.name.removeprefix("from_")
    told = [tuple(map(int, shape.split("x"))) for shape in names.split("_to_")]
    assert told == [ran.x.shape[1:], ran.y.shape[1:]]
    assert len(set(ran.y[0].ravel().tolist())) == ran.y[0].size


def strided_copy(ran):
    """Every value comes from its address, and the addresses are as the name says."""
    counts, strides, offset = (ran.op[n] for n in ("counts", "strides", "offset"))
    at = [
        offset + sum(i * s for i, s in zip(place, strides, strict=True))
        for place in np.ndindex(*counts)
    ]
    x, y = (a[0].ravel().tolist() for a in (ran.x, ran.y))
    assert y == [x[a] for a in at]
    used = [(n, s) for n, s in zip(counts, strides, strict=True) if n > 1]
    name, size = ran.case.name, ran.x[0].size
    if name == "plain":
        assert at == list(range(size)) and len(used) == 1
    elif name == "one_value":
        assert at == [size - 1] and not used
    elif name == "backwards":
        assert at == list(range(size))[::-1]
    elif name == "still":
        assert at == [7] * 24
    elif name.startswith("transposed"):
        rows, columns = ran.x.shape[1:]
        assert (columns > 8 and rows > 8) == name.endswith("blocks")
        assert np.array_equal(ran.y, ran.x.transpose(0, 2, 1))
    elif name == "axes_reversed":
        assert np.array_equal(ran.y, ran.x.transpose(0, 3, 2, 1)) and ran.x.shape[1] > 8
    elif name == "every_third":
        assert at == list(range(1, 17, 3)) and size - 1 not in at
    elif name == "windows":
        assert max(at.count(a) for a in at) == 3
    elif name == "mixed_signs":
        assert np.array_equal(ran.y, ran.x[:, :, ::-1])
    elif name == "six_counters":
        assert len(used) == 6 and sorted(at) == list(range(size))
        assert all(s != n2 * s2 for (_, s), (n2, s2) in itertools.pairwise(used))
    elif name == "unused_strides":
        assert max(abs(s) for s in strides) == 2**28 and len(used) == 2
    else:
        assert name == "zero_points" and ran.zero == {"x": -128, "y": 5}


def gather(ran):
    """Every place holds what its index names; the indices are as the name says."""
    axis, indices = ran.op["axis"], ran.op["indices"].tolist()
    extent, name = ran.x.shape[axis + 1], ran.case.name
    for i, index in enumerate(indices):
        assert np.array_equal(ran.y.take(i, axis + 1), ran.x.take(index, axis + 1))
    if found := re.fullmatch(r"rank(\d)_axis(\d)", name):
        assert (ran.x.ndim - 1, axis) == (int(found[1]), int(found[2]))
        assert indices == [extent - 1, 0, 0, 1]
    elif name == "one_place":
        assert indices == [extent - 1]
    elif name == "reversed":
        assert indices == list(range(extent))[::-1]
    elif name == "longer":
        assert len(indices) > extent
    else:
        assert name == "zero_points" and ran.zero == {"x": -128, "y": 5}


PROOFS = {
    "pad": {r"rank\d_axis\d_\w+|all|nothing|zero_points": pad},
    "reshape": {r"\w+": reshape},
    "strided_copy": {r"\w+": strided_copy},
    "gather": {r"\w+": gather},
}
