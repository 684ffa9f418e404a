"""Ctrl-C during a run: it ends within a second, and what is left works on."""

import subprocess
import sys
import time

import numpy as np
import pytest

import intgold
from intgold.native.pace import Pace
from intgold.native.thread_pool import chunk_schedule, run_chunks

PROGRAM = """
import os, signal, sys, threading, time
import numpy as np
import intgold

backend, threads, trace, count = sys.argv[1:]
threads, trace, count = int(threads), trace == "True", int(count)
model = intgold.load("lut")
few = np.random.default_rng(0).integers(-128, 128, (300, 28, 28, 1)).astype(np.int8)
want = model.run(few, backend="golden").output
run = lambda x: model.run(x, backend=backend, threads=threads, trace=trace).output
assert np.array_equal(run(few), want)
many = np.broadcast_to(few[:1], (count, 28, 28, 1)).copy()
out = np.full((count, 10), 7, np.int32)

def interrupt():
    global sent
    time.sleep(0.5)
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    if backend == "c" and not trace:
        model.prepare(threads=threads).run(many, out=out)
    else:
        run(many)
    print("finished")
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - sent)
before = out.copy()
time.sleep(0.3)
print("still" if np.array_equal(out, before) else "written later")
print("partly" if (out != 7).any() and (out == 7).any() else "not given")
print("right" if np.array_equal(run(few), want) else "wrong")
"""


@pytest.mark.parametrize(
    ("backend", "threads", "trace", "count"),
    [
        ("c", 1, False, 400_000),
        ("c", 2, False, 400_000),
        ("c", 1, True, 12_000),
        ("c", 2, True, 12_000),
        ("golden", 1, False, 20_000),
        ("golden", 1, True, 20_000),
    ],
)
def test_ctrl_c(backend, threads, trace, count):
    """A run of many seconds ends at once, no thread writes on, and the next run is right."""
    arguments = [str(argument) for argument in (backend, threads, trace, count)]
    seconds = []
    for _ in range(3):  # other processes can only make it slower
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stderr
        interrupted, still, partly, right = run.stdout.splitlines()
        assert interrupted.startswith("interrupted "), run.stdout
        assert still == "still" and right == "right"
        assert partly == ("partly" if backend == "c" and not trace else "not given")
        seconds.append(float(interrupted.split()[1]))
        if seconds[-1] < 1:
            return
    assert min(seconds) < 1


def test_parts_cover_the_images_and_grow():
    """However long calls take: every image once, in order; calls grow to a tenth of a second."""
    pace = Pace()
    parts = list(pace.parts(range(5, 100_000)))
    assert [i for part in parts for i in part] == list(range(5, 100_000))
    assert len(parts[0]) == 1 and pace.images > 1000


def test_parts_shrink_where_images_are_slow(monkeypatch):
    """A call that took a second is followed by a tenth of its images, never by none."""
    clock = iter(np.arange(0, 1000, 1.0))
    monkeypatch.setattr("intgold.native.pace.perf_counter", lambda: next(clock))
    pace = Pace()
    pace.images = 200
    assert [len(part) for part in pace.parts(range(230))] == [200, 20, 2, *[1] * 8]


def test_threads_stop_where_one_fails():
    """An exception in any thread: the others end after the call at hand, and it is raised."""
    done = []

    def work(pieces):
        for piece in pieces.pop_chunks():
            done.append(piece)
            if len(done) == 3:
                raise ZeroDivisionError
            time.sleep(0.01)

    with pytest.raises(ZeroDivisionError):
        run_chunks(work, 10_000, 2)
    assert len(done) < len(chunk_schedule(10_000, 2))


def test_a_session_keeps_its_bits_in_parts():
    """A batch in many calls of C is one in a single call."""
    model = intgold.load("lut")
    x = np.random.default_rng(1).integers(-128, 128, (5000, 28, 28, 1)).astype(np.int8)
    session = model.prepare()
    want = session.run(x).output
    session._native_model._pace.images = 10**9
    assert np.array_equal(session.run(x).output, want)
    session._native_model._pace.images = 1
    assert np.array_equal(session.run(x).output, want)
