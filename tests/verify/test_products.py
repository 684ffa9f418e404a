"""The fast sums of a diagnosis are those of the golden model, to the last bit."""

import numpy as np
import pytest

from intgold import golden
from intgold.verify.diagnose import products
from intgold.verify.diagnose.products import conv2d_sums


def drawn(seed):
    """An input and fields of any shape; zero points also where no model may have them."""
    rng = np.random.default_rng(seed)
    n, h, w, c, out = (int(k) for k in rng.integers(1, 8, 5))
    kernel = tuple(int(k) for k in rng.integers(1, 4, 2))
    x = rng.integers(-128, 128, (n, h + 6, w + 6, c), np.int8)
    zero_points = rng.integers(-256, 257, int(rng.choice([1, out])))
    return x, dict(
        x_zero_point=int(rng.integers(-512, 513)),
        weights=rng.integers(-128, 128, (out, *kernel, c), np.int8),
        weight_zero_point=zero_points.astype(np.int16),
        bias=rng.integers(-(2**31), 2**31, out).astype(np.int32),
        stride=tuple(int(k) for k in rng.integers(1, 4, 2)),
        padding=tuple(int(k) for k in rng.integers(0, 4, 4)),
        dilation=tuple(int(k) for k in rng.integers(1, 3, 2)),
        requantize=None, y_zero_point=0, act_min=-128, act_max=127,
    )  # fmt: skip


@pytest.mark.parametrize("columns", [2000, products._COLUMNS])
def test_random_convolutions(columns, monkeypatch):
    """All images at once, or some at a time; sums that leave int32 wrap as they do there."""
    monkeypatch.setattr(products, "_COLUMNS", columns)
    for seed in range(200):
        x, arguments = drawn(seed)
        _, acc = golden.FUNCTIONS["conv2d"](x, **arguments)
        made = conv2d_sums(x, arguments)
        assert made.dtype == np.int32 and np.array_equal(made, acc), seed


@pytest.mark.parametrize(("limit", "value"), [("_EXACT", 2.0), ("_COLUMNS", 100)])
def test_the_golden_model_takes_what_is_too_large(limit, value, monkeypatch):
    """Where a sum might be rounded, or an image is large, integers are summed."""
    x, arguments = drawn(3)
    _, acc = golden.FUNCTIONS["conv2d"](x, **arguments)
    asked = []
    monkeypatch.setitem(golden.FUNCTIONS, "conv2d", lambda *_, **__: asked.append(1) or (acc, acc))
    monkeypatch.setattr(products, limit, value)
    assert conv2d_sums(x, arguments) is acc and asked
