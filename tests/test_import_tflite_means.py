"""Means of imported files that no entry of R makes: as thresholds, for every sum that can be."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.reader import parse
from intgold.importers.tflite.thresholds import alike, thresholds

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from tflite_writer import Writer  # noqa: E402


def step(k, at):
    """A rounding that rises by k at one sum."""
    return lambda sums: np.where(sums >= at, k, 0)


@pytest.mark.parametrize(
    "rounding",
    [
        lambda sums: np.rint(sums / 7).astype(int),
        lambda sums: sums * 3,  # steps of several
        lambda sums: np.full_like(sums, 5),
        lambda sums: np.full_like(sums, -300),
        lambda sums: np.full_like(sums, 300),
        step(4, -1000), step(4, 1000), step(-1, 1001),
    ],
)  # fmt: skip
def test_thresholds_tell_all_of_a_rounding(rounding):
    low, high = -1000, 1000
    at, sums = thresholds(rounding, low, high), np.arange(low, high + 1)
    counted = (sums[:, None] >= at).sum(1) - 128
    np.testing.assert_array_equal(counted, np.clip(rounding(sums), -128, 127))
    assert alike(rounding, rounding, low, high)


def test_one_sum_that_is_rounded_otherwise_is_seen():
    low, high = -300, 300
    for at in range(low + 1, high + 1):
        moved = lambda sums, at=at: sums // 9 + (sums % 9 == 8) * (sums == at)  # noqa: E731
        assert alike(lambda sums: sums // 9, moved, low, high) == (at % 9 != 8)


def mean(contract, shape, x_zero, y_zero, values, keep=True):
    """The mean of images of one value each, scales 0.5: what a contract's model makes of them."""
    w = Writer()
    x = w.tensor(shape, "int8", 0.5, x_zero)
    axes = w.tensor((2,), "int32", data=np.array([1, 2]))
    y = w.tensor((1, 1, 1, shape[3]) if keep else (1, shape[3]), "int8", 0.5, y_zero)
    w.op("MEAN", [x, axes], y, 2, "ReducerOptions", KeepDims=keep)
    model = convert(parse(w.finish([x], [y])), contract_named(contract), "mean")
    golden, c = (model.run(values, backend=b).output for b in ("golden", "c"))
    np.testing.assert_array_equal(golden, c)
    return model, golden


@pytest.mark.parametrize("keep", [True, False])
def test_the_bias_of_xnnpack_is_rounded_before_it_is_added(keep):
    """Sums whose means LiteRT 2.3.0 made -6, -10 and -2, not -5, -9 and -1 as in other orders."""
    sums = np.array([6860, 6636, 7084]) - 56 * 128  # of the stored values: zero point -128
    values = np.full((3, 56), -128, np.int64)
    for row, total in zip(values, sums, strict=True):
        row[:] = total // 56
        row[: total % 56] += 1
    values = values.reshape(3, 7, 8, 1).astype(np.int8)
    model, made = mean("xnnpack", (1, 7, 8, 1), -128, -128, values, keep)
    assert made.ravel().tolist() == [-6, -10, -2]
    assert [op.kind for op in model.ops] == ["depthwise_conv2d", "reshape", "conv2d", "reshape"]


def test_zero_points_that_come_to_more_than_int8():
    """The optimised kernels add both zero points at the end: 127 + 127 here, as one bias."""
    values = np.arange(-128, 128).repeat(17).reshape(256, 1, 1, 17).astype(np.int8)
    _, made = mean("litert_optimised_x86", (1, 1, 1, 17), -127, 127, values)
    np.testing.assert_array_equal(made, np.clip(values.astype(int) + 254, -128, 127))
