"""Ctrl-C, and SIGTERM: one line, at once, no traceback, no process left, nothing half-written."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import main
from intgold.cli import selftest as command
from intgold.support import workers
from intgold.support.workers import Workers
from intgold.vectors.sets.generate import write_set

SOURCES = str(Path(intgold.__file__).parents[1])
PROGRAM = Path(sys.executable).parent / "intgold"
SECONDS = 1.0
"""Within which a command ends; other work on the machine may take as long again."""

LONG = {
    "regress": "regress -o out",
    "vectors": "vectors lut --count 5000 -o out",
    "vectors_jobs": "vectors lut --count 5000 --jobs 2 -o out",
    "vectors_op": "op-vectors conv2d --random 2000 -o out",
    "sweep": "sweep mnist --images x.npy --calibrate x.npy --csv out.csv",
    "compare": "compare --images x.npy --json out.json",
    "bench": "bench lut --rounds 5000",
    "verify": "verify set --dut set",
    "signatures": "signatures set --tile 1,1,1 -o out.txt",
    "selftest": "selftest --graphs 100000",
    "predict": "predict lut x.npy --backend golden --save-input out.npy",
    "contracts": "contracts tflm xnnpack --probes 10000",
    "train": "train --quick -o out",
}
MODULES = ["-c", "import sys; from intgold.__main__ import main; sys.exit(main())"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Enough images, and a set that takes seconds to check."""
    folder = tmp_path_factory.mktemp("inputs")
    np.save(folder / "x.npy", np.resize(np.arange(251, dtype=np.uint8), (10_000, 28, 28)))
    write_set(intgold.load(), folder / "set", count=1000, backend="c", formats=["hex"])
    return folder


class Running:
    """A command in a process group of its own, as a shell starts it."""

    all = []

    def __init__(self, folder, line, program=(PROGRAM,)):
        self.process = subprocess.Popen(
            [*program, *line.split()], cwd=folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.all.append(self)
        status = Path(f"/proc/{self.process.pid}/status")
        while not _catches(status.read_text(), signal.SIGTERM):  # Python itself starts
            assert self.process.poll() is None
            time.sleep(0.001)

    def stop(self, number=signal.SIGINT):
        """Signal the whole group, as a terminal does; return seconds, status and stderr."""
        assert self.process.poll() is None, "ended before the signal"
        started = time.monotonic()
        os.killpg(self.process.pid, number)
        err = self.process.communicate(timeout=60)[1]
        return time.monotonic() - started, self.process.returncode, err

    def workers(self):
        """Return the processes that work for it."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [n for task in tasks for n in task.read_text().split()]
        return [
            int(n) for n in children if b"spawn_main" in Path(f"/proc/{n}/cmdline").read_bytes()
        ]

    def hold_amid_results(self, folder, blocks):
        """Stop it, once N blocks are written, until its workers can send no more to it."""
        deadline = time.monotonic() + 60
        while _blocks(folder) < blocks:
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(self.process.pid, signal.SIGSTOP)
        before = None
        while before != (before := [_worked(n) for n in self.workers()]):
            time.sleep(0.3)
        assert len(before) == 2

    def left(self):
        """Whether a process of the group is still there, a moment later."""
        for _ in range(200):
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.01)
        return True


def _blocks(folder):
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(".*.partial/journal"))


def _worked(process):
    """Return the processor's time that a process took; one that waits takes no more."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]


def _catches(status, number):
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def stopped(running, number, word, ended_by=None):
    """Stop it; check time, status, the one line, and that nobody is left."""
    took, status, err = running.stop(number)
    number = ended_by or number
    lines = [line for line in err.splitlines() if line.startswith("intgold")]
    told = [line for line in err.splitlines() if line not in lines]
    assert status == 128 + number and len(lines) == 1 and word in lines[0], err
    assert all(" of " in line for line in told), err  # progress
    assert "Traceback" not in err and not running.left()
    assert took < 2 * SECONDS
    return took, lines[0]


@pytest.fixture(autouse=True)
def nobody_left():
    """A test that fails leaves no process either."""
    yield
    while Running.all:
        process = Running.all.pop().process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(autouse=True)
def linux():
    if not Path("/proc/self/status").exists():
        pytest.skip("reads /proc")


@pytest.mark.parametrize("name", LONG)
def test_a_long_command_ends_in_a_line(name, inputs, tmp_path, full):
    """At its start, while modules load, and in its work: 130, one line, nothing that it wrote."""
    if name == "train":
        for tool in ("torch", "pytorch_optimizer", "MNIST"):
            tools.need(tool)
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    given = {*tmp_path.iterdir()}
    moments = (0, 0.05, 0.2, 0.4, 0.8, 1.6, 3.2) if full else (1.4,)
    longest = 0.0
    for moment in moments:
        running = Running(tmp_path, LONG[name])
        time.sleep(moment)
        took, line = stopped(running, signal.SIGINT, "interrupted")
        longest = max(longest, took)
        made = {p.name for p in {*tmp_path.iterdir()} - given}
        kept = {n for n in made if n.endswith(".partial")}
        assert made <= kept | ({"out"} if name == "golden" else set()), made
        assert all(n in line for n in kept)
    tools.said.append(f"SIGINT at {name}: ended within {longest:.2f} s")


@pytest.mark.parametrize("program", [(PROGRAM,), (sys.executable, "-m", "intgold")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_from_the_first_import_on(program, number, tmp_path):
    """Whatever is being loaded, by either way to start it: a line and no traceback."""
    words = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "closed"}
    for moment in (0, 0.02, 0.1):
        running = Running(tmp_path, "regress -o out", program)
        time.sleep(moment)
        stopped(running, number, words[number])
    assert list(tmp_path.iterdir()) == []


def test_little_is_loaded_before_signals_are_taken():
    """Until then a signal is Python's own matter: only what handling them needs comes before."""
    code = "import sys; import intgold.__main__; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
                         check=True, env={**os.environ, "PYTHONPATH": SOURCES})  # fmt: skip
    loaded = {name for name in run.stdout.split() if name.startswith("intgold")}
    support = {"intgold.support", "intgold.support.interrupts", "intgold.support.moved"}
    assert loaded == {"intgold", "intgold.__main__", *support}
    assert not {"typing", "threading", "pathlib", "numpy", "re"} & set(run.stdout.split())


@pytest.mark.parametrize("program", [(PROGRAM,), (sys.executable, "-m", "intgold")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_numpy_is_loaded(program, number, tmp_path):
    """It stands for all that takes long to load: here a module of its name that takes a minute."""
    slow = "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "numpy.py").write_text(slow)
    running = subprocess.Popen(
        [*program, "selftest"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert running.stdout.readline() == "loading\n"
    running.send_signal(number)
    err = running.communicate(timeout=20)[1]
    word = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[number]
    assert (running.returncode, err) == (128 + number, f"intgold: {word}\n")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_whole_is_kept_and_gone_on_with(jobs, tmp_path):
    """The line names the hidden folder; the same command starts from there, to the same bytes."""
    line = f"vectors lut --count 1500 --format bin --jobs {jobs} -o set"
    running = Running(tmp_path, line)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        journal = [*tmp_path.glob(".set.*.partial/journal")]
        if journal and journal[0].read_bytes().count(b"\n") > 3:
            break
        time.sleep(0.01)
    _, told = stopped(running, signal.SIGTERM, "terminated")
    (hidden,) = tmp_path.iterdir()
    assert f"what is whole is kept in {hidden}: the same command goes on from there" in told
    assert " of 1,500 images" in told
    blocks = (hidden / "journal").read_bytes().count(b"\n")
    assert blocks > 1
    subprocess.run([PROGRAM, *line.split(), "-q"], cwd=tmp_path, check=True)
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    write_set(intgold.load(), tmp_path / "quiet", count=1500, formats=["bin"], backend="c")
    for path in (tmp_path / "quiet").rglob("*.*"):
        assert (
            path.read_bytes()
            == (tmp_path / "set" / path.relative_to(tmp_path / "quiet")).read_bytes()
        )


def test_with_large_results_under_way(full, tmp_path):
    """Megabytes half sent by a worker hold up nobody; the set of all the runs is as one run's."""
    count = 2500 if full else 500
    line = f"vectors lut --count {count} --format bin --jobs 2 -o set"
    signals = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
    for number in [*signals] * (8 if full else 1):
        wanted = max(2, _blocks(tmp_path) + 1)
        running = Running(tmp_path, line)
        running.hold_amid_results(tmp_path, wanted)
        os.killpg(running.process.pid, number)  # seen when it goes on
        _, told = stopped(running, signal.SIGCONT, signals[number], number)
        assert _blocks(tmp_path) >= wanted and "what is whole is kept in" in told
    line += " --backend c -q"  # quicker
    subprocess.run([PROGRAM, *line.split()], cwd=tmp_path, check=True)
    write_set(intgold.load(), tmp_path / "single", count=count, formats=["bin"], backend="c")
    assert {p.name for p in tmp_path.iterdir()} == {"set", "single"}
    made, single = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("set", "single")
    )
    assert made == single


def test_a_second_signal_ends_it_at_once(tmp_path):
    """Somebody who presses twice does not wait for what is tidied."""
    script = (
        "import sys, time; from intgold.cli import main, selftest\n"
        "def call(options):\n"
        "    try:\n        print('ready', flush=True); time.sleep(60)\n"
        "    finally:\n        print('tidy', flush=True); time.sleep(60)\n"
        "selftest.call = call\nsys.exit(main(['selftest']))"
    )
    running = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    for word in ("ready\n", "tidy\n"):
        assert running.stdout.readline() == word
        running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) == 130


def test_an_ignored_signal_stays_ignored(tmp_path):
    """As nohup and `&` in scripts have it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = Running(tmp_path, "regress -o out")
    finally:
        signal.signal(signal.SIGHUP, before)
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    stopped(running, signal.SIGINT, "interrupted")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError, intgold.IntgoldError])
def test_however_a_signal_ends_a_command(kind, capsys, monkeypatch):
    """A library that makes another exception of it does not hide it; handlers are put back."""

    def call(options):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise kind from None

    monkeypatch.setattr(command, "call", call)
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    assert main(["selftest"]) == 130
    err = capsys.readouterr().err
    assert err == "intgold selftest: interrupted; nothing half-written is left; run it again\n"
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_worker_that_is_killed_is_a_line(tmp_path):
    """As by a system that runs out of memory: an error, not a traceback."""
    running = Running(tmp_path, "vectors lut --count 5000 --jobs 2 -o out")
    deadline = time.monotonic() + 60
    while len(workers := running.workers()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(workers[0], signal.SIGKILL)
    err = running.process.communicate(timeout=60)[1]
    assert running.process.returncode == 2 and "Traceback" not in err
    assert err.splitlines()[-1].startswith("intgold vectors: a worker process was killed")
    assert not running.left() and list(tmp_path.iterdir()) == []


def test_workers_that_are_killed_amid_a_result_are_a_line(tmp_path):
    """The part of a result that arrived is not waited on."""
    running = Running(tmp_path, "vectors lut --count 1000 --format bin --jobs 2 -o out")
    running.hold_amid_results(tmp_path, 2)
    for worker in running.workers():
        os.kill(worker, signal.SIGKILL)
    took, status, err = running.stop(signal.SIGCONT)
    assert status == 2 and took < 2 * SECONDS
    assert err.splitlines()[-1].startswith("intgold vectors: a worker process was killed")
    assert not running.left() and list(tmp_path.iterdir()) == []


def script(folder, *lines):
    """Run a script of these lines there; return the result."""
    (folder / "script.py").write_text("\n".join(lines) + "\n")
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=60
    )


CALLS = {
    "write_set": "from intgold.vectors.sets.generate import write_set\n"
        "write_set(intgold.load('lut'), 'set', count=4, jobs=2, formats=['hex'])",
    "selftest": "from intgold.regression.selftest import compare_shipped\n"
        "compare_shipped(['lut'], count=4, processes=2)",
    "Workers": "from intgold.support.workers import Workers\n"
        "with Workers(1) as pool:\n    pool.submit(abs, -1).result()",
}  # fmt: skip
"""What starts processes, in a script of a user's."""


@pytest.mark.parametrize("way", ["unguarded", "stdin", "exits", "guarded"])
@pytest.mark.parametrize("name", CALLS)
def test_a_script_that_cannot_be_loaded_again_is_told_so(name, way, tmp_path):
    """Without a guard, from a pipe, or where loading it ends the process: no talk of memory, and
    nothing is left; with the guard it works.
    """
    text = f"import intgold\n{CALLS[name]}\n"
    guarded = 'if __name__ == "__main__":\n' + "".join(f"    {t}\n" for t in text.splitlines())
    text = {"guarded": guarded, "exits": guarded + "else:\n    raise SystemExit(3)\n"}.get(
        way, text
    )
    (tmp_path / "script.py").write_text(text)
    done = subprocess.run(
        [sys.executable, *(["-"] if way == "stdin" else ["script.py"])], cwd=tmp_path,
        input=text if way == "stdin" else "", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    left = {p.name for p in tmp_path.iterdir()} - {"script.py"}
    if way == "guarded":
        assert done.returncode == 0 and left == ({"set"} if name == "write_set" else set())
        return
    status = 3 if way == "exits" else 1
    assert done.returncode == 1 and left == set()
    assert done.stderr.splitlines()[-1] == (
        f"intgold.errors.IntgoldError: a worker process could not start (exit status {status}): "
        "a script that uses several processes must be a file, and do its work under "
        'if __name__ == "__main__":'
    )
    assert "memory" not in done.stderr


@pytest.mark.parametrize("after", [0, 1])
def test_why_a_worker_ended_is_said(after):
    """Killed by any signal, before its first answer or later, or ended by itself later."""
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with pytest.raises(intgold.IntgoldError, match="a worker process was killed, perhaps"):
            _end_one(after, signal.raise_signal, number)
    told = "ended by itself, with exit status 7" if after else r"could not start \(exit status 7\)"
    with pytest.raises(intgold.IntgoldError, match=f"a worker process {told}"):
        _end_one(after, os._exit, 7)


def _end_one(after, *call):
    with Workers(1) as pool:
        for _ in range(after):
            assert pool.submit(abs, -1).result(timeout=60) == 1
        pool.submit(*call).result(timeout=60)


def test_a_worker_that_is_starting_sees_no_signal(tmp_path):
    """Whatever reaches the group while Python loads there: no traceback, and it works. The first
    process that a program starts is started differently from the others.
    """
    done = script(
        tmp_path,
        "import os, sys",
        "from intgold.support import workers",
        "class Hit(workers._Worker):",
        "    def __init__(self, first):",
        "        super().__init__(first)",
        "        for number in workers.WORDS:",
        "            os.kill(self.process.pid, number)",
        "if __name__ == '__main__':",
        "    workers._Worker = Hit",
        "    with workers.Workers(2) as pool:",
        "        print(list(pool.map(abs, [-1, -2, -3, -4])))",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2, 3, 4]\n", "")


def test_no_worker_starts_after_the_end(monkeypatch):
    """A thread that was about to start one finds that all is over; nobody waits for its work."""

    class MainFirst:
        """A lock that other threads get once the main thread had it."""

        def __enter__(self):
            if threading.current_thread() is not threading.main_thread():
                waiting.set()
                assert passed.wait(60)
            lock.acquire()

        def __exit__(self, *error):
            lock.release()
            if threading.current_thread() is threading.main_thread():
                passed.set()

    lock, waiting, passed = threading.Lock(), threading.Event(), threading.Event()
    monkeypatch.setattr(workers, "_STARTING", MainFirst())
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), Workers(1) as pool:
        late = pool.submit(time.sleep, 30)
        assert waiting.wait(60)
        raise ZeroDivisionError
    assert time.monotonic() - started < 20 and pool._workers == []
    with pytest.raises(intgold.IntgoldError, match="stopped"):
        late.result(timeout=0)
