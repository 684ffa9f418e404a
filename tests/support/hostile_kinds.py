"""The kinds of damaged files: how one is drawn, what reads it, what a success must say."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

import intgold
import mutated_models
import mutated_zips
import mutations
from intgold.cli import main
from intgold.quantize.calibrate import calibrate
from intgold.quantize.inference import FloatNetwork, Layer
from intgold.quantize.quantizer import quantize_network
from intgold.support.safe_files import canonical_json
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.sets.generate import write_set


@dataclass
class Case:
    """A damaged file, the command that reads it, and what is to be said of a success.

    `answer` returns what is wrong with the output of a command that took the file, or None.
    """

    label: str
    arguments: list[str | Path]
    named: tuple[Path, ...]
    answer: Callable[[int, str], str | None]


class Base:
    """Valid files of every kind, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        weights = np.random.default_rng(3)

        def layer(name: str, kind: str, *shape: int, **more: object) -> Layer:
            w, b = weights.normal(size=shape), weights.normal(size=shape[0])
            return Layer(name, kind, w.astype(np.float32), b.astype(np.float32), **more)

        self.network = FloatNetwork("small", (6, 6, 1), (
            layer("conv1", "conv2d", 3, 3, 3, 1, padding=(1, 1, 1, 1)), Layer("relu1", "relu"),
            layer("conv2", "conv2d", 4, 2, 2, 3), Layer("selu2", "selu"),
            Layer("pool", "max_pool2d", kernel=(2, 2), stride=(2, 2)),
            Layer("gap", "global_avg_pool"), layer("fc", "fully_connected", 5, 4),
        ))  # fmt: skip
        self.images = weights.integers(0, 256, (6, 6, 6)).astype(np.uint8)
        floats = self.images[..., np.newaxis].astype(np.float32) / 255
        self.ranges = calibrate(self.network, floats)
        self.model = quantize_network(self.network, self.ranges)
        self.network.save(folder / "network.npz")
        self.ranges.save(folder / "ranges.json")
        self.model.save(folder / "model.npz")
        np.save(folder / "images.npy", self.images)
        self.idx = struct.pack(">BBBBIII", 0, 0, 8, 3, *self.images.shape) + self.images.tobytes()
        self.labels = self.model.predict(self.images).astype(np.uint8)
        self.random = [self.model, *map(random_model, range(26))]
        for i, model in enumerate(self.random):
            model.save(folder / f"random{i}.npz")
        write_set(random_model(0), folder / "set", count=2)
        self.accepted: dict[str, str] = {}

    def zip_of(self, name: str) -> dict[str, bytes]:
        """The members of one of the valid archives."""
        return mutated_zips.members_of((self.folder / name).read_bytes())

    def success(self, *arguments: str | Path) -> str:
        """What a command says of valid files."""
        key = " ".join(map(str, arguments))
        if key not in self.accepted:
            status, out, err = run([str(a) for a in arguments])
            assert status == 0 and not err, err
            self.accepted[key] = out
        return self.accepted[key]


def run(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command in this process, without progress: a busy machine may be slow."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([arguments[0], "-q", *arguments[1:]])
    return status, out.getvalue(), err.getvalue()


def engines_agree(model: intgold.Model) -> str | None:
    """Run a legal model on both engines, unless it asks for more work than a test should do."""
    if work(model) > 2**21:
        return None
    x = random_inputs(model, 2, 1)
    slow, fast = (model.run(x, backend=b, trace=True) for b in ("golden", "c"))
    for ours, theirs in ((slow.tensors, fast.tensors), (slow.accumulators, fast.accumulators)):
        for name, tensor in ours.items():
            if tensor.dtype != theirs[name].dtype or not np.array_equal(tensor, theirs[name]):
                return f"golden and C differ in {name}"
    return None


def work(model: intgold.Model) -> int:
    """About how many multiplications an image takes."""
    total = sum(t.size for t in model.tensors)
    for op in model.ops:
        taps = op["weights"].size if "weights" in op.fields else 1
        if "kernel" in op.fields:
            taps = op["kernel"][0] * op["kernel"][1]
        total += max(taps, model.tensor(op.output).size * taps)
    return total


# --- kinds ---------------------------------------------------------------------------------------


def model(rng: Random, base: Base, folder: Path) -> Case:
    """An artefact with damaged bytes: refused, or it is the same model."""
    number = rng.randrange(len(base.random))
    valid = base.folder / f"random{number}.npz"
    whole = valid.read_bytes()
    if rng.random() < 0.5:
        label, data = mutations.damage(rng, whole)
    else:
        members = base.zip_of(valid.name)
        kind = rng.choice(("zip", "zip", "npy", "json"))
        if kind == "zip":
            label, data = mutated_zips.archive(rng, members)
        else:
            name = "model.json" if kind == "json" else rng.choice([*members][1:] or [*members])
            change = mutations.npy if name != "model.json" else mutations.json_text
            label, members[name] = change(rng, members[name])
            data = mutated_zips.zip_bytes([(n.encode(), d) for n, d in members.items()])
    path = folder / "model.npz"
    path.write_bytes(data)
    tail: list[str | Path] = []
    command = rng.choice(("info", "vectors", "predict")) if number == 0 else "info"
    if command == "predict":
        tail = [base.folder / "images.npy"]
    elif command == "vectors":
        tail = ["--count", "1", "-o", folder / "out"]
    wanted = base.success("info", valid)

    def answer(status: int, out: str) -> str | None:
        loaded = intgold.load(path)
        if loaded.sha256 not in wanted:
            return "another model was taken for the valid one"
        return engines_agree(loaded)

    return Case(label, [command, path, *tail], (path,), answer)


def rehashed_model(rng: Random, base: Base, folder: Path) -> Case:
    """An artefact changed under right digests: refused, or legal and alike on both engines."""
    members = base.zip_of(f"random{rng.randrange(len(base.random))}.npz")
    label, changed = mutated_models.model(rng, *mutated_models.read(members))
    path = folder / "model.npz"
    mutated_models.write(path, changed)
    return Case(label, ["info", path], (path,), lambda *_: engines_agree(intgold.load(path)))


def vector_set(rng: Random, base: Base, folder: Path) -> Case:
    """A set with one changed file or entry, its digests as they were: never taken."""
    target = folder / "set"
    shutil.copytree(base.folder / "set", target)
    files = sorted(p for p in target.rglob("*") if p.is_file())
    path = rng.choice([*files, *[target / "manifest.json"] * 8])
    whole = path.read_bytes()
    if path.name == "manifest.json" and rng.random() < 0.6:
        label, data = mutations.json_file(rng, json.loads(whole))
    else:
        label, data = mutations.damage(rng, whole)
    path.write_bytes(data)
    if rng.random() < 0.15:
        label = _place_something_else(rng, path)
    same = path.is_file() and not path.is_symlink() and path.read_bytes() == whole
    arguments: list[str | Path] = ["verify", target, "--dut", base.folder / "set"]
    return Case(
        f"{path.name}: {label}", arguments, (target,), lambda *_: None if same else "a changed set"
    )


def _place_something_else(rng: Random, path: Path) -> str:
    """Put what is no plain file, or nothing, where a file was."""
    path.unlink()
    what = rng.choice(("nothing", "folder", "zero", "pipe", "loop", "dangling", "surplus"))
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what in ("zero", "loop", "dangling"):
        path.symlink_to({"zero": "/dev/zero", "loop": path, "dangling": "nowhere"}[what])
    elif what == "surplus":
        path.with_name("surplus.npy").write_bytes(b"")
    return what


def rehashed_set(rng: Random, base: Base, folder: Path) -> Case:
    """A set changed under right digests: refused, or it still reads as its files say."""
    target = folder / "set"
    shutil.copytree(base.folder / "set", target)
    label = mutated_models.manifest(rng, target)
    arguments: list[str | Path] = ["verify", target, "--dut", target]
    return Case(
        label,
        arguments,
        (target,),
        lambda status, out: None if status == 0 else "differs from itself",
    )


def dump(rng: Random, base: Base, folder: Path) -> Case:
    """A device's dump with one changed file: equal or not, as an independent reading says."""
    target = folder / "dut"
    shutil.copytree(base.folder / "set", target)
    path = rng.choice(sorted((target / rng.choice(("outputs", "accumulators"))).iterdir()))
    whole = path.read_bytes()
    change = mutations.npy if path.suffix == ".npy" and rng.random() < 0.6 else mutations.damage
    label, data = change(rng, whole)
    path.write_bytes(data)
    twin = path.with_suffix(".hex" if path.suffix == ".npy" else ".npy")
    if rng.random() < 0.7:
        twin.unlink()
    if rng.random() < 0.1:
        label = _place_something_else(rng, path)
        if path.name in label or label in ("surplus", "nothing"):
            twin.unlink(missing_ok=True)

    def answer(status: int, out: str) -> str | None:
        if not path.exists():
            return None if status == 0 else "differs in a file that is not there"
        bits = 8 * np.load(base.folder / "set" / path.parent.name / f"{path.stem}.npy").itemsize
        equal = np.array_equal(_values(path.read_bytes(), bits), _values(whole, bits))
        return None if status == (0 if equal else 1) else f"status {status} of {equal=}"

    arguments: list[str | Path] = ["verify", base.folder / "set", "--dut", target]
    return Case(f"{path.name}: {label}", arguments, (target,), answer)


def _values(data: bytes, bits: int) -> np.ndarray:
    """The values of a .npy or hex file, read by other means than intgold's."""
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data), allow_pickle=False).ravel().astype(np.int64)
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    words = [w for line in lines for w in line.split(b"//")[0].split(b"#")[0].split()]
    half = 2 ** (bits - 1)
    return np.array([(int(w, 16) + half) % (2 * half) - half for w in words])


def _array(data: bytes) -> np.ndarray:
    """The array of an image file, read by other means than intgold's."""
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data), allow_pickle=False)
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def _image_data(rng: Random, npy: bytes, idx: bytes) -> mutations.Mutation:
    kind = rng.choice(("npy", "npy bytes", "idx", "idx bytes", "gzip"))
    if kind == "npy":
        label, data = mutations.npy(rng, npy)
    elif kind == "idx":
        label, data = mutations.idx(rng, idx)
    elif kind == "gzip":
        label, data = mutations.gzipped(rng, idx)
    else:
        label, data = mutations.damage(rng, npy if kind == "npy bytes" else idx)
    return f"{kind}: {label}", data


def images(rng: Random, base: Base, folder: Path) -> Case:
    """A file of images: refused, or answered as the same array handed over."""
    whole = (base.folder / "images.npy").read_bytes()
    label, data = _image_data(rng, whole, base.idx)
    path = folder / "images"
    path.write_bytes(data)

    def answer(status: int, out: str) -> str | None:
        array = np.ascontiguousarray(_array(data)).reshape(-1, 6, 6)
        wanted = base.model.predict(array).tolist()
        return None if [int(line) for line in out.split()] == wanted else "other answers"

    if rng.random() < 0.3:
        arguments = ["vectors", base.folder / "model.npz", "--stimulus", path, "--count", "2",
                     "-o", folder / "out"]  # fmt: skip
        return Case(label, arguments, (path,), lambda *_: None)
    return Case(label, ["predict", base.folder / "model.npz", path], (path,), answer)


def labels(rng: Random, base: Base, folder: Path) -> Case:
    """A file of labels: refused, or the accuracy is that of the same array."""
    npy = mutations.npy_bytes(base.labels)
    idx = struct.pack(">BBBBI", 0, 0, 8, 1, len(base.labels)) + base.labels.tobytes()
    label, data = _image_data(rng, npy, idx)
    path = folder / "labels"
    path.write_bytes(data)

    def answer(status: int, out: str) -> str | None:
        right = int((_array(data) == base.labels).sum())
        return None if out.startswith(f"{right} of {len(base.labels)} right") else "other accuracy"

    arguments = ["predict", base.folder / "model.npz", base.folder / "images.npy"]
    return Case(label, [*arguments, "--labels", path], (path,), answer)


def network(rng: Random, base: Base, folder: Path) -> Case:
    """A float network: refused, or what is made of it is legal."""
    members = base.zip_of("network.npz")
    path, out = folder / "network.npz", folder / "out.npz"
    same = False
    if rng.random() < 0.5:
        if rng.random() < 0.5:
            label, data = mutations.damage(rng, (base.folder / "network.npz").read_bytes())
        else:
            label, data = mutated_zips.archive(rng, members)
        same = True  # the checksums of a zip let no other values pass
        path.write_bytes(data)
    else:
        label, changed = mutated_models.network(rng, members)
        mutated_models.write(path, changed)
    source: list[str | Path] = ["--ranges", base.folder / "ranges.json"]
    named = (path,)
    if rng.random() < 0.3:
        source = ["--images", base.folder / "images.npy"]
        named = (path, base.folder / "images.npy")  # which no longer fit
    return Case(label, ["quantize", path, *source, "-o", out], named, _made(base, out, same))


def ranges(rng: Random, base: Base, folder: Path) -> Case:
    """Calibration ranges: refused, or what is made with them is legal."""
    path, out = folder / "ranges.json", folder / "out.npz"
    label, data = mutations.json_file(rng, json.loads((base.folder / "ranges.json").read_bytes()))
    if rng.random() < 0.3:
        label, value = "reals", json.loads((base.folder / "ranges.json").read_bytes())
        ends = rng.choice(list(value["layers"].values()))
        extreme = rng.choice((0.0, 5e-324, 1e-300, 1e-30, 1e300, 1.7e308))
        ends[:] = [(-extreme).hex(), ends[1]] if rng.random() < 0.5 else [ends[0], extreme.hex()]
        if rng.random() < 0.5:
            ends[:] = [(-extreme).hex(), extreme.hex()]
        data = canonical_json(value)
    path.write_bytes(data)
    arguments = ["quantize", base.folder / "network.npz", "--ranges", path, "-o", out]
    return Case(label, arguments, (path,), _made(base, out, False))


def _made(base: Base, out: Path, same: bool) -> Callable[[int, str], str | None]:
    def answer(status: int, said: str) -> str | None:
        if same and intgold.load(out).sha256 != base.model.sha256 and "100" in said:
            return "another network was taken for the valid one"
        return engines_agree(intgold.load(out))

    return answer


def absurd(rng: Random, base: Base, folder: Path) -> Case:
    """A legal model of a few kilobytes that asks for as much memory as one can."""
    size, pad = rng.choice((1, 2**6, 2**12, 2**14)), rng.choice((0, 100, 2**12, 2**13, 2**15))
    kernel, channels = rng.choice((1, 3, 30)), rng.choice((1, 16))
    window = {"padding": (pad,) * 4, "stride": (1, 1)}
    clamp, table = {"act_min": -128, "act_max": 127}, np.zeros(256, np.int8)
    chains: dict[str, Callable[[], intgold.Model]] = {
        "conv2d": lambda: chain("int8", (size, size, 1), "conv2d", {
            **window, **clamp, "dilation": (1, 1), "weight_zero_point": np.zeros(1, np.int8),
            "weights": np.ones((channels, kernel, kernel, 1), np.int8), "weight_scale": None,
            "bias": np.zeros(channels, np.int32), "requantize": intgold.Requantize.of(2**30, 40),
        }),
        "max_pool2d": lambda: chain("int8", (size, size, 1), "max_pool2d", {
            **window, **clamp, "kernel": (pad + 1, pad + 1), "stride": (pad + 1, pad + 1),
        }),
        "lut": lambda: chain("int8", (size, size, channels), "lut", {"table": table}),
        "many": lambda: chain("int32", (1,), "argmax", {}, 20_000),
    }  # fmt: skip
    label = rng.choice(list(chains))
    path = folder / "model.npz"
    try:
        chains[label]().save(path)
    except intgold.ModelError:  # beyond the limits of SPEC 3
        intgold.load("lut").save(path)
    backend = "c" if label == "max_pool2d" else rng.choice(("c", "golden"))
    arguments: list[str | Path] = ["vectors", path, "--count", "2", "-o", folder / "out"]
    arguments += ["--backend", backend, "--formats", "npy"]
    if rng.random() < 0.3 or label == "many":
        arguments = ["info", path]
    arguments.append("-q")  # no progress of what takes a second or more
    return Case(f"{label} {size=} {pad=} {kernel=} {channels=}", arguments, (), lambda *_: None)


def chain(
    dtype: str, shape: tuple[int, ...], kind: str, fields: dict[str, object], count: int = 1
) -> intgold.Model:
    """Return a model of `count` ops of a kind in a row."""
    tensors, ops = [intgold.Tensor("t0", shape, dtype)], []
    for i in range(count):
        op = intgold.Op(kind, f"op{i}", (f"t{i}",), f"t{i + 1}", fields)
        made = op.spec.shape(op.fields, [tensors[-1].shape])
        tensors.append(intgold.Tensor(op.output, made, op.spec.output_dtype(op.fields)))
        ops.append(op)
    return intgold.Model("absurd", tensors, ops, ["t0"], [tensors[-1].name])


KINDS: dict[str, Callable[[Random, Base, Path], Case]] = {
    f.__name__: f
    for f in (
        model, rehashed_model, vector_set, rehashed_set, dump, images, labels, network, ranges,
        absurd,
    )
}  # fmt: skip
