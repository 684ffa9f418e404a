"""Means of imported files that no entry of R produces: corrected lines, for every possible sum."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.golden.requantize import scale
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.importers.tflite.formulas.thresholds import alike, thresholds
from intgold.importers.tflite.handlers import means_and_sums
from intgold.importers.tflite.handlers.rounded_sums import _line

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer


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


def file_of(shape, scales, zeros, dtype="int8", axes=(1, 2), keep=True):
    """A graph of MEAN."""
    w = Writer()
    x = w.tensor(shape, dtype, scales[0], zeros[0])
    held = w.tensor((len(axes),), "int32", data=np.array(axes))
    kept = [(1 if i in axes else n, i in axes) for i, n in enumerate(shape)]
    y = w.tensor([n for n, gone in kept if keep or not gone], dtype, scales[1], zeros[1])
    w.op("MEAN", [x, held], y, 2, "ReducerOptions", KeepDims=keep)
    return parse(w.finish([x], [y]))


def mean(contract, graph, values):
    """What a contract's model produces from images: golden = C."""
    model = convert(graph, contract_named(contract), "mean")
    golden, c = (model.run(values, backend=b).output for b in ("golden", "c"))
    np.testing.assert_array_equal(golden, c)
    return model, golden


def of_sums(sums, n):
    """Rows of n int8 with these sums."""
    return (sums[:, None] // n + (np.arange(n) < sums[:, None] % n)).astype(np.int8)


def as_xnnpack(sums, n, scales, zeros, unsigned):
    """What the delegate produces from sums of int8, step by step in float32."""
    f = np.float32
    factor = f(scales[0]) / f(scales[1]) * (f(1) / f(n))
    bias = f(zeros[1]) - f(zeros[0] * n) * factor
    raw = (sums + (128 * n if unsigned else 0)).astype(f)
    made = np.rint(raw * factor + bias).astype(np.int64)
    return np.clip(made - (128 if unsigned else 0), -128, 127)


def of_every_sum(model, low, high):
    """What a model of one mean produces from each sum less zero points in [low, high], by its
    fields.

    Its first conv2d is a line, the second subtracts digits of a threshold from the sum.
    """
    sums, ops = np.arange(low, high + 1), {kind: [] for kind in ("conv2d", "lut")}
    for op in model.ops:
        ops.setdefault(op.kind, []).append(op)
    line, down, last = ops["conv2d"]
    value = model.tensor(line.output).zero_point
    acc = int(line.fields["weights"].flat[0]) * sums + int(line.fields["bias"][0])
    y = np.clip(scale(acc[:, None], line.fields["requantize"])[:, 0] + value, -128, 127)
    height = line.fields["weights"].shape[1]
    taps = down.fields["weights"].reshape(-1).astype(np.int64)
    assert (taps[:height] == 1).all()
    acc = sums + int(down.fields["bias"][0])
    for i, digit in enumerate(ops["lut"]):
        weight = int(taps[height + i :: len(ops["lut"])].sum())
        zero = model.tensor(digit.output).zero_point
        acc = acc + weight * (digit.fields["table"].astype(np.int64)[y + 128] - zero)
    assert np.abs(acc).max() < 2**31
    lo, hi = down.fields["act_min"], down.fields["act_max"]
    stepped = np.clip(acc + model.tensor(down.output).zero_point, lo, hi)
    zero = model.tensor(last.inputs[0]).zero_point
    ends = y + stepped - 2 * zero + int(last.fields["bias"][0])
    return sums, np.clip(ends + model.tensor(last.output).zero_point, -128, 127)


def drawn(rng, n):
    """Scales and zero points by which many sums are halves."""
    x = np.float32(10 ** rng.uniform(-3, 0))
    ratio = rng.choice([1, 1, 0.5, 2, 0.75, 1.5, 1 / n, 10 ** rng.uniform(-3, 1)])
    return (x, np.float32(x * ratio)), [
        int(rng.choice([-128, 127, 0, rng.integers(-128, 128)])) for _ in "xy"
    ]


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_small_means_of_every_sum(dtype):
    """XNNPACK's rule for every possible sum, by scales and zero points that make halves common."""
    rng, kinds = np.random.default_rng(0), set()
    unsigned = dtype == "uint8"
    for n in [1, 2, 3, 5, 7, 12, 16, 25, 36, 48, 49, 56, 64, 63] * 3:
        scales, zeros = drawn(rng, n)
        zeros = [z + 128 * unsigned for z in zeros]
        sums = np.arange(-128 * n, 127 * n + 1)
        values = of_sums(sums, n)
        graph = file_of((1, 1, n, 1), scales, zeros, dtype)
        model, made = mean("xnnpack", graph, values[:, None, :, None])
        wanted = as_xnnpack(sums, n, scales, zeros, unsigned)
        np.testing.assert_array_equal(made.ravel(), wanted, str((n, scales, zeros)))
        kinds.add(len(model.ops))
    assert min(kinds) == 1 and max(kinds) > 10  # an entry of R, a corrected line


@pytest.mark.parametrize("ratio", [1, 7, 300])
def test_steep_means_are_a_table(ratio, monkeypatch):
    """Outputs of which a sum leaves out values: at most 256 sums are between the ends."""
    monkeypatch.setattr(means_and_sums, "_match_float32", lambda *_: None)
    n, scales, zeros = 9, (np.float32(0.5), np.float32(0.5 / 9 / ratio)), [-3, 11]
    sums = np.arange(-128 * n, 127 * n + 1)
    graph = file_of((1, 3, 3, 1), scales, zeros)
    model, made = mean("xnnpack", graph, of_sums(sums, n).reshape(-1, 3, 3, 1))
    np.testing.assert_array_equal(made.ravel(), as_xnnpack(sums, n, scales, zeros, False))
    assert [op.kind for op in model.ops] == ["reshape", "conv2d", "lut", "reshape"]


def test_large_means_of_every_sum(full):
    """The same for images of up to 300x300, by the fields of the model, which is small."""
    rng, seen = np.random.default_rng(1), 0
    sizes = [42 * 42, 56 * 56, 49 * 10, 1000, 112 * 112] * 3
    if full:
        sizes = [*sizes, 224 * 224, 65_793, 300 * 300] * 3
    for n in sizes:
        scales, zeros = drawn(rng, n)
        unsigned = bool(rng.integers(2))
        dtype, zeros = ("uint8", [z + 128 for z in zeros]) if unsigned else ("int8", zeros)
        graph = file_of((1, n, 1, 5), scales, zeros, dtype)
        model = convert(graph, contract_named("xnnpack"), "mean")
        if len(model.ops) < 10:
            continue
        seen += 1
        less = zeros[0] - 128 * unsigned
        sums, made = of_every_sum(model, (-128 - less) * n, (127 - less) * n)
        wanted = as_xnnpack(sums + less * n, n, scales, zeros, unsigned)
        np.testing.assert_array_equal(made, wanted, str((n, scales, zeros, dtype)))
        arrays = [v for op in model.ops for v in op.fields.values() if isinstance(v, np.ndarray)]
        assert sum(a.nbytes for a in arrays) < 2.05 * n + 1500
    assert seen > len(sizes) // 4


def test_a_mean_over_42x42():
    """Refused once for 7,201,200 constants; sums next to every half, golden = C = the rule."""
    rng, n = np.random.default_rng(2), 42 * 42
    scales, zeros = (np.float32(0.0235), np.float32(0.0235)), [3, -7]
    for _ in range(100):  # one that no entry of R produces
        zeros = [int(z) for z in rng.integers(-128, 128, 2)]
        graph = file_of((1, 42, 42, 16), scales, zeros)
        if len(convert(graph, contract_named("xnnpack"), "mean").ops) > 1:
            break
    halves = rng.permutation(np.repeat((np.arange(-128, 127) * n) + n // 2, 3)[: 16 * 47])
    sums = np.clip(halves + rng.integers(-1, 2, halves.size), -128 * n, 127 * n)
    values = of_sums(sums, n).reshape(47, 16, n).swapaxes(1, 2).reshape(47, 42, 42, 16)
    _, made = mean("xnnpack", graph, np.ascontiguousarray(values))
    wanted = as_xnnpack(sums, n, scales, zeros, False)
    np.testing.assert_array_equal(made.ravel(), wanted)


@pytest.mark.parametrize("axes", [(1, 2), (1,), (2,), (3,), (2, 3), (1, 3), (1, 2, 3)])
def test_corrected_lines_over_any_axes(axes, monkeypatch):
    """Every way that sums lie in an image, whether an entry of R would do or not."""
    monkeypatch.setattr(means_and_sums, "_match_float32", lambda *_: None)
    rng = np.random.default_rng(len(axes))
    for shape in [(1, 13, 5, 7), (1, 3, 11, 2), (1, 40, 1, 9), (1, 2, 3, 200)]:
        n = int(np.prod([shape[a] for a in axes]))
        scales, zeros = (np.float32(0.3), np.float32(0.3)), [-128, 5]
        base = rng.integers(-128, 128, (16, 1, 1, 1)) + rng.integers(-9, 10, (16, *shape[1:]))
        values = np.clip(base, -128, 127).astype(np.int8)
        graph = file_of(shape, scales, zeros, axes=axes, keep=False)
        model, made = mean("xnnpack", graph, values)
        sums = values.astype(np.int64).sum(axis=axes)
        wanted = as_xnnpack(sums, n, scales, zeros, False)
        np.testing.assert_array_equal(made.reshape(wanted.shape), wanted)
        assert "global_avg_pool" not in [op.kind for op in model.ops]


def test_what_is_further_from_a_line_than_one_is_refused():
    """A function that jumps by more than its slope allows: no bits are made up for it."""
    graph = file_of((1, 1, 64, 1), (0.5, 0.5), [0, 0])
    step_of = SimpleNamespace(fail=lambda why: ImportFileError(why))
    jumps = lambda sums: np.where(sums > 100, 90, sums // 64)  # noqa: E731
    low, high = -128 * 64, 127 * 64
    at = thresholds(jumps, low, high)
    with pytest.raises(ImportFileError, match="further from a line"):
        _line(step_of, at, 127, 1 / 64, low, high)
    assert graph.ops[0].kind == "MEAN"


@pytest.mark.parametrize("keep", [True, False])
def test_the_bias_of_xnnpack_is_rounded_before_it_is_added(keep):
    """Sums whose means LiteRT 2.3.0 made -6, -10 and -2, not -5, -9 and -1 as in other orders."""
    sums = np.array([6860, 6636, 7084]) - 56 * 128  # of the stored values: zero point -128
    values = np.full((3, 56), -128, np.int64)
    for row, total in zip(values, sums, strict=True):
        row[:] = total // 56
        row[: total % 56] += 1
    values = values.reshape(3, 7, 8, 1).astype(np.int8)
    graph = file_of((1, 7, 8, 1), (0.5, 0.5), [-128, -128], keep=keep)
    model, made = mean("xnnpack", graph, values)
    assert made.ravel().tolist() == [-6, -10, -2]
    assert len(model.ops) > 10  # no entry of R does it


def test_zero_points_that_come_to_more_than_int8():
    """The optimised kernels add both zero points at the end: 127 + 127 here, as one bias."""
    values = np.arange(-128, 128).repeat(17).reshape(256, 1, 1, 17).astype(np.int8)
    graph = file_of((1, 1, 1, 17), (0.5, 0.5), [-127, 127])
    _, made = mean("litert_optimised_x86", graph, values)
    np.testing.assert_array_equal(made, np.clip(values.astype(int) + 254, -128, 127))
