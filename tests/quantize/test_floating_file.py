"""The file of a float network: the same bytes for the same network, and nothing foreign read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from test_floating_network import IMAGES, random_network

from intgold.errors import ArtefactError, InputError, ModelError
from intgold.quantize.calibrate import Ranges, calibrate
from intgold.quantize.inference import FloatNetwork, Input
from intgold.quantize.layers import Layer
from intgold.support import json_text
from intgold.support import safe_files as files


def test_a_saved_network_is_the_same(tmp_path: Path) -> None:
    """Loading gives the same logits and every field; saving again gives the same bytes."""
    network = random_network()
    network.save(tmp_path / "a.npz")
    loaded = FloatNetwork.load(tmp_path / "a.npz")
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert np.array_equal(loaded.run(IMAGES), network.run(IMAGES))
    assert (loaded.name, loaded.input_shape) == (network.name, network.input_shape)
    for one, other in zip(network.layers, loaded.layers, strict=True):
        for field in ("name", "kind", "inputs", "stride", "padding", "kernel", "dilation", "alpha"):
            assert getattr(one, field) == getattr(other, field)
    with np.load(tmp_path / "a.npz") as archive:  # an .npz to anyone else, too
        assert np.array_equal(archive["conv1.weights"], network.layers[0].weights)


def header_edit(edit):
    """Return a spoiler of the members that edits the JSON header."""

    def spoil(members: dict[str, bytes]) -> None:
        header = json.loads(members["network.json"])
        edit(header)
        members["network.json"] = json.dumps(header).encode()

    return spoil


def array_edit(name: str, edit):
    """Return a spoiler of the members that edits one array."""

    def spoil(members: dict[str, bytes]) -> None:
        array = files.read_npy(name, members[name]).copy()
        members[name] = files.npy_bytes(edit(array))

    return spoil


SPOILERS = {
    "no header": (lambda m: m.pop("network.json"), "not a float network"),
    "no JSON": (lambda m: m.update({"network.json": b"{"}), "not JSON"),
    "other format": (header_edit(lambda h: h.update(format="other")), "not a float network"),
    "older version": (header_edit(lambda h: h.update(version=1)), "version 1"),
    "newer version": (header_edit(lambda h: h.update(version=5)), "version 5, this reads 2 to 4"),
    "version of truth": (header_edit(lambda h: h.update(version=True)), "version True"),
    "unknown field": (header_edit(lambda h: h.update(scale=1)), "'scale' is unknown"),
    "missing field": (header_edit(lambda h: h.pop("name")), "'name' is missing"),
    "layer's unknown field": (
        header_edit(lambda h: h["layers"][0].update(groups=1)),
        "'groups' is unknown",
    ),
    "layer of a list": (header_edit(lambda h: h["layers"].insert(0, [])), "where an object"),
    "unknown kind": (header_edit(lambda h: h["layers"][1].update(kind="swish")), "'swish'"),
    "name of a number": (header_edit(lambda h: h["layers"][1].update(name=3)), "'name' is 3"),
    "name twice": (header_edit(lambda h: h["layers"][1].update(name="conv1")), "used twice"),
    "stride 0": (header_edit(lambda h: h["layers"][0].update(stride=[0, 1])), r"stride \(0, 1\)"),
    "padding of three": (
        header_edit(lambda h: h["layers"][0].update(padding=[1, 1, 1])),
        "padding",
    ),
    "input shape": (header_edit(lambda h: h.update(input_shape=[28, 28, 2])), "wants 1 channels"),
    "layers swapped": (
        header_edit(lambda h: h.update(layers=h["layers"][::-1])),
        "layer fc: reads 'gap'",
    ),
    "key twice": (
        lambda m: m.update({"network.json": m["network.json"].replace(b"{", b'{"name": "x",', 1)}),
        "a key appears twice",
    ),
    "name of a path": (
        header_edit(lambda h: h["layers"][1].update(name="a/b")),
        "'a/b': not a name",
    ),
    "huge image": (header_edit(lambda h: h.update(input_shape=[1024] * 3)), "holds 9663676416 va"),
    "huge padding": (header_edit(lambda h: h["layers"][0].update(padding=[999] * 4)), "holds"),
    "no layers": (header_edit(lambda h: h.update(layers=[])), "belongs to no layer"),
    "member missing": (lambda m: m.pop("conv2.bias.npy"), "conv2: conv2d with weights or bias"),
    "member too many": (lambda m: m.update({"x.npy": b""}), "x.npy belongs to no layer"),
    "not .npy": (lambda m: m.update({"fc.bias.npy": b"0123456789"}), "not a .npy"),
    "float64": (array_edit("fc.bias.npy", lambda a: a.astype(np.float64)), "not finite float32"),
    "NaN": (array_edit("conv1.weights.npy", lambda a: a * np.float32(np.nan)), "not finite"),
    "bias too long": (array_edit("fc.bias.npy", lambda a: np.append(a, a[:1])), "of shapes"),
    "fewer inputs": (array_edit("fc.weights.npy", lambda a: a[:, :-1].copy()), "layer fc: input"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_refuses_a_spoilt_network(tmp_path: Path, name: str) -> None:
    """Each fault is an ArtefactError of one line, which names the file and the fault."""
    spoil, message = SPOILERS[name]
    path = tmp_path / "network.npz"
    random_network().save(path)
    members = files.read_zip(path)
    spoil(members)
    files.write_zip(path, members)
    with pytest.raises(ArtefactError, match=message) as caught:
        FloatNetwork.load(path)
    assert str(caught.value).count("network.npz") == 1 and "\n" not in str(caught.value)


def wide_network() -> FloatNetwork:
    """Return a network that version 2 of the file cannot say: two inputs, the newer layers."""
    rng = np.random.default_rng(3)
    inputs = (Input("ecg", (1, 12, 2), False, "NCL"), Input("bytes", (24,), True, "NF"))
    return FloatNetwork.of(
        "wide",
        inputs,
        (
            Layer("pad", "pad", padding=(0, 0, 1, 2), alpha=0.5, inputs=("ecg",)),
            Layer("conv", "conv2d", rng.normal(size=(2, 1, 4, 2)).astype("f4"), np.zeros(2, "f4")),
            Layer("clip", "clip", alpha=-0.5, beta=1.5),
            Layer("shaped", "reshape", inputs=("bytes",), shape=(1, 12, 2)),
            Layer("half", "affine", alpha=-0.5, beta=0.25),
            Layer("product", "mul", inputs=("clip", "half")),
            Layer("apart", "sub", inputs=("product", "half")),
        ),
        "softmax",
    )


def test_newer_layers_by_hand() -> None:
    """pad, reshape, clip, affine, mul, sub against NumPy; two inputs, in either order of axes."""
    network, rng = wide_network(), np.random.default_rng(4)
    ecg, given = rng.normal(size=(5, 2, 12)).astype("f4"), rng.integers(0, 256, (5, 24))
    trace = network.trace({"ecg": ecg, "bytes": given.astype(np.uint8)})
    stored = ecg.transpose(0, 2, 1)[:, np.newaxis]
    padded = np.full((5, 1, 15, 2), 0.5, "f4")
    padded[:, :, 1:13] = stored
    assert np.array_equal(trace["pad"], padded)
    assert np.array_equal(trace["clip"], np.minimum(np.maximum(trace["conv"], -0.5), 1.5))
    half = 0.25 - 0.5 * (given.astype("f4") / np.float32(255)).reshape(5, 1, 12, 2)
    assert np.abs(trace["half"] - half).max() < 1e-6
    assert np.array_equal(trace["apart"], trace["clip"] * trace["half"] - trace["half"])
    same = network.run({"ecg": stored, "bytes": (given / 255).astype("f4")})
    assert np.abs(same - trace["apart"]).max() < 1e-6
    for bad, message in (
        ({"ecg": ecg}, "input 'bytes' is missing"),
        ({"ecg": ecg, "bytes": given.astype("u1"), "x": ecg}, "input 'x' is unknown"),
        (ecg, "one array for its 2 inputs"),
        ({"ecg": ecg[:3], "bytes": given.astype("u1")}, "3 of ecg, 5 of bytes"),
        ({"ecg": ecg[:, :1], "bytes": given.astype("u1")}, "values of input ecg of shape"),
        ({"ecg": ecg, "bytes": given.astype("f4")}, "values of input bytes lie in"),
    ):
        with pytest.raises(InputError, match=message):
            network.run(bad)


@pytest.mark.parametrize("order", ["", "NCHW"])
def test_a_wide_network_is_the_same(tmp_path: Path, order: str) -> None:
    """Versions 3 and 4: every field comes back; each network is in the oldest that says it all."""
    network = dataclasses.replace(wide_network(), output_order=order)
    network.save(tmp_path / "a.npz")
    loaded = FloatNetwork.load(tmp_path / "a.npz")
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (loaded.inputs, loaded.left_to_host) == (network.inputs, "softmax")
    assert loaded.output_order == order
    for one, other in zip(network.layers, loaded.layers, strict=True):
        for field in ("kind", "inputs", "alpha", "beta", "shape", "padding"):
            assert getattr(one, field) == getattr(other, field)
    for saved, version in ((network, 4 if order else 3), (random_network(), 2)):
        saved.save(tmp_path / "c.npz")
        header = json.loads(files.read_zip(tmp_path / "c.npz")["network.json"])
        assert header["version"] == version


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda h: h["inputs"].clear(), "no inputs"),
        (lambda h: h["inputs"][1].update(name="ecg"), "two inputs of one name"),
        (lambda h: h["inputs"][0].update(order="CNL"), "order 'CNL'"),
        (lambda h: h["inputs"][0].update(order="NF"), "order 'NF' for shape"),
        (lambda h: h["inputs"][1].update(order="NCHW"), "order 'NCHW' for shape"),
        (lambda h: h["inputs"][0].update(shape=[12, 2]), r"shape \(12, 2\) is not"),
        (lambda h: h["inputs"][0].update(shape=[1, 2**40, 2]), "is not"),
        (lambda h: h["inputs"][0].update(pixels=1), "'pixels' is 1"),
        (lambda h: h["inputs"][0].update(scale=1), "'scale' is unknown"),
        (lambda h: h["inputs"].append(3), "where an object belongs"),
        (
            lambda h: (h["inputs"][0].update(name="pad"), h["layers"][0].update(inputs=["pad"])),
            "used twice",
        ),
        (lambda h: h["layers"][2].update(beta=-1.0), r"clip to \[-0.5, -1.0\]"),
        (lambda h: h["layers"][1].update(beta=0.5), "conv2d with beta 0.5"),
        (lambda h: h["layers"][3].update(shape=[5, 5]), r"\(24,\) as \(5, 5\)"),
        (lambda h: h["layers"][3].update(shape=[1] * 4), "reshape with shape"),
        (lambda h: h["layers"][0].update(shape=[24]), "pad with shape"),
        (lambda h: h["layers"][5].update(inputs=["clip"]), "mul of 1 inputs"),
        (lambda h: h.update(left_to_host=3), "'left_to_host' is 3"),
        (lambda h: h.update(output_order="NCHW"), "'output_order' is unknown"),
        (lambda h: h.update(version=4), "'output_order' is missing"),
        (lambda h: h.update(version=4, output_order="CNHW"), "output order 'CNHW'"),
    ],
)
def test_refuses_a_spoilt_wide_network(tmp_path: Path, edit, message: str) -> None:
    """The same of version 3."""
    path = tmp_path / "network.npz"
    wide_network().save(path)
    members = files.read_zip(path)
    header_edit(edit)(members)
    files.write_zip(path, members)
    with pytest.raises(ArtefactError, match=message) as caught:
        FloatNetwork.load(path)
    assert str(caught.value).count("network.npz") == 1 and "\n" not in str(caught.value)


def test_refuses_what_is_no_zip(tmp_path: Path) -> None:
    """A truncated file, a foreign one, none at all, a compressed archive."""
    path = tmp_path / "network.npz"
    random_network().save(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-1], b"", b"\x89PNG"):
        path.write_bytes(content)
        with pytest.raises(ArtefactError, match=r"network\.npz"):
            FloatNetwork.load(path)
    np.savez_compressed(path, fc=np.zeros(3))
    with pytest.raises(ArtefactError, match="compressed"):
        FloatNetwork.load(path)
    with pytest.raises(ArtefactError, match="absent"):
        FloatNetwork.load(tmp_path / "absent.npz")


def test_images_come_in_smaller_chunks_where_they_are_large() -> None:
    """Few values are held at a time, and the logits are those of image by image."""
    layer = Layer("gap", "global_avg_pool")
    fc = Layer("fc", "fully_connected", np.ones((2, 1), np.float32), np.zeros(2, np.float32))
    wide = FloatNetwork("wide", (1024, 1024, 1), (layer, fc))
    assert wide._chunk == 16 and random_network()._chunk == 250
    images = np.random.default_rng(0).random((20, 1024, 1024, 1), np.float32)
    one_by_one = np.concatenate([wide.run(image[np.newaxis]) for image in images])
    assert np.array_equal(wide.run(images), one_by_one)


RANGES = {
    "format": "intgold-ranges",
    "images": 3,
    "method": "minmax",
    "layers": {"conv": ["-0x1.0000000000000p+0", "0x1.0000000000000p+1"]},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "percentile:nan"}, "percentile:nan"),
        ({"method": "percentile:1e99"}, "percentile:1e99"),
        ({"method": 100}, "calibration 100"),
        ({"layers": {"conv": ["-0x1p+99999", "0x1p+0"]}}, "too large"),
        ({"images": 0}, "0 images"),
        ({"images": True}, "of True images"),
        ({"layers": {"conv": "12"}}, "layer conv: '12' is not a pair"),
        ({"layers": {"conv": [1.0, 2.0]}}, "conv: 1.0 is not a hexadecimal real"),
        ({"layers": {"conv": ["-inf", "0x1p+0"]}}, "is no range"),
        ({"layers": {"conv": ["0x1p+0", "0x0p+0"]}}, "is no range"),
        ({"layers": []}, r"layers \[\]"),
        ({"colour": "red"}, "not an object of"),
        ({"format": "other"}, "format 'other'"),
    ],
)
def test_refuses_spoilt_ranges(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """Each fault is an ArtefactError that names the file."""
    path = tmp_path / "ranges.json"
    path.write_text(json.dumps(RANGES))
    assert Ranges.load(path)["conv"] == (-1.0, 2.0)
    path.write_text(json.dumps({**RANGES, **change}))
    with pytest.raises(ArtefactError, match=message) as caught:
        Ranges.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"[" * 40 + b"]" * 40, b"\xff", b'{"a": 1, "a": 1}', b"[1e400]", b"[NaN]"],
)
def test_json_that_is_not_strict_is_refused(tmp_path: Path, data: bytes) -> None:
    """Depth, encoding, keys and numbers: a ValueError of the parser, one of ours to the user."""
    with pytest.raises(ValueError, match="deep|decode|twice|large|not a number"):
        json_text.strict_json(data)
    (tmp_path / "ranges.json").write_bytes(data)
    with pytest.raises(ArtefactError, match="not calibration ranges"):
        Ranges.load(tmp_path / "ranges.json")


def test_values_beyond_float32_are_named(recwarn: pytest.WarningsRecorder) -> None:
    """A network whose outputs overflow is no traceback and no warning."""
    weights = np.full((3, 4), 3e38, np.float32)
    layer = Layer("fc", "fully_connected", weights, np.zeros(3, np.float32))
    network = FloatNetwork("hot", (2, 2, 1), (layer,))
    with pytest.raises(ModelError, match="layer fc: gives inf to inf on the calibration images"):
        calibrate(network, np.ones((1, 2, 2, 1), np.float32))
    assert not [w for w in recwarn.list if "calibration data: all" not in str(w.message)]


@pytest.mark.parametrize(("method", "percentile"), [("minmax", 100), ("percentile:99", 99)])
def test_calibration_does_not_depend_on_chunks(method: str, percentile: float) -> None:
    """Extremes of more images than are held at a time are those of all."""
    network = random_network()
    images = np.random.default_rng(1).random((520, 28, 28, 1), np.float32)
    images[501] = 1.0
    values = network.trace(images)["conv1"]
    ends = np.percentile(values, [100 - percentile, percentile])
    lo, hi = calibrate(network, images, method)["conv1"]
    assert lo <= min(ends[0], 0) <= 0.98 * lo and 0.98 * hi <= ends[1] <= hi
