"""Usual mistakes of a caller: the line says what was given and what to do."""

import subprocess
import sys

import numpy as np
import pytest

import intgold
from intgold import InputError
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.shipped import NETWORKS, load_network

USUAL = {
    "write_c of a model": (
        lambda m, x: intgold.exporters.write_c(m, "x.c"), r"<Model .* instead of .*\[model\]"),
    "swapped write_c": (
        lambda m, x: intgold.exporters.write_c("x.c", [m]), "models: str 'x.c' instead of a l"),
    "copy_engine of a model": (
        lambda m, x: intgold.exporters.copy_engine(m), "instead of a path: are the arguments swap"),
    "load of a model": (lambda m, x: intgold.load(m), "load: path: <Model .* instead of a path"),
    "swapped run": (lambda m, x: m.run("c", x), "run: backend: <array .* instead of text: are"),
    "swapped predict": (lambda m, x: m.predict("c", x), "images: str 'c' instead of a NumPy array"),
    "a name as images": (lambda m, x: m.run("c"), "input image: str 'c' instead of an array"),
    "bytes to run": (lambda m, x: m.run(x.view(np.uint8)), "uint8 instead.*quantize_input"),
    "floats to run": (lambda m, x: m.run(x.astype(float)), "float64 instead.*quantize_input"),
    "a list to predict": (lambda m, x: m.predict(x.tolist()), "list .* numpy.array"),
    "predict of nothing": (lambda m, x: m.predict(x[:0]), "no images"),
    "NaN": (lambda m, x: m.predict(np.full(x.shape, np.nan)), r"nan at \(0, 0, 0, 0\)"),
    "infinity": (lambda m, x: m.predict(np.full(x.shape, -np.inf)), "-inf at"),
    "floats 0..255": (lambda m, x: m.quantize_input((x + 128.0) % 256),
                      "its reals are from 0 to 1: give images / 255, or the bytes as uint8"),
    "objects": (lambda m, x: m.quantize_input(x.astype(object)), "object is neither uint8"),
    "int64": (lambda m, x: m.quantize_input(x.astype(np.int64)), r"astype\(numpy.float32\)"),
    "a long list": (lambda m, x: m.predict(x.tolist()), "^.{0,300}: numpy.array.* produces one$"),
    "several arrays": (lambda m, x: m.predict((x, x)), "give one array; for several inputs, model"),
    "masked": (lambda m, x: m.predict(np.ma.masked_array(x, x > 0)), "masked array .*x.filled"),
    "masked to run": (lambda m, x: m.run(np.ma.masked_array(x, x > 0)), "masked array .*x.filled"),
    "a word as trace": (lambda m, x: m.run(x, trace="yes"), "trace: str 'yes' instead of True"),
    "a word as trace of golden": (
        lambda m, x: m.run(x, trace="yes", backend="golden"), "trace: str 'yes' instead of True"),
    "no trace": (lambda m, x: m.run(x).tensors["conv1"], "'conv1': run with trace=True"),
    "a typo": (lambda m, x: m.run(x, trace=True).tensors["con"], "'con': there are conv1, gap"),
    "a typo of golden": (lambda m, x: m.run(x, "golden", trace=True).accumulators["con"],
                         "'con': there are conv1, gap"),
    "wrong rank": (lambda m, x: m.quantize_input(x[0, 0]), r"shape .* instead of \(n, "),
    "dequantize of a wrong shape": (
        lambda m, x: m.dequantize(np.zeros((2, 7), np.int32)), r"shape \(2, 7\) instead of"),
    "dequantize of a wrong dtype": (
        lambda m, x: m.dequantize(np.zeros((2, 5), np.int64)), "int64 instead of int32"),
    "dequantize of reals": (
        lambda m, x: m.dequantize(np.zeros((2, 5))), "float64 instead of int32"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", USUAL)
def test_usual_mistakes_are_told_apart(mistake, world, tmp_path, monkeypatch):
    """The line says what was given and what to do."""
    monkeypatch.chdir(tmp_path)
    call, message = USUAL[mistake]
    with pytest.raises(InputError, match=message):
        call(world["model"], world["x"])
    assert not list(tmp_path.iterdir())


def test_documented_modules_are_there():
    """`import intgold` leads to each: it is loaded at its first use."""
    code = "import intgold; print(*(getattr(intgold, n).__name__ for n in intgold._SUBMODULES))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = made.stdout.split()
    assert names == [f"intgold.{n}" for n in intgold._SUBMODULES] and "intgold.exporters" in names
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        intgold.nothing  # noqa: B018


def test_labels_are_classes(world):
    """The first label that is no class is named, wherever labels are taken."""
    from intgold.predict.predictions import predict_images
    from intgold.study.quantisation.compare import compare
    from intgold.study.quantisation.sweep import SweepData, run_sweep

    model, network, images = world["model"], world["network"], world["images"]
    for odd in (5, -1, 300):
        labels = np.array([0, 4, odd, 9])
        for call in (
            lambda: predict_images(model, images, list("abcd"), labels),  # noqa: B023
            lambda: compare(network, {"a": model}, images, labels),  # noqa: B023
            lambda: run_sweep(network, [Choices()], SweepData(images, images, labels)),  # noqa: B023
        ):
            with pytest.raises(InputError, match=rf"labels: {odd} at \(2,\) .* 0 to 4"):
                call()


def test_the_other_kind_of_file(world):
    """A float network where a model is wanted, and the other way round: what to do."""
    with pytest.raises(intgold.ArtefactError, match="a float network: intgold quantize produces"):
        intgold.load(world["folder"] / "network.npz")
    with pytest.raises(intgold.ArtefactError, match="^mnist: neither .*: a float network, intgold"):
        intgold.load("mnist")
    with pytest.raises(intgold.ArtefactError, match="^lut: neither .*an integer model already"):
        load_network("lut")
    assert tuple(NETWORKS) == intgold.FLOAT_NETWORKS
    with pytest.raises(intgold.ArtefactError, match="an integer model already; wanted is the fl"):
        FloatNetwork.load(world["folder"] / "model.npz")
