"""Golden model and C engine give the same bits: every op, random graphs, any thread count."""

import threading
import tracemalloc

import numpy as np
import pytest

from agreement import assert_equal, assert_same_run
from intgold import golden, native
from intgold.ops.table import OPS
from intgold.vectors.cases.random_models import random_inputs, random_model

GRAPHS, FULL_GRAPHS = 480, 20_000


def test_random_graphs(full):
    """Every tensor and accumulator of hundreds of random graphs; every op is among them."""
    seen = dict.fromkeys(OPS, 0)
    for seed in range(FULL_GRAPHS if full else GRAPHS):
        model = random_model(seed)
        x = random_inputs(model, 3, seed)
        want = model.run(x, backend="golden", trace=True)
        for isa in native.variants():
            got = model.run(x, trace=True, isa=isa)
            assert_same_run(want, got, f"seed {seed} {isa}")
        for op in model.ops:
            seen[op.kind] += len(np.unique(want.tensors[op.output])) > 1
    assert min(seen.values()) >= 20, f"hardly exercised: {seen}"


@pytest.mark.parametrize("name", list(OPS))
def test_single_functions(name, full):
    """native.<op> equals golden.<op>, with and without the engine around it."""
    varied = 0
    for seed in range(400 if full else 40):
        model = random_model(seed, (name,), max_ops=1)
        op = model.ops[0]
        x = random_inputs(model, 3, seed)
        arrays = [x[n] for n in op.inputs]
        want = golden.FUNCTIONS[name](*arrays, **model.arguments(op))
        got = native.FUNCTIONS[name](*arrays, **model.arguments(op))
        if not op.spec.accumulator:
            want, got = (want,), (got,)
        for a, b in zip(want, got, strict=True):
            assert_equal(a, b, f"seed {seed}")
        varied += len(np.unique(want[0])) > 1
    assert varied >= 10


def test_untraced_runs_equal_traced_ones():
    """The arena, the packed tables and the caller's buffers give the bits of the trace."""
    for seed in range(120):
        model = random_model(seed)
        x = random_inputs(model, 4, seed)
        traced = model.run(x, trace=True)
        plain = model.run(x)
        assert plain.tensors == {} and plain.accumulators == {}
        for name in model.outputs:
            assert_equal(traced.tensors[name], plain.outputs[name], f"seed {seed} {name}")


@pytest.mark.parametrize("threads", [2, 3, 7, 64])
def test_any_number_of_threads_gives_the_same_bytes(threads):
    """Image ranges of every length, more threads than images among them."""
    for seed in range(30):
        model = random_model(seed)
        x = random_inputs(model, 11, seed)
        assert_same_run(
            model.run(x, trace=True), model.run(x, threads=threads, trace=True), f"seed {seed}"
        )


def test_a_model_may_be_run_from_several_threads():
    """Each caller gets a context of its own; nobody sees another's values."""
    model = random_model(3)
    batches = [random_inputs(model, 5, seed) for seed in range(8)]
    wanted = [model.run(x, backend="golden").output for x in batches]
    failures = []

    def work(i):
        for _ in range(50):
            if not np.array_equal(model.run(batches[i], threads=1 + i % 3).output, wanted[i]):
                failures.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({w.tobytes() for w in wanted}) > 1 and failures == []


def test_results_do_not_share_memory_with_later_runs():
    """A prepared context is kept, but what a run gave stays as it was."""
    model = random_model(5)
    first = model.run(random_inputs(model, 2, 0), trace=True)
    copies = {n: a.copy() for n, a in first.tensors.items()}
    model.run(random_inputs(model, 2, 1), trace=True)
    for name, array in copies.items():
        assert_equal(array, first.tensors[name], name)


def test_golden_chunks_do_not_change_a_bit(monkeypatch):
    """The golden model works in chunks of images; their size does not matter."""
    from intgold.run import backends

    model = random_model(0)
    x = random_inputs(model, 9, 0)
    want = model.run(x, backend="golden", trace=True)
    monkeypatch.setattr(backends, "_CHUNK_VALUES", 1)
    assert_same_run(want, model.run(x, backend="golden", trace=True), "chunks of one image")


def _peak(function, *arguments, **keywords):
    """Return the result and the most bytes that NumPy held for it."""
    tracemalloc.start()
    try:
        result = function(*arguments, **keywords)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_padding_costs_no_memory(full):
    """The largest stride and padding: nine outputs, of which one sees the image.

    C gives the same with the largest padding of either axis (with both in `make prove`).
    """
    x = np.array([[[[7]]]], np.int8)
    slide = {"stride": (2**15, 2**15), "padding": (2**15,) * 4, "dilation": (1, 1)}
    weights = {"weights": np.array([[[[3]]]], np.int8), "weight_zero_point": np.zeros(1, np.int8)}
    fields = {"bias": np.array([5], np.int32), "requantize": None, "act_min": 0, "act_max": 0}
    points = {"x_zero_point": -1, "y_zero_point": 0}
    (y, _), peak = _peak(golden.conv2d, x, **slide, **weights, **fields, **points)
    assert y.ravel().tolist() == [5, 5, 5, 5, 29, 5, 5, 5, 5] and peak < 2**20
    for far in ((2**15, 2**15, 0, 0), (0, 0, 2**15, 2**15), *([slide["padding"]] if full else [])):
        slide["padding"] = far
        y = golden.conv2d(x, **slide, **weights, **fields, **points)[0]
        assert y.max() == 29 and (y == 5).sum() == y.size - 1 >= 2
        assert np.array_equal(native.conv2d(x, **slide, **weights, **fields, **points)[0], y)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_large_pools_cost_no_memory(name):
    """A window of 64 by 64 does not hold its 4096 cells at once."""
    x = np.random.default_rng(0).integers(-128, 128, (1, 96, 96, 8)).astype(np.int8)
    arguments = {"kernel": (64, 64), "stride": (1, 1), "padding": (63, 0, 5, 40)}
    arguments |= {"act_min": -128, "act_max": 127}
    if name == "avg_pool2d":
        arguments |= {"form": "centred_away", "x_zero_point": 3, "y_zero_point": -2}
    want, peak = _peak(golden.FUNCTIONS[name], x, **arguments)
    got = native.FUNCTIONS[name](x, **arguments)
    if name == "max_pool2d":
        want, got = (want,), (got,)
    for a, b in zip(want, got, strict=True):
        assert_equal(a, b, name)
    assert peak < 64 * x.nbytes
