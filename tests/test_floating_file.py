"""The file of a float network: the same bytes for the same network, and nothing foreign read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intgold import files
from intgold.errors import ArtefactError
from intgold.floating.inference import FloatNetwork
from test_floating_network import IMAGES, random_network


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
    "newer version": (header_edit(lambda h: h.update(version=1)), "version 1"),
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
    "padding of three": (header_edit(lambda h: h["layers"][0].update(padding=[1, 1, 1])), "range"),
    "input shape": (header_edit(lambda h: h.update(input_shape=[28, 28, 2])), "wants 1 channels"),
    "layers swapped": (
        header_edit(lambda h: h.update(layers=h["layers"][::-1])),
        "layer fc: reads 'gap'",
    ),
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
