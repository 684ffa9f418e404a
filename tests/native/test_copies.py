"""Ops that only move bytes, at every length that the C code copies in a way of its own."""

import numpy as np
import pytest

from intgold import Model, Op, Tensor

LENGTHS = (*range(1, 50), 63, 64, 65, 127, 128, 129, 144, 300)


def assert_moves(kind, inputs, out, fields, x, want):
    """Golden and C give `want`."""
    names = [f"x{i}" for i in range(len(inputs))]
    tensors = [*(Tensor(n, s) for n, s in zip(names, inputs, strict=True)), Tensor("y", out)]
    model = Model(kind, tensors, [Op(kind, kind, tuple(names), "y", fields)], names, ["y"])
    for backend in ("golden", "c"):
        given = {n: v[np.newaxis] for n, v in zip(names, x, strict=True)}
        got = model.run(given, backend=backend).output[0]
        assert np.array_equal(got, want), f"{backend}: {fields}"


def noise(shape):
    """Return bytes, of which no two neighbours are likely to be alike."""
    return np.random.default_rng(sum(shape)).integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("depth", LENGTHS)
def test_concat(depth):
    """Both depths, in either place, next to a depth of five."""
    for depths in ((depth, 5), (5, depth), (depth, depth)):
        x = [noise((3, 2, d)) for d in depths]
        shapes = [v.shape for v in x]
        assert_moves("concat", shapes, (3, 2, sum(depths)), {"axis": 2}, x, np.concatenate(x, -1))


@pytest.mark.parametrize("sides", [(1, 2, 3, 1, 0, 0), (0, 0, 2, 1, 0, 0), (1, 1, 1, 1, 2, 3)])
def test_pad(sides):
    """With a last dimension that is padded, and with one that is not."""
    x = noise((3, 4, 5))
    want = np.pad(x, np.reshape(sides, (3, 2)), constant_values=-7)
    before, after = sides[::2], sides[1::2]
    fields = {"before": before, "after": after, "value": -7}
    assert_moves("pad", [x.shape], want.shape, fields, [x], want)


@pytest.mark.parametrize("channels", LENGTHS)
def test_nearest_upsampling(channels):
    """Every cell twice along rows, three times along columns."""
    x = noise((3, 4, channels))
    want = x.repeat(3, 0).repeat(2, 1)
    fields = {
        "shape": want.shape,
        "counts": (1, 3, 3, 4, 2, channels),
        "strides": (0, 4 * channels, 0, channels, 0, 1),
        "offset": 0,
    }
    assert_moves("strided_copy", [x.shape], want.shape, fields, [x], want)


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_repeats_among_exchanged_axes(times, axis):
    """A transpose with an axis of stride 0 in each place: what it repeats is not made later."""
    x = noise((times, 9, times))
    strides = [1, x.shape[2] * x.shape[1], x.shape[2]]
    counts = [x.shape[2], x.shape[0], x.shape[1]]
    counts.insert(axis, times)
    strides.insert(axis, 0)
    want = np.expand_dims(x.transpose(2, 0, 1), axis).repeat(times, axis)
    want = want.reshape(want.shape[0], want.shape[1], -1)
    fields = {
        "shape": want.shape,
        "counts": (1, 1, *counts),
        "strides": (0, 0, *strides),
        "offset": 0,
    }
    assert_moves("strided_copy", [x.shape], want.shape, fields, [x], want)
