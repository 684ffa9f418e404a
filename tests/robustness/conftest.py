"""Small valid inputs of every kind, for all tests of this folder."""

import numpy as np
import pytest
from PIL import Image

import intgold
import tools
from intgold.cli import main
from intgold.describe.data_sheet import write_sheet
from intgold.exporters import write_c
from intgold.importers import import_tflite
from intgold.quantize.calibrate import calibrate
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.quantize.quantizer import quantize_network
from intgold.vectors.op_vectors.sets import write_op_sets
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import write_signatures
from output_trials import (
    Trial,
    copied,
    detector_file,
    small_file,
)


def _dense(name, *shape):
    values = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return Layer(name, "fully_connected", values, np.zeros(shape[0], np.float32))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """One valid input of each kind, small."""
    folder = tmp_path_factory.mktemp("base")
    network = FloatNetwork("small", (4, 4, 1), (_dense("fc", 3, 16),))
    images = np.arange(8 * 16, dtype=np.uint8).reshape(8, 4, 4, 1)
    ranges = calibrate(network, images.astype(np.float32) / 255)
    network.save(folder / "net.npz")
    ranges.save(folder / "ranges.json")
    quantize_network(network, ranges).save(folder / "model.npz")
    np.save(folder / "x.npy", images[..., 0])
    np.save(folder / "y.npy", np.zeros(8, np.uint8))
    write_set(intgold.load(folder / "model.npz"), folder / "set", count=2)
    for shard in (0, 1):
        write_set(
            intgold.load(folder / "model.npz"), folder / f"part{shard}", count=2, shards=2,
            shard=shard,
        )  # fmt: skip
    write_signatures(folder / "set", (1, 1, 1), folder / "s.txt")
    (folder / "layout.toml").write_text("[layout]\nword_bits = 8\n")
    return folder


@pytest.fixture
def trial(base, tmp_path, capsys, monkeypatch):
    def made(line):
        for word, tool in (("train", "torch"), ("plot", "matplotlib")):
            if word in line.split()[0] or f"--{word}" in line:
                tools.need(tool)
        if "tflite" in line:
            (base / "m.tflite").write_bytes(small_file())
        if "detector" in line:
            (base / "detector.tflite").write_bytes(detector_file())
            import_tflite(base / "detector.tflite").save(base / "detector.npz")
            np.save(base / "pixels.npy", np.arange(6, dtype=np.uint8).reshape(1, 1, 2, 3) * 50)
        for name, value in (("_ROUNDS", 1), ("_SECONDS", 0.0), ("BATCHES", (1,))):
            monkeypatch.setattr(f"intgold.study.quantisation.compare.{name}", value)
        monkeypatch.chdir(copied(base, tmp_path / "here"))
        return Trial(line, tmp_path / "here", capsys)

    return made


@pytest.fixture(scope="module")
def own_files(base, tmp_path_factory):
    """A file of every kind but those that take long: (kind, bytes)."""
    folder = tmp_path_factory.mktemp("own")
    model = intgold.load(base / "model.npz")
    write_c([model], folder / "m.c")
    write_sheet(model, folder / "s.md")
    write_sheet(model, folder / "s.html")
    assert main(["verify", str(base / "set"), "--dut", str(base / "set"), "--html",
                 str(folder / "r.html"), "--quiet"]) == 0  # fmt: skip
    paths = {
        "model": base / "model.npz", "float network": base / "net.npz",
        "set of ranges": base / "ranges.json", "C source of models": folder / "m.c",
        "list of signatures": base / "s.txt", "report": folder / "r.html",
    }  # fmt: skip
    both = [("data sheet", folder / "s.md"), ("data sheet", folder / "s.html")]
    return [(name, path.read_bytes()) for name, path in (*paths.items(), *both)]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Small valid things of every kind."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(3)

    def layer(name, kind, *shape, **more):
        w, b = (rng.normal(size=s).astype(np.float32) for s in (shape, shape[:1]))
        return Layer(name, kind, w, b, **more)

    network = FloatNetwork("small", (6, 6, 1), (
        layer("conv1", "conv2d", 3, 3, 3, 1), Layer("relu1", "relu"),
        Layer("gap", "global_avg_pool"), layer("fc", "fully_connected", 5, 3),
    ))  # fmt: skip
    images = rng.integers(0, 256, (4, 6, 6, 1)).astype(np.uint8)
    reals = images.astype(np.float32) / 255
    ranges = calibrate(network, reals)
    model = quantize_network(network, ranges)
    network.save(folder / "network.npz")
    ranges.save(folder / "ranges.json")
    model.save(folder / "model.npz")
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", np.zeros(4, np.uint8))
    (folder / "idx").write_bytes(
        bytes((0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 6, 0, 0, 0, 6)) + images.tobytes()
    )
    (folder / "pictures").mkdir()
    Image.fromarray(images[0, ..., 0]).save(folder / "pictures" / "a.png")
    (folder / "layout.toml").write_text("[default]\nlanes = 2\n")
    write_set(model, folder / "set", count=2)
    for k in (0, 1):
        write_set(model, folder / f"shard{k}", count=2, shards=2, shard=k)
    write_op_sets("lut", folder / "op")
    write_signatures(folder / "set", (8, 8, 8), folder / "signatures")
    x = model.quantize_input(images)
    values = model.run(x).output
    return dict(locals())
