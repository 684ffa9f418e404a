"""SUM of int8 and uint8: every sum of an axis, by each engine's own formula."""

import sys
from pathlib import Path

import numpy as np
import pytest

import slow_oracle
from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.host.multiplier import fixed_point
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

from run import both_engines

F = np.float32
CASES = [
    (0.1, 0.1, 5, -3), (0.25, 0.5, 0, 0), (0.03, 0.0713, -128, 127), (0.02, 1.7, 127, -128),
    (0.5, 3.5, 11, 20), (0.1, 0.9, 3, 3),
]  # fmt: skip


def file(scales, zeros, n, dtype="int8", axes=(1, 2), keep=True):
    w = Writer()
    shape = (1, n, 1, 1)
    x = w.tensor(shape, dtype, scales[0], zeros[0])
    held = w.tensor((len(axes),), "int32", data=np.array(axes))
    kept = [(1 if i in axes else k, i in axes) for i, k in enumerate(shape)]
    y = w.tensor([k for k, gone in kept if keep or not gone], dtype, scales[1], zeros[1])
    w.op("SUM", [x, held], y, 1, "ReducerOptions", KeepDims=keep)
    return parse(w.finish([x], [y]))


def rows(n):
    """Rows of n int8, one for every sum that there is."""
    sums = np.arange(-128 * n, 127 * n + 1)
    values = sums[:, None] // n + (np.arange(n) < sums[:, None] % n)
    assert np.array_equal(values.sum(1), sums) and -128 <= values.min() < values.max() <= 127
    return values, sums


def by_multiplier(sums, n, scales, zeros, offset, form):
    m, t = fixed_point(float(F(scales[0])) / float(F(scales[1])))
    acc = (sums - n * (zeros[0] - offset)).tolist()
    return np.array([slow_oracle.scale(a, form, m, t, 0) for a in acc]) + zeros[1]


def by_float32(sums, n, scales, zeros, offset, way):
    factor, zero = F(scales[0]) / F(scales[1]), zeros[0]
    raw = (sums + n * offset).astype(F)
    if way == "away":
        real = (raw * factor + F(-zero) * factor * F(n)).astype(np.float64)
        return np.sign(real) * np.floor(np.abs(real) + 0.5) + zeros[1]
    return np.rint(raw * factor + (F(zeros[1]) - F(zero * n) * factor))


WAYS = {
    "intgold": (by_multiplier, "single"),
    "tflm": (by_multiplier, "double"),
    "litert_reference": (by_multiplier, "double"),
    "litert_optimised_x86": (by_float32, "away"),
    "xnnpack": (by_float32, "even"),
}


LACKING = {("litert_reference", "int8"), ("tflm", "uint8")}


@pytest.mark.parametrize(
    ("contract", "dtype"),
    [(c, d) for c in WAYS for d in ("int8", "uint8") if (c, d) not in LACKING],
)
def test_every_sum(contract, dtype):
    """With halves, zero points at either end, sums beyond int8, which are clamped."""
    offset = 128 if dtype == "uint8" else 0
    formula, form = WAYS[contract]
    clamped = 0
    for *scales, zero, y_zero in CASES:
        zeros, n = (zero + offset, y_zero + offset), 7
        model = convert(file(scales, zeros, n, dtype), contract_named(contract), "m")
        values, sums = rows(n)
        wanted = formula(sums, n, scales, zeros, offset, form) - offset
        got = both_engines(model, [(values + offset).astype(dtype).reshape(-1, n, 1, 1)])
        assert np.array_equal(got.ravel(), np.clip(wanted, -128, 127))
        clamped += int(np.count_nonzero(np.abs(wanted) > 200))
    assert clamped


def test_engines_round_sums_differently():
    """Halves tell them apart: s_x / s_y of 1 / 2."""
    values, sums = rows(3)
    found = {}
    for contract in ("tflm", "litert_optimised_x86", "xnnpack", "intgold"):
        model = convert(file((0.25, 0.5), (0, 0), 3), contract_named(contract), "m")
        found[contract] = both_engines(model, [values.astype(np.int8).reshape(-1, 3, 1, 1)]).ravel()
    at = dict(zip(sums.tolist(), range(len(sums)), strict=True))
    assert [found["xnnpack"][at[s]] for s in (-5, -3, 1, 3, 5)] == [-2, -2, 0, 2, 2]
    assert [found["litert_optimised_x86"][at[s]] for s in (-5, -3, 1, 3, 5)] == [-3, -2, 1, 2, 3]
    for contract in ("tflm", "intgold"):
        assert [found[contract][at[s]] for s in (-5, -3, 1, 3, 5)] == [-2, -1, 1, 2, 3]


@pytest.mark.parametrize(
    ("contract", "dtype", "axes", "why"),
    [
        ("litert_reference", "int8", (1, 2), "LiteRT reference kernels: its kernel on int8 writes"),
        ("tflm", "uint8", (1, 2), "TFLite Micro reference kernels: no kernel for it on uint8"),
        ("xnnpack", "int8", (0,), r"axes \[0\]: over the batch, or over none"),
    ],
)
def test_refused(contract, dtype, axes, why):
    with pytest.raises(ImportFileError, match=rf"^op 0 \(SUM\): {why}"):
        convert(file((0.1, 0.2), (0, 0), 4, dtype, axes), contract_named(contract), "m")


def test_a_scale_that_is_no_normal_float32():
    """XNNPACK does not take it; the smallest normal one it does."""
    tiny = np.finfo(F).tiny
    convert(file((tiny, 0.2), (0, 0), 4), contract_named("xnnpack"), "m")
    below = np.nextafter(tiny, F(0))
    why = r"^op 0 \(SUM\): input 0 has a scale of 1.1754942e-38, which is no normal float32$"
    with pytest.raises(ImportFileError, match=why):
        convert(file((below, 0.2), (0, 0), 4), contract_named("xnnpack"), "m")
    convert(file((below, 0.2), (0, 0), 4), contract_named("tflm"), "m")
