"""Two runs are equal: dtype, shape and every value, with the first that differs."""

import numpy as np


def assert_equal(want, got, where):
    """Two arrays are equal."""
    assert want.dtype == got.dtype and want.shape == got.shape, where
    differing = np.argwhere(want != got)
    assert len(differing) == 0, (
        f"{where}: {len(differing)} differ, first at {tuple(differing[0])}: "
        f"{want[tuple(differing[0])]} expected, {got[tuple(differing[0])]} got"
    )


def assert_same_run(want, got, where):
    """Two results are equal: outputs, tensors and accumulators."""
    for part in ("outputs", "tensors", "accumulators"):
        arrays, others = getattr(want, part), getattr(got, part)
        assert list(arrays) == list(others), where
        for name in arrays:
            assert_equal(arrays[name], others[name], f"{where} {part} {name}")
