"""What is written is whole or not there: full disks, kills, odd places and odd names."""

import contextlib
import errno
import os
import resource
import shutil
import signal
import stat
import sys
import threading
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tqdm import tqdm

import tools
from intgold import IntgoldError, VectorError
from intgold.exporters import write_c
from intgold.quantize.calibrate import Ranges
from intgold.quantize.inference import FloatNetwork, Layer
from intgold.support import folder_replacement
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest

MODEL, OTHER = random_model(0), random_model(12)


def network(scale):
    """A network small enough to be written hundreds of times."""
    weights = np.full((3, 16), scale, np.float32)
    layer = Layer("fc", "fully_connected", weights, np.zeros(3, np.float32))
    return FloatNetwork("small", (4, 4, 1), (layer,))


def ranges(scale):
    return Ranges({"fc": (-scale, scale)}, 3, "minmax")


WRITERS = {
    "model": lambda path, i: (MODEL, OTHER)[i].save(path),
    "network": lambda path, i: network(1.0 + i).save(path),
    "ranges": lambda path, i: ranges(1.0 + i).save(path),
    "c": lambda path, i: write_c([(MODEL, OTHER)[i]], path),
    "set": lambda path, i: write_set(MODEL, path, count=1, seed=i),
}
"""Everything that writes: version 0 or 1 of something to a path."""


def content(path):
    """The bytes below a path; None where there is nothing."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file())
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in found}
    return path.read_bytes() if path.exists() else None


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """What each writer writes, by name: a pair that differs."""
    made = {}
    for name, write in WRITERS.items():
        pair = []
        for i in (0, 1):
            path = tmp_path_factory.mktemp(name) / "x"
            write(path, i)
            pair.append(content(path))
        assert pair[0] != pair[1] and None not in pair
        made[name] = pair
    return made


@contextlib.contextmanager
def largest_file(size):
    """Let no file grow beyond `size`: EFBIG at that byte, in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk(name, tmp_path, versions):
    """An error at any byte: one of ours that names the path; only the old content stays."""
    path, write = tmp_path / "x", WRITERS[name]
    whole = versions[name][1]
    largest = len(whole) if isinstance(whole, bytes) else max(map(len, whole.values()))
    for old in (None, versions[name][0]):
        if old is not None:
            write(path, 0)
        for size in {0, 1, largest // 3, largest - 1}:
            with largest_file(size), pytest.raises(IntgoldError, match="cannot write .*large"):
                write(path, 1)
            assert content(path) == old
            assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["x"])
    write(path, 1)
    assert content(path) == whole


@pytest.mark.parametrize("name", WRITERS)
def test_a_failure_at_the_last_step(name, tmp_path, versions, monkeypatch):
    """The rename itself fails: only the old content stays."""
    path, write = tmp_path / "x", WRITERS[name]
    write(path, 0)

    def fail(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder_replacement, "_swap", lambda *paths: False)
    kept = os.rename
    for failing in (1, 2):
        calls = []

        def rename(*paths, failing=failing, calls=calls):
            calls.append(paths)
            return fail() if len(calls) == failing else kept(*paths)

        monkeypatch.setattr(os, "replace", fail)
        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(IntgoldError, match="No space left"):
            write(path, 1)
        assert content(path) == versions[name][0]
        assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.fixture
def own_lock():
    """A lock of the progress bars that a killed child does not take with it."""
    before = tqdm.get_lock()
    tqdm.set_lock(threading.RLock())
    yield
    tqdm.set_lock(before)


def killed_at(step, write):
    """Fork a child that writes and is killed by SIGKILL at its C call number `step`.

    Returns False when it ended before.
    """
    child = os.fork()
    if child == 0:
        left = [step]

        def count(frame, event, argument):
            if event == "c_call":
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        signal.alarm(60)
        try:
            sys.setprofile(count)
            write()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def calls_of(write):
    """The names of the C functions that a write calls, in order."""
    calls = []

    def count(frame, event, argument):
        if event == "c_call":
            calls.append(argument.__name__)

    sys.setprofile(count)
    try:
        write()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("name", WRITERS)
def test_kill_9(name, tmp_path, versions, full, own_lock):
    """Killed between any two steps: the old content or the new, whole; the rest is hidden.

    The steps about a change of names are all taken; of the others a sample.
    """
    path, write = tmp_path / "x", WRITERS[name]
    for version in (0, 1, 0):  # what is made once is made
        write(path, version)
    calls = calls_of(lambda: write(path, 1))
    write(path, 0)
    steps = len(calls)
    last = max(i for i, call in enumerate(calls) if call in ("chmod", "rename", "replace"))
    chosen = {*range(last - 20, min(last + 30, steps))}
    chosen |= set(Random(name).choices(range(steps), k=400 if full else 40))
    kills, left = 0, set()
    for step in sorted(chosen):
        kills += killed_at(step, lambda: write(path, 1))
        found = content(path)
        assert found in versions[name], f"killed at step {step} of {steps}"
        for leftover in {*tmp_path.iterdir()} - {path}:  # so that every run has as many steps
            left.add(leftover.name)
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        if found == versions[name][1]:
            write(path, 0)
    assert kills >= 0.9 * len(chosen) and left, "no kill fell into the writing"
    assert all(leftover.startswith(".x.") for leftover in left)
    write(path, 1)
    assert content(path) == versions[name][1]
    tools.said.append(f"kill -9 while a {name} is written: {kills} of {steps} steps")


@pytest.mark.parametrize("name", WRITERS)
def test_kill_9_at_random(name, tmp_path, versions, full, own_lock):
    """The same at moments of the clock, while a child writes over and over."""
    path, write = tmp_path / "x", WRITERS[name]
    rng = Random(name)
    write(path, 0)
    for _ in range(100 if full else 12):
        child = os.fork()
        if child == 0:
            try:
                for i in range(10**6):
                    write(path, i % 2)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0.001, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert content(path) in versions[name]
    assert all(p.name == "x" or p.name.startswith(".x.") for p in tmp_path.iterdir())
    write(path, 1)
    assert content(path) == versions[name][1]


def odd_places(tmp_path):
    """Places where nothing can be written: (what, path, what must stay as it is)."""
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_bytes(b"mine")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to_pipe").symlink_to("pipe")
    return {
        "below a file": tmp_path / "file" / "x",
        "folder": tmp_path / "folder",
        "pipe": tmp_path / "pipe",
        "link to a pipe": tmp_path / "to_pipe",
        "long": tmp_path / ("x" * 300),
        "loop": tmp_path / "loop" / "x",
    }


@pytest.mark.parametrize("name", WRITERS)
def test_odd_places(name, tmp_path):
    """What is there and no plain file (for a set: no set) stays what it is; nothing is left."""
    places = odd_places(tmp_path)
    before = {p: p.lstat().st_mode for p in tmp_path.rglob("*")}
    for what, path in places.items():
        with pytest.raises(IntgoldError) as caught:
            WRITERS[name](path, 0)
        assert str(path) in str(caught.value), what
        assert {p: p.lstat().st_mode for p in tmp_path.rglob("*")} == before, what
    assert (tmp_path / "folder" / "mine").read_bytes() == b"mine"


def test_a_device_is_never_replaced(tmp_path):
    """Nor is it written to; the superuser may do both."""
    device = tmp_path / "full"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    except PermissionError:
        device = Path("/dev/full")
    for name in ("model", "ranges", "c", "network", "set"):
        with pytest.raises(IntgoldError):
            WRITERS[name](device, 0)
        assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize("name", WRITERS)
def test_links_stay_links(name, tmp_path, versions):
    """What a link names is written; the link stays."""
    (tmp_path / "there").mkdir()
    WRITERS[name](tmp_path / "there" / "x", 0)
    (tmp_path / "link").symlink_to("there/x")
    WRITERS[name](tmp_path / "link", 1)
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "there" / "x") == versions[name][1]
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["x"]


@pytest.mark.parametrize("name", WRITERS)
def test_the_longest_name(name, tmp_path, versions):
    """A name of 255 bytes is no longer with what a temporary one adds."""
    path = tmp_path / ("漢" * 85)
    WRITERS[name](path, 0)
    assert content(path) == versions[name][0]


def test_no_path_is_not_the_current_folder(tmp_path, monkeypatch):
    """`-o ""`, as of an unset variable, does not replace the folder one works in."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    monkeypatch.chdir(tmp_path / "mine")
    for name, write in WRITERS.items():
        with pytest.raises(IntgoldError):
            write("", 0)
        assert (tmp_path / "mine" / "notes").read_text() == "mine", name
        assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_set_of_more_files_than_may_be_open(tmp_path):
    """A deep model needs more files than a process may have at a time."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    model = max(map(random_model, range(60)), key=lambda m: len(m.ops))
    used = {int(name) for name in os.listdir("/proc/self/fd")}
    few = next(n for n in range(10**6) if n - len([u for u in used if u < n]) == 8)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
    try:
        write_set(model, tmp_path / "set", count=2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    _, listed = read_manifest(tmp_path / "set")
    assert sum(file.role in ("output", "accumulator") for file in listed) > 16


def test_an_unreadable_folder(tmp_path, monkeypatch):
    """What cannot be listed is not replaced."""

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "set").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(VectorError, match="Permission denied"):
        write_set(MODEL, tmp_path / "set", count=1)
