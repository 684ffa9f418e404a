"""Sets of any size: jobs, shards, kills and compression change no byte; no damage passes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import product
from random import Random

import numpy as np
import pytest

import intgold
from intgold import IntgoldError, VectorError
from intgold.cli import main
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.memory.layout import Layout
from intgold.vectors.sets import plan
from intgold.vectors.sets.generate import merge_sets, write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.verify.comparison import verify

BANKED = Layout(rules=(("output", (("word_bits", 32), ("banks", 2))),))
CHOICES = {
    "plain": dict(formats=["hex", "npy", "ihex"]),
    "gz": dict(formats=["bin", "mif"], compression="gz", layout=BANKED),
    "zst": dict(formats=["coe", "memb"], compression="zst", partials="ic:3,ky"),
}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(plan, "_BLOCK_IMAGES", 3)


def content(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    assert found
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def deep():
    """A model with a convolution of several channels."""
    return next(
        m for m in map(random_model, range(99))
        if any(o.kind == "conv2d" and o["weights"].shape[3] > 3 for o in m.ops)
    )  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_shards_make_the_whole(name, tmp_path, small_blocks):
    """Pieces of any number, merged in any order: the bytes of the single run."""
    model, images = deep(), "0-12,20,30-33"
    write_set(model, tmp_path / "whole", images=images, **CHOICES[name])
    whole = content(tmp_path / "whole")
    for shards in (1, 2, 5):
        parts = [tmp_path / f"{shards}_{k}" for k in range(shards)]
        for k, part in enumerate(parts):
            write_set(model, part, images=images, shards=shards, shard=k, **CHOICES[name])
        seen = [r for part in parts for r in read_manifest(part)[0].images]
        assert sum(b - a for a, b in seen) == 18
        merge_sets(parts[::-1], tmp_path / "merged")
        assert content(tmp_path / "merged") == whole
    with pytest.raises(VectorError, match="shard 4 of 5 is missing"):
        merge_sets(parts[:4], tmp_path / "x")
    with pytest.raises(VectorError, match="twice"):
        merge_sets([*parts, parts[0]], tmp_path / "x")
    with pytest.raises(VectorError, match="not a shard"):
        merge_sets([tmp_path / "whole"], tmp_path / "x")
    write_set(model, parts[1], images=images, shards=5, shard=1, seed=9, **CHOICES[name])
    with pytest.raises(VectorError, match="of another set"):
        merge_sets(parts, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_jobs_change_no_byte(tmp_path):
    """One process and four, golden and C; nothing but the sets is left."""
    model = intgold.load()
    for i, (jobs, backend) in enumerate([(1, "golden"), (4, "golden"), (4, "c")]):
        write_set(model, tmp_path / str(i), count=150, formats=["bin"], compression="gz",
                  jobs=jobs, backend=backend, ops=["conv1"])  # fmt: skip
    assert content(tmp_path / "0") == content(tmp_path / "1") == content(tmp_path / "2")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "1", "2"]


SCRIPT = """
import sys
import intgold
from intgold.vectors.sets import plan
from intgold.vectors.sets.generate import write_set
plan._BLOCK_IMAGES = 2
write_set(intgold.load(), sys.argv[1], count=60, formats=["hex", "bin"], backend="c",
          compression=sys.argv[2], jobs=int(sys.argv[3]))
"""


@pytest.mark.parametrize(("compression", "jobs"), [("", 1), ("gz", 1), ("zst", 2)])
def test_kills_at_random_moments(compression, jobs, full, tmp_path):
    """SIGKILL again and again; what is whole is kept, the end has the bytes of a quiet run."""
    command = [sys.executable, "-c", SCRIPT, tmp_path / "set", compression, str(jobs)]
    start = time.monotonic()
    subprocess.run([*command[:3], tmp_path / "quiet", *command[4:]], check=True)
    took = time.monotonic() - start
    quiet, rng = content(tmp_path / "quiet"), Random(compression)
    kills = resumed = 0
    while kills < (50 if full else 3) or not resumed:
        running = subprocess.Popen(command)
        hidden = [*tmp_path.glob(".set.*")]
        time.sleep(rng.uniform(0.55, 1.0) * took)
        running.send_signal(signal.SIGKILL)
        running.wait()
        if (tmp_path / "set").exists():  # it was done, perhaps just so
            assert content(tmp_path / "set") == quiet
            shutil.rmtree(tmp_path / "set")
            continue
        kills += 1
        resumed += bool(hidden)
        if rng.random() < 0.3:  # and damage on top
            grown = [p for p in tmp_path.glob(".set.*/set/*/*") if p.stat().st_size]
            if grown:
                path = rng.choice(grown)
                data = bytearray(path.read_bytes())
                data[rng.randrange(len(data))] ^= 1
                path.write_bytes(data)
    assert resumed
    subprocess.run(command, check=True)
    assert content(tmp_path / "set") == quiet
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_a_kill_while_the_model_is_written(step, tmp_path):
    """Its temporary file is left in the hidden folder, and the next run goes on."""
    model = intgold.load()
    write_set(model, tmp_path / "quiet", count=4, formats=["bin"])
    child = os.fork()
    if child == 0:
        setattr(os, step, lambda *_: os._exit(9))
        write_set(model, tmp_path / "set", count=4, formats=["bin"])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert any(path.name.startswith(".") and path.is_file() for path in tmp_path.rglob("*"))
    write_set(model, tmp_path / "set", count=4, formats=["bin"])
    assert content(tmp_path / "set") == content(tmp_path / "quiet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quiet", "set"]


def test_what_is_complete_is_not_redone(tmp_path, small_blocks, monkeypatch):
    """After an interrupt only the blocks that are not there are computed."""
    from intgold.vectors.sets import generate

    model, done = deep(), []
    whole = generate.Producer.block

    def block(self, number, ranges):
        if len(done) == 3 and number == 3:
            done.append("stopped")
            raise KeyboardInterrupt
        done.append(number)
        return whole(self, number, ranges)

    monkeypatch.setattr(generate.Producer, "block", block)
    with pytest.raises(KeyboardInterrupt):
        write_set(model, tmp_path / "set", count=16, formats=["bin"])
    write_set(model, tmp_path / "set", count=16, formats=["bin"])
    assert done == [0, 1, 2, "stopped", 3, 4, 5]
    write_set(model, tmp_path / "other", count=16, formats=["bin"])
    assert content(tmp_path / "other") == content(tmp_path / "set")


@pytest.mark.parametrize("compression", ["", "gz", "zst"])
def test_what_is_damaged_is_not_kept(compression, tmp_path):
    """Files that grow by turns, one damaged in its third part: both go back to the second step."""
    from intgold.vectors.sets.set_writer import SetWriter, packed

    def run(steps, stop):
        writer = SetWriter(tmp_path / "set", "a", ["a", "b"], compression)
        with writer:
            kept = writer.done
            for step in steps[kept:]:
                writer.add({name: packed(compression, data) for name, data in step.items()})
            if stop:
                raise KeyboardInterrupt
            digests = writer.close_files({})
            writer.finish()
        return kept, digests

    steps = [{"a": b"1", "b": b"2"}, {"a": b"33"}, {"a": b"444"}, {"b": b"5"}]
    with pytest.raises(KeyboardInterrupt):
        run(steps, True)
    (path,) = tmp_path.glob(".set.*/set/a")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    kept, resumed = run(steps, False)
    assert kept == 2
    there = content(tmp_path / "set")
    shutil.rmtree(tmp_path / "set")
    assert run(steps, False) == (0, resumed) and content(tmp_path / "set") == there


@pytest.mark.parametrize("compression", ["", "gz", "zst"])
def test_no_damage_passes(compression, full, tmp_path, capsys):
    """A flipped bit or a cut, in any file of a set: exit status 2, and the file is named."""
    model = random_model(0)
    write_set(model, tmp_path / "set", count=2, formats=["hex", "bin"], compression=compression)
    files = sorted(p for p in (tmp_path / "set").rglob("*") if p.is_file())
    names = {p.name for p in files}
    assert {"README.md", "ops.json", "manifest.json", "model.npz"} <= names
    rng = Random(compression)
    for i in range(max(500 if full else 170, len(files))):
        path = files[i % len(files)]
        data = path.read_bytes()
        damaged = bytearray(data)
        if rng.random() < 0.7:
            damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        else:
            del damaged[rng.randrange(len(data)) :]
        path.write_bytes(damaged)
        assert main(["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "set")]) == 2
        said = capsys.readouterr()
        assert path.name in said.err and said.err.count("\n") == 1 and not said.out, path
        path.write_bytes(data)
    assert main(["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "set")]) == 0


def test_memory_does_not_grow(tmp_path):
    """Ten times the images in the same memory, below 300 MB, written and verified."""
    peaks = []
    for count in (300, 3000):
        folder = str(tmp_path / str(count))
        script = (
            "from pathlib import Path; from intgold.cli import main\n"
            f"assert main(['vectors', 'lut', '--count', '{count}', '--format', 'bin', '--backend',"
            f" 'c', '-o', {folder!r}]) == 0\n"
            f"assert main(['verify', {folder!r}, '--dut', {folder!r}]) == 0\n"
            # ru_maxrss would begin with that of the parent
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        )
        out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout
        peaks.append(int(out.split()[-1]) / 1024)
    assert peaks[1] < 300 and peaks[1] < peaks[0] + 32, peaks


def test_choices_of_the_set(tmp_path):
    """Ops bring what they read; images keep their numbers; wrong names are refused."""
    model = intgold.load()
    write_set(model, tmp_path / "s", images="3,7-8", ops=["pool2"], tensors=["conv1"],
              formats=["npy"])  # fmt: skip
    there = {p.relative_to(tmp_path / "s").as_posix() for p in (tmp_path / "s").glob("*/*.npy")}
    assert there == {
        "stimulus/image.npy", "outputs/conv1.npy", "accumulators/conv1.npy", "outputs/selu2.npy",
        "outputs/pool2.npy",
    }  # fmt: skip
    x = intgold.vectors.cases.stimulus.stimulus(model, "builtin", 9)["image"][[3, 7, 8]]
    run = model.run(x, trace=True)
    assert np.array_equal(np.load(tmp_path / "s" / "stimulus" / "image.npy"), x)
    assert np.array_equal(np.load(tmp_path / "s" / "outputs" / "pool2.npy"), run.tensors["pool2"])
    assert verify(tmp_path / "s", tmp_path / "s").missing == 0
    for arguments, message in (
        (dict(ops=["conv9"]), "op 'conv9': none of conv1"),
        (dict(tensors=["conv9"]), "tensor 'conv9'"),
        (dict(ops=["fc", "fc"]), "named twice"),
        (dict(images="5-3"), "no range"),
        (dict(images="1,1"), "appears twice"),
        (dict(images="a"), "not numbers"),
        (dict(partials="kx:0"), "not a loop order"),
        (dict(partials="ky,ky"), "not a loop order"),
        (dict(partials="ky", ops=["pool2"]), "no chosen op has these loops"),
        (dict(shards=3, shard=3), "shard 3 of 3"),
        (dict(shards=99, shard=0), "at most 16"),
        (dict(shards=4), "says which"),
        (dict(formats=["sv"]), "one of arrays"),
        (dict(formats=["hex", "sv"], compression="gz"), "not compressed"),
        (dict(jobs=0), "jobs 0"),
    ):
        with pytest.raises(IntgoldError, match=message):
            write_set(model, tmp_path / "x", **arguments)
        assert [p.name for p in tmp_path.iterdir()] == ["s"]


def small(tensors, ops):
    """A model of 1x1 max pools in a row, under these names."""
    fields = dict(kernel=(1, 1), stride=(1, 1), padding=(0,) * 4, act_min=-128, act_max=127)
    made = [intgold.Tensor(name, (2, 2, 3)) for name in ("x", *tensors)]
    steps = zip(ops, ("x", *tensors), tensors, strict=False)
    pools = [intgold.Op("max_pool2d", name, (a,), b, fields) for name, a, b in steps]
    return intgold.Model("m", made, pools, ["x"], [tensors[-1]])


WIDE = Layout(rules=(("output", (("word_bits", 64),)),))
Y_BANKED = Layout(rules=(("outputs/y", (("banks", 2),)),))


@pytest.mark.parametrize(
    ("tensors", "ops", "arguments"),
    [
        (("y", "Y"), ("a", "b"), dict(formats=["c"])),
        (("y", "Y"), ("a", "b"), dict(formats=["hex", "sv"])),
        (("y", "Y"), ("a", "b"), dict(layout=BANKED, ops=["a"])),
        (("a", "b"), ("P", "p"), dict(formats=["hex", "sv"])),
        (("y", "y_byte"), ("p", "q"), dict(layout=WIDE)),
        (("y", "y_bank0"), ("p", "q"), dict(layout=Y_BANKED, formats=["c"])),
    ],
)
def test_names_that_constants_cannot_tell_apart(tensors, ops, arguments, tmp_path):
    """A model whose names give one constant twice is refused by that format, before any file."""
    model = small(tensors, ops)
    write_set(model, tmp_path / "set", count=1)
    with pytest.raises(VectorError, match="twice: names of the model"):
        write_set(model, tmp_path / "other", count=1, **arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_shards_of_another_stimulus(tmp_path):
    """The images that a shard does not hold count too: of other ones no whole is made."""
    rng = np.random.default_rng(0)
    model = random_model(0)
    (name,) = model.inputs
    x = {name: rng.integers(-128, 128, (6, *model.tensor(name).shape), np.int8)}
    y = {name: x[name].copy()}
    y[name][0, ...] ^= 1
    write_set(model, tmp_path / "a", source=x, shards=2, shard=0)
    write_set(model, tmp_path / "b", source=y, shards=2, shard=1)
    with pytest.raises(VectorError, match="of another set"):
        merge_sets([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    write_set(model, tmp_path / "b", source=x, shards=2, shard=1)
    with pytest.raises(VectorError, match="one of the shards"):
        merge_sets([tmp_path / "a", tmp_path / "b"], tmp_path / "a")
    merge_sets([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    write_set(model, tmp_path / "d", source=x)
    assert content(tmp_path / "c") == content(tmp_path / "d")


def test_two_runs_of_one_set(tmp_path):
    """The second is told, and the first is not disturbed."""
    from intgold.vectors.sets.set_writer import SetWriter

    with SetWriter(tmp_path / "set", "a", ["x"], "") as first:
        with pytest.raises(VectorError, match="another run is writing it"):
            SetWriter(tmp_path / "set", "b", ["x"], "").__enter__()
        first.add({"x": (b"1", None)})
        assert os.listdir(first.folder) == ["x"]


def passes(loops, extents):
    """What each pass of the innermost loop takes, in order."""
    starts = (range(0, extents[name], step) for name, step in loops)
    for at in product(*starts):
        taken = {name: range(extent) for name, extent in extents.items()}
        for (name, step), start in zip(loops, at, strict=True):
            taken[name] = range(start, min(start + step, extents[name]))
        yield taken


@pytest.mark.parametrize("order", ["ic:4,ky", "ky,kx", "kx:2,ic:3,bias"])
def test_partials_by_plain_loops(order, tmp_path):
    """The partial sums at every boundary, from only weights and inputs, by plain loops."""
    model = intgold.load()
    write_set(model, tmp_path / "s", images="1,4", ops=["conv2", "fc"], partials=order,
              formats=["npy"])  # fmt: skip
    op, x = model.ops[1], np.load(tmp_path / "s" / "outputs" / "conv1.npy")
    got = np.load(tmp_path / "s" / "partials" / "conv2.npy")
    zero, w = model.tensor("conv1").zero_point, op["weights"].astype(int)
    extents = dict(ky=3, kx=3, ic=8)
    loops = [(n.split(":")[0], int((n + ":1").split(":")[1])) for n in order.split(",")
             if n != "bias"]  # fmt: skip
    rng = Random(order)
    for _ in range(40):
        image, oy, ox, oc = (rng.randrange(n) for n in (2, 28, 28, 16))
        acc, found = (0 if order.endswith("bias") else int(op["bias"][oc])), []
        for taken in passes(loops, extents):
            for ky, kx in product(taken["ky"], taken["kx"]):
                y, at = oy + ky - 1, ox + kx - 1
                if 0 <= y < 28 and 0 <= at < 28:
                    for ic in taken["ic"]:
                        acc += w[oc, ky, kx, ic] * (int(x[image, y, at, ic]) - zero)
            found.append(acc)
        if order.endswith("bias"):
            found.append(acc + int(op["bias"][oc]))
        assert got[image, :, oy, ox, oc].tolist() == found
    last = np.load(tmp_path / "s" / "accumulators" / "conv2.npy")
    assert np.array_equal(got[:, -1], last)
    write_set(model, tmp_path / "c", images="1,4", ops=["conv2", "fc"], partials=order,
              formats=["npy"], backend="c")  # fmt: skip
    assert content(tmp_path / "s") == content(tmp_path / "c")
