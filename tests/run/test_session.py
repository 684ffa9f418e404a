"""Sessions: the one way into the C engine, checked, without copies, from any number of threads."""

import gc
import os
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

import intgold
from intgold import EngineError, InputError, Model, Op, Tensor, native
from intgold.native.thread_pool import chunk_schedule, run_chunks
from intgold.run.session import sessions_of
from intgold.vectors.cases.random_models import random_inputs, random_model


def two_ends():
    """Two inputs, two outputs of different dtypes."""
    table = np.arange(-128, 128).astype(np.int8)
    return Model(
        "two",
        [Tensor(n, (2, 3)) for n in ("a", "b", "c", "d")],
        [
            Op("lut", "first", ("a",), "c", {"table": table[::-1].copy()}),
            Op("lut", "second", ("b",), "d", {"table": table}),
        ],
        ["a", "b"],
        ["d", "c"],
    )


def test_a_session_is_the_golden_model():
    """Random graphs: outputs, and with a trace every tensor and accumulator, in order."""
    for seed in range(40):
        model = random_model(seed)
        x = random_inputs(model, 3, seed)
        want = model.run(x, backend="golden", trace=True)
        for isa in native.variants():
            session = model.prepare(isa)
            plain, traced = session.run(x), session.run(x, trace=True)
            assert list(plain.outputs) == list(model.outputs) and plain.tensors == {}
            assert list(traced.tensors) == [op.output for op in model.ops]
            for name, array in want.tensors.items():
                assert np.array_equal(array, traced.tensors[name]), (seed, isa, name)
            for name, array in want.accumulators.items():
                assert np.array_equal(array, traced.accumulators[name]), (seed, isa, name)
            for name, array in want.outputs.items():
                assert array.dtype == plain.outputs[name].dtype
                assert np.array_equal(array, plain.outputs[name]), (seed, isa, name)


def test_a_model_keeps_its_sessions():
    """The same session for the same choices; packed weights are shared between thread counts."""
    model = intgold.load()
    session = model.prepare()
    assert model.prepare("auto", 1) is session
    other = model.prepare(threads=2)
    assert other is not session and other._native_model is session._native_model
    assert (session.name, session.isa, session.threads) == ("mnist_lut", native.isa_name(), 1)
    assert session.arena_size > 7217 and "mnist_lut" in repr(session)


def test_run_goes_through_the_session(monkeypatch):
    """Model.run on C is Session.run: there is no second path."""
    model, x = intgold.load(), np.zeros((1, 28, 28, 1), np.int8)
    calls = []
    monkeypatch.setattr(intgold.Session, "run", lambda self, *a, **k: calls.append((self, a, k)))
    model.run(x, threads=3, trace=True)
    assert calls == [(model.prepare(threads=3), (x,), {"trace": True})]


def test_a_session_outlives_its_model_and_dies_with_it():
    """No cycle keeps packed weights alive; a session that somebody holds works on."""
    model = random_model(1)
    x = random_inputs(model, 2, 0)
    want = model.run(x, backend="golden").output
    held, gone = model.prepare(), weakref.ref(model.prepare(threads=2))
    gc.disable()
    try:
        del model
        assert gone() is None
    finally:
        gc.enable()
    assert np.array_equal(held.run(x).output, want)


def test_outputs_may_be_given():
    """`out` is written, is the result, and holds the same bits; nothing else is allocated."""
    model = two_ends()
    x = random_inputs(model, 5, 0)
    want = model.run(x, backend="golden").outputs
    out = {n: np.full((5, 2, 3), 99, np.int8) for n in ("c", "d")}
    for threads in (1, 2):
        got = model.prepare(threads=threads).run(x, out=out, trace=threads == 2)
        for name, array in want.items():
            assert got.outputs[name] is out[name] and np.array_equal(out[name], array)
            out[name][:] = 99
    lut = intgold.load()
    image = np.zeros((1, 28, 28, 1), np.int8)
    logits = np.empty((1, 10), np.int32)
    assert lut.prepare().run(image, out=logits).output is logits
    assert np.array_equal(logits, lut.run(image, backend="golden").output)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 28, 28, 1), np.uint8), "input image: uint8 instead of an array of int8"),
        (np.zeros((28, 28, 1), np.int8), r"input image: shape \(28, 28, 1\) instead of \(n, 28, "),
        (np.zeros((1, 28, 28), np.int8), r"input image: shape \(1, 28, 28\)"),
        (np.zeros((), np.int8), r"input image: shape \(\)"),
        (np.zeros((0, 28, 28, 1), np.int8), "input image: no images"),
        ([[0]], r"input image: list \[\[0\]\] instead of an array of int8: numpy.array"),
        ({"other": None}, "input 'other' is unknown; inputs: image"),
    ],
)  # fmt: skip
def test_bad_inputs_are_refused(x, message):
    """By both engines, in the same words, and before C sees an address."""
    model = intgold.load()
    for call in (model.prepare().run, lambda x: model.run(x, backend="golden")):
        with pytest.raises(InputError, match=message):
            call(x)


def test_bad_outputs_are_refused():
    model, x = intgold.load(), np.zeros((2, 28, 28, 1), np.int8)
    session = model.prepare()
    frozen = np.zeros((2, 10), np.int32)
    frozen.flags.writeable = False
    for out, message in (
        (np.zeros((2, 10), np.int8), "output logits: int8 instead of an array of int32"),
        (np.zeros((2, 9), np.int32), r"output logits: shape \(2, 9\) instead of \(n, 10"),
        (np.zeros((3, 10), np.int32), "output logits: 3 images, the inputs have 2"),
        (np.zeros((10, 2), np.int32).T, "output logits: not in C order"),
        (frozen, "output logits: cannot be written"),
        ({"a": frozen}, "output 'a' is unknown; outputs: logits"),
    ):
        with pytest.raises(InputError, match=message):
            session.run(x, out=out)
    two = two_ends()
    a = np.zeros((2, 2, 3), np.int8)
    with pytest.raises(InputError, match="output c: shares memory"):
        two.prepare().run({"a": a, "b": a}, out={"c": a, "d": a.copy()})
    with pytest.raises(InputError, match="outputs d, c: give them by name"):
        two.prepare().run({"a": a, "b": a}, out=a)
    with pytest.raises(InputError, match="input b: 1 images, another has 2"):
        two.prepare().run({"a": a, "b": a[:1]})


def test_bad_choices_are_refused():
    model = intgold.load()
    model.prepare(threads=1)
    for threads in (True, 1.0, 0, 1025, "1"):  # True and 1.0 equal 1, which is prepared
        with pytest.raises(InputError, match="is not a number from 1 to 1024"):
            model.prepare(threads=threads)
    with pytest.raises(EngineError, match="'mmx' does not run here"):
        model.prepare("mmx")


def test_inputs_are_not_copied_or_written():
    """A read-only view serves; a batch is read where it lies."""
    model = intgold.load()
    batch = np.random.default_rng(0).integers(-128, 128, (7, 28, 28, 1)).astype(np.int8)
    view = batch[2:5]
    view.flags.writeable = False
    before = batch.copy()
    for threads in (1, 2):
        got = model.prepare(threads=threads).run(view).output
        assert np.array_equal(got, model.run(before[2:5], backend="golden").output)
    assert np.array_equal(batch, before)


def test_one_session_serves_many_threads():
    """Eight callers of one session, and of one that has threads itself."""
    model = random_model(3)
    batches = [random_inputs(model, 5, seed) for seed in range(8)]
    wanted = [model.run(x, backend="golden").output for x in batches]
    sessions, failures = [model.prepare(threads=n) for n in (1, 3)], []

    def work(i):
        for turn in range(60):
            if not np.array_equal(sessions[turn % 2].run(batches[i]).output, wanted[i]):
                failures.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({w.tobytes() for w in wanted}) > 1 and failures == []


def test_many_threads_prepare_one_model():
    """The sessions that a model keeps are looked through while others are put there."""
    before, failures = sys.getswitchinterval(), []

    def work(model, first):
        try:
            for threads in range(first, 60, 4):
                model.prepare(threads=threads)
        except RuntimeError as error:
            failures.append(error)

    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            model = random_model(3)
            workers = [threading.Thread(target=work, args=(model, i)) for i in (1, 2, 3, 4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
    finally:
        sys.setswitchinterval(before)
    assert failures == [] and len(sessions_of(model)) == 59


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_pieces_cover_a_batch(threads):
    """Every image once, in order; large pieces first, the last ones short."""
    for count in (2, 3, 5, 64, 1000, 2048, 100_001):
        pieces = chunk_schedule(count, threads)
        assert [i for piece in pieces for i in piece] == list(range(count))
        lengths = [len(piece) for piece in pieces]
        assert min(lengths) >= 1 and lengths == sorted(lengths, reverse=True)
        if count >= 1000 and threads < 64:
            assert lengths[0] == count // (2 * threads) and lengths[-1] <= count // (threads * 50)
            assert len(lengths) < 40 * threads


def test_an_error_in_a_thread_comes_out():
    """And the other threads take no further piece."""
    seen = []

    def work(pieces):
        for piece in pieces.pop_chunks():
            seen.append(piece)
            if threading.current_thread().name.startswith("intgold"):
                raise MemoryError("no room")
            while len(seen) < 2:  # until the other thread has a piece, too
                pass

    with pytest.raises(MemoryError, match="no room"):
        run_chunks(work, 10**6, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_threads_of_its_own():
    model = random_model(3)
    x = random_inputs(model, 9, 0)
    session = model.prepare(threads=3)
    want = session.run(x).output
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(session.run(x).output, want) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_prepared_model_can_be_pickled():
    model = intgold.load()
    model.prepare()
    assert pickle.loads(pickle.dumps(model)).sha256 == model.sha256


def test_sessions_end_with_their_model():
    """They are kept as long as the model lives; one that the caller holds works on."""
    model = random_model(3)
    x = random_inputs(model, 2, 3)
    held, kept = model.prepare(), weakref.ref(model.prepare(threads=2))
    want = model.run(x).outputs
    del model
    gc.collect()
    assert kept() is None
    for name, array in held.run(x).outputs.items():
        assert np.array_equal(array, want[name])
